// tile.h - the small parts that tiles, headers and the status line are made of.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "ui/theme.h"

namespace labdeck::ui {

/// States told apart by shape as well as by colour.
enum class TileMark : unsigned char {
    on,       ///< Full disc.
    waiting,  ///< Ring.
    off,      ///< Hollow square.
    fault,    ///< Triangle.
};
ImU32 tile_mark_colour(TileMark mark, const Theme& theme) noexcept;
void draw_tile_mark(ImDrawList& list, ImVec2 centre, float radius, TileMark mark, ImU32 colour);

/// One line of text from `at` that ends in an ellipsis where it would pass `right`. Returns where it ends.
float draw_clipped(ImDrawList& list, const ImFont& font, ImVec2 at, float right, ImU32 colour,
                   std::string_view text);
/// One line that ends at `right`. Returns where it begins.
float draw_right(ImDrawList& list, const ImFont& font, float right, float y, ImU32 colour,
                 std::string_view text);

/// 980 B, 1.24 MB, 3.02 TB: powers of 1,000, as the wire counts.
std::string bytes_text(std::uint64_t bytes);
/// 980, 12.4 k, 3.02 M.
std::string count_text(std::uint64_t count);

}  // namespace labdeck::ui
