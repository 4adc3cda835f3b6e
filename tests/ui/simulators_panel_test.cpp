#include <string>

#include "ui/panel_bench.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

const Json actions = Json::parse(R"([
    {"name": "run_start", "label": "Start", "args": []},
    {"name": "run_stop", "label": "Stop", "args": []},
    {"name": "set_register", "label": "Set register", "args": [
        {"name": "address", "label": "Address", "type": "int", "required": true, "min": 0, "max": 9},
        {"name": "value", "label": "Value", "type": "number", "default": 1.5, "unit": "mV"},
        {"name": "hold", "label": "Hold", "type": "bool", "default": true},
        {"name": "shape", "label": "Shape", "type": "enum", "choices": ["sine", "ramp"], "default": "ramp"},
        {"name": "note", "label": "Note", "type": "string", "required": false, "default": "hello"}]}
])");

Json status(bool running) {
    return {{"interfaceName", "generic-process-interface"},
            {"interfaceVersion", 1},
            {"appId", "plc-simulator"},
            {"appTitle", "COM Traffic Simulator (PLC)"},
            {"running", running},
            {"pid", 4711},
            {"hostRunning", true},
            {"hostPid", 4711},
            {"bootId", "b00t"},
            {"error", ""},
            {"framesLost", 3}};
}

const Json config = Json::parse(R"({
    "repoRoot": "bench", "valid": true, "errors": [],
    "entries": [
        {"key": "port", "value": "dev/plc", "type": "string", "label": "Port"},
        {"key": "baud", "value": 115200, "type": "int", "min": 300, "max": 4000000, "label": "Baud"}],
    "paths": [{"name": "config", "path": "config/plc-simulator.json", "exists": true}],
    "configTree": {"port": "dev/plc", "baud": 115200, "mine": "kept"}
})");

/// A bench with one running app, as the hub tells of it.
struct OneApp : PanelBench {
    explicit OneApp(ImVec2 size = {1280, 1400}) : PanelBench(make_simulators_panel(), size) {
        on("app.list", [](const Json&) {
            return Json{{"apps",
                         {{{"appId", "plc-simulator"},
                           {"title", "PLC"},
                           {"provider", "simulators"},
                           {"providerState", "up"}}}}};
        });
        on("status.get", [this](const Json&) { return status(running); });
        on("action.list", [](const Json&) { return Json{{"actions", actions}}; });
        on("config.get", [](const Json&) { return config; });
        on("action.invoke", [this](const Json&) {
            return Json{{"jobId", "job-" + std::to_string(++jobs)},
                        {"state", "queued"},
                        {"acceptedAt", "2026-02-17T16:20:00Z"}};
        });
        on("action.job.get", [](const Json& params) {
            return Json{{"jobId", params["jobId"]},
                        {"state", "succeeded"},
                        {"startedAt", "2026-02-17T16:20:00.000Z"},
                        {"finishedAt", "2026-02-17T16:20:02.500Z"},
                        {"result", {{"written", 1}}},
                        {"error", nullptr}};
        });
        on("action.job.cancel", [](const Json&) { return Json{{"state", "canceled"}}; });
        hub();
        frame(4);
    }
    bool running = true;
    int jobs = 0;
};

}  // namespace

