// proc_sampler.h - reads CPU and memory of the machine and of chosen processes from /proc.
//
// One scan a period on a thread of its own. CPU and memory of a watched process are those of its whole tree
// as far as it lives, 100 % is one core, and children that it has waited for count; of the console itself
// they are its own. Memory is PSS where the kernel lets us read it cheaply (smaps_rollup), at most every
// fifth scan and then kept, else RSS, and says which. A process that has ended stays in the batches as not
// alive until watch() leaves it out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "data/process_tree.h"
#include "data/samples.h"

namespace labdeck::io {

class ProcSampler {
public:
    using OnBatch = std::function<void(std::shared_ptr<const data::SampleBatch>)>;

    /// `on_batch` is called on the sampler's thread. `proc_root` is "/proc" but for tests.
    [[nodiscard]] static Result<std::unique_ptr<ProcSampler>> start(std::int64_t period_ns, OnBatch on_batch,
                                                                    std::string proc_root = "/proc");
    ~ProcSampler();  ///< Joins the thread.
    ProcSampler(const ProcSampler&) = delete;
    ProcSampler& operator=(const ProcSampler&) = delete;

    /// Thread: any. Replaces what is watched, from the next scan on. Our own process is always watched.
    void watch(std::vector<data::WatchedProcess> processes);

    using OnTree = std::function<void(data::ProcessTree)>;
    /// Thread: any. All that the watched process `top` started, without itself, as of the last scan, or as of
    /// the next one where the last did not know it: no /proc is read for it. At most `count_max`. `on_tree`
    /// is called once, on the sampler's thread or by the destructor; with nothing when there is no such
    /// process.
    void tree(pid_t top, std::size_t count_max, OnTree on_tree);

private:
    struct Impl;
    explicit ProcSampler(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::io
