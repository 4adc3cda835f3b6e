#include <doctest/doctest.h>

#include <string>
#include <thread>

#include "data/bell.h"
#include "data/texts.h"
#include "model/tail.h"

using namespace labdeck;
using namespace labdeck::data;
using model::Tail;

namespace {

/// Keeps a Tail in a thread of its own, and compares each row once it has ended and again while it is open.
class Watcher {
public:
    Watcher(const std::string& text, std::size_t feed_blocks, std::size_t retained_blocks, int yields)
        : text_(text),
          rows_(rows_of(text)),
          yields_(yields),
          tail_(std::make_shared<Feed>(feed_blocks, [this] { news_.ring(); }),
                retained_blocks * Block::bytes_max) {}

    void watch() {
        while (!tail_.ended()) {
            tail_.drain(1);
            look();
            for (int i = 0; i < yields_; ++i) std::this_thread::yield();
            if (!tail_.pending() && !tail_.ended()) news_.wait();
        }
    }
    Tail& tail() { return tail_; }
    bool right() const { return right_; }
    std::uint64_t rows_seen() const { return seen_; }

private:
    void look() {
        const std::uint64_t end = tail_.end_row();
        for (std::uint64_t i = std::max(next_, tail_.first_row()); i < end; ++i) {
            const Tail::Row row = tail_.row(i);
            if (row.cut) continue;
            right_ = right_ && i < rows_.size() && row.line == rows_[i].line;
            if (!right_) return;
            if (row.open) {
                right_ = std::string_view(text_).substr(rows_[i].from, row.text.size()) == row.text;
                continue;
            }
            right_ = row.text == shown(text_, rows_[i]) && row.soft == rows_[i].soft;
            ++seen_;
            next_ = i + 1;
        }
    }

    const std::string& text_;
    const std::vector<ExpectedRow> rows_;
    const int yields_;
    Bell news_;
    Tail tail_;
    std::uint64_t next_ = 0;
    std::uint64_t seen_ = 0;
    bool right_ = true;
};

}  // namespace

TEST_SUITE("model/tail_threads") {
    TEST_CASE("two tails over the same Blocks see every row, though pool and feeds are almost too small") {
        for (const Text kind : all_texts) {
            Random random(21);
            const std::string text = make_text(kind, 1'500'000, random);
            Bell room;
            SourceWriter writer({SourceId{1}, SourceKind::pipe, "stress", {}}, 5,
                                SourceWriter::WhenFull::wait, [&room] { room.ring(); });
            Watcher fast(text, 2, 4, 0);
            Watcher slow(text, 1, 3, 10);
            writer.add_feed(fast.tail().feed());
            writer.add_feed(slow.tail().feed());
            std::thread fast_thread([&fast] { fast.watch(); });
            std::thread slow_thread([&slow] { slow.watch(); });
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t n = std::min(number_in(random, 1, 90'000), text.size() - at);
                const std::size_t taken =
                    writer.write({text.data() + at, n}, {static_cast<std::int64_t>(at)});
                at += taken;
                if (taken < n) room.wait();
            }
            while (writer.space().empty()) room.wait();
            writer.end();
            fast_thread.join();
            slow_thread.join();

            const auto rows = rows_of(text);
            const std::size_t ended = rows.back().open ? rows.size() - 1 : rows.size();
            for (Watcher* watcher : {&fast, &slow}) {
                CHECK(watcher->right());
                CHECK(watcher->rows_seen() == ended);
                CHECK(watcher->tail().bytes_total() == text.size());
                CHECK(watcher->tail().end_row() == rows.size());
            }
        }
    }
}
