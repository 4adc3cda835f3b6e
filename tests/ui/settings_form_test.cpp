#include "ui/widgets/settings_form.h"

#include <string>

#include "ui/played_supervisor.h"
#include "ui/updates_view.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

struct Setting : PlayedSupervisor {
    explicit Setting(Json kept = Json::object()) {
        settings = std::move(kept);
        click("processes/settings");
        frame(4);
    }
    std::vector<Json> patches() { return calls_of("settings.update"); }
};

}  // namespace

TEST_SUITE("ui/settings_form") {
    TEST_CASE("what is not set shows what holds then, and opening and saving sets nothing") {
        Setting bench;
        for (const char* text : {"dark", "stable", "[x]", ".labdeck/logs when empty"})
            CHECK_MESSAGE(bench.says(text), text);
        bench.click("processes/settings/save");
        bench.frame(2);
        CHECK_FALSE(bench.has("processes/settings/theme"));
        CHECK(bench.patches().empty());
    }

    TEST_CASE("only what was changed is sent, and a word of another client is kept") {
        Setting bench(Json{{"theme", "system"}, {"queue", 3}, {"notificationsToastEnabled", false}});
        CHECK(bench.says("system"));
        bench.click("processes/settings/notificationsToastEnabled");
        bench.fill("processes/settings/logsPath", "/var/log/bench");
        bench.click("processes/settings/save");
        bench.frame(3);
        REQUIRE(bench.patches().size() == 1);
        CHECK(bench.patches()[0] ==
              Json{{"notificationsToastEnabled", true}, {"logsPath", "/var/log/bench"}});
        CHECK(bench.state().supervisor().settings()["queue"] == 3);
        CHECK(bench.state().supervisor().setting("notificationsToastEnabled", false));
        CHECK_FALSE(bench.has("processes/settings/save"));
    }

    TEST_CASE("a folder of logs that is emptied is taken away, and a relative one is not sent") {
        Setting bench(Json{{"logsPath", "/var/log/bench"}});
        bench.fill("processes/settings/logsPath", "logs");
        bench.click("processes/settings/save");
        CHECK(bench.has("processes/settings/logsPath/refusal"));
        CHECK(bench.patches().empty());
        bench.fill("processes/settings/logsPath", "");
        bench.fill("processes/settings/updateChannel", "night-2");
        bench.click("processes/settings/save");
        bench.frame(3);
        CHECK(bench.patches() == std::vector<Json>{{{"logsPath", nullptr}, {"updateChannel", "night-2"}}});
    }

    TEST_CASE("what the hub refuses stands beside its field, or on top when it names none") {
        Setting bench;
        bench.on("settings.update", [](const Json&) -> Result<Json> {
            return fail(Code::bad_arg, "updateChannel: no such channel", R"({"key":"updateChannel"})");
        });
        bench.click("processes/settings/startMinimized");
        bench.click("processes/settings/save");
        bench.frame(3);
        CHECK(bench.has("processes/settings/updateChannel/refusal"));
        bench.on("settings.update",
                 [](const Json&) -> Result<Json> { return fail(Code::io, "the disk is full"); });
        bench.click("processes/settings/save");
        bench.frame(3);
        CHECK(bench.has("processes/settings/trouble"));
        CHECK(bench.says("the disk is full"));
    }

    TEST_CASE("Escape closes it, asks first when something was changed, and goes back to the form") {
        Setting bench;
        bench.press(ImGuiKey_Escape);
        bench.frame(2);
        CHECK_FALSE(bench.has("processes/settings/save"));
        bench.click("processes/settings");
        bench.frame(4);
        bench.click("processes/settings/startMinimized");
        bench.press(ImGuiKey_Escape);
        bench.frame();
        CHECK(bench.says("Discard it?"));
        bench.press(ImGuiKey_Escape);
        bench.frame();
        CHECK(bench.has("processes/settings/save"));
        bench.press(ImGuiKey_Escape);
        bench.frame();
        bench.click("processes/settings/discard");
        bench.frame(2);
        CHECK_FALSE(bench.has("processes/settings/save"));
        CHECK(bench.patches().empty());
    }

    TEST_CASE("what somebody else has set meanwhile is shown") {
        PlayedSupervisor bench;
        bench.settings["logsPath"] = "/srv/logs";
        bench.click("processes/settings");
        bench.frame(4);
        CHECK(bench.says("/srv/logs"));
    }

    TEST_CASE("an update is looked for, fetched and put in place, one button at a time") {
        Setting bench;
        Json status{{"current", "1.0.0"}, {"state", "idle"}, {"busy", ""}};
        bench.on("updates.status", [&](const Json&) { return status; });
        const auto does = [&](const char* method, const char* type, const Json& info) {
            bench.on(method, [&bench, type, info](const Json&) {
                bench.event("updates", {{"type", type}, {"info", info}});
                return Json{{"ok", true}};
            });
        };
        const Json info{{"version", "1.1.0"}, {"size", 20 << 20}, {"notes", "Faster logs."}};
        bench.click("processes/settings/cancel");
        bench.click("processes/settings");
        bench.state().updates() = UpdatesView(bench.state());
        bench.frame(4);
        CHECK(bench.says("This is version 1.0.0."));
        CHECK_FALSE(bench.has("processes/settings/updates/download"));

        status = {{"current", "1.0.0"}, {"state", "available"}, {"busy", ""}, {"info", info}};
        does("updates.check", "available", info);
        bench.click("processes/settings/updates/check");
        bench.frame(4);
        CHECK(bench.says("1.1.0 is there, 20.0 MiB."));
        CHECK(bench.says("Faster logs."));

        bench.event("updates", {{"type", "progress"},
                                {"info",
                                 {{"version", "1.1.0"},
                                  {"bytes", 5 << 20},
                                  {"size", 20 << 20},
                                  {"bytesPerSecond", 2'000'000}}}});
        bench.frame(2);
        CHECK(bench.says("5.0 MiB of 20.0 MiB, 2.00 MB/s"));
        CHECK_FALSE(bench.has("processes/settings/updates/check"));
        bench.event("updates", {{"type", "available"}, {"info", info}});
        bench.frame(4);

        does("updates.download", "downloaded", info);
        bench.click("processes/settings/updates/download");
        bench.frame(4);
        CHECK(bench.says("1.1.0 is downloaded and checked."));
        bench.on("updates.quitAndInstall", [](const Json&) -> Result<Json> {
            return fail(Code::denied, "write beside /usr/bin/labdeck: Permission denied");
        });
        bench.click("processes/settings/updates/install");
        bench.frame(2);
        CHECK(bench.calls_of("updates.quitAndInstall").empty());
        bench.click("processes/settings/updates/no");
        bench.frame(2);
        bench.click("processes/settings/updates/install");
        bench.frame(2);
        bench.click("processes/settings/updates/yes");
        bench.frame(4);
        CHECK(bench.calls_of("updates.quitAndInstall").size() == 1);
        CHECK(bench.says("write beside /usr/bin/labdeck: Permission denied"));
    }

    TEST_CASE("while settings are not saved, nothing is looked for") {
        Setting bench;
        bench.on("updates.status", [](const Json&) {
            return Json{{"current", "1.0.0"}, {"state", "idle"}, {"busy", ""}};
        });
        bench.state().updates() = UpdatesView(bench.state());
        bench.frame(4);
        bench.fill("processes/settings/updateFeed", "file:///srv/feed");
        bench.click("processes/settings/updates/check");
        bench.frame(4);
        CHECK(bench.calls_of("updates.check").empty());
    }
}
