#include "hub/workspace.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fakes/temp_folder.h"

using labdeck::Code;
using labdeck::fakes::TempFolder;
using namespace labdeck::hub;

namespace {

labdeck::Error refused(const char* text) {
    auto bench = parse_bench(text, "/bench", "/opt/labdeck");
    REQUIRE_FALSE(bench.has_value());
    return bench.error();
}

}  // namespace

TEST_SUITE("hub/workspace") {
    TEST_CASE("a provider without a command is this program, hosting its apps") {
        const auto bench =
            parse_bench(R"({"providers":[{"name":"sims","apps":["a","b"]}]})", "/bench", "/opt/labdeck");
        REQUIRE(bench.has_value());
        REQUIRE(bench->providers.size() == 1);
        CHECK(bench->providers[0].command ==
              std::vector<std::string>{"/opt/labdeck", "provider", "--apps", "a,b"});
        CHECK(bench->providers[0].cwd == "/bench/");
        CHECK(bench->name == "bench");
    }

    TEST_CASE("a wrong value is refused with the place where it stands") {
        const auto error =
            refused("{\"providers\":[{\"name\":\"x\",\"apps\":[\"a\"]},\n{\"name\":\"y\",\"apps\":7}]}");
        CHECK(error.code == Code::config_invalid);
        CHECK(error.message == "labdeck.json:2:20: providers[1].apps: must be an array of strings");
        CHECK(error.details == R"({"key":"providers[1].apps","line":2,"column":20})");
        CHECK(refused("{\"commands\":[\n {}]}").message == "labdeck.json:2:2: commands[0].name: is missing");
        CHECK(refused(R"({"commands":[{"name":"x","command":["y"],"env":{"a.b":1}}]})").message ==
              "labdeck.json:1:48: commands[0].env.a.b: must be a string");
    }

    TEST_CASE("a text that is no JSON is refused where it goes wrong, and so is a key that stands twice") {
        CHECK(refused("{\n  \"name\": \"b\",\n}").message ==
              "labdeck.json:2:14: a comma before }; remove it");
        CHECK(refused("").message == "labdeck.json:1:1: there is nothing; the smallest JSON object is {}");
        CHECK(refused("[]").message == "labdeck.json:1:1: must be a JSON object");
        CHECK(refused("{\"name\":\"a\",\n\"name\":\"b\"}").message ==
              "labdeck.json:2:1: the key \"name\" stands here again, first at 1:2; remove one of them");
    }

    TEST_CASE("what cannot work is refused before anything starts") {
        CHECK(refused("[]").code == Code::config_invalid);
        CHECK(refused("{").code == Code::config_invalid);
        CHECK(refused(R"({"providers":[{"name":"x"}]})").message.find("names no app") != std::string::npos);
        CHECK(refused(R"({"providers":[{"name":"x","apps":["a"]},{"name":"x","apps":["b"]}]})")
                  .message.find("is used twice") != std::string::npos);
        CHECK(refused(R"({"providers":[{"name":"x","apps":["a"]},{"name":"y","apps":["a"]}]})")
                  .message.find("x hosts a already") != std::string::npos);
        CHECK(refused(R"({"commands":[{"name":"x"}]})").message.find("command: is missing") !=
              std::string::npos);
        CHECK(refused(R"({"cables":[{"name":"x","a":"../up"}]})").code == Code::config_invalid);
        CHECK(refused(R"({"cables":[{"name":"x","a":"same","b":"same"}]})").code == Code::config_invalid);
        CHECK(refused(R"({"cables":[{"name":"x","baud":0}]})").code == Code::config_invalid);
    }

    TEST_CASE("one hub holds a workspace, and a second is told who and how to speak to it") {
        const TempFolder folder;
        auto first = Workspace::open(folder.path());
        REQUIRE(first.has_value());
        const auto second = Workspace::open(folder.path());
        REQUIRE_FALSE(second.has_value());
        CHECK(second.error().code == Code::busy);
        CHECK(second.error().message.find("held by process " + std::to_string(::getpid())) !=
              std::string::npos);
        CHECK(second.error().message.find("labdeck call --workspace") != std::string::npos);
    }

    TEST_CASE("the state folder is its user's alone") {
        const TempFolder folder;
        const auto workspace = Workspace::open(folder.path());
        REQUIRE(workspace.has_value());
        const auto mode = std::filesystem::status(folder.path() + "/.labdeck").permissions();
        CHECK((mode & std::filesystem::perms::mask) == std::filesystem::perms::owner_all);
    }

    TEST_CASE("a folder in the place of labdeck.json is told of") {
        const TempFolder folder;
        std::filesystem::create_directory(folder.path() + "/labdeck.json");
        const auto workspace = Workspace::open(folder.path());
        REQUIRE_FALSE(workspace.has_value());
        CHECK(workspace.error().message.ends_with("/labdeck.json is a folder; a file is wanted there"));
    }

    TEST_CASE("a broken labdeck.json stops the start with its reason") {
        const TempFolder folder;
        std::ofstream(folder.path() + "/labdeck.json") << "{\"cables\": 3}";
        const auto workspace = Workspace::open(folder.path());
        REQUIRE_FALSE(workspace.has_value());
        CHECK(workspace.error().message == "labdeck.json:1:12: cables: must be an array");
    }

    TEST_CASE("a word that is written wrongly is named, wherever it stands") {
        const auto says = [](const char* text) { return refused(text).message; };
        CHECK(says(R"({"provider":[]})")
                  .ends_with("provider: is not known; there are name, cables, providers, commands"));
        CHECK(says(R"({"cables":[{"name":"c","baude":9600}]})")
                  .ends_with("cables[0].baude: is not known; there are name, a, b, baud"));
        CHECK(says(R"({"commands":[{"name":"c","command":["true"],"restart":true}]})")
                  .ends_with("commands[0].restart: is not known; there are name, command, cwd, env"));
    }

    TEST_CASE("the end of a cable has a plain name") {
        for (const char* name : {"plc-sim", "x", "Größe", "a b"}) CHECK(is_device_name(name));
        for (const char* name : {"", " ", ".x", "a/b", "a\nb", "a\x7f"}) CHECK_FALSE(is_device_name(name));
        CHECK_FALSE(is_device_name(std::string("n\0", 2)));
        CHECK_FALSE(is_device_name(std::string(101, 'a')));
    }

    TEST_CASE("how a provider is started again can be set") {
        const auto bench = parse_bench(
            R"({"providers":[{"name":"a","apps":["a"]},{"name":"b","apps":["b"],"backoffMs":20,"maxRetries":-1}]})",
            "/bench", "/opt/labdeck");
        REQUIRE(bench.has_value());
        CHECK(bench->providers[0].backoff_ms == 1000);
        CHECK(bench->providers[0].restarts_max == 5);
        CHECK(bench->providers[1].backoff_ms == 20);
        CHECK(bench->providers[1].restarts_max == -1);
        CHECK(refused(R"({"providers":[{"name":"a","apps":["a"],"backoffMs":-1}]})")
                  .message.ends_with("providers[0].backoffMs: must be a whole number from 0 to 60000"));
        CHECK(refused(R"({"providers":[{"name":"a","apps":["a"],"maxRetries":-2}]})")
                  .message.ends_with("providers[0].maxRetries: must be a whole number from -1 to 1000000"));
    }
}
