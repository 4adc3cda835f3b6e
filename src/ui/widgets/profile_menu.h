// profile_menu.h - puts scripts into profiles and takes them out, as items of a menu that is open.
#pragma once

#include <string>
#include <vector>

#include "ui/panel.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

/// An item a profile, ticked when it has all of `ids`, and a line for the name of a new one, whose text is
/// `new_name` between frames.
void draw_profile_menu(PanelContext& context, const std::vector<std::string>& ids, std::string& new_name,
                       const std::string& rect);

}  // namespace labdeck::ui
