// series_plot.h - an interactive chart of several series over a shared time axis.
//
// The plots of a panel share one TimeAxis: they pan, zoom and show their cursor together. Drag
// pans, the wheel zooms around the pointer, a double click comes back to live, a click
// on a legend entry hides or shows its series. Lines are drawn by the SeriesRenderer;
// without one everything else is.
#pragma once

#include <imgui.h>

#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/series.h"
#include "ui/fault_marks.h"
#include "ui/theme.h"
#include "ui/widgets/axis_ticks.h"
#include "ui/widgets/series_strokes.h"
#include "ui/widgets/time_axis.h"

namespace labdeck::gfx {
class SeriesRenderer;
}

namespace labdeck::ui {

/// What of a PanelContext charts need.
struct PlotContext {
    const Theme& theme;
    const Fonts& fonts;
    float scale = 1;
    gfx::SeriesRenderer* renderer = nullptr;
};

struct PlotLine {
    const model::Series* series = nullptr;
    std::string_view label;  ///< Unique within the plot.
    ImU32 colour = 0;
    bool ended = false;  ///< Nothing more will come: the legend says so instead of a value.
};

class SeriesPlot {
public:
    struct Options {
        Unit unit = Unit::plain;
        ValueRange::Wish range;
    };
    struct ShownMark {
        const TimeMark* mark;
        float from_x, to_x;
    };
    SeriesPlot(std::string title, Options options) : title_(std::move(title)), options_(options) {}

    /// Draws at ImGui's cursor. The axis has had its begin_frame(); series and this plot live until ImGui has
    /// rendered.
    /// `marks` are stretches of time that stand out, such as those in which a fault was on.
    void draw(const PlotContext& context, TimeAxis& axis, std::span<const PlotLine> lines, ImVec2 size,
              const std::deque<TimeMark>& marks = {});

    bool hidden(std::string_view label) const { return hidden_.contains(label); }
    void set_hidden(std::string_view label, bool hidden);
    const std::string& title() const { return title_; }

    /// Where the lines were drawn last, in ImGui's coordinates: for tests and for whoever draws on top.
    ImVec2 area_min() const { return min_; }
    ImVec2 area_max() const { return max_; }
    const ValueRange& range() const { return range_; }
    const StrokeBatch& batch() const { return batch_; }
    /// The marks in sight; valid while those that were given are.
    std::span<const ShownMark> shown_marks() const { return shown_marks_; }

private:
    /// Returns the height that the title and the legend take.
    float draw_header(const PlotContext& context, std::span<const PlotLine> lines, ImVec2 at, float width);
    bool draw_legend_item(const PlotContext& context, const PlotLine& line, ImVec2 at, ImVec2 size);
    void draw_empty(const PlotContext& context, std::string_view text);
    void take_input(TimeAxis& axis);
    void fit_values(std::span<const PlotLine> lines, float line_height);
    void draw_value_grid(const PlotContext& context);
    void draw_time_grid(const PlotContext& context, const TimeAxis& axis);
    void draw_lines(const PlotContext& context, std::span<const PlotLine> lines);
    void draw_marks(const PlotContext& context, const std::deque<TimeMark>& marks, MonoTime now);
    void draw_mark_labels(const PlotContext& context);
    void draw_cursor(const PlotContext& context, const TimeAxis& axis, std::span<const PlotLine> lines);
    void draw_tooltip(const PlotContext& context, MonoTime time, std::span<const PlotLine> lines);
    float y_of(double value) const;

    std::string title_;
    Options options_;
    std::set<std::string, std::less<>> hidden_;
    std::string pointed_at_;  ///< The legend entry under the pointer: its line is drawn thicker.
    ValueRange range_;
    ValueTicks ticks_;
    StrokeBatch batch_;
    TimeAxis::View view_;
    std::vector<ShownMark> shown_marks_;
    ImVec2 min_, max_;
    bool hovered_ = false;
    bool any_samples_ = false;
    float dragged_px_ = 0;  ///< How much of the current drag the axis has followed.
};

}  // namespace labdeck::ui
