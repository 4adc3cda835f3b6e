// window_inbox.h - what the other threads tell a window, beside the contract.
//
// Sources come and go, and samples arrive once a second. Puts: hub, io and
// sampler threads. Takes: the window's thread. Unbounded by construction: a
// message per source and per second, not per byte.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "data/feed.h"
#include "data/samples.h"
#include "data/source.h"

namespace labdeck::data {

struct SourceAdded {
    SourceInfo info;
    std::shared_ptr<Feed> feed;
    std::shared_ptr<const SourceCounters> counters;
    std::size_t retained_bytes = 0;
};
struct SourceRemoved {
    SourceId id;
};
using WindowMessage = std::variant<SourceAdded, SourceRemoved, std::shared_ptr<const SampleBatch>>;

class WindowInbox {
public:
    /// `wake` must not block; called from any thread.
    explicit WindowInbox(std::function<void()> wake) : wake_(std::move(wake)) {}

    /// Thread: any.
    void put(WindowMessage message) {
        queue_.enqueue(std::move(message));
        wake_();
    }
    /// Thread: the window's.
    bool take(WindowMessage& out) { return queue_.try_dequeue(out); }
    /// Thread: any. Wakes the window for news that is elsewhere (a feed, the contract's queue).
    void wake() const { wake_(); }

private:
    std::function<void()> wake_;
    moodycamel::ConcurrentQueue<WindowMessage> queue_;
};

}  // namespace labdeck::data
