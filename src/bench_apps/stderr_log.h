// stderr_log.h - a provider's log: lines on its stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "bench_apps/log_level.h"

namespace labdeck::bench_apps {

class StderrLog {
public:
    /// A pipe is written to without waiting: a reader that sleeps must not stop the apps.
    explicit StderrLog(int fd);
    ~StderrLog();
    StderrLog(const StderrLog&) = delete;
    StderrLog& operator=(const StderrLog&) = delete;

    void write(WallTime time, LogLevel level, std::string_view app, std::string_view text);

private:
    bool write_line(std::string line);

    const int fd_;
    int flags_ = -1;    ///< As they were, -1 when unchanged.
    std::string rest_;  ///< Of a line that a full pipe took a part of.
    std::uint64_t dropped_lines_ = 0;
};

}  // namespace labdeck::bench_apps
