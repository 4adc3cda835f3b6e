// updates_box.h - the update of the program: what runs, what there is, and one button for the next step.
#pragma once

#include <string>

#include "ui/panel.h"

namespace labdeck::ui {

class UpdatesBox {
public:
    /// `saved`: the settings that are shown are those that the hub has; it would ask an older feed else.
    void draw(PanelContext& context, bool saved, const std::string& rect);

private:
    bool asks_ = false;  ///< Whether the bench is to be stopped for it.
};

}  // namespace labdeck::ui
