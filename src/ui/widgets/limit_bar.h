// limit_bar.h - where a measured value lies between its limits.
#pragma once

#include <optional>

#include "ui/panel.h"

namespace labdeck::ui {

struct LimitBar {
    std::optional<double> value;
    std::optional<double> lower;
    std::optional<double> upper;

    /// Where a value is drawn, from 0 (left end) to 1. The span between the limits is the middle half; with
    /// one limit, that limit is at a quarter from its end and 0 or twice the limit's distance sets the scale.
    /// Beyond the ends it is clamped. Requires at least one limit.
    double share_of(double at) const noexcept;
    /// Not beyond any limit; a limit itself is within.
    bool within() const noexcept;
};

/// One text line high, `width` pixels: the allowed span filled and closed by ticks, the value a diamond
/// within and a cross beyond; an arrow where it is beyond the bar. Nothing but room without limits.
void draw_limit_bar(const PanelContext& context, const LimitBar& bar, float width);

}  // namespace labdeck::ui
