// series.h - numbers over time in a ring, with a pyramid of minima and maxima.
//
// Level 0 holds every sample; each entry of level k+1 spans `fanout` entries of level
// k and keeps their smallest and largest value, so that a zoomed-out chart looks at a
// few thousand entries and never loses a spike. All levels are rings of the same span of time: the
// oldest samples go first, and with a sample every entry that has it. Samples older than 119 h, the
// reach of an entry's time, go as well. The entries are what the GPU gets, unchanged.
//
// Times are compared in whole ticks of 100 µs. Movable, not to be copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
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

    /// `capacity` samples, rounded up to a multiple of what one entry of the coarsest level spans. Memory
    /// that no sample has reached yet is not used.
    Series(std::string name, std::string unit, std::size_t capacity);

    /// Times must not go back; one that does is placed at the last time. NaN makes a hole: the line is
    /// broken there and no minimum or maximum sees it.
    void push(MonoTime time, double value);

    const std::string& name() const noexcept { return name_; }
    const std::string& unit() const noexcept { return unit_; }
    std::size_t capacity() const noexcept { return capacity_; }

    /// Finished entries so far, of level 0 the samples ever pushed; [first(), count()) are still here.
    std::uint64_t count(std::size_t level = 0) const noexcept;
    std::uint64_t first(std::size_t level = 0) const noexcept;
    std::size_t levels() const noexcept { return levels_.size(); }
    /// REQUIRES: first(level) <= index <= count(level). Index count(level) is the entry being filled, levels
    /// >= 1: it has all samples since the last finished one, and none (NaN) when there are none.
    const Entry& entry(std::size_t level, std::uint64_t index) const noexcept;
    /// Ring capacity of a level, and its storage for upload: entry i lies at i % size.
    std::size_t ring_size(std::size_t level) const noexcept;
    const Entry* ring(std::size_t level) const noexcept;

    /// Of the oldest sample that is still here, {0} when there is none.
    /// A NaN was ever pushed.
    bool has_holes() const noexcept { return has_holes_; }
    MonoTime first_time() const noexcept;
    MonoTime last_time() const noexcept { return last_time_; }
    double last_value() const noexcept { return last_value_; }

    /// The coarsest level that still has at least one entry in `ns_per_pixel`, given the mean sample spacing.
    std::size_t level_for(double ns_per_pixel) const noexcept;
    /// First index of `level` whose time is at or after `time`, by binary search; count(level) when no
    /// finished entry is. The entry before it may still reach beyond `time`: an entry's time is that of its
    /// first sample.
    std::uint64_t lower_bound(std::size_t level, MonoTime time) const noexcept;

    struct Range {
        double min = 0;
        double max = 0;
        bool empty = true;
    };
    /// Exact minimum and maximum of the samples in [from, to], in O(levels · fanout + log n). Empty when
    /// there are none but holes.
    Range range(MonoTime from, MonoTime to) const noexcept;
    /// The sample nearest to `time`, NaN when that is a hole. False when there is none.
    bool nearest(MonoTime time, MonoTime& at, double& value) const noexcept;

    static std::uint32_t tick_of(MonoTime time) noexcept {
        return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time.ns / 100'000));
    }

private:
    struct Free {
        void operator()(Entry* ring) const noexcept { std::free(ring); }
    };
    struct Level {
        std::unique_ptr<Entry[], Free> ring;  ///< From calloc(): untouched pages cost nothing.
        std::size_t size = 0;
        std::size_t slot = 0;    ///< Where the next finished entry goes: count % size.
        std::size_t filled = 0;  ///< How many samples are in `open`.
        Entry open;
    };
    /// Samples that one entry of `level` spans.
    static std::uint64_t span_of(std::size_t level) noexcept { return std::uint64_t{1} << (4 * level); }
    void forget_old(std::int64_t tick) noexcept;
    std::int64_t tick_at(std::size_t level, std::uint64_t index) const noexcept;
    std::uint64_t lower_bound_tick(std::size_t level, std::int64_t tick) const noexcept;

    std::string name_;
    std::string unit_;
    std::size_t capacity_;
    std::vector<Level> levels_;
    std::uint64_t count_ = 0;
    std::uint64_t first_ = 0;      ///< The oldest sample that is still here.
    std::int64_t first_tick_ = 0;  ///< Its time, whole.
    MonoTime last_time_;
    double last_value_ = 0;
    bool has_holes_ = false;
};

}  // namespace labdeck::model
