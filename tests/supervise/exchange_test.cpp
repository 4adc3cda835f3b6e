#include "supervise/exchange.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fakes/temp_folder.h"

using namespace labdeck;
using namespace labdeck::supervise;
using labdeck::fakes::TempFolder;

namespace {

using Ids = std::vector<std::string>;

Json json_of(std::string_view text) {
    auto json = contract::parse_json(text);
    REQUIRE_MESSAGE(json.has_value(), json.error().message);
    return std::move(*json);
}

struct World {
    TempFolder folder;
    store::Database database =
        store::Database::open(folder.path() + "/labdeck.db", catalog_migrations()).value();
    Catalog catalog{database};

    std::string exported() const { return contract::dump_line(export_data(catalog).value()); }
    ImportChanges import(std::string_view text, ImportMode mode) {
        const auto changes = import_data(catalog, json_of(text), mode);
        REQUIRE_MESSAGE(changes.has_value(), changes.error().message);
        return *changes;
    }
    void add(const char* script) {
        REQUIRE(
            catalog.create_script(script_from_json(json_of(script), IdRule::optional).value()).has_value());
    }
    void group(const char* profile) {
        REQUIRE(catalog.upsert_profile(profile_from_json(json_of(profile), IdRule::optional).value())
                    .has_value());
    }
};

/// Scripts a and b with secrets, a profile of both, and settings.
void furnish(World& world) {
    world.add(
        R"({"id":"a","name":"A","command":"./a","args":["-v"],"env":{"API_TOKEN":"t0p-s3cret","MODE":"x"},)"
        R"("healthCheck":{"port":80},"vendor":{"apiKey":"k3y-k3y","list":[{"password":"pw-1"}]}})");
    world.add(R"({"id":"b","name":"B","command":"./b"})");
    world.group(R"({"id":"p","name":"P","scriptIds":["b","a"]})");
    REQUIRE(
        world.catalog.update_settings(json_of(R"({"theme":"dark","feedToken":"f33d-me","queue":{"max":2}})"))
            .has_value());
}

std::string data_of(const std::string& scripts, const std::string& profiles = "[]",
                    const std::string& settings = "{}") {
    return R"({"schemaVersion":1,"scripts":)" + scripts + R"(,"profiles":)" + profiles + R"(,"settings":)" +
           settings + "}";
}

}  // namespace

