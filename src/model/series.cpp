#include "model/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "base/assert.h"

namespace labdeck::model {

namespace {

static_assert(Series::fanout == 16, "span_of() shifts by four bits a level");

constexpr std::int64_t ns_per_tick = 100'000;
constexpr std::int64_t ticks_reach = std::numeric_limits<std::uint32_t>::max();
/// A level this small is looked at whole; a coarser one would save nothing.
constexpr std::size_t coarsest_max = 256;
constexpr float hole = std::numeric_limits<float>::quiet_NaN();

std::int64_t whole_tick(MonoTime time) noexcept {
    return time.ns / ns_per_tick;
}

/// Whichever comparison sees a NaN says no, so that a hole never wins and always loses.
void widen(Series::Entry& entry, float min, float max) noexcept {
    if (std::isnan(min)) return;
    if (!(entry.min <= min)) entry.min = min;
    if (!(entry.max >= max)) entry.max = max;
}

}  // namespace

Series::Series(std::string name, std::string unit, std::size_t capacity)
    : name_(std::move(name)), unit_(std::move(unit)), capacity_(std::max(capacity, fanout)) {
    std::size_t levels = 1;
    while (levels < levels_max && capacity_ / span_of(levels - 1) > coarsest_max) ++levels;
    const std::size_t coarsest = span_of(levels - 1);
    capacity_ = (capacity_ + coarsest - 1) / coarsest * coarsest;

    levels_.resize(levels);
    for (std::size_t i = 0; i < levels; ++i) {
        Level& level = levels_[i];
        level.size = capacity_ / span_of(i);
        level.ring.reset(static_cast<Entry*>(std::calloc(level.size, sizeof(Entry))));
        if (!level.ring) throw std::bad_alloc();
        level.open = {0, hole, hole};
    }
}

void Series::push(MonoTime time, double value) {
    if (count_ > 0 && time < last_time_) time = last_time_;
    const std::int64_t tick = whole_tick(time);
    forget_old(tick);
    has_holes_ = has_holes_ || std::isnan(value);

    const Entry sample{tick_of(time), static_cast<float>(value), static_cast<float>(value)};
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        Level& level = levels_[i];
        if (level.filled++ == 0) level.open = {sample.time, hole, hole};
        widen(level.open, sample.min, sample.max);
        if (level.filled < span_of(i)) continue;
        level.ring[level.slot] = level.open;
        level.slot = level.slot + 1 == level.size ? 0 : level.slot + 1;
        level.filled = 0;
        level.open = {sample.time, hole, hole};
    }
    if (count_++ == first_) first_tick_ = tick;
    last_time_ = time;
    last_value_ = value;
}

void Series::forget_old(std::int64_t tick) noexcept {
    const std::uint64_t first_before = first_;
    const std::int64_t oldest = tick - ticks_reach;
    if (count_ == first_) return;
    if (whole_tick(last_time_) < oldest) {
        first_ = count_;
    } else {
        // The sample that is about to come takes the oldest one's place in a full ring.
        while (first_ < count_ && (first_tick_ < oldest || count_ - first_ == capacity_)) {
            const std::uint32_t time = entry(0, first_).time;
            if (++first_ < count_) first_tick_ += static_cast<std::uint32_t>(entry(0, first_).time - time);
        }
    }
    if (first_ == first_before) return;
    // An open entry may have begun with a sample that is gone; its time must stay within reach.
    for (std::size_t i = 1; i < levels_.size(); ++i) {
        if (levels_[i].filled == 0 || count(i) * span_of(i) >= first_) continue;
        levels_[i].open.time = first_ < count_ ? entry(0, first_).time : static_cast<std::uint32_t>(tick);
    }
}

std::uint64_t Series::count(std::size_t level) const noexcept {
    return count_ >> (4 * level);
}

std::uint64_t Series::first(std::size_t level) const noexcept {
    return std::min((first_ + span_of(level) - 1) >> (4 * level), count(level));
}

const Series::Entry& Series::entry(std::size_t level, std::uint64_t index) const noexcept {
    const Level& at = levels_[level];
    return index == count(level) ? at.open : at.ring[index % at.size];
}

std::size_t Series::ring_size(std::size_t level) const noexcept {
    return levels_[level].size;
}
const Series::Entry* Series::ring(std::size_t level) const noexcept {
    return levels_[level].ring.get();
}

MonoTime Series::first_time() const noexcept {
    return {first_ == count_ ? 0 : first_tick_ * ns_per_tick};
}

std::size_t Series::level_for(double ns_per_pixel) const noexcept {
    const std::uint64_t samples = count_ - first_;
    if (samples < 2) return 0;
    const double spacing =
        static_cast<double>(last_time_.ns - first_time().ns) / static_cast<double>(samples - 1);
    std::size_t level = 0;
    while (level + 1 < levels_.size() && spacing * static_cast<double>(span_of(level + 1)) <= ns_per_pixel)
        ++level;
    return level;
}

std::int64_t Series::tick_at(std::size_t level, std::uint64_t index) const noexcept {
    // Nothing is newer than the last sample or further back than 32 bits reach.
    const std::int64_t newest = whole_tick(last_time_);
    return newest - static_cast<std::uint32_t>(static_cast<std::uint32_t>(newest) - entry(level, index).time);
}

std::uint64_t Series::lower_bound(std::size_t level, MonoTime time) const noexcept {
    return lower_bound_tick(level, whole_tick(time));
}

std::uint64_t Series::lower_bound_tick(std::size_t level, std::int64_t tick) const noexcept {
    std::uint64_t low = first(level);
    std::uint64_t high = count(level);
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (tick_at(level, middle) < tick) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

Series::Range Series::range(MonoTime from, MonoTime to) const noexcept {
    std::uint64_t at = lower_bound_tick(0, whole_tick(from));
    const std::uint64_t end = lower_bound_tick(0, whole_tick(to) + 1);
    const auto whole_entry = [&](std::size_t level) {
        return level < levels_.size() && at % span_of(level) == 0 && at + span_of(level) <= end;
    };
    Entry all{0, hole, hole};
    std::size_t level = 0;
    while (at < end) {
        while (whole_entry(level + 1)) ++level;
        while (level > 0 && !whole_entry(level)) --level;
        const Entry& part = entry(level, at >> (4 * level));
        widen(all, part.min, part.max);
        at += span_of(level);
    }
    if (std::isnan(all.min)) return {};
    return {all.min, all.max, false};
}

bool Series::nearest(MonoTime time, MonoTime& at, double& value) const noexcept {
    if (first_ == count_) return false;
    std::uint64_t index = lower_bound(0, time);
    const std::int64_t tick = whole_tick(time);
    if (index == count_ || (index > first_ && tick - tick_at(0, index - 1) < tick_at(0, index) - tick))
        --index;
    at = {tick_at(0, index) * ns_per_tick};
    value = entry(0, index).min;
    return true;
}

}  // namespace labdeck::model
