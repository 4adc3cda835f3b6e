// crash_loop.h - so many starts by themselves in so short a time that one more is no use, whatever the pause
// between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/clock.h"

namespace labdeck {

/// Counts the automatic starts of one process. Time is an argument.
class CrashLoop {
public:
    static constexpr std::size_t starts_max = 30;
    static constexpr std::int64_t window_ns = 600'000'000'000;

    void started(MonoTime now) { starts_.push_back(now); }
    /// A person started it: what was before does not count.
    void forget() noexcept { starts_.clear(); }
    /// Whether one more start would be more than starts_max within the window.
    bool reached(MonoTime now) {
        while (!starts_.empty() && now.ns - starts_.front().ns > window_ns) starts_.pop_front();
        return starts_.size() >= starts_max;
    }

private:
    std::deque<MonoTime> starts_;
};

}  // namespace labdeck
