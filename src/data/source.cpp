#include "data/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/assert.h"

namespace labdeck::data {

namespace {

constexpr std::array<std::string_view, 6> kind_names = {"serial", "ble",      "pipe",
                                                        "pty",    "provider", "capture"};
static_assert(static_cast<std::size_t>(SourceKind::capture) + 1 == kind_names.size());
constexpr std::array<std::string_view, 3> state_names = {"open", "lost", "closed"};
static_assert(static_cast<std::size_t>(SourceState::closed) + 1 == state_names.size());

constexpr std::string_view id_prefix = "src-";

}  // namespace

std::string_view source_kind_name(SourceKind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}
std::string_view source_state_name(SourceState state) noexcept {
    return state_names[static_cast<std::size_t>(state)];
}

std::string source_id_text(SourceId id) {
    return fmt::format("{}{}", id_prefix, id.value);
}

SourceId source_id_of(std::string_view text) noexcept {
    if (!text.starts_with(id_prefix)) return {};
    text.remove_prefix(id_prefix.size());
    SourceId id;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value);
    return error == std::errc{} && end == text.data() + text.size() ? id : SourceId{};
}

std::uint64_t SourceCounters::lost_total() const noexcept {
    std::uint64_t total = 0;
    for (const auto& stage : lost) total += stage.load(std::memory_order_relaxed);
    return total;
}

SourceWriter::SourceWriter(SourceInfo info, std::size_t blocks_max, WhenFull when_full,
                           std::function<void()> resume)
    : info_(std::move(info)),
      when_full_(when_full),
      resume_(std::move(resume)),
      pool_(BlockPool::create(blocks_max, resume_)) {}

SourceWriter::~SourceWriter() {
    end();
}

void SourceWriter::add_feed(std::shared_ptr<Feed> feed) {
    feed->on_room(resume_);
    if (block_) {
        const bool taken = feed->put(block_);
        LD_ASSERT(taken);  // A new feed is empty.
        feed->notify();
    }
    if (ended_) feed->end();
    feeds_.push_back(std::move(feed));
}

void SourceWriter::remove_feed(const Feed* feed) {
    const auto gone = std::erase_if(feeds_, [feed](const auto& held) { return held.get() == feed; });
    // If it was the full one, nobody else would say that there is room now.
    if (gone > 0 && resume_) resume_();
}

bool SourceWriter::feeds_full() const {
    return std::any_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed->full(); });
}

bool SourceWriter::ensure_block() {
    LD_ASSERT(!ended_);
    // Carried bytes may fill a Block's tables again, so go on until there is room or a wait.
    while (!block_ || block_->space_bytes() == 0) {
        BlockRef next = next_block();
        if (!next) {
            // Room comes from the consumers, who may not have been told of what they are to take.
            wake_consumers();
            return false;
        }
        start(std::move(next));
    }
    return true;
}

BlockRef SourceWriter::next_block() {
    // A Block goes to all feeds or to none, so that no consumer misses what another one saw.
    if (feeds_full()) {
        for (const auto& feed : feeds_) {
            if (feed->full()) feed->await_room();
        }
        // Room may have come while we said so.
        if (feeds_full()) return {};
    }
    return pool_->acquire();
}

void SourceWriter::start(BlockRef next) {
    // Carried bytes came before whatever was lost since: they get a Block without the gap.
    const bool carries = !carry_.empty();
    next->begin(next_byte_, next_row_, next_line_, open_row_bytes_,
                carries ? Gap{} : std::exchange(gap_, Gap{}));
    block_ = std::move(next);
    for (const auto& feed : feeds_) {
        const bool taken = feed->put(block_);
        LD_ASSERT(taken);  // The only producer has just seen room.
    }
    if (!carries) return;
    const std::string carried = std::exchange(carry_, {});
    std::memcpy(block_->space(), carried.data(), carried.size());
    append({block_->space(), carried.size()}, carry_when_);
    if (gap_.stage != LossStage::none) block_->seal();
}

std::span<char> SourceWriter::space() {
    if (!ensure_block()) return {};
    return {block_->space(), block_->space_bytes()};
}

void SourceWriter::commit(std::size_t count, MonoTime when) {
    if (count == 0) return;
    commit_from({block_->space(), count}, when);
}

void SourceWriter::commit_from(std::string_view text, MonoTime when) {
    if (text.empty()) return;
    append(text, when);
    // One writer, so a plain load and store is enough and cheaper than a locked add.
    counters_->reads.store(counters_->reads.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    counters_->last_read_ns.store(when.ns, std::memory_order_relaxed);
}

void SourceWriter::append(std::string_view text, MonoTime when) {
    const auto wanted = static_cast<std::uint32_t>(text.size());
    const std::uint64_t lines_before = block_->lines_after();
    const std::uint32_t taken = block_->commit_from(text.data(), wanted, when);
    if (taken < wanted) {
        carry_.assign(text.substr(taken));
        carry_when_ = when;
    }
    next_byte_ = block_->bytes_after();
    next_row_ = block_->rows_after();
    next_line_ = block_->lines_after();
    open_row_bytes_ = block_->open_row_bytes();

    const auto add = [](std::atomic<std::uint64_t>& counter, std::uint64_t n) {
        counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    };
    add(counters_->bytes, taken);
    add(counters_->lines, block_->lines_after() - lines_before);
}

std::size_t SourceWriter::write(std::string_view bytes, MonoTime when) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const std::span<char> room = space();
        if (room.empty()) {
            if (when_full_ == WhenFull::count) lose(LossStage::pool_dry, bytes.size() - done);
            break;
        }
        const std::size_t n = std::min(room.size(), bytes.size() - done);
        std::memcpy(room.data(), bytes.data() + done, n);
        commit(n, when);
        done += n;
    }
    return done;
}

void SourceWriter::notify() {
    // What a full table left over must not lie unseen until the source speaks again.
    if (!carry_.empty() && !ended_) ensure_block();
    wake_consumers();
}

void SourceWriter::wake_consumers() {
    for (const auto& feed : feeds_) feed->notify();
}

void SourceWriter::lose(LossStage stage, std::uint64_t bytes) {
    counters_->lost[static_cast<std::size_t>(stage)].fetch_add(bytes, std::memory_order_relaxed);
    // A Block that is still empty has no byte to show its gap at; the next one says both.
    if (block_ && block_->space_bytes() == Block::bytes_max) gap_.bytes += block_->gap().bytes;
    gap_.stage = stage;
    gap_.bytes += bytes;
    if (block_) block_->seal();
}

void SourceWriter::end() {
    if (ended_) return;
    // What a full table left over is still the source's: it goes out if there is room at all.
    if (!carry_.empty()) ensure_block();
    if (!carry_.empty()) lose(LossStage::pool_dry, carry_.size());
    ended_ = true;
    if (block_) block_->seal();
    block_ = {};
    counters_->state.store(SourceState::closed, std::memory_order_relaxed);
    for (const auto& feed : feeds_) feed->end();
}

}  // namespace labdeck::data
