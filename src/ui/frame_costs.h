// frame_costs.h - what frames cost: the newest 36,000 one by one, and all since the start in classes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace labdeck::ui {

class FrameCosts {
public:
    /// Ten minutes at 60 frames a second.
    static constexpr std::size_t recent_max = 36'000;

    struct Summary {
        std::uint64_t frames = 0;
        double p50_ms = 0, p99_ms = 0, max_ms = 0;
    };

    void add(std::int64_t ns);
    Summary recent() const;
    /// Percentiles are those of classes 2 % wide.
    Summary since_start() const;

private:
    std::vector<std::uint32_t> recent_us_;
    std::size_t next_ = 0;
    std::array<std::uint64_t, 1024> classes_{};
    std::uint64_t frames_ = 0;
    std::int64_t max_ns_ = 0;
};

}  // namespace labdeck::ui
