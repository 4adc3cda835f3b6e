#include "ui/widgets/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace labdeck::ui {
namespace {

constexpr std::uint64_t points_max = 120;
constexpr std::int64_t columns_max = points_max / 2;

// Collects a run of points and draws it when it ends.
class Run {
public:
    Run(ImDrawList& list, const SparklineStyle& style, float bottom)
        : list_(list), style_(style), bottom_(bottom) {}
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    ~Run() { finish(); }

    void add(ImVec2 point) {
        if (count_ == points_.size()) finish();
        points_[count_++] = point;
    }
    void finish() {
        if (count_ > 1) {
            for (std::size_t i = 1; style_.fill != 0 && i < count_; ++i) fill(points_[i - 1], points_[i]);
            list_.AddPolyline(points_.data(), static_cast<int>(count_), style_.colour, 0, style_.line_px);
        } else if (count_ == 1) {
            list_.AddCircleFilled(points_[0], style_.line_px, style_.colour);
        }
        count_ = 0;
    }

private:
    void fill(ImVec2 a, ImVec2 b) {
        if (b.x <= a.x) return;
        const ImVec2 uv = ImGui::GetFontTexUvWhitePixel();
        list_.PrimReserve(6, 4);
        const auto first = static_cast<ImDrawIdx>(list_._VtxCurrentIdx);
        for (const ImDrawIdx corner : {0, 1, 2, 0, 2, 3}) list_.PrimWriteIdx(first + corner);
        for (const ImVec2& corner : {a, b, ImVec2(b.x, bottom_), ImVec2(a.x, bottom_)})
            list_.PrimWriteVtx(corner, uv, style_.fill);
    }

    ImDrawList& list_;
    const SparklineStyle& style_;
    float bottom_;
    std::array<ImVec2, 2 * (columns_max + 2)> points_{};
    std::size_t count_ = 0;
};

struct Frame {
    MonoTime left;
    double ns_per_px;
    double top;
    ImVec2 min, max;
    ImVec2 place(double ns, double value) const {
        const double x = (ns - static_cast<double>(left.ns)) / ns_per_px;
        const double y = std::clamp(value / top, 0.0, 1.0) * static_cast<double>(max.y - min.y);
        return {std::clamp(min.x + static_cast<float>(x), min.x, max.x), max.y - static_cast<float>(y)};
    }
};

void draw_samples(const model::Series& series, std::uint64_t first, std::uint64_t end, const Frame& frame,
                  Run& run) {
    const std::uint32_t left_tick = model::Series::tick_of(frame.left);
    for (std::uint64_t i = first; i < end; ++i) {
        const model::Series::Entry& entry = series.entry(0, i);
        if (std::isnan(entry.min)) {
            run.finish();
            continue;
        }
        const auto ticks = static_cast<std::int32_t>(entry.time - left_tick);
        run.add(
            frame.place(static_cast<double>(frame.left.ns) + ticks * 1e5, static_cast<double>(entry.min)));
    }
}

// Columns begin at multiples of their width, so that the picture moves but does not change as time goes on.
void draw_columns(const model::Series& series, std::int64_t span_ns, MonoTime now, const Frame& frame,
                  Run& run) {
    const std::int64_t column = std::max<std::int64_t>(span_ns / columns_max, 1);
    double before = 0;
    for (std::int64_t at = frame.left.ns / column * column; at <= now.ns; at += column) {
        const auto range = series.range({at}, {at + column - 1});
        if (range.empty) {
            run.finish();
            continue;
        }
        const auto quarter = static_cast<double>(column) / 4;
        const bool down_first = std::abs(range.min - before) < std::abs(range.max - before);
        run.add(frame.place(static_cast<double>(at) + quarter, down_first ? range.min : range.max));
        if (range.max > range.min)
            run.add(frame.place(static_cast<double>(at) + 3 * quarter, down_first ? range.max : range.min));
        before = range.max > range.min && !down_first ? range.min : range.max;
    }
}

}  // namespace

void draw_sparkline(ImDrawList& list, const model::Series& series, MonoTime now, std::int64_t span_ns,
                    ImVec2 min, ImVec2 max, const SparklineStyle& style) {
    const MonoTime left{now.ns - span_ns};
    const auto range = series.range(left, now);
    if (range.empty || max.x <= min.x || max.y <= min.y) return;
    // Half the line stays inside at the top and at the bottom.
    const float inset = style.line_px / 2;
    Frame frame{left,
                static_cast<double>(span_ns) / static_cast<double>(max.x - min.x),
                std::max({range.max * 1.05, style.top_min, 1e-9}),
                {min.x, min.y + inset},
                {max.x, max.y - inset}};
    const std::uint64_t first = series.lower_bound(0, left);
    const std::uint64_t end = series.lower_bound(0, {now.ns + 100'000});
    Run run(list, style, max.y);
    if (end - first <= points_max) {
        draw_samples(series, first, end, frame, run);
    } else {
        draw_columns(series, span_ns, now, frame, run);
    }
}

}  // namespace labdeck::ui
