#include <string>

#include "ui/played_supervisor.h"
#include "ui/widgets/script_facts.h"

using namespace labdeck;
using namespace labdeck::ui;

TEST_SUITE("ui/processes_panel") {
    TEST_CASE("what another client changes is here without a hand") {
        PlayedSupervisor bench;
        REQUIRE(bench.says("camera"));
        bench.scripts = Json::array({sample_script("b", "bridge of today")});
        bench.settings = {{"notificationsNativeEnabled", true}};
        bench.event("data.changed", {{"kinds", {"scripts", "profiles"}}});
        bench.frame(4);
        CHECK(bench.says("bridge of today"));
        CHECK_FALSE(bench.says("camera"));
        CHECK_FALSE(bench.state().supervisor().setting("notificationsNativeEnabled", false));
        bench.event("data.changed", {{"kinds", {"settings"}}});
        bench.frame(4);
        CHECK(bench.state().supervisor().setting("notificationsNativeEnabled", false));
    }

    TEST_CASE("an older hub is said to be one, and can be asked again") {
        PanelBench bench(make_processes_panel());
        bench.frame(4);
        CHECK(bench.words().find("No supervisor here") != std::string::npos);
        CHECK(bench.calls_of("events.subscribe").size() == 1);
        CHECK(bench.state().notices().empty());
        bench.on("scripts.list", [](const Json&) { return PlayedSupervisor::default_scripts(); });
        bench.click("processes/ask");
        bench.frame(3);
        CHECK(bench.words().find("bridge") != std::string::npos);
    }

    TEST_CASE("without scripts it explains what one is and offers to add one") {
        PlayedSupervisor bench(Json::array());
        CHECK(bench.says("No scripts yet"));
        bench.click("processes/add");
        bench.frame(2);
        CHECK(bench.has("processes/form/name"));
        CHECK_FALSE(bench.wants_frame());
    }

    TEST_CASE("a click on Start sends process.start with the id of the selected script alone") {
        PlayedSupervisor bench;
        bench.click("processes/process.start");
        CHECK(bench.calls_of("process.start").empty());
        bench.click("processes/script/a");
        bench.click("processes/process.start");
        REQUIRE(bench.calls_of("process.start").size() == 1);
        CHECK(bench.calls_of("process.start")[0] == Json{{"id", "a"}});
    }

    TEST_CASE("several are selected with Ctrl and Shift, and Stop goes to each of them in its order") {
        PlayedSupervisor bench;
        bench.click("processes/script/c");
        bench.hold(ImGuiMod_Ctrl, true);
        bench.click("processes/script/b");
        bench.hold(ImGuiMod_Ctrl, false);
        bench.click("processes/process.stop");
        REQUIRE(bench.calls_of("process.stop").size() == 2);
        CHECK(bench.calls_of("process.stop")[0] == Json{{"id", "b"}});
        CHECK(bench.calls_of("process.stop")[1] == Json{{"id", "c"}});

        bench.click("processes/script/b");
        bench.hold(ImGuiMod_Shift, true);
        bench.click("processes/script/c");
        bench.hold(ImGuiMod_Shift, false);
        bench.click("processes/process.killTree");
        CHECK(bench.calls_of("process.killTree").size() == 3);
    }

    TEST_CASE("keys move the focus, extend the selection and open the form") {
        PlayedSupervisor bench;
        bench.click("processes/script/b");
        bench.press(ImGuiKey_DownArrow);
        bench.click("processes/process.start");
        CHECK(bench.calls_of("process.start")[0] == Json{{"id", "a"}});
        bench.press(ImGuiKey_DownArrow, ImGuiMod_Shift);
        bench.click("processes/process.restart");
        CHECK(bench.calls_of("process.restart").size() == 2);
        bench.press(ImGuiKey_Enter);
        bench.frame(2);
        CHECK(bench.says("Edit camera"));
    }

    TEST_CASE("an event of process.status changes its row, and a script that nobody knew is asked about") {
        PlayedSupervisor bench;
        CHECK(bench.says("stopped"));
        bench.tell({{"scriptId", "a"},
                    {"status", "running"},
                    {"pid", 4711},
                    {"uptimeMs", 61'000},
                    {"cpuPercent", 12.5},
                    {"memMB", 84},
                    {"healthy", false},
                    {"healthReason", "port 80 is held by httpd"}});
        for (const char* text :
             {"running", "4711", "12.5 %", "80.1 MiB", "1 min", "unhealthy", "held by httpd"})
            CHECK_MESSAGE(bench.says(text), text);
        const std::size_t asked = bench.calls_of("scripts.list").size();
        bench.scripts.push_back(sample_script("d", "dongle"));
        bench.tell(sample_snapshot("d", "running"));
        bench.tell(sample_snapshot("nobody", "running"));
        bench.tell(sample_snapshot("nobody", "running"));
        CHECK(bench.says("dongle"));
        CHECK(bench.calls_of("scripts.list").size() == asked + 2);
    }

    TEST_CASE("a restart counts down between events, and only what counts asks for frames") {
        PlayedSupervisor bench;
        CHECK_FALSE(bench.wants_frame());
        bench.tell(
            {{"scriptId", "a"}, {"status", "backoff"}, {"nextRestartDelayMs", 90'500}, {"retries", 2}});
        CHECK(bench.says("restart in 1 min 3"));
        CHECK(bench.wants_frame());
        const ScriptView& script = *bench.state().supervisor().script("a");
        CHECK(script.restart_in_ms_at({script.heard.ns + 2'000'000'000}) == 88'500);
        CHECK(script.restart_in_ms_at({script.heard.ns + 200'000'000'000}) == 0);
        bench.tell(sample_snapshot("a", "stopped"));
        CHECK_FALSE(bench.says("restart in"));
        CHECK_FALSE(bench.wants_frame());
    }

    TEST_CASE("a note says once how a script ended") {
        PlayedSupervisor bench;
        bench.tell({{"scriptId", "a"}, {"status", "failed"}, {"lastExitCode", 3}, {"reason", "exit 3"}});
        CHECK(note_of_script(*bench.state().supervisor().script("a"), mono_now()) == "exit 3");
        bench.tell({{"scriptId", "a"}, {"status", "exited"}, {"lastExitCode", 0}});
        CHECK(note_of_script(*bench.state().supervisor().script("a"), mono_now()) == "exit 0");
    }

    TEST_CASE("a thousand scripts cost what the seen ones cost") {
        const auto many = [](int count) {
            Json scripts = Json::array();
            for (int i = 0; i < count; ++i)
                scripts.push_back(sample_script("s" + std::to_string(i), "script " + std::to_string(i)));
            return scripts;
        };
        int fifty = 0;
        {
            PlayedSupervisor bench(many(50));
            fifty = bench.vertices();
        }
        PlayedSupervisor bench(many(1000));
        CHECK(bench.vertices() < fifty + 400);
        bench.click("processes/script/s0");
        bench.press(ImGuiKey_End);
        bench.frame(2);
        CHECK(bench.has("processes/script/s999"));
        CHECK_FALSE(bench.has("processes/script/s5"));
    }

    TEST_CASE("profiles are groups that start and stop as one and can be folded") {
        PlayedSupervisor bench;
        bench.profiles.push_back({{"id", "p"}, {"name", "Radio rig"}, {"scriptIds", {"c", "a"}}});
        bench.state().supervisor().ask_profiles();
        bench.frame(4);
        CHECK(bench.says("Radio rig"));
        CHECK(bench.says("Other scripts"));
        bench.click("processes/group/p/start");
        bench.click("processes/group/p/stop");
        CHECK(bench.calls_of("profiles.startAll") == std::vector<Json>{{{"id", "p"}}});
        CHECK(bench.calls_of("profiles.stopAll") == std::vector<Json>{{{"id", "p"}}});
        bench.click("processes/script/c");
        bench.click_at(
            {rects().find("processes/group/p")->second.min.x + 8, bench.middle("processes/group/p").y});
        CHECK_FALSE(bench.has("processes/script/c"));
        // What is folded away is not selected any more: nobody stops what he does not see.
        bench.click("processes/process.stop");
        CHECK(bench.calls_of("process.stop").empty());
    }

    TEST_CASE("the menu of the selection acts on it, puts it into a profile and makes a new one") {
        PlayedSupervisor bench;
        bench.profiles.push_back(
            {{"id", "p"}, {"name", "Rig"}, {"scriptIds", {"c"}}, {"autoStartOnLogin", true}});
        bench.on("profiles.upsert", [](const Json& params) { return params; });
        bench.state().supervisor().ask_profiles();
        bench.frame(4);
        bench.click("processes/script/b");
        bench.open_menu("processes/script/b");
        bench.click("processes/menu/process.restart");
        CHECK(bench.calls_of("process.restart") == std::vector<Json>{{{"id", "b"}}});
        bench.open_menu("processes/script/b");
        bench.click("processes/menu/profiles");
        bench.click("processes/menu/profiles/p");
        REQUIRE(bench.calls_of("profiles.upsert").size() == 1);
        CHECK(bench.calls_of("profiles.upsert")[0] ==
              Json{{"id", "p"}, {"name", "Rig"}, {"scriptIds", {"c", "b"}}, {"autoStartOnLogin", true}});
        bench.open_menu("processes/script/b");
        bench.click("processes/menu/profiles");
        bench.fill("processes/menu/profiles/new", "Night");
        bench.press(ImGuiKey_Enter);
        bench.frame(2);
        REQUIRE(bench.calls_of("profiles.upsert").size() == 2);
        CHECK(bench.calls_of("profiles.upsert")[1] == Json{{"name", "Night"}, {"scriptIds", {"b"}}});
    }

    TEST_CASE("names are filtered and sorted, and long ones end in time") {
        PlayedSupervisor bench(Json::array(
            {sample_script("z", "zebra " + std::string(3'000, 'z')), sample_script("m", "mole")}));
        CHECK(bench.vertices() < 12'000);
        CHECK(bench.middle("processes/script/z").y < bench.middle("processes/script/m").y);
        bench.click("processes/sort");
        CHECK(bench.middle("processes/script/z").y > bench.middle("processes/script/m").y);
        bench.fill("processes/filter", "mole");
        CHECK_FALSE(bench.has("processes/script/z"));
        bench.fill("processes/filter", "nothing");
        CHECK(bench.says("No script matches"));
    }

    TEST_CASE("the focused script's output stands below, under its own name") {
        PlayedSupervisor bench;
        data::SourceWriter& writer = bench.add_source(7, "adapter");
        const std::string text = "hello from the adapter\n";
        REQUIRE(writer.write(text, mono_now()) == text.size());
        Json snapshot = sample_snapshot("a", "running");
        snapshot["sourceId"] = "src-7";
        bench.tell(snapshot);
        bench.click("processes/script/a");
        CHECK(bench.says("Output of adapter"));
        CHECK(bench.has("processes/log/rows"));
        bench.click("processes/script/b");
        CHECK_FALSE(bench.has("processes/log/rows"));
        CHECK(bench.says("bridge does not run"));
    }

    TEST_CASE("a script is deleted only when somebody says so twice") {
        PlayedSupervisor bench;
        bench.click("processes/script/c");
        bench.press(ImGuiKey_Delete);
        bench.frame(2);
        CHECK(bench.says("Delete camera?"));
        bench.click("processes/removal/keep");
        CHECK(bench.calls_of("scripts.delete").empty());
        bench.press(ImGuiKey_Delete);
        bench.frame(2);
        bench.click("processes/removal/delete");
        CHECK(bench.calls_of("scripts.delete") == std::vector<Json>{{{"id", "c"}}});
    }
}
