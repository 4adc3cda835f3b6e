// process_tree.h - the processes that one started, and those that they started.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/samples.h"

namespace labdeck::data {

struct ProcessInfo {
    pid_t pid = 0;
    pid_t parent = 0;
    std::string name;        ///< The program's, at most 15 bytes of any kind.
    char state = '?';        ///< As /proc spells it: R, S, D, Z, T …
    double cpu_percent = 0;  ///< Its own between the last two scans; 100 is one core.
    std::uint64_t memory_bytes = 0;
    MemoryKind memory_kind = MemoryKind::rss;
    WallTime started = {};
};

struct ProcessTree {
    std::vector<ProcessInfo> processes;  ///< Parents before their children.
    std::size_t more = 0;                ///< How many are left out.
};

}  // namespace labdeck::data
