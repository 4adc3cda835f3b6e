// pipe_source.h - reads a pipe (or any readable descriptor) into a source.
//
// Reads straight into Blocks; in a flood by way of a pipe of its own, so that reader and writer do not wait
// for each other, and of one buffer that stays in the cache. Never stops draining while Blocks and feeds have
// room; when they have none it stops, the kernel holds the writer back, and it goes on when room is there:
// nothing is lost. When many small writes flood it, or many writers keep the thread busy, it asks the reactor
// for a short nap, so that hundreds of lines come with one read, and one round serves many.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "data/source.h"
#include "io/reactor.h"

namespace labdeck::io {

class PipeSource {
public:
    struct Limits {
        std::size_t retained_bytes = 32U << 20;  ///< What its tails may hold.
        /// How far it may read ahead of the slowest consumer: 4 GB/s for a window that looks once in 16 ms.
        std::size_t ahead_bytes = 64U << 20;
    };

    /// Changes what is read before it becomes part of the source: the masking of secrets. All on the
    /// reactor's thread.
    struct Filter {
        using Out = std::function<void(std::string_view)>;
        /// Hands on what of `bytes` and of earlier ones is certain; may keep some back.
        std::function<void(std::string_view bytes, const Out& out)> feed;
        /// Hands on what was kept back: at the end.
        std::function<void(const Out& out)> flush;
        /// Hands on what of that need not be kept any longer when nothing has come for `idle_ns`.
        std::function<void(const Out& out)> idle = nullptr;
        std::int64_t idle_ns = 1'000'000'000;
        explicit operator bool() const noexcept { return static_cast<bool>(feed); }
    };
    /// From the next read on; what the one before keeps back comes first. An empty one lets all pass.
    void set_filter(Filter filter);

    /// Thread: the reactor's. `on_end` is called once, after end of file or a read error (errno, 0 at
    /// end of file), with everything delivered.
    [[nodiscard]] static Result<std::unique_ptr<PipeSource>> create(Reactor& reactor, UniqueFd fd,
                                                                    data::SourceInfo info, Limits limits,
                                                                    std::function<void(int os)> on_end);
    ~PipeSource();
    PipeSource(const PipeSource&) = delete;
    PipeSource& operator=(const PipeSource&) = delete;

    data::SourceWriter& writer() noexcept;

private:
    struct Impl;
    explicit PipeSource(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::io
