#include "ui/widgets/profile_form.h"

#include <string>

#include "ui/played_supervisor.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

struct Profiling : PlayedSupervisor {
    Profiling() {
        profiles.push_back(
            {{"id", "p"}, {"name", "Rig"}, {"scriptIds", {"c", "a", "b"}}, {"owner", "radio"}});
        on("profiles.upsert", [](const Json& params) { return params; });
        state().supervisor().ask_profiles();
        frame(4);
    }
    void edit() {
        click("processes/group/p/edit");
        frame(3);
    }
    Json saved() {
        click("processes/profile/save");
        frame(3);
        const auto sent = calls_of("profiles.upsert");
        REQUIRE_FALSE(sent.empty());
        return sent.back();
    }
    using Ids = std::vector<std::string>;
};

}  // namespace

TEST_SUITE("ui/profile_form") {
    TEST_CASE("a profile is made with a name and scripts in the order in which they were clicked") {
        PlayedSupervisor bench;
        bench.on("profiles.upsert", [](const Json& params) { return params; });
        bench.click("processes/profiles");
        bench.click("processes/profiles/add");
        bench.frame(3);
        bench.click("processes/profile/save");
        CHECK(bench.has("processes/profile/name/refusal"));
        CHECK(bench.calls_of("profiles.upsert").empty());
        bench.fill("processes/profile/name", "Night");
        bench.click("processes/profile/add/c");
        bench.click("processes/profile/add/b");
        CHECK_FALSE(bench.has("processes/profile/add/c"));
        bench.click("processes/profile/autoStartOnLogin");
        bench.click("processes/profile/save");
        bench.frame(3);
        CHECK(bench.calls_of("profiles.upsert") ==
              std::vector<Json>{{{"name", "Night"}, {"scriptIds", {"c", "b"}}, {"autoStartOnLogin", true}}});
        CHECK_FALSE(bench.has("processes/profile/name"));
    }

    TEST_CASE("a profile of what is selected begins with it") {
        PlayedSupervisor bench;
        bench.click("processes/script/a");
        bench.click("processes/profiles");
        CHECK(bench.says("New profile of the 1 selected"));
        bench.click("processes/profiles/add");
        bench.frame(3);
        CHECK(bench.has("processes/profile/script/a"));
    }

    TEST_CASE("arrows and Ctrl with the arrow keys put scripts in order; unknown members stay") {
        Profiling bench;
        bench.edit();
        bench.click("processes/profile/script/b/up");
        bench.click("processes/profile/script/c");
        bench.press(ImGuiKey_DownArrow, ImGuiMod_Ctrl);
        CHECK(bench.saved() ==
              Json{{"id", "p"}, {"name", "Rig"}, {"scriptIds", {"b", "c", "a"}}, {"owner", "radio"}});
    }

    TEST_CASE("a row is dragged to its place") {
        Profiling bench;
        bench.edit();
        const ImVec2 from = bench.middle("processes/profile/script/c");
        const float row = bench.middle("processes/profile/script/a").y - from.y;
        bench.move_to({from.x - 100, from.y});
        ImGui::GetIO().AddMouseButtonEvent(0, true);
        bench.frame();
        for (int i = 1; i <= 16; ++i)
            bench.move_to({from.x - 100, from.y + 2 * row * static_cast<float>(i) / 16});
        ImGui::GetIO().AddMouseButtonEvent(0, false);
        bench.frame(2);
        CHECK(bench.saved()["scriptIds"] == Json{"a", "b", "c"});
    }

    TEST_CASE("a script is taken out with its cross or Delete, and stays a script") {
        Profiling bench;
        bench.edit();
        bench.click("processes/profile/script/a/remove");
        bench.click("processes/profile/script/c");
        bench.press(ImGuiKey_Delete);
        CHECK(bench.has("processes/profile/add/c"));
        CHECK(bench.saved()["scriptIds"] == Json{"b"});
    }

    TEST_CASE("it is renamed, a refusal of the hub is shown, and Escape asks before that is lost") {
        Profiling bench;
        bench.on("profiles.upsert", [](const Json&) -> Result<Json> {
            return fail(Code::bad_arg, "name: is taken", R"({"key":"name"})");
        });
        bench.edit();
        bench.fill("processes/profile/name", "Rig 2");
        CHECK(bench.saved()["name"] == "Rig 2");
        CHECK(bench.has("processes/profile/name/refusal"));
        bench.press(ImGuiKey_Escape);
        bench.frame();
        CHECK(bench.has("processes/profile/stay"));
        bench.click("processes/profile/discard");
        bench.frame(2);
        CHECK_FALSE(bench.has("processes/profile/name"));
    }

    TEST_CASE("a profile is deleted only when somebody says so twice") {
        Profiling bench;
        bench.open_menu("processes/group/p");
        bench.click("processes/group/p/menu/delete");
        bench.frame(2);
        CHECK(bench.says("Delete the profile Rig?"));
        bench.press(ImGuiKey_Escape);
        bench.frame(2);
        CHECK(bench.calls_of("profiles.delete").empty());
        bench.open_menu("processes/group/p");
        bench.click("processes/group/p/menu/delete");
        bench.frame(2);
        bench.click("processes/profile-removal/delete");
        CHECK(bench.calls_of("profiles.delete") == std::vector<Json>{{{"id", "p"}}});
    }

    TEST_CASE("a thousand scripts in a profile cost what the seen ones cost") {
        Json many = Json::array();
        Json ids = Json::array();
        for (int i = 0; i < 1000; ++i) {
            many.push_back(sample_script("s" + std::to_string(i), "script " + std::string(300, 'x')));
            ids.push_back("s" + std::to_string(i));
        }
        PlayedSupervisor bench(many);
        bench.profiles.push_back({{"id", "p"}, {"name", "All"}, {"scriptIds", ids}});
        bench.state().supervisor().ask_profiles();
        bench.frame(4);
        bench.click("processes/group/p/edit");
        bench.frame(3);
        CHECK(bench.has("processes/profile/script/s0"));
        CHECK_FALSE(bench.has("processes/profile/script/s900"));
        CHECK(bench.vertices() < 40'000);
        bench.click("processes/profile/script/s0");
        for (int i = 0; i < 60; ++i) bench.press(ImGuiKey_DownArrow);
        CHECK(bench.has("processes/profile/script/s60"));
        CHECK_FALSE(bench.has("processes/profile/script/s5"));
    }
}
