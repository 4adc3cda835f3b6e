// one_app.h - the Simulators panel over a bench with one running app, as the hub tells of it.
#pragma once

#include <string>

#include "ui/panel_bench.h"

namespace labdeck::ui {

inline Json sample_actions() {
    return Json::parse(R"([
    {"name": "run_start", "label": "Start", "args": []},
    {"name": "run_stop", "label": "Stop", "args": []},
    {"name": "set_register", "label": "Set register", "args": [
        {"name": "address", "label": "Address", "type": "int", "required": true, "min": 0, "max": 9},
        {"name": "value", "label": "Value", "type": "number", "default": 1.5, "unit": "mV"},
        {"name": "hold", "label": "Hold", "type": "bool", "default": true},
        {"name": "shape", "label": "Shape", "type": "enum", "choices": ["sine", "ramp"], "default": "ramp"},
        {"name": "note", "label": "Note", "type": "string", "required": false, "default": "hello"}]}
])");
}

inline Json sample_status(bool running) {
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

inline Json sample_config() {
    return Json::parse(R"({
    "repoRoot": "bench", "valid": true, "errors": [],
    "entries": [
        {"key": "port", "value": "dev/plc", "type": "string", "label": "Port"},
        {"key": "baud", "value": 115200, "type": "int", "min": 300, "max": 4000000, "label": "Baud"}],
    "paths": [{"name": "config", "path": "config/plc-simulator.json", "exists": true}],
    "configTree": {"port": "dev/plc", "baud": 115200, "mine": "kept"}
})");
}

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
        on("status.get", [this](const Json&) {
            Json now = sample_status(running);
            now.update(extra);
            return now;
        });
        on("action.list", [this](const Json&) { return Json{{"actions", actions}}; });
        on("config.get", [this](const Json&) { return config; });
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
    /// Has the app tell its status, which is read anew from what is set here.
    void status_changed() {
        event("status.changed", {{"appId", "plc-simulator"}});
        frame(3);
    }

    Json actions = sample_actions();
    Json config = sample_config();
    Json extra = Json::object();  ///< What the status has beyond the usual.
    bool running = true;
    int jobs = 0;
};

}  // namespace labdeck::ui
