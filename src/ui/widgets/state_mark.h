// state_mark.h - a state as a shape with a colour, so that the colour need not be seen.
#pragma once

#include <string_view>

#include "ui/panel.h"

namespace labdeck::ui {

enum class Mark : unsigned char {
    running,  ///< Filled disc, good.
    idle,     ///< Ring, dim.
    waiting,  ///< Half disc, info.
    done,     ///< Tick, good.
    warning,  ///< Triangle, warn.
    failed,   ///< Cross, bad.
};

/// Of a job's state, as the contract spells it.
Mark mark_of_job(std::string_view state) noexcept;

ImU32 mark_colour(const Theme& theme, Mark mark) noexcept;

/// Draws the mark as an item of one text line's height and stays on the line.
void draw_mark(const PanelContext& context, Mark mark);

}  // namespace labdeck::ui
