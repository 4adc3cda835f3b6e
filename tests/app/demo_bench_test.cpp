#include "app/demo_bench.h"

#include <doctest/doctest.h>

#include <fstream>

#include "fakes/temp_folder.h"
#include "hub/workspace.h"

using labdeck::app::write_demo_bench;
using labdeck::fakes::TempFolder;
using labdeck::hub::Workspace;

TEST_SUITE("app/demo_bench") {
    TEST_CASE("the demo bench is written once and what was changed in it stays") {
        const TempFolder folder;
        REQUIRE(write_demo_bench(folder.path()).has_value());
        std::ofstream(folder.path() + "/labdeck.json") << R"({"name":"mine"})";
        REQUIRE(write_demo_bench(folder.path()).has_value());
        const auto workspace = Workspace::open(folder.path());
        REQUIRE(workspace.has_value());
        CHECK(workspace->bench().name == "mine");
    }

    TEST_CASE("the demo bench that we ship is valid") {
        const TempFolder folder;
        REQUIRE(write_demo_bench(folder.path()).has_value());
        const auto workspace = Workspace::open(folder.path());
        REQUIRE_MESSAGE(workspace.has_value(), (workspace ? "" : workspace.error().message));
        CHECK(workspace->bench().providers.size() == 3);
        CHECK(workspace->bench().cables.size() == 2);
    }
}
