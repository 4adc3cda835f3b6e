// block.h - 64 KiB of what a source said, with its rows and its times.
//
// One I/O thread appends; any number of threads read. What is below the published
// counts never changes, so a reader needs no lock: it takes the counts once
// (published()) and then looks at bytes, row ends and stamps below them.
//
// A row is what a log view shows on one line: it ends at a newline, or after
// row_bytes_max bytes where no newline comes (a soft end). Soft ends are not lines.
//
// A Block comes from a BlockPool and goes back by itself when the last BlockRef
// to it is gone.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace labdeck::data {

class BlockPool;

/// Where a byte can be lost on its way from the wire to the screen.
enum class LossStage : unsigned char {
    none,
    driver_overrun,    ///< The kernel or the adapter dropped it before we could read.
    port_gap,          ///< The port was away.
    pool_dry,          ///< Every Block was in use and the writer could not be held back.
    peer_not_reading,  ///< A virtual cable's far side did not take it.
    parser_reject,     ///< Read, shown, and refused by a parser.
};
inline constexpr std::size_t loss_stage_count = 6;
std::string_view loss_stage_name(LossStage stage) noexcept;

/// What stands before a Block's first byte when something was lost there.
struct Gap {
    LossStage stage = LossStage::none;
    std::uint64_t bytes = 0;  ///< How many were lost; 0 when it is not known.
};

/// When a run of bytes was read: all bytes from `offset` to the next stamp came with one read.
struct Stamp {
    std::uint32_t offset = 0;    ///< Bytes from the Block's start.
    std::uint32_t delta_us = 0;  ///< Microseconds after the Block's first read.
};

class Block {
public:
    static constexpr std::uint32_t bytes_max = 65'536;
    static constexpr std::uint32_t rows_max = 8'192;
    static constexpr std::uint32_t stamps_max = 2'048;
    static constexpr std::uint32_t row_bytes_max = 8'192;

    /// What a reader may look at.
    struct Published {
        std::uint32_t bytes = 0;
        std::uint32_t rows = 0;  ///< Row ends.
        std::uint32_t stamps = 0;
        std::uint32_t soft_rows = 0;  ///< How many of the row ends are soft.
        bool sealed = false;          ///< Nothing more will come.
    };

    Block();
    ~Block() = default;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    // --- readers, any thread -------------------------------------------------

    Published published() const noexcept;

    /// Brings the header close, reference count and all, without waiting for it.
    void prefetch() const noexcept {
        __builtin_prefetch(this);
        __builtin_prefetch(&refs_, 1);
        __builtin_prefetch(&home_, 1);
    }

    /// Bytes [0, published().bytes).
    const char* bytes() const noexcept { return bytes_.get(); }
    std::string_view view(std::uint32_t from, std::uint32_t to) const noexcept {
        return {bytes_.get() + from, to - from};
    }

    /// Offset of the last byte of row end i (a newline, or any other byte for a soft end).
    std::uint32_t row_end(std::uint32_t i) const noexcept { return row_ends_[i]; }
    bool soft_end(std::uint32_t i) const noexcept { return bytes_[row_ends_[i]] != '\n'; }

    const Stamp& stamp(std::uint32_t i) const noexcept { return stamps_[i]; }

    /// When the byte at `offset` was read. `stamps` is published().stamps, at least 1.
    MonoTime time_at(std::uint32_t offset, std::uint32_t stamps) const noexcept;

    /// Fixed when the Block is begun: what its source had said before.
    std::uint64_t first_byte() const noexcept { return first_byte_; }
    std::uint64_t first_row() const noexcept { return first_row_; }
    std::uint64_t first_line() const noexcept { return first_line_; }
    /// Length of the row that was open when the Block began: 0 when its first byte starts a row.
    std::uint32_t row_bytes_before() const noexcept { return row_bytes_before_; }
    /// Of a sealed Block without a byte, look at its successor's, which has this one's bytes in it.
    const Gap& gap() const noexcept { return gap_; }
    /// When its first bytes were read. REQUIRES: published().stamps > 0.
    MonoTime begun() const noexcept { return begun_; }

