#include "supervise/catalog.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fakes/temp_folder.h"

using namespace labdeck;
using namespace labdeck::supervise;
using labdeck::fakes::TempFolder;

namespace {

/// A catalog in a file of its own.
struct World {
    TempFolder folder;
    store::Database database =
        store::Database::open(folder.path() + "/labdeck.db", catalog_migrations()).value();
    Catalog catalog{database};
};

ScriptDefinition script_named(const std::string& name, const std::string& id = {}) {
    ScriptDefinition script;
    script.id = id;
    script.name = name;
    script.command = "./" + name;
    return script;
}

Profile profile_of(const std::string& id, std::vector<std::string> scripts) {
    Profile profile;
    profile.id = id;
    profile.name = "profile " + id;
    profile.script_ids = std::move(scripts);
    return profile;
}

std::vector<std::string> ids(const Result<std::vector<ScriptDefinition>>& scripts) {
    std::vector<std::string> all;
    for (const ScriptDefinition& script : scripts.value()) all.push_back(script.id);
    return all;
}

Json json_of(std::string_view text) {
    return contract::parse_json(text).value();
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_SUITE("supervise/catalog") {
    TEST_CASE("a new script gets an id of its own, and is there after a restart") {
        const TempFolder folder;
        ScriptDefinition made;
        {
            auto database = store::Database::open(folder.path() + "/a.db", catalog_migrations()).value();
            Catalog catalog(database);
            made = catalog.create_script(script_named("bridge")).value();
            CHECK(made.id.size() == 36);
            CHECK(catalog.create_script(script_named("bridge")).value().id != made.id);
        }
        auto database = store::Database::open(folder.path() + "/a.db", catalog_migrations()).value();
        const Catalog catalog(database);
        CHECK(catalog.scripts().value().size() == 2);
        CHECK(catalog.script(made.id).value() == made);
    }

    TEST_CASE("an id that is given is taken, once") {
        World world;
        CHECK(world.catalog.create_script(script_named("a", "my-id")).value().id == "my-id");
        const auto again = world.catalog.create_script(script_named("b", "my-id"));
        REQUIRE_FALSE(again.has_value());
        CHECK(again.error().code == Code::bad_arg);
        CHECK(again.error().details == R"({"key":"id"})");
        CHECK(world.catalog.script("my-id").value().name == "a");
    }

    TEST_CASE("an upsert adds or replaces, and the order stays") {
        World world;
        for (const char* const id : {"one", "two", "three"})
            REQUIRE(world.catalog.upsert_script(script_named(id, id)).has_value());
        ScriptDefinition changed = script_named("changed", "two");
        changed.cwd = "/bench";
        changed.extra = R"({"colour":"red"})";
        CHECK(world.catalog.upsert_script(changed).value() == changed);
        CHECK(ids(world.catalog.scripts()) == Ids{"one", "two", "three"});
        CHECK(world.catalog.script("two").value() == changed);
        CHECK(world.catalog.upsert_script(script_named("x")).error().details == R"({"key":"id"})");
    }

    TEST_CASE("what does not exist is not found") {
        World world;
        CHECK(world.catalog.script("x").error().code == Code::not_found);
        CHECK(world.catalog.delete_script("x").error().code == Code::not_found);
        CHECK(world.catalog.profile("x").error().code == Code::not_found);
        CHECK(world.catalog.delete_profile("x").error().code == Code::not_found);
        CHECK(world.catalog.script("x").error().details == R"({"key":"id"})");
    }

    TEST_CASE("what a script says of its profiles is derived from theirs") {
        World world;
        for (const char* const id : {"a", "b", "c"})
            REQUIRE(world.catalog.create_script(script_named(id, id)).has_value());
        REQUIRE(world.catalog.upsert_profile(profile_of("p", {"c", "a"})).has_value());
        REQUIRE(world.catalog.upsert_profile(profile_of("q", {"a"})).has_value());
        CHECK(world.catalog.script("a").value().profiles == Ids{"p", "q"});
        CHECK_FALSE(world.catalog.script("b").value().profiles.has_value());
        CHECK(world.catalog.scripts().value()[2].profiles == Ids{"p"});
        CHECK(world.catalog.profile("p").value().script_ids == Ids{"c", "a"});
    }

    TEST_CASE("an upsert with profiles changes the profiles, and one without leaves them") {
        World world;
        for (const char* const id : {"a", "b"})
            REQUIRE(world.catalog.create_script(script_named(id, id)).has_value());
        for (const char* const id : {"p", "q", "r"})
            REQUIRE(world.catalog.upsert_profile(profile_of(id, {"a", "b"})).has_value());
        ScriptDefinition script = script_named("a", "a");
        script.profiles = Ids{"r", "q"};
        CHECK(world.catalog.upsert_script(script).value().profiles == Ids{"q", "r"});
        CHECK(world.catalog.profile("p").value().script_ids == Ids{"b"});
        CHECK(world.catalog.profile("q").value().script_ids == Ids{"a", "b"});
        script.profiles = Ids{"p"};
        REQUIRE(world.catalog.upsert_script(script).has_value());
        CHECK(world.catalog.profile("p").value().script_ids == Ids{"b", "a"});
        REQUIRE(world.catalog.upsert_script(script_named("renamed", "a")).has_value());
        CHECK(world.catalog.profile("p").value().script_ids == Ids{"b", "a"});
        script.profiles = Ids{};
        CHECK_FALSE(world.catalog.upsert_script(script).value().profiles.has_value());
    }

    TEST_CASE("a profile that does not exist is refused, and nothing of the script is changed") {
        World world;
        REQUIRE(world.catalog.create_script(script_named("a", "a")).has_value());
        ScriptDefinition script = script_named("changed", "a");
        script.profiles = Ids{"none"};
        const auto refused = world.catalog.upsert_script(script);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::not_found);
        CHECK(refused.error().details == R"({"key":"profiles[0]"})");
        CHECK(world.catalog.script("a").value().name == "a");
    }

    TEST_CASE("a script that is deleted leaves its profiles, a profile that is deleted leaves its scripts") {
        World world;
        for (const char* const id : {"a", "b"})
            REQUIRE(world.catalog.create_script(script_named(id, id)).has_value());
        REQUIRE(world.catalog.upsert_profile(profile_of("p", {"a", "b"})).has_value());
        REQUIRE(world.catalog.delete_script("a").has_value());
        CHECK(world.catalog.profile("p").value().script_ids == Ids{"b"});
        REQUIRE(world.catalog.delete_profile("p").has_value());
        CHECK(world.catalog.profiles().value().empty());
        CHECK(world.catalog.scripts().value().size() == 1);
        CHECK_FALSE(world.catalog.script("b").value().profiles.has_value());
    }

    TEST_CASE("a profile gets an id, and may name scripts that exist alone") {
        World world;
        REQUIRE(world.catalog.create_script(script_named("a", "a")).has_value());
        CHECK(world.catalog.upsert_profile(profile_of("", {"a"})).value().id.size() == 36);
        const auto refused = world.catalog.upsert_profile(profile_of("p", {"a", "none"}));
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::not_found);
        CHECK(refused.error().details == R"({"key":"scriptIds[1]"})");
        CHECK(world.catalog.profiles().value().size() == 1);
    }

