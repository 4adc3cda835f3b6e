// source.h - what a source is, how it is counted, and how its I/O thread writes it.
//
// A source is anything that says bytes: a serial port, one direction of a virtual
// cable, a provider's or a script's output. Its I/O thread owns a SourceWriter;
// everybody may read its SourceCounters.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "data/block.h"
#include "data/block_pool.h"
#include "data/feed.h"

namespace labdeck::data {

enum class SourceKind : unsigned char { serial, ble, pipe, pty, provider, capture };
std::string_view source_kind_name(SourceKind kind) noexcept;

enum class SourceState : unsigned char { open, lost, closed };
std::string_view source_state_name(SourceState state) noexcept;

struct SourceInfo {
    SourceId id;
    SourceKind kind = SourceKind::pipe;
    std::string name;  ///< For people: "plc a>b", "simulators".
    std::string app;   ///< The appId or provider it belongs to, empty for none.
};

/// "src-7".
std::string source_id_text(SourceId id);
/// Reads what source_id_text() wrote; an Id of 0 for anything else.
SourceId source_id_of(std::string_view text) noexcept;

/// Written by the source's I/O thread alone, read by anybody. Counts never go back.
struct SourceCounters {
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> lines{0};  ///< Newlines.
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<std::int64_t> last_read_ns{0};  ///< MonoTime of the last read, 0 before the first.
    std::array<std::atomic<std::uint64_t>, loss_stage_count> lost{};  ///< Bytes lost, by stage.
    std::atomic<SourceState> state{SourceState::open};

    std::uint64_t lost_total() const noexcept;
};

/// Fills Blocks and hands them to every feed. One thread, except where said.
class SourceWriter {
public:
    /// What to do when a feed or the pool is full.
    enum class WhenFull : unsigned char {
        wait,   ///< space() is empty; the caller stops reading, the kernel holds the writer back.
        count,  ///< The bytes are gone; write() counts them as LossStage::pool_dry.
    };

    /// `resume` is called from any thread when space() may have room again after it was empty. It must
    /// not block, and must stay callable for as long as anybody holds a feed or a Block of this source.
    /// `blocks_max` bounds the memory. It must be more than any one consumer goes on holding once it has
    /// taken everything (a Tail: its retained Blocks), or that consumer keeps the next Block from coming.
    SourceWriter(SourceInfo info, std::size_t blocks_max, WhenFull when_full, std::function<void()> resume);
    ~SourceWriter();
    SourceWriter(const SourceWriter&) = delete;
    SourceWriter& operator=(const SourceWriter&) = delete;

    const SourceInfo& info() const noexcept { return info_; }
    /// Thread: any.
    const std::shared_ptr<SourceCounters>& counters() const noexcept { return counters_; }
    const std::shared_ptr<BlockPool>& pool() const noexcept { return pool_; }

    /// From now on `feed` gets the Blocks, beginning with the one being filled.
    void add_feed(std::shared_ptr<Feed> feed);
    /// Resumes a source that waited for this feed alone.
    void remove_feed(const Feed* feed);

    /// Where to read the next bytes to; empty when the source must wait. The consumers are then awake.
    std::span<char> space();
    /// Takes `count` bytes that were read into space() at `when`.
    void commit(std::size_t count, MonoTime when);
    /// Takes bytes that were read to elsewhere, no more than space() has room for. In a flood it is cheaper
    /// to index them in one place that stays in the cache, and copy them past it, than to read into cold
    /// memory.
    void commit_from(std::string_view text, MonoTime when);
    /// Copies bytes in, for callers that do not read into space(). Returns how many were taken; with
    /// WhenFull::count the rest has been counted as lost.
    std::size_t write(std::string_view bytes, MonoTime when);
    /// Bytes were taken that still wait for a Block; space() puts them there once it is not empty.
    bool carries() const noexcept { return !carry_.empty(); }
    /// Wakes the consumers; call once after a batch of commits.
    void notify();

    /// Bytes that never got here. The next byte starts a Block that says so. A loss that no byte follows is
    /// in the counters alone.
    void lose(LossStage stage, std::uint64_t bytes);
    /// The source is over: seals the Block and ends every feed.
    void end();

private:
    bool ensure_block();
    bool feeds_full() const;
    /// An empty ref when a feed or the pool is full; resume_ is then sure to be called.
    BlockRef next_block();
    void start(BlockRef next);
    void append(std::string_view text, MonoTime when);
    void wake_consumers();

    const SourceInfo info_;
    const WhenFull when_full_;
    const std::function<void()> resume_;
    std::shared_ptr<BlockPool> pool_;
    std::shared_ptr<SourceCounters> counters_ = std::make_shared<SourceCounters>();
    std::vector<std::shared_ptr<Feed>> feeds_;
    BlockRef block_;
    std::string carry_;  ///< Read, but refused by a Block whose tables were full; goes first into the next.
    MonoTime carry_when_;
    Gap gap_;
    std::uint64_t next_byte_ = 0;
    std::uint64_t next_row_ = 0;
    std::uint64_t next_line_ = 0;
    std::uint32_t open_row_bytes_ = 0;
    bool ended_ = false;
};

}  // namespace labdeck::data
