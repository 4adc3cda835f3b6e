#include <algorithm>
#include <cstring>

#include "model/tail.h"

namespace labdeck::model {

/// The last Block that begins at or before `offset`: an empty one shares its beginning with the next.
std::size_t Tail::block_of_byte(std::uint64_t offset) const noexcept {
    const auto after =
        std::upper_bound(blocks_.begin(), blocks_.end(), offset,
                         [](std::uint64_t o, const Held& held) { return o < held.block->first_byte(); });
    return after == blocks_.begin() ? 0 : static_cast<std::size_t>(after - blocks_.begin()) - 1;
}

std::size_t Tail::bytes_at(std::uint64_t offset, std::size_t count, char* out) const noexcept {
    std::size_t done = 0;
    for (std::size_t i = blocks_.empty() ? 0 : block_of_byte(offset); i < blocks_.size() && done < count;
         ++i) {
        const data::Block& block = *blocks_[i].block;
        const std::uint64_t from = offset + done - block.first_byte();
        const std::uint64_t there = seen_of(i).bytes;
        if (from >= there) continue;
        const std::size_t n = std::min<std::size_t>(count - done, there - from);
        std::memcpy(out + done, block.bytes() + from, n);
        done += n;
    }
    return done;
}

MonoTime Tail::time_at(std::uint64_t offset) const noexcept {
    if (blocks_.empty() || offset >= bytes_total_) return newest_;
    const std::size_t i = block_of_byte(offset);
    const std::uint64_t within = offset - blocks_[i].block->first_byte();
    return blocks_[i].block->time_at(static_cast<std::uint32_t>(within), seen_of(i).stamps);
}

const data::Gap* Tail::gap_within(std::uint64_t offset, std::size_t count) const noexcept {
    if (blocks_.empty()) return nullptr;
    // Losses stand at Blocks' beginnings only, so at most the Blocks that begin in these bytes are asked.
    for (std::size_t i = block_of_byte(offset); i < blocks_.size(); ++i) {
        const data::Block& block = *blocks_[i].block;
        if (block.first_byte() >= offset + count) break;
        const bool begins_here = block.first_byte() >= offset;
        if (begins_here && seen_of(i).bytes > 0 && block.gap().stage != data::LossStage::none)
            return &block.gap();
    }
    return nullptr;
}

}  // namespace labdeck::model
