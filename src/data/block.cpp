#include "data/block.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "data/block_pool.h"
#include "data/newline_scan.h"
#include "data/stream_copy.h"

namespace labdeck::data {

namespace {

constexpr std::array<std::string_view, loss_stage_count> stage_names = {
    "none", "driver overrun", "port gap", "pool dry", "peer not reading", "parser reject"};
static_assert(static_cast<std::size_t>(LossStage::parser_reject) + 1 == stage_names.size());

constexpr int rows_shift = 17;
constexpr int stamps_shift = rows_shift + 14;
constexpr int soft_shift = stamps_shift + 12;
constexpr int sealed_shift = soft_shift + 14;
static_assert(Block::bytes_max < (1U << 17) && Block::rows_max < (1U << 14) &&
              Block::stamps_max < (1U << 12));
static_assert(sealed_shift < 64);

}  // namespace

std::string_view loss_stage_name(LossStage stage) noexcept {
    return stage_names[static_cast<std::size_t>(stage)];
}

Block::Block()
    : bytes_(new char[bytes_max]), row_ends_(new std::uint16_t[rows_max]), stamps_(new Stamp[stamps_max]) {}

Block::Published Block::published() const noexcept {
    const std::uint64_t word = published_.load(std::memory_order_acquire);
    Published p;
    p.bytes = static_cast<std::uint32_t>(word & 0x1ffff);
    p.rows = static_cast<std::uint32_t>((word >> rows_shift) & 0x3fff);
    p.stamps = static_cast<std::uint32_t>((word >> stamps_shift) & 0xfff);
    p.soft_rows = static_cast<std::uint32_t>((word >> soft_shift) & 0x3fff);
    p.sealed = ((word >> sealed_shift) & 1) != 0;
    return p;
}

void Block::publish() noexcept {
    const std::uint64_t word = bytes_used_ | (std::uint64_t{rows_used_} << rows_shift) |
                               (std::uint64_t{stamps_used_} << stamps_shift) |
                               (std::uint64_t{soft_used_} << soft_shift) |
                               (std::uint64_t{sealed_ ? 1U : 0U} << sealed_shift);
    published_.store(word, std::memory_order_release);
}

MonoTime Block::time_at(std::uint32_t offset, std::uint32_t stamps) const noexcept {
    LD_ASSERT(stamps > 0);
    const Stamp* const first = stamps_.get();
    const Stamp* const after = std::upper_bound(first, first + stamps, offset,
                                                [](std::uint32_t o, const Stamp& s) { return o < s.offset; });
    const Stamp* const found = after == first ? first : after - 1;
    return {begun_.ns + static_cast<std::int64_t>(found->delta_us) * 1000};
}

void Block::begin(std::uint64_t first_byte, std::uint64_t first_row, std::uint64_t first_line,
                  std::uint32_t open_row_bytes, Gap gap) noexcept {
    first_byte_ = first_byte;
    first_row_ = first_row;
    first_line_ = first_line;
    gap_ = gap;
    begun_ = {};
    bytes_used_ = rows_used_ = soft_used_ = stamps_used_ = 0;
    open_row_bytes_ = row_bytes_before_ = open_row_bytes;
    sealed_ = false;
    publish();
}

std::uint32_t Block::commit(std::uint32_t count, MonoTime when) noexcept {
    return commit_from(space(), count, when);
}

std::uint32_t Block::commit_from(const char* text, std::uint32_t count, MonoTime when) noexcept {
    LD_ASSERT(count <= space_bytes());
    if (count == 0) return 0;
    if (stamps_used_ == 0) begun_ = when;
    // A clock that goes back moves no byte before the ones that came earlier.
    const std::int64_t last_us = stamps_used_ == 0 ? 0 : stamps_[stamps_used_ - 1].delta_us;
    const std::int64_t delta_us = std::max((when.ns - begun_.ns) / 1000, last_us);
    // A table that is full, or a Block that has been open for over an hour, ends here: a byte's time
    // is never guessed.
    if (stamps_used_ == stamps_max || delta_us > UINT32_MAX) {
        seal();
        return 0;
    }
    const std::uint32_t from = bytes_used_;
    const std::uint32_t taken = index(text, from, count);
    if (taken > 0) {
        if (text != space()) stream_copy(space(), text, taken);
        stamps_[stamps_used_++] = {from, static_cast<std::uint32_t>(delta_us)};
        bytes_used_ += taken;
    }
    if (taken < count || bytes_used_ == bytes_max) sealed_ = true;
    publish();
    return taken;
}

std::uint32_t Block::index(const char* text, std::uint32_t from, std::uint32_t count) noexcept {
    const std::uint32_t rows_before = rows_used_;
    std::size_t scanned = 0;
    const std::size_t found =
        find_newlines(text, count, from, row_ends_.get() + rows_used_, rows_max - rows_used_, scanned);
    const auto taken = static_cast<std::uint32_t>(scanned);

    // Most text has no row that long, and then the scan's own table is the answer.
    std::uint32_t longest = open_row_bytes_;
    std::uint32_t start = from;
    for (std::size_t i = 0; i < found; ++i) {
        const std::uint32_t end = row_ends_[rows_before + i] + 1U;
        longest = std::max(longest, end - start + (i == 0 ? open_row_bytes_ : 0));
        start = end;
    }
    const std::uint32_t open = from + taken - start + (found == 0 ? open_row_bytes_ : 0);
    if (std::max(longest, open) <= row_bytes_max && open < row_bytes_max) {
        rows_used_ += static_cast<std::uint32_t>(found);
        open_row_bytes_ = open;
        return taken;
    }

    // Rare: insert soft ends. At most bytes_max / row_bytes_max + 1 of them come in.
    std::array<std::uint16_t, rows_max> hard;
    std::copy_n(row_ends_.get() + rows_before, found, hard.begin());
    std::uint32_t row_bytes = open_row_bytes_;
    std::uint32_t at = from;
    std::size_t next = 0;
    while (at < from + taken) {
        const std::uint32_t hard_end = next < found ? hard[next] + 1U : from + taken;
        const std::uint32_t soft_at = at + (row_bytes_max - row_bytes);
        if (rows_used_ == rows_max) {
            open_row_bytes_ = row_bytes;
            return at - from;
        }
        if (soft_at < hard_end || (soft_at == hard_end && next >= found)) {
            row_ends_[rows_used_++] = static_cast<std::uint16_t>(soft_at - 1);
            ++soft_used_;
            at = soft_at;
            row_bytes = 0;
        } else if (next < found) {
            row_ends_[rows_used_++] = hard[next++];
            at = hard_end;
            row_bytes = 0;
        } else {
            row_bytes += hard_end - at;
            at = hard_end;
        }
    }
    open_row_bytes_ = row_bytes;
    return taken;
}

void Block::seal() noexcept {
    sealed_ = true;
    publish();
}

BlockRef::BlockRef(const BlockRef& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->refs_.fetch_add(1, std::memory_order_relaxed);
}

void BlockRef::release() noexcept {
    if (block_->refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    const std::shared_ptr<BlockPool> home = std::move(block_->home_);
    home->take_back(block_);
}

}  // namespace labdeck::data
