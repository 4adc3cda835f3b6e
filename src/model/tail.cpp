#include "model/tail.h"

#include <algorithm>

#include "base/assert.h"

namespace labdeck::model {

using data::Block;

namespace {

// A soft row is row_bytes_max long (the Block's first one may have begun before it), so it lies over exactly
// one multiple of that: looking at those few offsets finds every soft row, however many rows the Block has.
std::uint64_t soft_ends_before(const Block& block, const Block::Published& seen, std::uint32_t index) {
    if (seen.soft_rows == 0 || index == 0) return 0;
    if (index == seen.rows) return seen.soft_rows;
    std::uint64_t count = 0;
    for (std::uint32_t offset = 0; offset < seen.bytes; offset += Block::row_bytes_max) {
        std::uint32_t low = 0;
        std::uint32_t high = index;
        while (low < high) {
            const std::uint32_t middle = low + (high - low) / 2;
            if (block.row_end(middle) < offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low == index) break;
        if (block.soft_end(low)) ++count;
    }
    return count;
}

}  // namespace

Tail::Tail(std::shared_ptr<data::Feed> feed, std::size_t retained_bytes)
    : feed_(std::move(feed)),
      blocks_max_(std::max<std::size_t>(retained_bytes / Block::bytes_max, 2)),
      batch_(256) {}

bool Tail::drain(std::size_t blocks_max) {
    const std::uint64_t bytes_before = bytes_total_;
    const std::uint64_t first_before = first_row();
    const bool ended_before = ended_;

    // Asked before the last look: what a source says before its end is then in that look.
    const bool ending = feed_->ended();
    feed_->rest();
    take(blocks_max);
    refresh();
    if (ending && !pending()) ended_ = true;
    return bytes_total_ != bytes_before || first_row() != first_before || ended_ != ended_before;
}

void Tail::take(std::size_t blocks_max) {
    while (blocks_max > 0) {
        const std::size_t wanted = std::min(batch_.size(), blocks_max);
        const std::size_t taken = feed_->take({batch_.data(), wanted});
        // Their headers were written by another core: the waits overlap.
        for (std::size_t i = 0; i < taken; ++i) __builtin_prefetch(batch_[i].get());
        for (std::size_t i = 0; i < taken; ++i) {
            const std::uint64_t first_row = batch_[i]->first_row();
            blocks_.push_back({std::move(batch_[i]), first_row});
        }
        drop_old();
        if (taken < wanted) return;
        blocks_max -= taken;
    }
}

void Tail::drop_old() {
    // Nobody has looked at their headers for long: the waits overlap here too.
    constexpr std::size_t ahead = 8;
    while (blocks_.size() > blocks_max_) {
        if (blocks_.size() > ahead) blocks_[ahead].block->prefetch();
        blocks_.pop_front();
    }
}

void Tail::refresh() {
    if (blocks_.empty()) return;
    const Block& block = *blocks_.back().block;
    newest_seen_ = block.published();
    const Block::Published& seen = newest_seen_;
    const std::uint64_t bytes = block.first_byte() + seen.bytes;
    rows_total_ = block.first_row() + seen.rows;
    lines_total_ = block.first_line() + seen.rows - seen.soft_rows;
    open_row_bytes_ = seen.rows == 0 ? block.row_bytes_before() + seen.bytes
                                     : seen.bytes - block.row_end(seen.rows - 1) - 1;
    if (bytes == bytes_total_) return;
    bytes_total_ = bytes;
    for (std::size_t i = blocks_.size(); i-- > 0;) {
        const std::uint32_t stamps = seen_of(i).stamps;
        if (stamps == 0) continue;
        newest_ = blocks_[i].block->time_at(Block::bytes_max, stamps);
        return;
    }
}

Block::Published Tail::seen_of(std::size_t i) const noexcept {
    // Blocks with a successor are sealed: what they publish is what it will always be.
    return i + 1 == blocks_.size() ? newest_seen_ : blocks_[i].block->published();
}

std::uint64_t Tail::end_row() const noexcept {
    return rows_total_ + (open_row_bytes_ > 0 ? 1 : 0);
}

std::uint64_t Tail::first_row() const noexcept {
    if (blocks_.empty()) return end_row();
    const Held& oldest = blocks_.front();
    const std::uint64_t first = oldest.first_row;
    if (oldest.block->row_bytes_before() == 0) return first;
    return first + 1 < end_row() ? first + 1 : first;
}

std::uint64_t Tail::retained_bytes() const noexcept {
    return blocks_.empty() ? 0 : bytes_total_ - blocks_.front().block->first_byte();
}

std::size_t Tail::block_of_row_end(std::uint64_t number) const {
    const auto after = std::upper_bound(blocks_.begin(), blocks_.end(), number,
                                        [](std::uint64_t n, const Held& held) { return n < held.first_row; });
    LD_ASSERT(after != blocks_.begin());
    return static_cast<std::size_t>(after - blocks_.begin()) - 1;
}

Tail::Span Tail::span_of(std::uint64_t number) const {
    Span span;
    span.last = span.first = block_of_row_end(number);
    const Block& last = *blocks_[span.last].block;
    const Block::Published seen = seen_of(span.last);
    const auto index = static_cast<std::uint32_t>(number - last.first_row());
    span.open = index >= seen.rows;
    span.soft = !span.open && last.soft_end(index);
    span.to = span.open ? seen.bytes : last.row_end(index) + 1U;
    span.from = index == 0 ? 0 : last.row_end(index - 1) + 1U;
    span.line = last.first_line() + index - soft_ends_before(last, seen, index);
    if (index > 0) return span;

    std::uint32_t before = last.row_bytes_before();
    while (before > 0 && span.first > 0) {
        --span.first;
        const std::uint32_t bytes = seen_of(span.first).bytes;
        const std::uint32_t taken = std::min(before, bytes);
        span.from = bytes - taken;
        before -= taken;
    }
    span.cut = before > 0;
    return span;
}

Tail::Row Tail::row(std::uint64_t number) {
    LD_ASSERT(first_row() <= number && number < end_row());
    const Span span = span_of(number);
    Row row;
    row.line = span.line;
    row.soft = span.soft;
    row.open = span.open;
    row.cut = span.cut;
    row.time = newest_;

    if (span.first != span.last) joined_.clear();
    bool begun = false;
    for (std::size_t i = span.first; i <= span.last; ++i) {
        const Block& block = *blocks_[i].block;
        const Block::Published seen = seen_of(i);
        const std::uint32_t from = i == span.first ? span.from : 0;
        const std::uint32_t to = i == span.last ? span.to : seen.bytes;
        if (from == to) continue;
        if (!begun) row.time = block.time_at(from, seen.stamps);
        begun = true;
        if (from == 0 && row.gap == nullptr && block.gap().stage != data::LossStage::none)
            row.gap = &block.gap();
        row.text = block.view(from, to);
        if (span.first != span.last) joined_ += row.text;
    }
    if (span.first != span.last) row.text = joined_;
    if (!row.open && !row.soft) {
        row.text.remove_suffix(1);
        if (row.text.ends_with('\r')) row.text.remove_suffix(1);
    }
    return row;
}

}  // namespace labdeck::model
