// status_line.h - the strip at the window's lower edge: what matters of the whole bench, and the console's
// own buttons.
#pragma once

#include <string_view>

#include "ui/console.h"

namespace labdeck::ui {

struct StatusLineAsks {
    std::string_view layout;  ///< A preset to change to; empty for none.
    bool toggle_theme = false;
};

inline constexpr float status_line_px = 26;

/// Draws over the rectangle from `min`, in the current window.
StatusLineAsks draw_status_line(PanelContext& context, const ConsoleOptions& options, std::string_view layout,
                                ImVec2 min, ImVec2 size);

}  // namespace labdeck::ui
