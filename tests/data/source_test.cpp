#include "data/source.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "data/texts.h"

using namespace labdeck;
using namespace labdeck::data;

namespace {

/// A source with one feed, both in this thread, and what came out of it.
struct Bench {
    explicit Bench(SourceWriter::WhenFull when_full = SourceWriter::WhenFull::wait,
                   std::size_t pool_blocks = 64, std::size_t feed_blocks = 64)
        : feed(std::make_shared<Feed>(feed_blocks, [this] { ++wakes; })),
          writer({SourceId{7}, SourceKind::pipe, "test", {}}, pool_blocks, when_full, [this] { ++resumes; }) {
        writer.add_feed(feed);
    }
    std::vector<BlockRef> take() {
        std::vector<BlockRef> blocks(64);
        blocks.resize(feed->take(blocks));
        return blocks;
    }
    std::uint64_t lost(LossStage stage) const {
        return writer.counters()->lost[static_cast<std::size_t>(stage)];
    }

    int wakes = 0;
    int resumes = 0;
    std::shared_ptr<Feed> feed;
    SourceWriter writer;
};

std::string text_of(const std::vector<BlockRef>& blocks) {
    std::string text;
    for (const BlockRef& block : blocks) text += block->view(0, block->published().bytes);
    return text;
}

constexpr MonoTime now{1'000'000'000};

}  // namespace

TEST_SUITE("data/source") {
    TEST_CASE("every byte and row comes out once, whatever the text and however it is read") {
        Random random(3);
        for (const Text kind : all_texts) {
            const std::string text = make_text(kind, 300'000, random);
            Bench bench(SourceWriter::WhenFull::wait, 1000, 1000);
            const std::size_t read_max = kind == Text::mixed ? 500 : 70'000;
            std::size_t at = 0;
            while (at < text.size()) {
                const std::span<char> room = bench.writer.space();
                REQUIRE_FALSE(room.empty());
                const std::size_t n =
                    std::min({number_in(random, 1, read_max), room.size(), text.size() - at});
                const MonoTime when{static_cast<std::int64_t>(at)};
                if (number_in(random, 0, 1) == 0) {
                    std::memcpy(room.data(), text.data() + at, n);
                    bench.writer.commit(n, when);
                } else {
                    bench.writer.commit_from({text.data() + at, n}, when);
                }
                at += n;
            }
            bench.writer.end();

            std::string out;
            std::vector<ExpectedRow> rows;
            ExpectedRow row;
            for (auto blocks = bench.take(); !blocks.empty(); blocks = bench.take()) {
                for (const BlockRef& block : blocks) {
                    REQUIRE(block->first_byte() == out.size());
                    REQUIRE(block->first_row() == rows.size());
                    REQUIRE(block->first_line() == row.line);
                    REQUIRE(block->row_bytes_before() == out.size() - row.from);
                    const Block::Published seen = block->published();
                    REQUIRE(seen.sealed);
                    for (std::uint32_t i = 0; i < seen.rows; ++i) {
                        row.to = out.size() + block->row_end(i) + 1;
                        row.soft = block->soft_end(i);
                        rows.push_back(row);
                        row.line += row.soft ? 0 : 1;
                        row.from = row.to;
                    }
                    out += block->view(0, seen.bytes);
                }
            }
            REQUIRE(out == text);
            auto expected = rows_of(text);
            if (!expected.empty() && expected.back().open) expected.pop_back();
            REQUIRE(rows.size() == expected.size());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                REQUIRE(rows[i].to == expected[i].to);
                REQUIRE(rows[i].soft == expected[i].soft);
                REQUIRE(rows[i].line == expected[i].line);
            }
            CHECK(bench.writer.counters()->bytes == text.size());
            CHECK(bench.writer.counters()->lines == row.line);
        }
    }

    TEST_CASE("a slow source fills one Block and puts it once") {
        Bench bench;
        for (int i = 0; i < 100; ++i) bench.writer.write("tick\n", {i});
        CHECK(bench.feed->size() == 1);
        CHECK(bench.take()[0]->published().rows == 100);
        CHECK(bench.writer.counters()->reads == 100);
    }

    TEST_CASE("what a full row table left over is seen after notify(), without another read") {
        Bench bench;
        const std::string text(20'000, '\n');
        CHECK(bench.writer.write(text, now) == text.size());
        bench.writer.notify();
        CHECK(text_of(bench.take()) == text);
        CHECK(bench.writer.counters()->lines == 20'000);
        CHECK(bench.writer.counters()->reads == 1);
    }

    TEST_CASE("a gap stands before the first byte after the loss, in a Block of its own") {
        Bench bench;
        bench.writer.write("before", now);
        bench.writer.lose(LossStage::driver_overrun, 5);
        bench.writer.write("after", now);
        const auto blocks = bench.take();
        REQUIRE(blocks.size() == 2);
        CHECK(blocks[0]->gap().stage == LossStage::none);
        CHECK(blocks[1]->gap().stage == LossStage::driver_overrun);
        CHECK(blocks[1]->gap().bytes == 5);
        CHECK(blocks[1]->row_bytes_before() == 6);
        CHECK(bench.lost(LossStage::driver_overrun) == 5);
        CHECK(bench.writer.counters()->lost_total() == 5);
    }

    TEST_CASE("two losses before the same byte are one gap, even with an empty Block between them") {
        Bench bench;
        bench.writer.lose(LossStage::port_gap, 3);
        REQUIRE_FALSE(bench.writer.space().empty());
        bench.writer.lose(LossStage::driver_overrun, 4);
        bench.writer.lose(LossStage::driver_overrun, 1);
        bench.writer.write("x", now);
        const auto blocks = bench.take();
        REQUIRE(blocks.size() == 2);
        CHECK(blocks[0]->published().bytes == 0);
        CHECK(blocks[1]->gap().bytes == 8);
    }

    TEST_CASE("bytes that were carried over come before the loss that followed them") {
        Bench bench(SourceWriter::WhenFull::count, 2, 2);
        const std::string first(Block::rows_max, '\n');
        bench.writer.write(first + "\ncarried", now);
        BlockRef blocker = bench.writer.pool()->acquire();
        bench.writer.notify();
        CHECK(bench.writer.carries());
        CHECK(bench.writer.write("lost", now) == 0);
        CHECK(bench.lost(LossStage::pool_dry) == 4);
        blocker = {};
        auto blocks = bench.take();
        CHECK(text_of(blocks) == first);
        blocks.clear();
        CHECK(bench.writer.write("after", now) == 5);
        blocks = bench.take();
        REQUIRE(blocks.size() == 2);
        CHECK(text_of(blocks) == "\ncarriedafter");
        CHECK(blocks[0]->gap().stage == LossStage::none);
        CHECK(blocks[1]->gap().stage == LossStage::pool_dry);
        CHECK(blocks[1]->gap().bytes == 4);
    }

    TEST_CASE("a source that must not wait counts what a dry pool cost") {
        Bench bench(SourceWriter::WhenFull::count, 1);
        const std::string text(Block::bytes_max + 100, 'x');
        CHECK(bench.writer.write(text, now) == Block::bytes_max);
        CHECK(bench.lost(LossStage::pool_dry) == 100);
        bench.take().clear();
        CHECK(bench.resumes == 0);  // The writer still has that Block.
    }

    TEST_CASE("a source that can wait takes what fits and is resumed when there is room") {
        Bench bench(SourceWriter::WhenFull::wait, 64, 2);
        const std::string text(std::size_t{Block::bytes_max} * 3, 'x');
        CHECK(bench.writer.write(text, now) == Block::bytes_max * 2);
        CHECK(bench.writer.counters()->lost_total() == 0);
        CHECK(bench.writer.space().empty());
        CHECK(bench.resumes == 0);
        CHECK(bench.take().size() == 2);
        CHECK(bench.resumes == 1);
        CHECK_FALSE(bench.writer.space().empty());
    }

    TEST_CASE("a source that has to wait wakes the consumers, though nobody called notify()") {
        Bench bench(SourceWriter::WhenFull::wait, 64, 1);
        bench.writer.write(std::string(Block::bytes_max, 'x'), now);
        CHECK(bench.wakes == 0);
        CHECK(bench.writer.space().empty());
        CHECK(bench.wakes == 1);
    }

    TEST_CASE("the slowest feed decides, and taking it away resumes the source") {
        Bench bench(SourceWriter::WhenFull::wait, 64, 64);
        const auto slow = std::make_shared<Feed>(1, std::function<void()>{});
        bench.writer.add_feed(slow);
        bench.writer.write(std::string(Block::bytes_max, 'x'), now);
        CHECK(bench.writer.space().empty());
        CHECK(bench.resumes == 0);
        bench.writer.remove_feed(slow.get());
        CHECK(bench.resumes == 1);
        CHECK_FALSE(bench.writer.space().empty());
        CHECK(slow->size() == 1);
    }

    TEST_CASE("a feed that comes late begins with the Block being filled, or with the end") {
        Bench bench;
        bench.writer.write(std::string(Block::bytes_max, 'x'), now);
        bench.writer.write("second", now);
        const auto late = std::make_shared<Feed>(4, std::function<void()>{});
        bench.writer.add_feed(late);
        std::array<BlockRef, 4> out;
        REQUIRE(late->take(out) == 1);
        CHECK(out[0]->first_byte() == Block::bytes_max);
        bench.writer.end();
        CHECK(late->ended());
        const auto later = std::make_shared<Feed>(4, std::function<void()>{});
        bench.writer.add_feed(later);
        CHECK(later->ended());
    }

    TEST_CASE("the end seals the last Block and says that the source is closed") {
        Bench bench;
        bench.writer.write("last words", now);
        bench.writer.end();
        bench.writer.end();
        CHECK(bench.feed->ended());
        CHECK(bench.take()[0]->published().sealed);
        CHECK(bench.writer.counters()->state == SourceState::closed);
    }

    TEST_CASE("carried bytes go out with the end, or are counted when there is no room for them") {
        const std::string text(Block::rows_max + 3, '\n');
        Bench roomy;
        roomy.writer.write(text, now);
        roomy.writer.end();
        CHECK(text_of(roomy.take()) == text);
        Bench tight(SourceWriter::WhenFull::wait, 1);
        tight.writer.write(text, now);
        tight.writer.end();
        CHECK(text_of(tight.take()).size() == Block::rows_max);
        CHECK(tight.lost(LossStage::pool_dry) == 3);
    }

    TEST_CASE("a source's id is spelled src-7, and nothing else is read as one") {
        CHECK(source_id_text(SourceId{7}) == "src-7");
        CHECK(source_id_of("src-7") == SourceId{7});
        for (const char* text : {"", "src-", "src-7x", "src--7", "7", "src-4294967296", "Src-7"}) {
            CHECK(source_id_of(text) == SourceId{});
        }
    }
}
