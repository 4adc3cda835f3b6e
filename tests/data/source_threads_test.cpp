#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "data/bell.h"
#include "data/source.h"
#include "data/texts.h"

using namespace labdeck;
using namespace labdeck::data;

namespace {

/// Follows a feed in a thread of its own and compares all of it with the text, also while Blocks grow.
class Reader {
public:
    Reader(const std::string& text, std::size_t feed_blocks, std::size_t batch, int yields)
        : text_(text),
          rows_(rows_of(text)),
          batch_(batch),
          yields_(yields),
          feed_(std::make_shared<Feed>(feed_blocks, [this] { news_.ring(); })) {}

    const std::shared_ptr<Feed>& feed() const { return feed_; }
    bool right() const { return right_; }
    std::uint64_t bytes() const { return bytes_; }
    std::uint64_t rows() const { return row_; }

    void follow() {
        std::vector<BlockRef> batch(batch_);
        while (true) {
            const bool ended = feed_->ended();
            feed_->rest();
            const std::size_t n = feed_->take(batch);
            for (std::size_t i = 0; i < n; ++i) {
                look();  // At what the Block before said last; it is sealed now.
                right_ = right_ && (!block_ || block_->published().sealed);
                block_ = std::move(batch[i]);
                seen_ = {};
                right_ = right_ && block_->first_byte() == bytes_ && block_->first_row() == row_;
            }
            look();
            for (int i = 0; i < yields_; ++i) std::this_thread::yield();
            if (n > 0) continue;
            if (ended) return;
            news_.wait();
        }
    }

private:
    void look() {
        if (!block_) return;
        const Block::Published now = block_->published();
        right_ = right_ && now.bytes >= seen_.bytes && now.rows >= seen_.rows && now.stamps >= seen_.stamps;
        right_ = right_ && block_->view(seen_.bytes, now.bytes) ==
                               std::string_view(text_).substr(bytes_, now.bytes - seen_.bytes);
        for (std::uint32_t i = seen_.rows; right_ && i < now.rows; ++i, ++row_) {
            right_ = row_ < rows_.size() && block_->first_byte() + block_->row_end(i) + 1 == rows_[row_].to &&
                     block_->soft_end(i) == rows_[row_].soft;
        }
        if (now.stamps > 0) right_ = right_ && block_->time_at(0, now.stamps) >= MonoTime{};
        bytes_ += now.bytes - seen_.bytes;
        seen_ = now;
    }

    const std::string& text_;
    const std::vector<ExpectedRow> rows_;
    const std::size_t batch_;
    const int yields_;
    Bell news_;
    std::shared_ptr<Feed> feed_;
    BlockRef block_;
    Block::Published seen_;
    std::uint64_t bytes_ = 0;
    std::uint64_t row_ = 0;
    bool right_ = true;
};

/// Reads of random sizes, with a notify() only now and then, so that waits have to wake by themselves.
void write_all(SourceWriter& writer, Bell& room, const std::string& text, std::size_t read_max,
               Random& random) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::span<char> space = writer.space();
        if (space.empty()) {
            room.wait();
            continue;
        }
        const std::size_t n = std::min({number_in(random, 1, read_max), space.size(), text.size() - at});
        const MonoTime when{static_cast<std::int64_t>(at) * 1000};
        if (number_in(random, 0, 1) == 0) {
            std::memcpy(space.data(), text.data() + at, n);
            writer.commit(n, when);
        } else {
            writer.commit_from({text.data() + at, n}, when);
        }
        at += n;
        if (number_in(random, 0, 3) == 0) writer.notify();
    }
    // As a reader that finds the end of its pipe: it has asked for room, so nothing is carried any more.
    while (writer.space().empty()) room.wait();
    writer.end();
}

struct Bounds {
    std::size_t pool, fast_feed, slow_feed, read_max;
};

void run(Text kind, const Bounds& bounds, std::uint64_t seed) {
    Random random(seed);
    const std::string text = make_text(kind, 1'500'000, random);
    Bell room;
    SourceWriter writer({SourceId{1}, SourceKind::pipe, "stress", {}}, bounds.pool,
                        SourceWriter::WhenFull::wait, [&room] { room.ring(); });
    Reader fast(text, bounds.fast_feed, 8, 0);
    Reader slow(text, bounds.slow_feed, 1, 20);
    writer.add_feed(fast.feed());
    writer.add_feed(slow.feed());
    std::thread fast_thread([&fast] { fast.follow(); });
    std::thread slow_thread([&slow] { slow.follow(); });
    write_all(writer, room, text, bounds.read_max, random);
    fast_thread.join();
    slow_thread.join();

    auto rows = rows_of(text).size();
    if (!text.empty() && rows_of(text).back().open) --rows;
    for (const Reader* reader : {&fast, &slow}) {
        CHECK(reader->right());
        CHECK(reader->bytes() == text.size());
        CHECK(reader->rows() == rows);
    }
    CHECK(writer.counters()->bytes == text.size());
    CHECK(writer.counters()->lost_total() == 0);
}

}  // namespace

TEST_SUITE("data/source_threads") {
    TEST_CASE("two consumers see every byte and row while a pool of three Blocks runs dry") {
        for (const Text kind : all_texts) run(kind, {3, 8, 8, 100'000}, 11);
    }

    TEST_CASE("two consumers see every byte and row through feeds for a single Block") {
        for (const Text kind : all_texts) run(kind, {64, 1, 1, 100'000}, 12);
    }

    TEST_CASE("two consumers see every byte and row when pool and feeds are full by turns") {
        for (const Text kind : all_texts) run(kind, {3, 2, 1, 3000}, 13);
    }

    TEST_CASE("a slow consumer that is taken away in the middle frees a source that waits for it") {
        Random random(14);
        const std::string text = make_text(Text::log, 1'000'000, random);
        Bell room;
        SourceWriter writer({SourceId{1}, SourceKind::pipe, "stress", {}}, 16, SourceWriter::WhenFull::wait,
                            [&room] { room.ring(); });
        Reader reader(text, 4, 4, 0);
        auto stuck = std::make_shared<Feed>(2, std::function<void()>{});
        writer.add_feed(reader.feed());
        writer.add_feed(stuck);
        std::thread thread([&reader] { reader.follow(); });
        while (writer.write(std::string_view(text).substr(writer.counters()->bytes, 9000), {}) == 9000) {
        }
        writer.remove_feed(stuck.get());
        stuck.reset();
        room.wait();
        write_all(writer, room, text.substr(writer.counters()->bytes), 100'000, random);
        thread.join();
        CHECK(reader.right());
        CHECK(reader.bytes() == text.size());
    }
}
