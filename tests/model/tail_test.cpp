#include "model/tail.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "data/texts.h"

using namespace labdeck;
using namespace labdeck::data;
using model::Tail;

namespace {

struct Bench {
    explicit Bench(std::size_t retained_blocks = 64)
        : feed(std::make_shared<Feed>(4096, [this] { ++wakes; })),
          writer({SourceId{1}, SourceKind::pipe, "test", {}}, 5000, SourceWriter::WhenFull::wait, {}),
          tail(feed, retained_blocks * Block::bytes_max) {
        writer.add_feed(feed);
    }
    void say(std::string_view text, std::int64_t when_ns = 0) {
        REQUIRE(writer.write(text, {when_ns}) == text.size());
        writer.notify();
    }
    /// Says it in reads of random sizes, each byte at its own offset in microseconds or a little before.
    void say_in_pieces(std::string_view text, std::size_t read_max, Random& random) {
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t n = std::min(number_in(random, 1, read_max), text.size() - at);
            say(text.substr(at, n), static_cast<std::int64_t>(at) * 1000);
            at += n;
        }
    }

    int wakes = 0;
    std::shared_ptr<Feed> feed;
    SourceWriter writer;
    Tail tail;
};

void check_row(Tail& tail, std::uint64_t number, std::string_view text, const ExpectedRow& expected) {
    const Tail::Row row = tail.row(number);
    REQUIRE(row.text == shown(text, expected));
    REQUIRE(row.line == expected.line);
    REQUIRE(row.soft == expected.soft);
    REQUIRE(row.open == expected.open);
    REQUIRE_FALSE(row.cut);
}

}  // namespace

