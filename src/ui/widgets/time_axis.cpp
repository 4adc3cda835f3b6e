#include "ui/widgets/time_axis.h"

#include <algorithm>
#include <cmath>

namespace labdeck::ui {

void TimeAxis::begin_frame(MonoTime now) {
    now_ = now;
    cursor_before_ = cursor_;
    cursor_.reset();
}

void TimeAxis::set_span(std::int64_t span_ns) noexcept {
    right_ = right();
    span_ns_ = home_span_ns_ = std::clamp(span_ns, span_ns_min, span_ns_max);
}

void TimeAxis::hold() noexcept {
    right_ = right();
    live_ = false;
}

void TimeAxis::pan(std::int64_t ns) noexcept {
    if (live_ && ns >= 0) return;
    right_ = {right().ns + ns};
    live_ = right_ >= now_;
}

void TimeAxis::zoom(double factor, MonoTime anchor) noexcept {
    const double wish = static_cast<double>(span_ns_) * factor;
    const auto span = std::clamp(static_cast<std::int64_t>(wish), span_ns_min, span_ns_max);
    const double real = static_cast<double>(span) / static_cast<double>(span_ns_);
    right_ = {anchor.ns + static_cast<std::int64_t>(static_cast<double>(right().ns - anchor.ns) * real)};
    span_ns_ = span;
    live_ = right_ >= now_;
}

TimeAxis::View TimeAxis::view(double pixels) const noexcept {
    View view;
    view.ns_per_px = static_cast<double>(span_ns_) / std::max(pixels, 1.0);
    // Up, so that the newest sample is within.
    view.left_ns = std::ceil(static_cast<double>(left().ns) / view.ns_per_px) * view.ns_per_px;
    return view;
}

}  // namespace labdeck::ui
