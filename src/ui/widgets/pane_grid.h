// pane_grid.h - rows and columns of panes with splitters between them.
//
// Tracks are percents that add up to 100. Dragging a splitter moves what lies beside
// it and nothing else; a double click sets its axis back to equal tracks.
#pragma once

#include <imgui.h>

#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ui/theme.h"

namespace labdeck::ui {

struct GridPreset {
    std::string_view id;  ///< As in the contract, rows and panes in all: "2x6".
    int rows = 1;
    int columns = 1;
};
std::span<const GridPreset> grid_presets() noexcept;
/// Null when there is no such preset.
const GridPreset* find_grid_preset(std::string_view id) noexcept;

class PaneGrid {
public:
    explicit PaneGrid(const GridPreset& preset) { set_preset(preset); }

    /// Equal tracks.
    void set_preset(const GridPreset& preset);
    const GridPreset& preset() const noexcept { return preset_; }
    int panes() const noexcept { return preset_.rows * preset_.columns; }

    const std::vector<float>& row_percents() const noexcept { return rows_; }
    const std::vector<float>& column_percents() const noexcept { return columns_; }

    /// Calls draw_pane(index, top left, size) for each pane, row by row, and then lays the splitters over the
    /// gaps.
    using DrawPane = std::function<void(int index, ImVec2 min, ImVec2 size)>;
    void draw(ImVec2 min, ImVec2 size, const Theme& theme, float scale, const DrawPane& draw_pane);
    /// A splitter is being dragged.
    bool dragging() const noexcept { return dragging_; }

private:
    struct Track {
        float begin = 0;
        float size = 0;
    };
    std::vector<Track> tracks(const std::vector<float>& percents, float begin, float size, float gap) const;
    void split(std::vector<float>& percents, std::size_t after, float position, float begin, float size,
               float least);

    GridPreset preset_;
    std::vector<float> rows_;
    std::vector<float> columns_;
    bool dragging_ = false;
};

}  // namespace labdeck::ui
