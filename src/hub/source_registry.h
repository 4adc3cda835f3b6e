// source_registry.h - every source of the hub, its tail, and the windows that watch it.
//
// A source's writer lives on an I/O thread; the registry holds the ends that the hub
// and the window read. Tails here are drained at most 200 times a second while
// something flows and not at all while nothing does.
//
// Thread: hub, except where said.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "data/source.h"
#include "data/window_inbox.h"
#include "io/reactor.h"
#include "model/tail.h"

namespace labdeck::hub {

class SourceRegistry {
public:
    struct Source {
        data::SourceInfo info;
        std::shared_ptr<const data::SourceCounters> counters;
        std::shared_ptr<data::Feed> feed;  ///< The tail's.
        std::shared_ptr<model::Tail> tail;
        // Rates: means since the look before, which is at least a second back.
        std::uint64_t counted_bytes = 0;
        std::uint64_t counted_lines = 0;
        MonoTime counted_at;
        double bytes_per_second = 0;
        double lines_per_second = 0;
    };

    /// `window` may be null: nobody watches. It must outlive the registry.
    SourceRegistry(io::Reactor& hub, data::WindowInbox* window);
    ~SourceRegistry();
    SourceRegistry(const SourceRegistry&) = delete;
    SourceRegistry& operator=(const SourceRegistry&) = delete;

    /// A new id and name for a source that is about to be made.
    data::SourceInfo reserve(data::SourceKind kind, std::string name, std::string app = {});

    /// Feeds to hand to the new source's writer on its I/O thread, and the message with which it tells us
    /// that it lives. `retained_bytes` and `ahead_bytes` are the writer's own.
    struct Feeds {
        std::vector<std::shared_ptr<data::Feed>> feeds;
        /// Thread: any. Call once, with the writer's counters, after the feeds were added.
        std::function<void(std::shared_ptr<const data::SourceCounters>)> announce;
    };
    Feeds open(const data::SourceInfo& info, std::size_t retained_bytes, std::size_t ahead_bytes);

    void remove(SourceId id);
    Source* find(SourceId id);
    const std::map<SourceId, std::unique_ptr<Source>>& all() const noexcept { return sources_; }

    /// Drains every tail now.
    void drain();
    /// Brings a source's rates up to `now`.
    void sample(Source& source, MonoTime now);

private:
    void woken();

    io::Reactor& hub_;
    data::WindowInbox* window_;
    std::map<SourceId, std::unique_ptr<Source>> sources_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    io::TimerId drain_timer_ = 0;
    /// A drain is on its way: whoever has more news by then need not wake us. Also set by the I/O threads.
    std::shared_ptr<std::atomic<bool>> awake_ = std::make_shared<std::atomic<bool>>(false);
    std::uint32_t next_id_ = 1;
};

}  // namespace labdeck::hub
