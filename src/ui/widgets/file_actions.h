// file_actions.h - what can be done with a file that somebody else wrote: copy its path, show its folder.
#pragma once

#include <string>

#include "ui/panel.h"

namespace labdeck::ui {

/// "json  [Copy path] [Open folder]" on the current line; the second where PanelContext can open folders.
/// Rects: RECT/copy and RECT/open.
void draw_file_actions(PanelContext& context, const std::string& label, const std::string& path,
                       const std::string& rect);

}  // namespace labdeck::ui
