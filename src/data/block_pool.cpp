#include "data/block_pool.h"

#include <utility>

#include "base/assert.h"

namespace labdeck::data {

std::shared_ptr<BlockPool> BlockPool::create(std::size_t blocks_max, std::function<void()> wake) {
    return std::shared_ptr<BlockPool>(new BlockPool(blocks_max, std::move(wake)));
}

BlockPool::BlockPool(std::size_t blocks_max, std::function<void()> wake)
    : blocks_max_(blocks_max), wake_(std::move(wake)), free_(blocks_max) {
    LD_ASSERT(blocks_max > 0);
}

Block* BlockPool::make_block() {
    const std::size_t made = made_.load(std::memory_order_relaxed);
    const std::size_t at = made % std::tuple_size_v<Slab>;
    if (at == 0) slabs_.push_back(std::make_unique<Slab>());
    Block* const block = &(*slabs_.back())[at].emplace();
    made_.store(made + 1, std::memory_order_relaxed);
    return block;
}

BlockRef BlockPool::acquire() {
    Block* block = nullptr;
    if (!free_.try_dequeue(block)) {
        if (made_.load(std::memory_order_relaxed) < blocks_max_) {
            block = make_block();
        } else {
            // Say so first, then look once more: a Block given back in between would wake nobody.
            // Both sides exchange: the later one sees the flag, or what came before the other's exchange.
            dry_.exchange(true, std::memory_order_acq_rel);
            if (!free_.try_dequeue(block)) return {};
            dry_.exchange(false, std::memory_order_acq_rel);
        }
    }
    block->home_ = shared_from_this();
    block->refs_.store(1, std::memory_order_relaxed);
    out_.fetch_add(1, std::memory_order_relaxed);
    return BlockRef(block);
}

void BlockPool::take_back(Block* block) noexcept {
    out_.fetch_sub(1, std::memory_order_relaxed);
    const bool queued = free_.enqueue(block);
    LD_ASSERT(queued);  // False only without memory.
    if (dry_.exchange(false, std::memory_order_acq_rel) && wake_) wake_();
}

}  // namespace labdeck::data
