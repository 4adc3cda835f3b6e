// series_strokes.h - from a series and a window of time to a few draws on the GPU.
//
// Chooses the level of the pyramid by how many entries a pixel column gets, sees to
// it that the newest samples, which no coarse level has yet, are drawn from finer ones,
// and hands everything to the SeriesRenderer when ImGui renders.
#pragma once

#include <imgui.h>

#include <cstddef>
#include <vector>

#include "gfx/series_renderer.h"
#include "model/series.h"
#include "ui/widgets/time_axis.h"

namespace labdeck::ui {

/// One draw: entries [first, end) of a level.
struct SeriesStroke {
    const model::Series* series = nullptr;
    std::size_t level = 0;
    std::uint64_t first = 0;
    std::uint64_t end = 0;
    gfx::SeriesStyle style;
};

/// Appends what shows `series` in a view of `pixels` columns: at most two entries a column, each with its
/// minimum and maximum, apart from a few dozen at the newest end.
void add_strokes(const model::Series& series, const TimeAxis::View& view, double pixels,
                 const gfx::SeriesStyle& style, std::vector<SeriesStroke>& out);

/// What one plot draws in one frame. Filled while the panel is drawn and read when ImGui renders, so it must
/// live, unmoved, until then; the next begin() is early enough to let go.
class StrokeBatch {
public:
    /// What one callback draws: the strokes of one series.
    struct Group {
        const StrokeBatch* batch = nullptr;
        std::size_t first = 0, end = 0;
        float top = 0, bottom = 0;  ///< What the line touches, in ImGui's coordinates.
    };

    StrokeBatch() = default;
    StrokeBatch(const StrokeBatch&) = delete;
    StrokeBatch& operator=(const StrokeBatch&) = delete;

    /// The plot's rectangle in ImGui's coordinates, and its values.
    void begin(gfx::SeriesRenderer* renderer, ImVec2 min, ImVec2 max, const TimeAxis::View& view,
               double bottom, double top);
    void add(const model::Series& series, const gfx::SeriesStyle& style);
    /// Puts the draws into the list, below what comes after. Does nothing without a renderer.
    void submit(ImDrawList& list);

    const std::vector<SeriesStroke>& strokes() const { return strokes_; }
    const std::vector<Group>& groups() const { return groups_; }
    std::size_t flat_lines() const { return flats_.size(); }

private:
    /// A series that is one value all over the view.
    struct Flat {
        ImVec2 from, to;
        gfx::SeriesStyle style;
    };

    /// Takes a flat series as a plain line. At rest most series are flat, and a picture of plain lines that
    /// did not move need not be drawn again. False when it is not flat.
    bool add_flat(const model::Series& series, const gfx::SeriesStyle& style);
    /// Where the strokes from `first` on will draw.
    Group group(const model::Series& series, const TimeAxis::View& view, double pixels,
                std::size_t first) const;
    float y_of(double value) const;
    static void render(const ImDrawList* list, const ImDrawCmd* command);
    gfx::SeriesPlot plot(const ImDrawCmd& command) const;

    gfx::SeriesRenderer* renderer_ = nullptr;
    ImVec2 min_, max_;
    TimeAxis::View view_;
    double bottom_ = 0, top_ = 1;
    std::vector<SeriesStroke> strokes_;
    std::vector<Group> groups_;
    std::vector<Flat> flats_;
};

}  // namespace labdeck::ui
