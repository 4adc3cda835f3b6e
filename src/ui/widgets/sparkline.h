// sparkline.h - the last seconds of one series in a small rectangle, without axes.
//
// A polyline of at most 120 points in ImGui's own list: cheaper than a draw call of
// its own for the dozens of them that an overview shows. No sample is lost: each column
// has its minimum and its maximum.
#pragma once

#include <imgui.h>

#include <cstdint>

#include "model/series.h"

namespace labdeck::ui {

struct SparklineStyle {
    ImU32 colour = 0;
    ImU32 fill = 0;  ///< Below the line; 0 for none.
    float line_px = 1.5F;
    double top_min = 0;  ///< The top is never lower.
};

/// Values from 0 up to the largest in [now - span, now], in the rectangle from min to max. Draws nothing but
/// the line and its fill, and nothing at all without samples there.
void draw_sparkline(ImDrawList& list, const model::Series& series, MonoTime now, std::int64_t span_ns,
                    ImVec2 min, ImVec2 max, const SparklineStyle& style);

}  // namespace labdeck::ui
