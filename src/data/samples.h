// samples.h - what one scan of /proc says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace labdeck::data {

struct WatchedProcess {
    std::string name;  ///< What it is called on screen, unique: "simulators", "bridge".
    pid_t pid = 0;
};

enum class MemoryKind : unsigned char { rss, pss };

struct ProcessSample {
    std::string name;
    pid_t pid = 0;
    double cpu_percent = 0;  ///< Since the last scan; 100 is one core. 0 in the first scan.
    std::uint64_t memory_bytes = 0;
    MemoryKind memory_kind = MemoryKind::rss;
    bool alive = true;
};

struct SampleBatch {
    MonoTime time;
    double cpu_percent = 0;  ///< Of the machine, 100 is all cores busy.
    int cores = 1;
    std::uint64_t memory_used_bytes = 0;  ///< MemTotal - MemAvailable.
    std::uint64_t memory_total_bytes = 0;
    std::vector<ProcessSample> processes;  ///< The first is the console itself.
};

}  // namespace labdeck::data