TEST_SUITE("supervise/exchange") {
    TEST_CASE("a document holds everything, and no secret") {
        World world;
        furnish(world);
        const std::string text = world.exported();
        CHECK(text ==
              R"({"schemaVersion":1,"scripts":[{"id":"a","name":"A","command":"./a","args":["-v"],)"
              R"("env":{"API_TOKEN":{"secret":true},"MODE":"x"},"healthCheck":{"port":80},"profiles":["p"],)"
              R"("vendor":{"apiKey":{"secret":true},"list":[{"password":{"secret":true}}]}},)"
              R"({"id":"b","name":"B","command":"./b","profiles":["p"]}],)"
              R"("profiles":[{"id":"p","name":"P","scriptIds":["b","a"]}],)"
              R"("settings":{"theme":"dark","feedToken":{"secret":true},"queue":{"max":2}}})");
    }

    TEST_CASE("export, import, export is the same to the byte, in both modes, here and elsewhere") {
        World world;
        furnish(world);
        const std::string text = world.exported();
        for (const ImportMode mode : {ImportMode::merge, ImportMode::replace}) {
            world.import(text, mode);
            CHECK(world.exported() == text);
            World elsewhere;
            elsewhere.import(text, mode);
            CHECK(elsewhere.exported() == text);
            elsewhere.import(text, ImportMode::merge);
            CHECK(elsewhere.exported() == text);
        }
    }

    TEST_CASE("an import keeps the secrets that are stored") {
        World world;
        furnish(world);
        const PersistedData before = world.catalog.everything().value();
        const ImportChanges changes = world.import(world.exported(), ImportMode::replace);
        CHECK(world.catalog.everything().value() == before);
        CHECK(changes.scripts_skipped == Ids{"a", "b"});
        CHECK(changes.settings_changed.empty());
        CHECK(world.catalog.script("a").value().env->at("API_TOKEN") == "t0p-s3cret");
        CHECK(world.catalog.script("a").value().extra.find("k3y-k3y") != std::string::npos);
    }

    TEST_CASE(
        "what another program took for a secret is kept as well, and no list of another length is mixed up") {
        World world;
        world.add(
            R"({"id":"a","name":"A","command":"c","env":{"PIN_CODE":"1234"},"keys":[{"token":"one-one"}]})");
        world.import(data_of(R"([{"id":"a","name":"A","command":"c","env":{"PIN_CODE":{"secret":true}},)"
                             R"("keys":[{"token":{"secret":true}},{"token":"two-two"}]}])"),
                     ImportMode::replace);
        CHECK(world.catalog.script("a").value().env->at("PIN_CODE") == "1234");
        CHECK(world.catalog.script("a").value().extra ==
              R"({"keys":[{"token":{"secret":true}},{"token":"two-two"}]})");
    }

    TEST_CASE("a secret that is nowhere stored stays open until it is given") {
        World world;
        world.import(data_of(R"([{"id":"a","name":"A","command":"c","env":{"TOKEN":{"secret":true}}}])"),
                     ImportMode::merge);
        CHECK_FALSE(world.catalog.script("a").value().env->at("TOKEN").has_value());
        ScriptDefinition script = world.catalog.script("a").value();
        script.name = "renamed";
        CHECK(world.catalog.upsert_script(script).has_value());
        script.env->at("TOKEN") = "now known";
        CHECK(world.catalog.upsert_script(script).value().env->at("TOKEN") == "now known");
    }

    TEST_CASE("merge adds what is new, skips what is the same, and keeps both of what is not") {
        World world;
        furnish(world);
        const ImportChanges changes = world.import(
            data_of(R"([{"id":"b","name":"B","command":"./b"},)"
                    R"({"id":"a","name":"A","command":"./other","env":{"API_TOKEN":{"secret":true}}},)"
                    R"({"id":"c","name":"C","command":"./c"}])"),
            ImportMode::merge);
        CHECK(changes.scripts_added == Ids{"c"});
        CHECK(changes.scripts_skipped == Ids{"b"});
        CHECK(changes.scripts_removed.empty());
        REQUIRE(changes.scripts_renamed.size() == 1);
        CHECK(changes.scripts_renamed[0].id == "a");
        CHECK(changes.scripts_renamed[0].name == "A (imported)");
        CHECK(world.catalog.script("a").value().command == "./a");
        const ScriptDefinition copy = world.catalog.script(changes.scripts_renamed[0].new_id).value();
        CHECK(copy.name == "A (imported)");
        CHECK(copy.command == "./other");
        CHECK(copy.env->at("API_TOKEN") == "t0p-s3cret");
        CHECK(world.catalog.scripts().value().size() == 4);
    }

    TEST_CASE("what a script says about profiles does not make it another") {
        World world;
        furnish(world);
        const ImportChanges changes = world.import(
            data_of(R"([{"id":"b","name":"B","command":"./b","profiles":["x","y"]}])"), ImportMode::merge);
        CHECK(changes.scripts_skipped == Ids{"b"});
        CHECK(world.catalog.script("b").value().profiles == Ids{"p"});
    }

    TEST_CASE("merge joins the scripts of a profile that is there, under their new ids") {
        World world;
        furnish(world);
        const ImportChanges changes = world.import(
            data_of(R"([{"id":"a","name":"A","command":"./other"},{"id":"c","name":"C","command":"./c"}])",
                    R"([{"id":"p","name":"another name","scriptIds":["c","b","a"]},)"
                    R"({"id":"q","name":"Q","scriptIds":["a","b"]},{"id":"r","name":"R","scriptIds":[]}])"),
            ImportMode::merge);
        const std::string copy = changes.scripts_renamed.at(0).new_id;
        CHECK(changes.profiles_changed == Ids{"p"});
        CHECK(changes.profiles_added == Ids{"q", "r"});
        CHECK(world.catalog.profile("p").value().name == "P");
        CHECK(world.catalog.profile("p").value().script_ids == Ids{"b", "a", "c", copy});
        CHECK(world.catalog.profile("q").value().script_ids == Ids{copy, "b"});
    }

    TEST_CASE("merge takes settings member by member, and the incoming wins") {
        World world;
        furnish(world);
        const ImportChanges changes = world.import(
            data_of("[]", "[]", R"({"theme":"light","queue":{"depth":1},"feedToken":{"secret":true},"n":1})"),
            ImportMode::merge);
        CHECK(changes.settings_changed == Ids{"theme", "queue", "n"});
        CHECK(contract::dump_line(to_json(world.catalog.settings().value())) ==
              R"({"theme":"light","feedToken":"f33d-me","queue":{"depth":1},"n":1})");
    }

    TEST_CASE("replace leaves what the document says, and nothing else") {
        World world;
        furnish(world);
        const ImportChanges changes = world.import(
            data_of(R"([{"id":"c","name":"C","command":"./c"},{"id":"b","name":"B2","command":"./b"}])",
                    R"([{"id":"q","name":"Q","scriptIds":["c"]}])", R"({"updateChannel":"beta"})"),
            ImportMode::replace);
        CHECK(changes.scripts_added == Ids{"c"});
        CHECK(changes.scripts_replaced == Ids{"b"});
        CHECK(changes.scripts_removed == Ids{"a"});
        CHECK(changes.profiles_added == Ids{"q"});
        CHECK(changes.profiles_removed == Ids{"p"});
        CHECK(changes.settings_changed == Ids{"updateChannel", "theme", "feedToken", "queue"});
        CHECK(
            world.exported() ==
            R"({"schemaVersion":1,"scripts":[{"id":"c","name":"C","command":"./c","profiles":["q"]},)"
            R"({"id":"b","name":"B2","command":"./b"}],"profiles":[{"id":"q","name":"Q","scriptIds":["c"]}],)"
            R"("settings":{"updateChannel":"beta"}})");
    }

    TEST_CASE("a document that is wrong anywhere changes nothing, in either mode") {
        World world;
        furnish(world);
        const std::string before = world.exported();
        const std::vector<std::pair<std::string, Code>> wrong = {
            {"[]", Code::bad_arg},
            {R"({"schemaVersion":2,"scripts":[],"profiles":[],"settings":{}})", Code::bad_arg},
            {R"({"schemaVersion":1,"scripts":[],"profiles":[]})", Code::bad_arg},
            {data_of(R"([{"id":"z","name":"Z","command":"z"}])",
                     R"([{"id":"q","name":"Q","scriptIds":["none"]}])"),
             Code::not_found},
            {data_of(R"([{"id":"z","name":"Z","command":"z"},{"id":"z","name":"Z","command":"z"}])"),
             Code::bad_arg},
            {data_of(R"([{"id":"z","name":"Z","command":"z"}])", "[]", R"({"theme":1})"), Code::bad_arg}};
        for (const auto& [text, code] : wrong) {
            for (const ImportMode mode : {ImportMode::merge, ImportMode::replace}) {
                const auto refused = import_data(world.catalog, json_of(text), mode);
                REQUIRE_FALSE(refused.has_value());
                CHECK(refused.error().code == code);
                CHECK(refused.error().details.starts_with(R"({"key":"data)"));
                CHECK(world.exported() == before);
            }
        }
    }

    TEST_CASE("a profile may name scripts that are stored when merging, and not when replacing") {
        World world;
        furnish(world);
        const std::string text = data_of("[]", R"([{"id":"q","name":"Q","scriptIds":["a"]}])");
        CHECK(preview_import(world.catalog, json_of(text), ImportMode::merge).has_value());
        const auto refused = preview_import(world.catalog, json_of(text), ImportMode::replace);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().details == R"({"key":"data.profiles[0].scriptIds[0]"})");
    }

    TEST_CASE("a preview says what an import then does, and does nothing") {
        World world;
        furnish(world);
        const std::string before = world.exported();
        const std::string text =
            data_of(R"([{"id":"b","name":"B","command":"./b"},{"id":"c","name":"C","command":"c"}])",
                    R"([{"id":"p","name":"P","scriptIds":["b"]}])", R"({"theme":"light"})");
        for (const ImportMode mode : {ImportMode::merge, ImportMode::replace}) {
            const auto preview = preview_import(world.catalog, json_of(text), mode);
            CHECK(world.exported() == before);
            World other;
            furnish(other);
            CHECK(other.import(text, mode) == preview.value());
        }
        CHECK(contract::dump_line(
                  to_json(preview_import(world.catalog, json_of(text), ImportMode::replace).value())) ==
              R"({"scripts":{"added":["c"],"skipped":["b"],"replaced":[],"renamed":[],"removed":["a"]},)"
              R"("profiles":{"added":[],"skipped":[],"changed":["p"],"removed":[]},)"
              R"("settings":{"changed":["theme","feedToken","queue"]}})");
    }

    TEST_CASE("members of the document that are not known are kept") {
        World world;
        const std::string text =
            R"({"schemaVersion":1,"scripts":[],"profiles":[],"settings":{},"origin":"bench 7","n":[1]})";
        world.import(text, ImportMode::merge);
        CHECK(world.exported() == text);
        world.import(R"({"schemaVersion":1,"scripts":[],"profiles":[],"settings":{},"n":2})",
                     ImportMode::merge);
        CHECK(world.exported() ==
              R"({"schemaVersion":1,"scripts":[],"profiles":[],"settings":{},"origin":"bench 7","n":2})");
        world.import(data_of("[]"), ImportMode::replace);
        CHECK(world.exported() == data_of("[]"));
    }

    TEST_CASE("a long name has room for what is put behind it, whole characters alone") {
        World world;
        std::string name;
        while (name.size() < 256) name += "\xc3\xbc";
        const std::string a = R"([{"id":"a","name":")" + name + R"(","command":"1"}])";
        const std::string b = R"([{"id":"a","name":")" + name + R"(","command":"2"}])";
        world.import(data_of(a), ImportMode::merge);
        const std::string renamed = world.import(data_of(b), ImportMode::merge).scripts_renamed.at(0).name;
        CHECK(renamed == name.substr(0, 244) + " (imported)");
        world.import(world.exported(), ImportMode::replace);
    }

    TEST_CASE("there are two modes") {
        CHECK(import_mode_from_name("merge").value() == ImportMode::merge);
        CHECK(import_mode_from_name("replace").value() == ImportMode::replace);
        CHECK(import_mode_from_name("Merge").error().details == R"({"key":"mode"})");
    }
}
