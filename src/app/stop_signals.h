// stop_signals.h - SIGTERM, SIGINT and SIGHUP as a function call on a thread of their own.
#pragma once

#include <functional>
#include <thread>

namespace labdeck::app {

/// Blocks the three signals for every thread that is started later, so make it before any other. `stop` is
/// called at each of them, from this object's thread; it must not block.
class StopSignals {
public:
    explicit StopSignals(std::function<void()> stop);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    std::function<void()> stop_;
    std::thread thread_;
};

}  // namespace labdeck::app
