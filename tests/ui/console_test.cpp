#include "ui/console.h"

#include <algorithm>

#include "ui/console_bench.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {
namespace {

ConsoleOptions only(const char* panel) {
    ConsoleOptions options;
    options.panel = panel;
    return options;
}

TEST_SUITE("ui/console") {
    TEST_CASE("one piece of news is one frame, and then the console sleeps") {
        ConsoleBench bench(only("overview"));
        bench.run_until_asleep();
        REQUIRE(bench.asleep());
        bench.inbox.put(std::shared_ptr<const data::SampleBatch>(sample_batch()));
        CHECK(bench.run_until_asleep() == 1);
        CHECK(bench.asleep());
        CHECK(bench.run_until_asleep() == 0);
    }
    TEST_CASE("bytes of a source are one frame, not several") {
        ConsoleBench bench(only("overview"));
        data::SourceWriter& writer = bench.sources.add(bench.inbox, "log");
        bench.run_until_asleep();
        REQUIRE(bench.asleep());
        writer.write("one line\n", mono_now());
        writer.notify();
        CHECK(bench.run_until_asleep() == 1);
    }
    TEST_CASE("input is followed by the few frames in which ImGui settles, and no more") {
        ConsoleBench bench(only("self"));
        bench.run_until_asleep();
        bench.console->input();
        const int frames = bench.run_until_asleep();
        CHECK(frames >= 2);
        CHECK(frames <= 5);
        CHECK(bench.asleep());
    }
    TEST_CASE("a burst of input is worked off although nothing else comes") {
        ConsoleBench bench(only("self"));
        bench.run_until_asleep();
        ImGuiIO& io = ImGui::GetIO();
        for (int i = 0; i < 4; ++i) {
            io.AddKeyEvent(ImGuiKey_F11, true);
            io.AddKeyEvent(ImGuiKey_F11, false);
        }
        io.AddKeyEvent(ImGuiKey_F11, true);
        bench.console->input();
        bench.run_until_asleep();
        CHECK(bench.console->options().fullscreen);  // Five presses, the last one included.
    }
    TEST_CASE("a pane's title opens the menu that changes what it shows") {
        ConsoleBench bench;
        bench.frame(3);
        bench.click("pane/0/title");
        REQUIRE(bench.has("pane/0/show/self"));
        bench.click("pane/0/show/self");
        bench.frame();
        CHECK(bench.console->report().find("\"id\": \"overview\"") == std::string::npos);
        CHECK(bench.console->report().find("\"id\": \"self\"") != std::string::npos);
    }
    TEST_CASE("the status line changes the theme and the layout") {
        ConsoleBench bench;
        bench.frame(3);
        bench.click("status/theme");
        CHECK(bench.console->options().theme == ThemeName::light);
        bench.click("status/layout");
        bench.click("status/layout/2x6");
        bench.frame();
        CHECK(bench.has("pane/5/title"));
        CHECK(bench.has("grid/column1"));
    }
    TEST_CASE("the theme of the settings is followed, one that was asked for stays, and a choice is kept") {
        for (const bool given : {false, true}) {
            ConsoleOptions options = only("self");
            options.theme_given = given;
            ConsoleBench bench(std::move(options));
            Json settings{{"theme", "light"}};
            bench.hub.on("scripts.list", [](const Json&) { return Json::array(); });
            bench.hub.on("settings.get", [&](const Json&) { return settings; });
            bench.hub.on("settings.update", [&](const Json& patch) {
                settings.merge_patch(patch);
                return settings;
            });
            bench.frame(5);
            CHECK(bench.console->options().theme == (given ? ThemeName::dark : ThemeName::light));
            for (const auto& [word, theme] :
                 {std::pair{"dark", ThemeName::dark}, std::pair{"light", ThemeName::light},
                  std::pair{"solarized", ThemeName::light}}) {
                bench.state().supervisor().change_settings({{"theme", word}}, {});
                bench.frame(3);
                CHECK(bench.console->options().theme == theme);
            }
            bench.click("status/theme");
            bench.frame(3);
            CHECK(settings["theme"] == "dark");
            CHECK(bench.console->options().theme == ThemeName::dark);
        }
    }
    TEST_CASE("Ctrl+Q leaves") {
        ConsoleBench bench;
        bench.frame(2);
        CHECK_FALSE(bench.console->quit_wanted());
        ImGui::GetIO().AddKeyEvent(ImGuiMod_Ctrl, true);
        ImGui::GetIO().AddKeyEvent(ImGuiKey_Q, true);
        bench.frame(2);
        CHECK(bench.console->quit_wanted());
    }
    TEST_CASE("a layout and a panel that do not exist are said, and the console opens all the same") {
        ConsoleOptions options = only("nonesuch");
        options.layout = "9x9";
        ConsoleBench bench(std::move(options));
        bench.frame();
        REQUIRE(bench.state().notices().size() == 2);
        CHECK(bench.state().notices()[0].error);
        CHECK(bench.has("pane/0/title"));
    }
    TEST_CASE("the report has the frames, the panes' ages and every source") {
        ConsoleBench bench(only("overview"));
        data::SourceWriter& writer = bench.sources.add(bench.inbox, "bridge > plc");
        writer.write("12\n34\n", mono_now());
        writer.notify();
        bench.frame(4);
        const Json report = Json::parse(bench.console->report());
        CHECK(report["frames"] == 4);
        CHECK(report["frameCpuMs"]["p50"].get<double>() == doctest::Approx(0.1));
        CHECK(report["panels"][0]["id"] == "overview");
        CHECK(report["panels"][0]["ageKind"] == "live");
        CHECK(report["sources"][0]["name"] == "bridge > plc");
        CHECK(report["sources"][0]["lines"] == 2);
        CHECK(report["sources"][0]["behindMs"] == 0.0);
        CHECK(report["lostBytes"] == 0);
        CHECK(report["clickToWireMs"].is_null());
    }
}

}  // namespace
}  // namespace labdeck::ui
