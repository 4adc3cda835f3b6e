// row_scrollbar.h - a scroll bar over more rows than a float can count.
#pragma once

#include <cstdint>
#include <optional>

#include "ui/theme.h"

namespace labdeck::ui {

enum class Axis : unsigned char { vertical, horizontal };

/// What the bar stands for: `page` of `total` are seen, from `position` on.
struct ScrollRange {
    std::uint64_t position = 0;
    std::uint64_t page = 0;
    std::uint64_t total = 0;
};

class RowScrollbar {
public:
    /// Draws the bar into the given rectangle. Returns the position that the mouse asks for, if it does.
    std::optional<std::uint64_t> draw(const char* id, Axis axis, ImVec2 min, ImVec2 max,
                                      const ScrollRange& range, const Theme& theme, float scale);

private:
    float grabbed_at_ = 0;  ///< Where on the thumb the mouse took hold, in pixels.
};

}  // namespace labdeck::ui
