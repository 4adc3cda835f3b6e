#include <string>

#include "contract/json.h"
#include "ui/played_supervisor.h"
#include "ui/widgets/script_form.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

Json full_script() {
    return Json::parse(R"({"id": "a", "name": "adapter", "command": "serve", "args": ["-v", "x y"],
        "env": {"MODE": "fast", "API_TOKEN": "hunter2", "VAULT": {"secret": true}},
        "restartPolicy": "on-crash", "healthCheck": {"port": 80, "grade": "A"}, "owner": {"team": "radio"}})");
}

struct Editing : PlayedSupervisor {
    explicit Editing(const Json& script = full_script(), ImVec2 size = {1280, 1400})
        : PlayedSupervisor(Json::array({script}), size) {
        click("processes/script/a");
        press(ImGuiKey_Enter);
        frame(3);
    }
};

}  // namespace

TEST_SUITE("ui/script_form") {
    TEST_CASE("a new script is created with what was filled in and nothing else") {
        PlayedSupervisor bench(Json::array(), {1280, 1400});
        bench.click("processes/add");
        bench.frame(2);
        bench.click("processes/form/save");
        CHECK(bench.has("processes/form/name/refusal"));
        CHECK(bench.calls_of("scripts.create").empty());
        bench.fill("processes/form/name", "logger");
        bench.fill("processes/form/command", "tail");
        bench.fill("processes/form/args", "-f");
        bench.press(ImGuiKey_Enter);
        bench.type("my file");
        bench.fill("processes/form/healthCheck.port", "8080");
        bench.click("processes/form/env/add");
        bench.fill("processes/form/env/0/name", "LEVEL");
        bench.fill("processes/form/env/0/value", "debug");
        const std::size_t asked = bench.calls_of("scripts.list").size();
        bench.click("processes/form/save");
        bench.frame(3);
        REQUIRE(bench.calls_of("scripts.create").size() == 1);
        CHECK(bench.calls_of("scripts.create")[0] == Json{{"name", "logger"},
                                                          {"command", "tail"},
                                                          {"healthCheck", {{"port", 8080}}},
                                                          {"args", {"-f", "my file"}},
                                                          {"env", {{"LEVEL", "debug"}}}});
        CHECK_FALSE(bench.has("processes/form/name"));
        CHECK(bench.calls_of("scripts.list").size() == asked + 1);
    }

    TEST_CASE("an edit keeps all that was not touched, unknown keys and kept secrets included") {
        Editing bench;
        bench.fill("processes/form/name", "adapter 2");
        bench.fill("processes/form/healthCheck.port", "");
        bench.click("processes/form/save");
        bench.frame(3);
        REQUIRE(bench.calls_of("scripts.upsert").size() == 1);
        Json expected = full_script();
        expected["name"] = "adapter 2";
        expected["healthCheck"] = {{"grade", "A"}};
        CHECK(bench.calls_of("scripts.upsert")[0] == expected);
    }

    TEST_CASE("an argument is a line, and its spaces are its own") {
        Editing bench;
        bench.click("processes/form/args");
        bench.press(ImGuiKey_End, ImGuiMod_Ctrl);
        bench.press(ImGuiKey_Enter);
        bench.type("--last one");
        bench.click("processes/form/save");
        bench.frame(3);
        REQUIRE(bench.calls_of("scripts.upsert").size() == 1);
        Json expected = full_script();
        expected["args"] = {"-v", "x y", "--last one"};
        CHECK(bench.calls_of("scripts.upsert")[0] == expected);
    }

    TEST_CASE("what the hub refuses stands beside the field that its details name") {
        Editing bench;
        bench.on("scripts.upsert", [](const Json&) -> Result<Json> {
            return fail(contract::bad_arg("healthCheck.port", "port 80 needs rights"));
        });
        bench.click("processes/form/save");
        bench.frame(3);
        CHECK(bench.has("processes/form/healthCheck.port/refusal"));
        CHECK(bench.says("port 80 needs rights"));
        bench.on("scripts.upsert", [](const Json&) -> Result<Json> {
            return fail(contract::bad_arg("env.MODE", "MODE is ours"));
        });
        bench.click("processes/form/save");
        bench.frame(3);
        CHECK(bench.has("processes/form/env/refusal"));
        bench.on("scripts.upsert",
                 [](const Json&) -> Result<Json> { return fail(Code::io, "the disk is full"); });
        bench.click("processes/form/save");
        bench.frame(3);
        CHECK(bench.has("processes/form/trouble"));
        CHECK(bench.says("the disk is full"));
        CHECK(bench.has("processes/form/save"));
    }

    TEST_CASE("a secret is drawn masked until its eye is clicked") {
        Editing bench;
        CHECK(bench.says("fast"));
        CHECK_FALSE(bench.says("hunter2"));
        CHECK_FALSE(bench.has("processes/form/env/0/eye"));
        bench.click("processes/form/env/1/eye");
        bench.move_to({0, 0});
        CHECK(bench.says("hunter2"));
        bench.click("processes/form/env/1/eye");
        CHECK_FALSE(bench.says("hunter2"));
    }

    TEST_CASE("a name that is wrong or stands twice is refused beside the environment") {
        Editing bench;
        bench.click("processes/form/env/add");
        bench.fill("processes/form/env/3/name", "MODE");
        bench.click("processes/form/save");
        CHECK(bench.has("processes/form/env/refusal"));
        CHECK(bench.says("MODE stands twice"));
        bench.click("processes/form/env/3/remove");
        bench.click("processes/form/save");
        bench.frame(3);
        CHECK(bench.calls_of("scripts.upsert").size() == 1);
    }

    TEST_CASE("Escape closes the form, also from within a field; what was typed is asked about and kept") {
        Editing bench;
        bench.press(ImGuiKey_Escape);
        bench.frame(2);
        CHECK_FALSE(bench.has("processes/form/name"));
        bench.press(ImGuiKey_Enter);
        bench.frame(3);
        bench.fill("processes/form/command", "other");
        bench.press(ImGuiKey_Escape);
        bench.frame();
        CHECK(bench.has("processes/form/stay"));
        CHECK(bench.says("other"));
        bench.press(ImGuiKey_Escape);
        bench.frame();
        CHECK(bench.has("processes/form/save"));
        CHECK(bench.says("other"));
        bench.click("processes/form/cancel");
        bench.frame();
        bench.click("processes/form/discard");
        bench.frame(2);
        CHECK_FALSE(bench.has("processes/form/command"));
        CHECK(bench.calls_of("scripts.upsert").empty());
    }

    TEST_CASE("a form knows whether it was changed, an unreadable number included") {
        ScriptForm form(full_script());
        CHECK_FALSE(form.changed());
        CHECK_FALSE(ScriptForm(Json()).changed());
    }
}
