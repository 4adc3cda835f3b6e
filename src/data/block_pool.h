// block_pool.h - a bounded stock of Blocks.
//
// Blocks are made on demand up to the bound and then only reused. One I/O thread
// acquires; Blocks come back from any thread, by the last BlockRef.
//
// When the pool is dry, acquire() refuses. A reader that can hold its writer back
// stops reading and is told by the wake function when a Block is free again; a
// reader that cannot counts a loss.
#pragma once

#include <concurrentqueue/concurrentqueue.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "data/block.h"

namespace labdeck::data {

class BlockPool : public std::enable_shared_from_this<BlockPool> {
public:
    /// `wake` is called from whatever thread gives a Block back while the pool was dry, once for
    /// each time that acquire() refused. It must not block.
    static std::shared_ptr<BlockPool> create(std::size_t blocks_max, std::function<void()> wake = {});
    ~BlockPool() = default;
    BlockPool(const BlockPool&) = delete;
    BlockPool& operator=(const BlockPool&) = delete;

    /// Thread: the writer. An empty ref when all Blocks are out. The Block is not begun yet.
    BlockRef acquire();

    std::size_t blocks_max() const noexcept { return blocks_max_; }
    /// Thread: any. Blocks that somebody holds now.
    std::size_t blocks_out() const noexcept { return out_.load(std::memory_order_relaxed); }
    /// Thread: any. Blocks that exist, held or free: what the pool costs in memory.
    std::size_t blocks_made() const noexcept { return made_.load(std::memory_order_relaxed); }

private:
    friend class BlockRef;
    BlockPool(std::size_t blocks_max, std::function<void()> wake);
    Block* make_block();
    void take_back(Block* block) noexcept;

    const std::size_t blocks_max_;
    const std::function<void()> wake_;
    /// Blocks side by side, not each beside its 64 KiB: who goes through many of them meets few pages.
    using Slab = std::array<std::optional<Block>, 32>;
    std::vector<std::unique_ptr<Slab>> slabs_;
    moodycamel::ConcurrentQueue<Block*> free_;
    std::atomic<std::size_t> out_{0};
    std::atomic<std::size_t> made_{0};
    std::atomic<bool> dry_{false};
};

}  // namespace labdeck::data
