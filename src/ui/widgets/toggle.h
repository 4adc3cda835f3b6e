// toggle.h - a switch: on and off told by the knob's side and by a word, not by colour alone.
#pragma once

#include "ui/panel.h"

namespace labdeck::ui {

/// One text line high. `on_colour` fills it while it is on. True when it was clicked; the caller turns it.
bool draw_toggle(const PanelContext& context, const char* id, bool on, ImU32 on_colour);

}  // namespace labdeck::ui