TEST_SUITE("model/tail") {
    TEST_CASE("an empty tail has no rows, no bytes and no time") {
        Bench bench;
        CHECK_FALSE(bench.tail.drain());
        CHECK(bench.tail.rows() == 0);
        CHECK(bench.tail.bytes_total() == 0);
        CHECK(bench.tail.newest() == MonoTime{});
        CHECK(bench.tail.retained_bytes() == 0);
    }

    TEST_CASE("rows come without their newline, and without a CR before it") {
        Bench bench;
        bench.say("one\ntwo\r\n\n\r\nfo\rur\nopen\r");
        CHECK(bench.tail.drain());
        REQUIRE(bench.tail.end_row() == 6);
        CHECK(bench.tail.row(0).text == "one");
        CHECK(bench.tail.row(1).text == "two");
        CHECK(bench.tail.row(2).text.empty());
        CHECK(bench.tail.row(3).text.empty());
        CHECK(bench.tail.row(4).text == "fo\rur");
        CHECK(bench.tail.row(5).text == "open\r");
        CHECK(bench.tail.row(5).open);
        CHECK_FALSE(bench.tail.row(4).open);
        CHECK(bench.tail.lines_total() == 5);
        CHECK(bench.tail.bytes_total() == 23);
    }

    TEST_CASE("an open row grows, then ends, and keeps its number and its time") {
        Bench bench;
        bench.say("ab", 1000);
        bench.tail.drain();
        CHECK(bench.tail.row(0).text == "ab");
        bench.say("cd", 2000);
        CHECK(bench.tail.drain());
        CHECK(bench.tail.row(0).text == "abcd");
        CHECK(bench.tail.row(0).open);
        bench.say("\n", 3000);
        CHECK(bench.tail.drain());
        CHECK(bench.tail.row(0).text == "abcd");
        CHECK_FALSE(bench.tail.row(0).open);
        CHECK(bench.tail.row(0).time == MonoTime{1000});
        CHECK(bench.tail.newest() == MonoTime{3000});
        CHECK(bench.tail.end_row() == 1);
        CHECK_FALSE(bench.tail.drain());
    }

    TEST_CASE("what is said after a drain is seen by the next drain alone") {
        Bench bench;
        bench.say("a\n");
        bench.tail.drain();
        bench.say("b\n");
        CHECK(bench.tail.end_row() == 1);
        CHECK(bench.tail.bytes_total() == 2);
        bench.tail.drain();
        CHECK(bench.tail.end_row() == 2);
    }

    TEST_CASE("every row of every text is what a look at each byte says, however it was read") {
        Random random(5);
        for (const Text kind : all_texts) {
            for (const std::size_t read_max : {200'000U, 7000U, 50U}) {
                const std::string text = make_text(kind, 200'000, random);
                Bench bench(1000);
                bench.say_in_pieces(text, read_max, random);
                bench.tail.drain();
                const auto rows = rows_of(text);
                REQUIRE(bench.tail.first_row() == 0);
                REQUIRE(bench.tail.end_row() == rows.size());
                REQUIRE(bench.tail.bytes_total() == text.size());
                for (std::size_t i = 0; i < rows.size(); ++i) check_row(bench.tail, i, text, rows[i]);
                if (read_max > 50) continue;
                // Small reads tell the time of a row's first byte to within one read.
                for (std::size_t i = 0; i < rows.size(); i += 7) {
                    const auto from = static_cast<std::int64_t>(rows[i].from) * 1000;
                    const std::int64_t time = bench.tail.row(i).time.ns;
                    REQUIRE(time <= from);
                    REQUIRE(time > from - 51'000);
                }
            }
        }
    }

    TEST_CASE("a row across the border of two Blocks is whole, and has the time of its first byte") {
        Bench bench;
        bench.say(std::string(Block::bytes_max - 3, '\n').substr(0, 3) + std::string(8000, 'a') + "\n", 1000);
        std::string fill;
        while (fill.size() < Block::bytes_max - 8004 - 3) fill += 'f', fill += '\n';
        fill.resize(Block::bytes_max - 8004 - 3);
        fill.back() = '\n';
        bench.say(fill.substr(0, 16'000), 2000);
        for (std::size_t at = 16'000; at < fill.size(); at += 4000) bench.say(fill.substr(at, 4000), 2000);
        bench.say("xyz", 3000);
        bench.say("uvw\r", 4000);
        bench.say("\n", 5000);
        bench.tail.drain();
        const Tail::Row row = bench.tail.row(bench.tail.end_row() - 1);
        CHECK(row.text == "xyzuvw");
        CHECK(row.time == MonoTime{3000});
    }

    TEST_CASE("a CR at the end of a Block belongs to the newline at the start of the next") {
        Bench bench;
        bench.say("first\r");
        bench.writer.lose(LossStage::driver_overrun, 1);
        bench.say("\nsecond\n");
        bench.tail.drain();
        CHECK(bench.tail.row(0).text == "first");
        CHECK(bench.tail.row(1).text == "second");
    }

    TEST_CASE("a gap is told with the row that has the next byte, and with no other") {
        Bench bench;
        bench.say("a\nb");
        bench.writer.lose(LossStage::driver_overrun, 7);
        bench.say("c\nd\n");
        bench.writer.lose(LossStage::port_gap, 0);
        bench.say("e\nf");
        bench.tail.drain();
        REQUIRE(bench.tail.end_row() == 5);
        CHECK(bench.tail.row(0).gap == nullptr);
        CHECK(bench.tail.row(1).text == "bc");
        REQUIRE(bench.tail.row(1).gap != nullptr);
        CHECK(bench.tail.row(1).gap->bytes == 7);
        CHECK(bench.tail.row(2).gap == nullptr);
        REQUIRE(bench.tail.row(3).gap != nullptr);
        CHECK(bench.tail.row(3).gap->stage == LossStage::port_gap);
        CHECK(bench.tail.row(4).gap == nullptr);
    }

    TEST_CASE("a row through many small and empty Blocks is joined whole") {
        Bench bench;
        std::string text;
        for (int i = 0; i < 40; ++i) {
            const std::string piece(static_cast<std::size_t>(i % 5), static_cast<char>('a' + i % 26));
            bench.say(piece, 1000 + i);
            text += piece;
            REQUIRE_FALSE(bench.writer.space().empty());
            bench.writer.lose(LossStage::driver_overrun, 1);
        }
        bench.tail.drain();
        REQUIRE(bench.tail.end_row() == 1);
        CHECK(bench.tail.row(0).text == text);
        CHECK(bench.tail.row(0).time == MonoTime{1001});
        REQUIRE(bench.tail.row(0).gap != nullptr);
        CHECK(bench.tail.row(0).gap->bytes == 1);
    }

    TEST_CASE("soft rows share their line, and counting them does not depend on where they lie") {
        Bench bench;
        std::string text = "first\n" + std::string(20'000, 's') + "\n";
        text += std::string(3000, '\n') + std::string(9000, 't') + "\nlast\n";
        bench.say(text);
        bench.tail.drain();
        const auto rows = rows_of(text);
        REQUIRE(bench.tail.end_row() == rows.size());
        for (std::size_t i = 0; i < rows.size(); ++i) check_row(bench.tail, i, text, rows[i]);
        CHECK(bench.tail.row(1).soft);
        CHECK(bench.tail.row(1).line == bench.tail.row(3).line);
        CHECK(bench.tail.lines_total() == 3004);
    }

    TEST_CASE("the oldest Blocks go first, and the first row is then the first whole one") {
        Random random(6);
        const std::string text = make_text(Text::log, 1'000'000, random);
        const auto rows = rows_of(text);
        Bench bench(3);
        std::uint64_t first_before = 0;
        for (std::size_t at = 0; at < text.size(); at += 30'000) {
            bench.say(std::string_view(text).substr(at, 30'000));
            bench.tail.drain();
            CHECK(bench.tail.held_bytes() <= 3 * Block::bytes_max);
            CHECK(bench.tail.first_row() >= first_before);
            first_before = bench.tail.first_row();
            const auto so_far = std::string_view(text).substr(0, at + 30'000);
            const auto now = rows_of(so_far);
            REQUIRE(bench.tail.end_row() == now.size());
            for (std::uint64_t i = bench.tail.first_row(); i < now.size(); ++i)
                check_row(bench.tail, i, so_far, now[i]);
        }
        CHECK(bench.tail.first_row() > 0);
        CHECK(bench.tail.bytes_total() == text.size());
        CHECK(bench.tail.retained_bytes() <= 3 * Block::bytes_max);
        CHECK(bench.writer.pool()->blocks_out() <= 3);
    }

    TEST_CASE("a row whose beginning is gone is shown as cut while it is the only one") {
        Bench bench(2);
        for (int i = 0; i < 6; ++i) {
            bench.say("piece");
            bench.writer.lose(LossStage::driver_overrun, 1);
        }
        bench.tail.drain();
        REQUIRE(bench.tail.rows() == 1);
        CHECK(bench.tail.first_row() == 0);
        const Tail::Row row = bench.tail.row(0);
        CHECK(row.cut);
        CHECK(row.open);
        CHECK(row.text == "piecepiece");
        bench.say("\nnext");
        bench.tail.drain();
        CHECK(bench.tail.first_row() == 1);
        CHECK(bench.tail.row(1).text == "next");
        CHECK_FALSE(bench.tail.row(1).cut);
    }

    TEST_CASE("a row of which nothing is left is empty and cut") {
        Bench bench(2);
        bench.say("gone", 77'000);
        for (int i = 0; i < 3; ++i) {
            bench.writer.lose(LossStage::driver_overrun, 1);
            REQUIRE_FALSE(bench.writer.space().empty());
        }
        bench.tail.drain();
        REQUIRE(bench.tail.rows() == 1);
        CHECK(bench.tail.row(0).text.empty());
        CHECK(bench.tail.row(0).cut);
    }

    TEST_CASE("a tail that comes late begins with the first whole row of the Block being filled") {
        Bench bench;
        std::string text;
        for (int i = 0; text.size() < 100'000; ++i) text += "row " + std::to_string(i) + "\n";
        bench.say(text);
        const auto feed = std::make_shared<Feed>(16, std::function<void()>{});
        Tail late(feed, 1 << 20);
        bench.writer.add_feed(feed);
        late.drain();
        bench.tail.drain();
        CHECK(late.first_row() > 0);
        CHECK(late.end_row() == bench.tail.end_row());
        const std::string first(late.row(late.first_row()).text);
        CHECK(first == "row " + std::to_string(late.first_row()));
        CHECK(late.row(late.first_row()).line == late.first_row());
    }

    TEST_CASE("a drain that may take few Blocks leaves the rest pending") {
        Bench bench;
        bench.say(std::string(std::size_t{Block::bytes_max} * 5, 'x'));
        CHECK(bench.tail.drain(2));
        CHECK(bench.tail.bytes_total() == 2 * Block::bytes_max);
        CHECK(bench.tail.pending());
        CHECK(bench.tail.drain(2));
        CHECK(bench.tail.drain(2));
        CHECK_FALSE(bench.tail.pending());
        CHECK(bench.tail.bytes_total() == 5 * Block::bytes_max);
    }

    TEST_CASE("the end is seen by a drain that takes just what there was") {
        Bench bench;
        bench.say("x");
        bench.writer.end();
        CHECK(bench.tail.drain(1));
        CHECK(bench.tail.ended());
    }

    TEST_CASE("the end is seen after the last byte, never before it") {
        Bench bench;
        bench.say(std::string(std::size_t{Block::bytes_max} * 2, 'x'));
        bench.writer.end();
        bench.tail.drain(1);
        CHECK_FALSE(bench.tail.ended());
        CHECK(bench.tail.drain());
        CHECK(bench.tail.ended());
        CHECK(bench.tail.bytes_total() == Block::bytes_max * 2);
        CHECK_FALSE(bench.tail.drain());
    }

    TEST_CASE("a drain asks to be woken for what comes next") {
        Bench bench;
        bench.say("a");
        bench.say("b");
        CHECK(bench.wakes == 1);
        bench.tail.drain();
        bench.say("c");
        CHECK(bench.wakes == 2);
    }

    TEST_CASE("last() visits the newest rows, oldest of them first") {
        Bench bench;
        bench.say("a\nb\nc\nd");
        bench.tail.drain();
        std::string seen;
        bench.tail.last(3, [&seen](std::uint64_t number, const Tail::Row& row) {
            seen += std::to_string(number);
            seen += row.text;
        });
        CHECK(seen == "1b2c3d");
        seen.clear();
        bench.tail.last(100, [&seen](std::uint64_t, const Tail::Row& row) { seen += row.text; });
        CHECK(seen == "abcd");
    }
}
