#include "bench_apps/round_trips.h"

#include <algorithm>

namespace labdeck::bench_apps {

namespace {

/// Nearest rank: the smallest value that at least this share is not above.
std::int64_t ranked(const std::vector<std::int64_t>& sorted, unsigned percent) {
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    return sorted[rank == 0 ? 0 : rank - 1];
}

}  // namespace

void RoundTrips::add(std::int64_t ns) {
    last_ns_ = ns;
    if (latest_.size() < window_) {
        latest_.push_back(ns);
        return;
    }
    latest_[next_] = ns;
    next_ = (next_ + 1) % window_;
}

void RoundTrips::clear() {
    latest_.clear();
    next_ = 0;
    last_ns_ = 0;
}

RoundTrips::Summary RoundTrips::summary() const {
    if (latest_.empty()) return {};
    std::vector<std::int64_t> sorted = latest_;
    std::sort(sorted.begin(), sorted.end());
    return {sorted.size(), ranked(sorted, 50), ranked(sorted, 99), sorted.back()};
}

}  // namespace labdeck::bench_apps
