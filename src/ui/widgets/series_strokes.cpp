#include "ui/widgets/series_strokes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace labdeck::ui {
namespace {

using model::Series;
using Entry = Series::Entry;
using Vertex = gfx::SeriesVertex;

// The ring of a series goes to the GPU as it is.
static_assert(sizeof(Entry) == sizeof(Vertex) && alignof(Entry) == alignof(Vertex));
static_assert(offsetof(Entry, time) == offsetof(Vertex, time) &&
              offsetof(Entry, min) == offsetof(Vertex, min) && offsetof(Entry, max) == offsetof(Vertex, max));
static_assert(std::is_trivially_copyable_v<Entry> && std::is_trivially_copyable_v<Vertex>);

constexpr double ns_per_tick = 100'000;

gfx::RingView ring_view(const Series& series, std::size_t level) {
    return {reinterpret_cast<const Vertex*>(series.ring(level)), series.ring_size(level), series.first(level),
            series.count(level)};
}

struct Span {
    std::uint64_t first = 0;
    std::uint64_t end = 0;
};

// The entries in the view and one beyond either edge, where the line comes from and goes to.
Span span_in(const Series& series, std::size_t level, MonoTime left, MonoTime right) {
    const std::uint64_t begin = series.lower_bound(level, left);
    const std::uint64_t end = series.lower_bound(level, right);
    return {std::max(series.first(level), begin > 0 ? begin - 1 : 0), std::min(series.count(level), end + 2)};
}

double columns_of(const Series& series, const TimeAxis::View& view, double pixels) {
    const MonoTime left = std::max(view.time(0), series.first_time());
    const MonoTime right = std::min(view.time(pixels), series.last_time());
    return std::clamp(static_cast<double>(right.ns - left.ns) / view.ns_per_px, 1.0, pixels);
}

std::uint32_t group_for(double entries_per_column) {
    std::uint32_t group = 1;
    while (group < 8 && entries_per_column >= 2.0 * group) group *= 2;
    return group;
}

}  // namespace

void add_strokes(const Series& series, const TimeAxis::View& view, double pixels,
                 const gfx::SeriesStyle& style, std::vector<SeriesStroke>& out) {
    if (series.first() == series.count()) return;
    const MonoTime left = view.time(0);
    const MonoTime right = view.time(pixels);
    // The coarsest level that still has an entry for each column that the series takes.
    std::size_t level = series.levels() - 1;
    Span span = span_in(series, level, left, right);
    const double columns =
        columns_of(series, view, pixels) / std::max(1.0, static_cast<double>(style.column_px));
    while (level > 0 && static_cast<double>(span.end - std::min(span.first, span.end)) < columns)
        span = span_in(series, --level, left, right);
    if (span.first >= span.end) return;

    const double density = static_cast<double>(span.end - span.first) / columns;
    SeriesStroke stroke{&series, level, span.first, span.end, style};
    const bool band = level > 0 || density > 2;
    stroke.style.shape = band ? gfx::SeriesShape::band : gfx::SeriesShape::line;
    stroke.style.group = band ? group_for(density) : 1;
    out.push_back(stroke);
    // A level's last entry has nothing after it to reach to, and what came since is not in it: the finer
    // levels go on from where that entry began.
    while (level > 0 && stroke.end == series.count(level)) {
        const std::uint64_t from = (stroke.end - 1) * Series::fanout;
        --level;
        stroke.level = level;
        stroke.first = std::max(series.first(level), from);
        stroke.end = series.count(level);
        stroke.style.group = 1;
        if (stroke.first >= stroke.end) break;
        out.push_back(stroke);
    }
}

void StrokeBatch::begin(gfx::SeriesRenderer* renderer, ImVec2 min, ImVec2 max, const TimeAxis::View& view,
                        double bottom, double top) {
    renderer_ = renderer;
    min_ = min;
    max_ = max;
    view_ = view;
    bottom_ = bottom;
    top_ = top;
    strokes_.clear();
    groups_.clear();
    flats_.clear();
}

float StrokeBatch::y_of(double value) const {
    const double height = (value - bottom_) / (top_ - bottom_);
    return max_.y - static_cast<float>(height * static_cast<double>(max_.y - min_.y));
}

bool StrokeBatch::add_flat(const Series& series, const gfx::SeriesStyle& style) {
    const double width = static_cast<double>(max_.x - min_.x);
    const MonoTime left = std::max(view_.time(0), series.first_time());
    const MonoTime right = std::min(view_.time(width), series.last_time());
    if (series.has_holes() || right <= left) return false;
    // One sample beyond the left edge counts as well: the line comes from there.
    const std::uint64_t begin = series.lower_bound(0, left);
    const Series::Range range = series.range(left, right);
    if (range.empty || range.min != range.max) return false;
    if (begin > series.first() && static_cast<double>(series.entry(0, begin - 1).min) != range.min)
        return false;
    const float y = y_of(range.min);
    const auto x = [&](MonoTime time) { return std::round(min_.x + static_cast<float>(view_.x(time))); };
    flats_.push_back({{x(left), y}, {x(right), y}, style});
    return true;
}

