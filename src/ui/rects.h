// rects.h - where the window's named controls are, for tests that click like a person.
//
// A panel names a control right after drawing it. The names of one frame are kept until
// the next frame that names any.
//
// Thread: ui.
#pragma once

#include <imgui.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace labdeck::ui {

struct Rect {
    ImVec2 min;
    ImVec2 max;
};

/// Names the last ImGui item: "simulators/plc-simulator/run_stop".
void note_rect(std::string_view id);

/// The controls of the newest frame that named any, in window coordinates.
const std::map<std::string, Rect, std::less<>>& rects();

}  // namespace labdeck::ui
