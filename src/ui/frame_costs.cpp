#include "ui/frame_costs.h"

#include <algorithm>
#include <cmath>

namespace labdeck::ui {

namespace {

constexpr double class_ratio = 1.02;

std::size_t class_of(std::int64_t ns) {
    if (ns <= 1'000) return 0;
    const double i = std::log(static_cast<double>(ns) / 1'000.0) / std::log(class_ratio);
    return std::min<std::size_t>(static_cast<std::size_t>(i), 1023);
}

double class_ms(std::size_t i) {
    return 0.001 * std::pow(class_ratio, static_cast<double>(i) + 0.5);
}

}  // namespace

void FrameCosts::add(std::int64_t ns) {
    const auto us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ns / 1'000, 0, 0xffff'ffff));
    if (recent_us_.size() < recent_max) {
        recent_us_.push_back(us);
    } else {
        recent_us_[next_] = us;
    }
    next_ = (next_ + 1) % recent_max;
    ++classes_[class_of(ns)];
    ++frames_;
    max_ns_ = std::max(max_ns_, ns);
}

FrameCosts::Summary FrameCosts::recent() const {
    Summary summary;
    summary.frames = recent_us_.size();
    if (recent_us_.empty()) return summary;
    std::vector<std::uint32_t> us = recent_us_;
    const auto at = [&us](double share) {
        const auto nth = us.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(us.size() - 1));
        std::nth_element(us.begin(), nth, us.end());
        return *nth / 1'000.0;
    };
    summary.p50_ms = at(0.5);
    summary.p99_ms = at(0.99);
    summary.max_ms = at(1.0);
    return summary;
}

FrameCosts::Summary FrameCosts::since_start() const {
    Summary summary;
    summary.frames = frames_;
    summary.max_ms = static_cast<double>(max_ns_) / 1e6;
    const auto at = [this](double share) {
        auto left = static_cast<std::uint64_t>(share * static_cast<double>(frames_));
        for (std::size_t i = 0; i < classes_.size(); ++i) {
            if (classes_[i] > left) return class_ms(i);
            left -= classes_[i];
        }
        return class_ms(classes_.size() - 1);
    };
    if (frames_ == 0) return summary;
    summary.p50_ms = at(0.5);
    summary.p99_ms = at(0.99);
    return summary;
}

}  // namespace labdeck::ui
