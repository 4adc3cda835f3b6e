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

BlockPool::~BlockPool() {
    Block* block = nullptr;
    while (free_.try_dequeue(block)) delete block;
}

BlockRef BlockPool::acquire() {
    Block* block = nullptr;
    if (!free_.try_dequeue(block)) {
        if (made_.load(std::memory_order_relaxed) < blocks_max_) {
            block = new Block;
            made_.fetch_add(1, std::memory_order_relaxed);
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
    if (!free_.enqueue(block)) {  // Only without memory; the Block is then simply not reused.
        delete block;
        made_.fetch_sub(1, std::memory_order_relaxed);
    }
    if (dry_.exchange(false, std::memory_order_acq_rel) && wake_) wake_();
}

}  // namespace labdeck::data