    TEST_CASE("a secret without a value keeps the one that is stored, and needs one that is") {
        World world;
        ScriptDefinition script = script_named("a", "a");
        script.env = EnvMap{{"TOKEN", "s3cret"}, {"MODE", "x"}};
        REQUIRE(world.catalog.create_script(script).has_value());
        ScriptDefinition changed = script;
        changed.env = EnvMap{{"TOKEN", std::nullopt}, {"MODE", "y"}};
        CHECK(world.catalog.upsert_script(changed).value().env ==
              EnvMap{{"TOKEN", std::string("s3cret")}, {"MODE", std::string("y")}});
        changed.env = EnvMap{{"OTHER", std::nullopt}};
        CHECK(world.catalog.upsert_script(changed).error().details == R"({"key":"env.OTHER"})");
        changed.id = "b";
        CHECK(world.catalog.create_script(changed).error().code == Code::bad_arg);
    }

    TEST_CASE("a patch of settings changes what it names, and null removes") {
        World world;
        CHECK(world.catalog.settings().value() == AppSettings{});
        REQUIRE(
            world.catalog
                .update_settings(json_of(R"({"theme":"dark","startMinimized":true,"queue":{"max":2,"b":1}})"))
                .has_value());
        const auto updated = world.catalog.update_settings(
            json_of(R"({"theme":null,"startMinimized":false,"queue":{"max":3},"new":[1],"gone":null})"));
        CHECK(contract::dump_line(to_json(updated.value())) ==
              R"({"startMinimized":false,"queue":{"max":3},"new":[1]})");
        CHECK(world.catalog.settings().value() == updated.value());
    }

    TEST_CASE("a wrong patch changes nothing") {
        World world;
        REQUIRE(world.catalog.update_settings(json_of(R"({"theme":"dark"})")).has_value());
        const auto refused =
            world.catalog.update_settings(json_of(R"({"theme":"light","startMinimized":"no"})"));
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().details == R"({"key":"startMinimized"})");
        CHECK(world.catalog.settings().value().theme == "dark");
        CHECK(world.catalog.update_settings(json_of("[]")).error().code == Code::bad_arg);
        CHECK(world.catalog.update_settings(json_of("{\"big\":\"" + std::string(300'000, 'x') + "\"}"))
                  .error()
                  .code == Code::bad_arg);
    }

    TEST_CASE("a record that somebody damaged in the file is an error, not an end") {
        World world;
        REQUIRE(world.catalog.create_script(script_named("a", "a")).has_value());
        REQUIRE(world.database.execute("UPDATE script SET body = '{\"id\":\"a\"}'").has_value());
        const auto read = world.catalog.scripts();
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().code == Code::io);
        CHECK(read.error().message.find("missing required key: name") != std::string::npos);
    }
}