    // --- the one writer ------------------------------------------------------

    /// Starts an empty Block. `open_row_bytes` is the length of the row that the last Block left open.
    void begin(std::uint64_t first_byte, std::uint64_t first_row, std::uint64_t first_line,
               std::uint32_t open_row_bytes, Gap gap) noexcept;

    char* space() noexcept { return bytes_.get() + bytes_used_; }
    std::uint32_t space_bytes() const noexcept { return sealed_ ? 0 : bytes_max - bytes_used_; }

    /// Takes `count` bytes that were put at space(), read at `when`, finds their rows and publishes
    /// them. Returns how many it took: fewer than `count` when the row or stamp table is full, and
    /// then the Block is sealed and the rest belongs at the start of the next one.
    std::uint32_t commit(std::uint32_t count, MonoTime when) noexcept;
    /// The same for bytes that lie at `text`: they are indexed there and then copied past the caches.
    std::uint32_t commit_from(const char* text, std::uint32_t count, MonoTime when) noexcept;

    void seal() noexcept;
    std::uint32_t open_row_bytes() const noexcept { return open_row_bytes_; }
    std::uint64_t rows_after() const noexcept { return first_row_ + rows_used_; }
    std::uint64_t lines_after() const noexcept { return first_line_ + rows_used_ - soft_used_; }
    std::uint64_t bytes_after() const noexcept { return first_byte_ + bytes_used_; }

private:
    friend class BlockRef;
    friend class BlockPool;

    /// Adds the ends found in text[0, count), which is or will be at `from`, and the soft ends between them.
    std::uint32_t index(const char* text, std::uint32_t from, std::uint32_t count) noexcept;
    void publish() noexcept;

    // Set by begin(), constant while anybody reads.
    std::uint64_t first_byte_ = 0;
    std::uint64_t first_row_ = 0;
    std::uint64_t first_line_ = 0;
    std::uint32_t row_bytes_before_ = 0;
    MonoTime begun_;
    Gap gap_;

    // The writer's own.
    std::uint32_t bytes_used_ = 0;
    std::uint32_t rows_used_ = 0;
    std::uint32_t soft_used_ = 0;
    std::uint32_t stamps_used_ = 0;
    std::uint32_t open_row_bytes_ = 0;
    bool sealed_ = false;

    // Append-only tables; untouched pages cost nothing.
    std::unique_ptr<char[]> bytes_;
    std::unique_ptr<std::uint16_t[]> row_ends_;
    std::unique_ptr<Stamp[]> stamps_;

    // bytes (17 bits) | rows (14) | stamps (12) | soft rows (14) | sealed (1), release-stored by commit().
    std::atomic<std::uint64_t> published_{0};
    std::atomic<std::uint32_t> refs_{0};
    std::shared_ptr<BlockPool> home_;  ///< Set while the Block is out.
};

/// Shared hold on a Block. Cheap to move; a copy is one atomic increment.
class BlockRef {
public:
    BlockRef() = default;
    BlockRef(const BlockRef& other) noexcept;
    BlockRef(BlockRef&& other) noexcept : block_(other.block_) { other.block_ = nullptr; }
    BlockRef& operator=(const BlockRef& other) noexcept { return *this = BlockRef(other); }
    /// What was held is let go at once, not when `other` goes.
    BlockRef& operator=(BlockRef&& other) noexcept {
        BlockRef taken(std::move(other));
        std::swap(block_, taken.block_);
        return *this;
    }
    ~BlockRef() {
        if (block_ != nullptr) release();
    }

    explicit operator bool() const noexcept { return block_ != nullptr; }
    Block* operator->() const noexcept { return block_; }
    Block& operator*() const noexcept { return *block_; }
    Block* get() const noexcept { return block_; }

private:
    friend class BlockPool;
    explicit BlockRef(Block* block) noexcept : block_(block) {}
    void release() noexcept;

    Block* block_ = nullptr;
};

}  // namespace labdeck::data
