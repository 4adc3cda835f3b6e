// round_trips.h - how long answers take: p50, p99 and the most over a window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace labdeck::bench_apps {

class RoundTrips {
public:
    struct Summary {
        std::size_t count = 0;  ///< In the window.
        std::int64_t p50_ns = 0;
        std::int64_t p99_ns = 0;
        std::int64_t max_ns = 0;
    };

    /// Keeps the latest `window` round trips.
    explicit RoundTrips(std::size_t window) : window_(window) {}

    void add(std::int64_t ns);
    void clear();
    /// Sorts a copy; for a status, not for every byte.
    Summary summary() const;
    std::int64_t last_ns() const noexcept { return last_ns_; }

private:
    std::size_t window_;
    std::vector<std::int64_t> latest_;
    std::size_t next_ = 0;
    std::int64_t last_ns_ = 0;
};

}  // namespace labdeck::bench_apps
