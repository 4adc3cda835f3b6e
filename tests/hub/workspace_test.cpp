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
        const auto error = refused(R"({"providers":[{"name":"x","apps":["a"]},{"name":"y","apps":7}]})");
        CHECK(error.code == Code::config_invalid);
        CHECK(error.message == "labdeck.json: providers[1].apps: must be an array of strings");
        CHECK(error.details == R"({"key":"providers[1].apps"})");
    }

    TEST_CASE("what cannot work is refused before anything starts") {
        CHECK(refused("[]").code == Code::config_invalid);
        CHECK(refused("{").code == Code::bad_arg);
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

    TEST_CASE("one hub holds a workspace, and a second is told who and how to attach") {
        const TempFolder folder;
        auto first = Workspace::open(folder.path());
        REQUIRE(first.has_value());
        const auto second = Workspace::open(folder.path());
        REQUIRE_FALSE(second.has_value());
        CHECK(second.error().code == Code::busy);
        CHECK(second.error().message.find("held by process " + std::to_string(::getpid())) !=
              std::string::npos);
        CHECK(second.error().message.find("--attach") != std::string::npos);
    }

    TEST_CASE("the state folder is its user's alone") {
        const TempFolder folder;
        const auto workspace = Workspace::open(folder.path());
        REQUIRE(workspace.has_value());
        const auto mode = std::filesystem::status(folder.path() + "/.labdeck").permissions();
        CHECK((mode & std::filesystem::perms::mask) == std::filesystem::perms::owner_all);
    }

    TEST_CASE("a broken labdeck.json stops the start with its reason") {
        const TempFolder folder;
        std::ofstream(folder.path() + "/labdeck.json") << "{\"cables\": 3}";
        const auto workspace = Workspace::open(folder.path());
        REQUIRE_FALSE(workspace.has_value());
        CHECK(workspace.error().message == "labdeck.json: cables: must be an array");
    }
}
