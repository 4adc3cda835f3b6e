#include "ui/widgets/pane_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/rects.h"

namespace labdeck::ui {

namespace {

constexpr std::array<GridPreset, 7> presets = {{{"1x1", 1, 1},
                                                {"1x2", 1, 2},
                                                {"1x3", 1, 3},
                                                {"1x4", 2, 2},
                                                {"2x6", 2, 3},
                                                {"2x8", 2, 4},
                                                {"3x12", 3, 4}}};
constexpr float gap_px = 5;
constexpr float pane_width_min_px = 180;
constexpr float pane_height_min_px = 90;

std::vector<float> equal_tracks(int count) {
    return std::vector<float>(static_cast<std::size_t>(count), 100.0F / static_cast<float>(count));
}

struct SplitterAction {
    bool dragged = false;
    bool reset = false;
};

SplitterAction splitter(const std::string& id, ImVec2 min, ImVec2 size, bool upright, const Theme& theme) {
    ImGui::SetCursorScreenPos(min);
    ImGui::InvisibleButton(id.c_str(), size);
    note_rect(id);
    SplitterAction action;
    action.dragged = ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 0.5F);
    action.reset = ImGui::IsItemHovered() && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
    ImU32 colour = theme.background;
    if (ImGui::IsItemHovered() || ImGui::IsItemActive()) {
        ImGui::SetMouseCursor(upright ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
        colour = ImGui::IsItemActive() ? theme.accent : mix(theme.background, theme.accent, 0.6F);
    }
    ImGui::GetWindowDrawList()->AddRectFilled(min, {min.x + size.x, min.y + size.y}, colour);
    return action;
}

}  // namespace

std::span<const GridPreset> grid_presets() noexcept {
    return presets;
}

const GridPreset* find_grid_preset(std::string_view id) noexcept {
    const auto at =
        std::find_if(presets.begin(), presets.end(), [id](const auto& preset) { return preset.id == id; });
    return at == presets.end() ? nullptr : &*at;
}

void PaneGrid::set_preset(const GridPreset& preset) {
    preset_ = preset;
    rows_ = equal_tracks(preset.rows);
    columns_ = equal_tracks(preset.columns);
}

std::vector<PaneGrid::Track> PaneGrid::tracks(const std::vector<float>& percents, float begin, float size,
                                              float gap) const {
    const float usable = std::max(0.0F, size - gap * static_cast<float>(percents.size() - 1));
    std::vector<Track> result;
    float before = 0;
    for (std::size_t i = 0; i < percents.size(); ++i) {
        // Edges on whole pixels, from the running sum, so that no rounding error adds up.
        const float from = std::floor(before * usable / 100);
        before += percents[i];
        const float to = i + 1 == percents.size() ? usable : std::floor(before * usable / 100);
        result.push_back({begin + from + gap * static_cast<float>(i), to - from});
    }
    return result;
}

void PaneGrid::split(std::vector<float>& percents, std::size_t after, float position, float begin, float size,
                     float least) {
    float before = 0;
    for (std::size_t i = 0; i < after; ++i) before += percents[i];
    const float both = percents[after] + percents[after + 1];
    // Where there is no room for two panes of the least size, they share what there is.
    const float least_percent = std::min(least / size * 100, both / 2);
    const float wanted = (position - begin) / size * 100 - before;
    percents[after] = std::clamp(wanted, least_percent, both - least_percent);
    percents[after + 1] = both - percents[after];
}

void PaneGrid::draw(ImVec2 min, ImVec2 size, const Theme& theme, float scale, const DrawPane& draw_pane) {
    const float gap = std::round(gap_px * scale);
    const auto row_tracks = tracks(rows_, min.y, size.y, gap);
    const auto column_tracks = tracks(columns_, min.x, size.x, gap);
    int index = 0;
    for (const Track& row : row_tracks) {
        for (const Track& column : column_tracks) {
            draw_pane(index++, {column.begin, row.begin}, {column.size, row.size});
        }
    }
    dragging_ = false;
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    for (std::size_t i = 0; i + 1 < column_tracks.size(); ++i) {
        const ImVec2 at{column_tracks[i].begin + column_tracks[i].size, min.y};
        const auto action = splitter(fmt::format("grid/column{}", i), at, {gap, size.y}, true, theme);
        if (action.dragged) split(columns_, i, mouse.x - gap / 2, min.x, size.x, pane_width_min_px * scale);
        if (action.reset) columns_ = equal_tracks(preset_.columns);
        dragging_ = dragging_ || action.dragged;
    }
    for (std::size_t i = 0; i + 1 < row_tracks.size(); ++i) {
        const ImVec2 at{min.x, row_tracks[i].begin + row_tracks[i].size};
        const auto action = splitter(fmt::format("grid/row{}", i), at, {size.x, gap}, false, theme);
        if (action.dragged) split(rows_, i, mouse.y - gap / 2, min.y, size.y, pane_height_min_px * scale);
        if (action.reset) rows_ = equal_tracks(preset_.rows);
        dragging_ = dragging_ || action.dragged;
    }
}

}  // namespace labdeck::ui
