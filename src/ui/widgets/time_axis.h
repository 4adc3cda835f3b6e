// time_axis.h - the window of time that one or more plots show: live, or held where the user left it.
//
// Pure arithmetic, no ImGui. While live the right edge is now; held, the data goes on and the
// view stays. Holding never drops anything: the series keep what they keep.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace labdeck::ui {

class TimeAxis {
public:
    static constexpr std::int64_t span_ns_min = 1'000'000;                 ///< 1 ms
    static constexpr std::int64_t span_ns_max = 24LL * 3'600'000'000'000;  ///< 24 h

    enum class Labels : unsigned char { clock, relative };

    explicit TimeAxis(std::int64_t span_ns = 60'000'000'000) : span_ns_(span_ns), home_span_ns_(span_ns) {}

    /// Once a frame before the first plot. Forgets the cursor, which the hovered plot sets again.
    void begin_frame(MonoTime now);

    bool live() const noexcept { return live_; }
    MonoTime now() const noexcept { return now_; }
    MonoTime right() const noexcept { return live_ ? now_ : right_; }
    MonoTime left() const noexcept { return {right().ns - span_ns_}; }
    std::int64_t span_ns() const noexcept { return span_ns_; }

    /// Keeps the right edge, live or held; reset() comes back to this span.
    void set_span(std::int64_t span_ns) noexcept;
    std::int64_t home_span_ns() const noexcept { return home_span_ns_; }
    /// Stops where it is.
    void hold() noexcept;
    void go_live() noexcept { live_ = true; }
    /// Live, with the span that was last set rather than zoomed to.
    void reset() noexcept {
        live_ = true;
        span_ns_ = home_span_ns_;
    }
    /// Moves the window by `ns`, later when positive. One that would reach beyond now goes live.
    void pan(std::int64_t ns) noexcept;
    /// Makes the window `factor` times as wide with `anchor` staying where it is on the screen. When the
    /// right edge comes to now, the axis is live.
    void zoom(double factor, MonoTime anchor) noexcept;

    /// The time under the pointer in one of the plots: as of this frame, or of the last one for the plots
    /// that are drawn before the hovered one.
    std::optional<MonoTime> cursor() const noexcept { return cursor_ ? cursor_ : cursor_before_; }
    void set_cursor(MonoTime time) noexcept { cursor_ = time; }

    /// The left edge and the time that a pixel takes, for a plot of `pixels`. The left edge is a multiple of
    /// that time, so that a live plot moves by whole pixels and does not shimmer.
    struct View {
        double left_ns = 0;
        double ns_per_px = 1;
        double x(MonoTime time) const noexcept {
            return (static_cast<double>(time.ns) - left_ns) / ns_per_px;
        }
        MonoTime time(double x) const noexcept {
            return {static_cast<std::int64_t>(left_ns + x * ns_per_px)};
        }
    };
    View view(double pixels) const noexcept;

    Labels labels = Labels::clock;

private:
    std::int64_t span_ns_;
    std::int64_t home_span_ns_;
    bool live_ = true;
    MonoTime now_;
    MonoTime right_;
    std::optional<MonoTime> cursor_;
    std::optional<MonoTime> cursor_before_;
};

}  // namespace labdeck::ui
