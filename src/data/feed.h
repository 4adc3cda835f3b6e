// feed.h - carries a source's Blocks to one consumer.
//
// Puts: the source's I/O thread. Takes: the one consumer. A Block is put when it
// begins and goes on growing while it is the newest, so a slow port costs one
// queue operation in 64 KiB; consumers look at published() for what came since.
//
// Bound: `blocks_max` Blocks not yet taken. Full: put() refuses and the source
// waits or counts the loss, as its kind demands; the feed itself never drops.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "data/block.h"

namespace labdeck::data {

class Feed {
public:
    /// `wake` tells the consumer's thread that there is something new; called from the I/O thread at
    /// most once between two calls of rest(). It must not block.
    Feed(std::size_t blocks_max, std::function<void()> wake);
    ~Feed() = default;
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    // --- the I/O thread --------------------------------------------------------

    /// False when the feed is full; the Block was then not put.
    bool put(const BlockRef& block);
    /// Asked again after await_room(), it says whether the room came before the consumer knew of the wait.
    bool full() const noexcept { return size_.load(std::memory_order_seq_cst) >= blocks_max_; }
    /// The source waits: on_room()'s function is called at the next take().
    void await_room() noexcept { refused_.store(true, std::memory_order_seq_cst); }
    /// Says that there is something new, in the queue or in the newest Block.
    void notify();
    /// Called when the source will say nothing more.
    void end();
    /// Set before the first put(): called (from the consumer's thread) when a full feed has room again.
    void on_room(std::function<void()> room) { room_ = std::move(room); }

    // --- the consumer ----------------------------------------------------------

    /// Takes up to out.size() Blocks, oldest first. Returns how many.
    std::size_t take(std::span<BlockRef> out);
    /// The consumer has seen everything and wants a wake() for what comes next. Call it *before*
    /// the last look at published(), or something may lie unseen until the next notify().
    /// An exchange, not a store: reading what notify() wrote is what makes its news visible to that look.
    void rest() noexcept { notified_.exchange(false, std::memory_order_seq_cst); }
    /// Something was told of since the last rest(). Thread: any.
    bool news() const noexcept { return notified_.load(std::memory_order_seq_cst); }
    bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }

    /// Thread: any. Blocks waiting.
    std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
    std::size_t blocks_max() const noexcept { return blocks_max_; }

private:
    const std::size_t blocks_max_;
    const std::function<void()> wake_;
    std::function<void()> room_;
    moodycamel::ConcurrentQueue<BlockRef> queue_;
    moodycamel::ProducerToken producer_;
    moodycamel::ConsumerToken consumer_;
    std::atomic<std::size_t> size_{0};
    std::atomic<bool> notified_{false};
    std::atomic<bool> refused_{false};
    std::atomic<bool> ended_{false};
};

}  // namespace labdeck::data
