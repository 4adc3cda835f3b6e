// tail.h - the newest part of one source, with look-up by row.
//
// Each thread that looks at a source has a Tail of its own over the same Blocks.
// drain() takes what has come; it costs a few operations a Block, never per byte
// or row. Rows are found in O(log n). Memory is bounded: the oldest Blocks go first.
//
// Row numbers count from the source's first row and never change, so a view can
// stay where it is while data keeps coming. A Tail whose feed was added late, or that
// has let Blocks go, begins with the first row that it has whole; a row whose
// beginning is gone is shown, as `cut`, only while it is the only one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "data/feed.h"
#include "data/source.h"

namespace labdeck::model {

class Tail {
public:
    /// Holds as many Blocks as fit in `retained_bytes`, but at least two.
    Tail(std::shared_ptr<data::Feed> feed, std::size_t retained_bytes);

    /// Takes at most `blocks_max` Blocks. Returns true when anything changed (bytes, rows, end). The feed
    /// wakes for whatever comes after; for what it left there (see pending()) nobody wakes.
    bool drain(std::size_t blocks_max = 4096);
    /// The last drain() took its `blocks_max` and Blocks still wait: call it again without being woken.
    bool pending() const noexcept { return feed_->size() > 0; }

    /// Rows [first_row(), end_row()) can be looked up. The row that is still open counts once it has a byte.
    std::uint64_t first_row() const noexcept;
    std::uint64_t end_row() const noexcept;
    std::uint64_t rows() const noexcept { return end_row() - first_row(); }

    struct Row {
        std::string_view
            text;       ///< Without its newline and a CR before it; valid until the next row() or drain().
        MonoTime time;  ///< When its first byte was read.
        std::uint64_t line = 0;  ///< The line it belongs to, 0 the source's first.
        bool soft = false;       ///< Goes on in the next row (no newline came in 8 KiB).
        bool open = false;       ///< Its end has not come yet.
        const data::Gap* gap =
            nullptr;       ///< The first loss directly before or within it; valid until drain().
        bool cut = false;  ///< Its beginning is no longer retained.
    };
    /// REQUIRES: first_row() <= number < end_row().
    Row row(std::uint64_t number);

    /// What the source has said so far, as far as it was drained, retained or not.
    std::uint64_t bytes_total() const noexcept { return bytes_total_; }
    std::uint64_t lines_total() const noexcept { return lines_total_; }
    /// Bytes that rows can still be made of.
    std::uint64_t retained_bytes() const noexcept;
    /// Blocks held, in bytes: what the tail costs.
    std::uint64_t held_bytes() const noexcept { return blocks_.size() * data::Block::bytes_max; }

    /// Bytes [first_byte(), bytes_total()) can be looked at by their offset in all that the source said.
    std::uint64_t first_byte() const noexcept { return bytes_total_ - retained_bytes(); }
    /// Copies up to `count` bytes from `offset` on to `out`; returns how many. REQUIRES: offset >=
    /// first_byte().
    std::size_t bytes_at(std::uint64_t offset, std::size_t count, char* out) const noexcept;
    /// When the byte at `offset` was read; newest() at or beyond the end. REQUIRES: offset >= first_byte().
    MonoTime time_at(std::uint64_t offset) const noexcept;
    /// The first loss directly before one of the `count` bytes from `offset` on; valid until drain().
    const data::Gap* gap_within(std::uint64_t offset, std::size_t count) const noexcept;
    /// Read time of the newest byte that was drained, {0} before the first.
    MonoTime newest() const noexcept { return newest_; }
    bool ended() const noexcept { return ended_; }
    const std::shared_ptr<data::Feed>& feed() const noexcept { return feed_; }

    /// Calls visit(row number, row) for the last `count` rows, oldest first.
    template <typename Visit>
    void last(std::uint64_t count, Visit&& visit) {
        const std::uint64_t end = end_row();
        const std::uint64_t begin = count < rows() ? end - count : first_row();
        for (std::uint64_t i = begin; i < end; ++i) visit(i, row(i));
    }

private:
    struct Held {
        data::BlockRef block;
        std::uint64_t first_row = 0;  ///< The Block's own, here so that a search touches no Block.
    };
    /// Where a row lies: from `from` in Block `first` to `to` in Block `last`.
    struct Span {
        std::size_t first = 0, last = 0;
        std::uint32_t from = 0, to = 0;
        std::uint64_t line = 0;
        bool soft = false, open = false, cut = false;
    };
    void take(std::size_t blocks_max);
    void drop_old();
    void refresh();
    data::Block::Published seen_of(std::size_t i) const noexcept;
    std::size_t block_of_row_end(std::uint64_t number) const;
    std::size_t block_of_byte(std::uint64_t offset) const noexcept;
    Span span_of(std::uint64_t number) const;

    std::shared_ptr<data::Feed> feed_;
    std::size_t blocks_max_;
    std::vector<data::BlockRef> batch_;  ///< What one take() brings; empty refs between drains.
    std::deque<Held> blocks_;
    data::Block::Published newest_seen_;  ///< Of the last Block, the only one that can still grow.
    std::uint32_t open_row_bytes_ = 0;
    std::string joined_;  ///< A row that crosses a Block's border.
    std::uint64_t bytes_total_ = 0;
    std::uint64_t rows_total_ = 0;
    std::uint64_t lines_total_ = 0;
    MonoTime newest_;
    bool ended_ = false;
};

}  // namespace labdeck::model
