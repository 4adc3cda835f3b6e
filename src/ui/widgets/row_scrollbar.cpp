#include "ui/widgets/row_scrollbar.h"

#include <algorithm>
#include <cmath>

namespace labdeck::ui {

namespace {

constexpr float thumb_min = 24;  // Unscaled pixels: still easy to hit when a page is a millionth of all.

}  // namespace

std::optional<std::uint64_t> RowScrollbar::draw(const char* id, Axis axis, ImVec2 min, ImVec2 max,
                                                const ScrollRange& range, const Theme& theme, float scale) {
    const bool vertical = axis == Axis::vertical;
    const float begin = vertical ? min.y : min.x;
    const float length = (vertical ? max.y : max.x) - begin;
    if (length < 1 || max.x - min.x < 1 || max.y - min.y < 1) return std::nullopt;
    ImGui::SetCursorScreenPos(min);
    ImGui::InvisibleButton(id, {max.x - min.x, max.y - min.y});
    if (range.total <= range.page) return std::nullopt;

    const std::uint64_t places = range.total - range.page;
    const double share = static_cast<double>(range.page) / static_cast<double>(range.total);
    const float thumb =
        std::clamp(static_cast<float>(share * length), std::min(thumb_min * scale, length / 2), length);
    const double at = static_cast<double>(std::min(range.position, places)) / static_cast<double>(places);
    const float thumb_begin = begin + static_cast<float>(at * (length - thumb));

    const bool active = ImGui::IsItemActive();
    const float mouse = vertical ? ImGui::GetIO().MousePos.y : ImGui::GetIO().MousePos.x;
    std::optional<std::uint64_t> wanted;
    if (ImGui::IsItemActivated()) {
        const bool on_thumb = mouse >= thumb_begin && mouse < thumb_begin + thumb;
        grabbed_at_ = on_thumb ? mouse - thumb_begin : thumb / 2;
    }
    const bool moved = ImGui::GetIO().MouseDelta.x != 0 || ImGui::GetIO().MouseDelta.y != 0;
    if (active && (moved || ImGui::IsItemActivated()) && length > thumb) {
        const double to = std::clamp((mouse - grabbed_at_ - begin) / (length - thumb), 0.0F, 1.0F);
        wanted = static_cast<std::uint64_t>(std::llround(to * static_cast<double>(places)));
    }

    const float inset = 2 * scale;
    const ImVec2 from = vertical ? ImVec2(min.x + inset, thumb_begin) : ImVec2(thumb_begin, min.y + inset);
    const ImVec2 to =
        vertical ? ImVec2(max.x - inset, thumb_begin + thumb) : ImVec2(thumb_begin + thumb, max.y - inset);
    const ImU32 colour = active || ImGui::IsItemHovered() ? theme.text_dim : theme.border;
    ImGui::GetWindowDrawList()->AddRectFilled(from, to, colour, 3 * scale);
    return wanted;
}

}  // namespace labdeck::ui