TEST_SUITE("ui/simulators_panel") {
    TEST_CASE("without apps it says where they come from") {
        PanelBench bench(make_simulators_panel());
        bench.hub();
        bench.frame(3);
        CHECK(bench.words().find("No apps") != std::string::npos);
        CHECK(bench.age().kind == DataAge::Kind::none);
    }

    TEST_CASE("a click on Stop sends run_stop, one on Start run_start") {
        OneApp bench;
        bench.click("simulators/plc-simulator/run_stop");
        auto calls = bench.calls_of("action.invoke");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] ==
              Json{{"appId", "plc-simulator"}, {"actionName", "run_stop"}, {"args", Json::object()}});
        // It runs, so there is nothing to start.
        bench.click("simulators/plc-simulator/run_start");
        CHECK(bench.calls_of("action.invoke").size() == 1);

        bench.running = false;
        bench.event("status.changed", {{"appId", "plc-simulator"}});
        bench.frame(3);
        bench.click("simulators/plc-simulator/run_start");
        calls = bench.calls_of("action.invoke");
        REQUIRE(calls.size() == 2);
        CHECK(calls[1]["actionName"] == "run_start");
    }

    TEST_CASE("every scalar of the status is told, losses with a mark") {
        OneApp bench;
        const std::string words = bench.words();
        CHECK(words.find("boot id") != std::string::npos);
        CHECK(words.find("b00t") != std::string::npos);
        CHECK(words.find("4711") != std::string::npos);
        CHECK(words.find("! 3") != std::string::npos);
        CHECK(words.find("running") != std::string::npos);
    }

    TEST_CASE("a form sends its args with their types") {
        OneApp bench;
        bench.click("simulators/plc-simulator/set_register");
        bench.frame();
        bench.fill("simulators/plc-simulator/set_register/address", "0x7");
        bench.fill("simulators/plc-simulator/set_register/value", "2.25");
        bench.click("simulators/plc-simulator/set_register/hold");
        bench.click("simulators/plc-simulator/set_register/run");
        const auto calls = bench.calls_of("action.invoke");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0]["args"] ==
              Json{{"address", 7}, {"value", 2.25}, {"hold", false}, {"shape", "ramp"}, {"note", "hello"}});
        CHECK(calls[0]["args"]["address"].is_number_integer());
    }

    TEST_CASE("what is missing or out of range is refused beside its field and not sent") {
        OneApp bench;
        bench.click("simulators/plc-simulator/set_register");
        bench.frame();
        bench.click("simulators/plc-simulator/set_register/run");
        CHECK(bench.has("simulators/plc-simulator/set_register/address/refusal"));
        bench.fill("simulators/plc-simulator/set_register/address", "12");
        CHECK(bench.words().find("from 0 to 9") != std::string::npos);
        bench.click("simulators/plc-simulator/set_register/run");
        CHECK(bench.calls_of("action.invoke").empty());
        bench.fill("simulators/plc-simulator/set_register/address", "9");
        CHECK_FALSE(bench.has("simulators/plc-simulator/set_register/address/refusal"));
        bench.fill("simulators/plc-simulator/set_register/value", "many");
        CHECK(bench.has("simulators/plc-simulator/set_register/value/refusal"));
        bench.click("simulators/plc-simulator/set_register/run");
        CHECK(bench.calls_of("action.invoke").empty());
    }

    TEST_CASE("an edited setting goes out once as config.set, and the answer stands beside it") {
        OneApp bench;
        bench.on("config.set", [](const Json&) {
            return Json{{"changed", true},
                        {"filePath", "config/plc-simulator.json"},
                        {"restartRequired", true},
                        {"pidAtSet", 4711},
                        {"message", "baud is now 9600"}};
        });
        bench.fill("simulators/plc-simulator/config/baud", "9600");
        bench.press(ImGuiKey_Enter);
        bench.frame(3);
        const auto calls = bench.calls_of("config.set");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] == Json{{"appId", "plc-simulator"}, {"key", "baud"}, {"value", 9600}});
        const std::string words = bench.words();
        CHECK(words.find("baud is now 9600") != std::string::npos);
        CHECK(words.find("restart") != std::string::npos);
        CHECK(words.find("mine: kept") != std::string::npos);
    }

    TEST_CASE("a setting that the app refuses says why beside the field") {
        OneApp bench;
        bench.on("config.set", [](const Json&) { return fail(Code::config_invalid, "port must be a path"); });
        bench.fill("simulators/plc-simulator/config/port", "x");
        bench.press(ImGuiKey_Enter);
        bench.frame(3);
        CHECK(bench.has("simulators/plc-simulator/config/port/refusal"));
        CHECK(bench.words().find("port must be a path") != std::string::npos);
        bench.fill("simulators/plc-simulator/config/baud", "5");
        bench.press(ImGuiKey_Enter);
        CHECK(bench.calls_of("config.set").size() == 1);
        CHECK(bench.words().find("from 300 to 4000000") != std::string::npos);
    }

    TEST_CASE("a provider that died leaves a banner and the last good status") {
        OneApp bench;
        bench.event("status.changed", {{"appId", "plc-simulator"},
                                       {"providerState", "backoff"},
                                       {"error", "simulators: killed by SIGKILL, restarting in 1 s"}});
        bench.frame(2);
        CHECK(bench.has("simulators/plc-simulator/banner"));
        CHECK(bench.has("simulators/plc-simulator/status"));
        const std::string words = bench.words();
        CHECK(words.find("provider down") != std::string::npos);
        CHECK(words.find("b00t") != std::string::npos);
        CHECK(bench.age().kind == DataAge::Kind::behind);
        CHECK(bench.wants_frame());
    }

    TEST_CASE("jobs show their time and result; one that runs can be canceled") {
        OneApp bench;
        bench.event("job.changed", {{"appId", "plc-simulator"},
                                    {"jobId", "job-9"},
                                    {"actionName", "set_waveform"},
                                    {"state", "running"}});
        bench.frame(2);
        bench.click("simulators/plc-simulator/cancel/job-9");
        const auto calls = bench.calls_of("action.job.cancel");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] == Json{{"appId", "plc-simulator"}, {"jobId", "job-9"}});
        bench.event("job.changed", {{"appId", "plc-simulator"},
                                    {"jobId", "job-9"},
                                    {"actionName", "set_waveform"},
                                    {"state", "succeeded"}});
        bench.frame(4);
        const std::string words = bench.words();
        CHECK(words.find("succeeded") != std::string::npos);
        CHECK(words.find("2.5 s") != std::string::npos);
        CHECK(words.find("written") != std::string::npos);
        const std::size_t asked = bench.calls_of("action.job.get").size();
        bench.frame(10);
        CHECK(bench.calls_of("action.job.get").size() == asked);
    }

    TEST_CASE("forty apps with long names fit a narrow pane") {
        PanelBench bench(make_simulators_panel(), {420, 700});
        bench.on("app.list", [](const Json&) {
            Json apps = Json::array();
            for (int i = 0; i < 40; ++i) {
                apps.push_back(
                    {{"appId", "app-" + std::to_string(i)},
                     {"provider", "p"},
                     {"providerState", "up"},
                     {"title", "An application whose name is much longer than any pane is wide, number " +
                                   std::to_string(i)}});
            }
            return Json{{"apps", apps}};
        });
        bench.on("status.get", [](const Json&) { return status(true); });
        bench.on("action.list", [](const Json&) { return Json{{"actions", actions}}; });
        bench.on("config.get", [](const Json&) { return config; });
        bench.hub();
        bench.frame(4);
        REQUIRE(bench.has("simulators/app-0/run_stop"));
        CHECK(rects().find("simulators/app-0/run_stop")->second.max.x <= 420);
        bench.state().selected_app = "app-39";
        bench.frame(2);
        CHECK(bench.has("simulators/app-39/run_stop"));
    }
}
