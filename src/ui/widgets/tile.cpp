#include "ui/widgets/tile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace labdeck::ui {

namespace {

constexpr std::string_view ellipsis = "…";

std::string scaled(std::uint64_t value, std::string_view unit) {
    constexpr std::array<const char*, 7> prefixes = {"", "k", "M", "G", "T", "P", "E"};
    if (value < 1'000) return unit.empty() ? fmt::format("{}", value) : fmt::format("{} {}", value, unit);
    auto number = static_cast<double>(value);
    std::size_t prefix = 0;
    // 999.5 and more would be printed as 1000.
    while (number >= 999.5 && prefix + 1 < prefixes.size()) {
        number /= 1'000;
        ++prefix;
    }
    const int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}{}", number, decimals, prefixes[prefix], unit);
}

}  // namespace

ImU32 tile_mark_colour(TileMark mark, const Theme& theme) noexcept {
    switch (mark) {
        case TileMark::on:
            return theme.good;
        case TileMark::waiting:
            return theme.warn;
        case TileMark::off:
            return theme.text_dim;
        case TileMark::fault:
            return theme.bad;
    }
    return theme.text_dim;
}

void draw_tile_mark(ImDrawList& list, ImVec2 centre, float radius, TileMark mark, ImU32 colour) {
    const float line = std::max(1.0F, radius * 0.4F);
    switch (mark) {
        case TileMark::on:
            list.AddCircleFilled(centre, radius, colour, 12);
            break;
        case TileMark::waiting:
            list.AddCircle(centre, radius, colour, 12, line);
            break;
        case TileMark::off:
            list.AddRect({centre.x - radius, centre.y - radius}, {centre.x + radius, centre.y + radius},
                         colour, 0, 0, line);
            break;
        case TileMark::fault:
            list.AddTriangleFilled({centre.x, centre.y - radius * 1.2F},
                                   {centre.x + radius * 1.25F, centre.y + radius},
                                   {centre.x - radius * 1.25F, centre.y + radius}, colour);
            break;
    }
}

float draw_clipped(ImDrawList& list, const ImFont& font, ImVec2 at, float right, ImU32 colour,
                   std::string_view text) {
    const float size = font.FontSize;
    const float room = right - at.x;
    if (room <= 0 || text.empty()) return at.x;
    const char* const end = text.data() + text.size();
    const char* cut = nullptr;
    const ImVec2 whole = font.CalcTextSizeA(size, room, 0, text.data(), end, &cut);
    if (cut == end) {
        list.AddText(&font, size, at, colour, text.data(), end);
        return at.x + whole.x;
    }
    const float dots =
        font.CalcTextSizeA(size, 1e6F, 0, ellipsis.data(), ellipsis.data() + ellipsis.size()).x;
    const ImVec2 part = font.CalcTextSizeA(size, std::max(1.0F, room - dots), 0, text.data(), end, &cut);
    if (part.x + dots > room) return at.x;
    list.AddText(&font, size, at, colour, text.data(), cut);
    list.AddText(&font, size, {at.x + part.x, at.y}, colour, ellipsis.data(),
                 ellipsis.data() + ellipsis.size());
    return at.x + part.x + dots;
}

float draw_right(ImDrawList& list, const ImFont& font, float right, float y, ImU32 colour,
                 std::string_view text) {
    const char* const end = text.data() + text.size();
    const float x = right - font.CalcTextSizeA(font.FontSize, 1e6F, 0, text.data(), end).x;
    list.AddText(&font, font.FontSize, {x, y}, colour, text.data(), end);
    return x;
}

std::string bytes_text(std::uint64_t bytes) {
    return scaled(bytes, "B");
}
std::string count_text(std::uint64_t count) {
    return scaled(count, "");
}

}  // namespace labdeck::ui
