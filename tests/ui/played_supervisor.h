// played_supervisor.h - the Processes panel over a supervisor that the test plays.
#pragma once

#include <string>

#include "ui/panel_bench.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

inline Json sample_script(const std::string& id, const std::string& name) {
    return {{"id", id}, {"name", name}, {"command", "run-" + id}};
}

inline Json sample_snapshot(const std::string& id, const std::string& status) {
    return {{"scriptId", id}, {"status", status}};
}

struct PlayedSupervisor : PanelBench {
    explicit PlayedSupervisor(Json kept = default_scripts(), ImVec2 size = {1280, 800})
        : PanelBench(make_processes_panel(), size), scripts(std::move(kept)) {
        on("scripts.list", [this](const Json&) { return scripts; });
        on("profiles.list", [this](const Json&) { return profiles; });
        on("process.snapshots", [this](const Json&) { return snapshots; });
        on("settings.get", [this](const Json&) { return settings; });
        on("settings.update", [this](const Json& patch) {
            settings.merge_patch(patch);
            return settings;
        });
        for (const char* method :
             {"process.start", "process.stop", "process.restart", "process.killTree", "profiles.startAll",
              "profiles.stopAll", "profiles.delete", "scripts.delete"}) {
            on(method, [](const Json&) { return Json(); });
        }
        on("scripts.create", [](const Json& params) {
            Json made = params;
            made["id"] = "made";
            return made;
        });
        on("scripts.upsert", [](const Json& params) { return params; });
        frame(4);
    }
    static Json default_scripts() {
        return Json::array(
            {sample_script("b", "bridge"), sample_script("a", "adapter"), sample_script("c", "camera")});
    }
    void tell(const Json& snapshot) {
        event("process.status", snapshot);
        frame(2);
    }
    void hold(ImGuiKey modifier, bool down) {
        ImGui::GetIO().AddKeyEvent(modifier, down);
        frame();
    }
    void open_menu(std::string_view rect) {
        move_to(middle(rect));
        for (const bool down : {true, false}) {
            ImGui::GetIO().AddMouseButtonEvent(ImGuiMouseButton_Right, down);
            frame();
        }
        frame();
    }
    bool says(const std::string& text) { return words().find(text) != std::string::npos; }

    Json scripts;
    Json profiles = Json::array();
    Json snapshots = Json::array();
    Json settings = Json::object();
};

}  // namespace labdeck::ui