void StrokeBatch::add(const Series& series, const gfx::SeriesStyle& style) {
    if (series.first() == series.count()) return;
    if (add_flat(series, style)) return;
    // Pixels of the framebuffer, of which ImGui's unit may have several.
    const double per_unit = ImGui::GetIO().DisplayFramebufferScale.x;
    const double pixels = static_cast<double>(max_.x - min_.x) * per_unit;
    TimeAxis::View view = view_;
    view.ns_per_px /= per_unit;
    const std::size_t first = strokes_.size();
    add_strokes(series, view, pixels, style, strokes_);
    if (strokes_.size() > first) groups_.push_back(group(series, view, pixels, first));
}

StrokeBatch::Group StrokeBatch::group(const Series& series, const TimeAxis::View& view, double pixels,
                                      std::size_t first) const {
    Series::Range range = series.range(view.time(0), view.time(pixels));
    const auto widen = [&range](const Entry& entry) {
        if (std::isnan(entry.min)) return;  // A hole.
        const auto low = static_cast<double>(entry.min);
        const auto high = static_cast<double>(entry.max);
        range.min = range.empty ? low : std::min(range.min, low);
        range.max = range.empty ? high : std::max(range.max, high);
        range.empty = false;
    };
    float width = 0;
    for (std::size_t i = first; i < strokes_.size(); ++i) {
        const SeriesStroke& stroke = strokes_[i];
        // The line comes from and goes to entries that lie beyond the edges.
        widen(series.entry(stroke.level, stroke.first));
        widen(series.entry(stroke.level, stroke.end - 1));
        width = std::max(width, stroke.style.line_px);
    }
    if (range.empty) return {this, first, first, min_.y, min_.y};
    constexpr float soft_edge = 1;
    const float around = width / ImGui::GetIO().DisplayFramebufferScale.x + soft_edge;
    return {this, first, strokes_.size(), std::floor(y_of(range.max) - around),
            std::ceil(y_of(range.min) + around)};
}

void StrokeBatch::submit(ImDrawList& list) {
    if (renderer_ == nullptr) return;
    const float per_unit = ImGui::GetIO().DisplayFramebufferScale.x;
    for (const Flat& flat : flats_) {
        list.AddLine(flat.from, flat.to, flat.style.rgba, flat.style.line_px / per_unit);
    }
    if (groups_.empty()) return;
    for (Group& group : groups_) {
        if (group.first == group.end) continue;
        // No more than the line touches counts as changed, and is drawn again.
        list.PushClipRect({min_.x, std::max(group.top, min_.y)}, {max_.x, std::min(group.bottom, max_.y)},
                          true);
        list.AddCallback(&StrokeBatch::render, &group);
        list.PopClipRect();
    }
    list.AddCallback(ImDrawCallback_ResetRenderState, nullptr);
}

gfx::SeriesPlot StrokeBatch::plot(const ImDrawCmd& command) const {
    const ImDrawData& data = *ImGui::GetDrawData();
    const ImVec2 scale = data.FramebufferScale;
    const ImVec2 origin = data.DisplayPos;
    gfx::SeriesPlot plot;
    plot.x = (min_.x - origin.x) * scale.x;
    plot.y = (min_.y - origin.y) * scale.y;
    plot.width = (max_.x - min_.x) * scale.x;
    plot.height = (max_.y - min_.y) * scale.y;
    plot.framebuffer_width = data.DisplaySize.x * scale.x;
    plot.framebuffer_height = data.DisplaySize.y * scale.y;
    const double left_ticks = view_.left_ns / ns_per_tick;
    const double whole = std::floor(left_ticks);
    plot.tick_left = static_cast<std::uint32_t>(static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)));
    plot.tick_fraction = static_cast<float>(left_ticks - whole);
    plot.ticks_wide = static_cast<double>(max_.x - min_.x) * view_.ns_per_px / ns_per_tick;
    plot.value_bottom = static_cast<float>(bottom_);
    plot.value_top = static_cast<float>(top_);
    plot.clip_left = (command.ClipRect.x - origin.x) * scale.x;
    plot.clip_top = (command.ClipRect.y - origin.y) * scale.y;
    plot.clip_right = (command.ClipRect.z - origin.x) * scale.x;
    plot.clip_bottom = (command.ClipRect.w - origin.y) * scale.y;
    return plot;
}

void StrokeBatch::render(const ImDrawList*, const ImDrawCmd* command) {
    const Group& group = *static_cast<const Group*>(command->UserCallbackData);
    const StrokeBatch& batch = *group.batch;
    const gfx::SeriesPlot plot = batch.plot(*command);
    for (std::size_t i = group.first; i < group.end; ++i) {
        const SeriesStroke& stroke = batch.strokes_[i];
        const gfx::RingView ring = ring_view(*stroke.series, stroke.level);
        batch.renderer_->upload(stroke.series, stroke.level, ring, stroke.first, stroke.end);
        batch.renderer_->draw(stroke.series, stroke.level, stroke.first, stroke.end, plot, stroke.style);
    }
}

}  // namespace labdeck::ui
