// series.h - numbers over time in a ring, with a pyramid of minima and maxima.
//
// Level 0 holds every sample; each entry of level k+1 spans `fanout` entries of level
// k and keeps their smallest and largest value, so that a zoomed-out chart looks at a
// few thousand entries and never loses a spike. All levels are rings of the same span of time: the
// oldest samples go first. The entries are what the GPU gets, unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace labdeck::model {

class Series {
public:
    static constexpr std::size_t fanout = 16;
    static constexpr std::size_t levels_max = 6;

    /// One entry of any level, and one vertex on the GPU.
    struct Entry {
        std::uint32_t time = 0;  ///< 100 µs ticks of MonoTime, modulo 2^32 (119 h); compare by difference.
        float min = 0;
        float max = 0;
    };

    /// `capacity` samples, rounded up to a power of `fanout`-friendly size.
    Series(std::string name, std::string unit, std::size_t capacity);

    /// Times must not go back; one that does is placed at the last time. NaN makes a hole: the line is
    /// broken there and no minimum or maximum sees it.
    void push(MonoTime time, double value);

    const std::string& name() const noexcept { return name_; }
    const std::string& unit() const noexcept { return unit_; }
    std::size_t capacity() const noexcept { return capacity_; }

    /// Samples ever pushed; [first(), count()) of level 0 are still here.
    std::uint64_t count(std::size_t level = 0) const noexcept;
    std::uint64_t first(std::size_t level = 0) const noexcept;
    std::size_t levels() const noexcept { return levels_.size(); }
    /// REQUIRES: first(level) <= index <= count(level). Index count(level) is the entry being filled, levels >= 1.
    const Entry& entry(std::size_t level, std::uint64_t index) const noexcept;
    /// Ring capacity of a level, and its storage for upload: entry i lies at i % size.
    std::size_t ring_size(std::size_t level) const noexcept;
    const Entry* ring(std::size_t level) const noexcept;

    MonoTime first_time() const noexcept;
    MonoTime last_time() const noexcept { return last_time_; }
    double last_value() const noexcept { return last_value_; }

    /// The coarsest level that still has at least one entry in `ns_per_pixel`, given the mean sample spacing.
    std::size_t level_for(double ns_per_pixel) const noexcept;
    /// First index of `level` whose time is at or after `time`, by binary search.
    std::uint64_t lower_bound(std::size_t level, MonoTime time) const noexcept;

    struct Range {
        double min = 0;
        double max = 0;
        bool empty = true;
    };
    /// Exact minimum and maximum of the samples in [from, to], in O(levels · fanout + log n).
    Range range(MonoTime from, MonoTime to) const noexcept;
    /// The sample nearest to `time`. False when there is none.
    bool nearest(MonoTime time, MonoTime& at, double& value) const noexcept;

    static std::uint32_t tick_of(MonoTime time) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time.ns / 100'000));
    }

private:
    struct Level {
        std::vector<Entry> ring;
        std::uint64_t count = 0;   ///< Finished entries.
        std::size_t filling = 0;   ///< How many entries of the level below are in the open one.
        Entry open;
    };

    std::string name_;
    std::string unit_;
    std::size_t capacity_;
    std::vector<Level> levels_;
    MonoTime first_time_;
    MonoTime last_time_;
    double last_value_ = 0;
};

}  // namespace labdeck::model
