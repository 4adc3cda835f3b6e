#include "data/feed.h"

#include <iterator>
#include <utility>

#include "base/assert.h"

namespace labdeck::data {

Feed::Feed(std::size_t blocks_max, std::function<void()> wake)
    : blocks_max_(blocks_max),
      wake_(std::move(wake)),
      queue_(blocks_max),
      producer_(queue_),
      consumer_(queue_) {
    LD_ASSERT(blocks_max > 0);
}

bool Feed::put(const BlockRef& block) {
    if (full()) {
        // Say so first, then look once more: room made in between would wake nobody.
        await_room();
        if (full()) return false;
    }
    size_.fetch_add(1, std::memory_order_relaxed);
    const bool queued = queue_.enqueue(producer_, block);
    LD_ASSERT(queued);  // False only without memory.
    return true;
}

void Feed::notify() {
    if (!notified_.exchange(true, std::memory_order_seq_cst) && wake_) wake_();
}

void Feed::end() {
    ended_.store(true, std::memory_order_release);
    notify();
}

std::size_t Feed::take(std::span<BlockRef> out) {
    const std::size_t taken = queue_.try_dequeue_bulk(consumer_, out.begin(), out.size());
    if (taken == 0) return 0;
    size_.fetch_sub(taken, std::memory_order_seq_cst);
    if (refused_.exchange(false, std::memory_order_seq_cst) && room_) room_();
    return taken;
}

}  // namespace labdeck::data
