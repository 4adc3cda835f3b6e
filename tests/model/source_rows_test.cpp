#include "model/source_rows.h"

#include <doctest/doctest.h>

#include <string>

#include "model/rows_bench.h"

using namespace labdeck;
using namespace labdeck::model;

TEST_SUITE("model/source_rows") {
    TEST_CASE("bytes are found by their offset across Blocks") {
        TestSource source(1, 3);
        std::string all;
        for (int i = 0; all.size() < 400'000; ++i) all += std::to_string(i) + (i % 7 == 0 ? "\n" : " ");
        for (std::size_t at = 0; at < all.size(); at += 1000) {
            source.say(std::string_view(all).substr(at, 1000), static_cast<std::int64_t>(at) * 1000);
        }
        REQUIRE(source.tail.bytes_total() == all.size());
        const std::uint64_t first = source.tail.first_byte();
        CHECK(first > 0);
        std::string out(3000, '\0');
        for (std::uint64_t at = first; at < all.size(); at += 777) {
            const std::size_t got = source.tail.bytes_at(at, out.size(), out.data());
            REQUIRE(got == std::min<std::size_t>(out.size(), all.size() - at));
            REQUIRE(std::string_view(out).substr(0, got) == std::string_view(all).substr(at, got));
            // Reads were 1000 bytes each, unless a Block's end parted them.
            REQUIRE(source.tail.time_at(at).ns <= static_cast<std::int64_t>(at) * 1000);
            REQUIRE(source.tail.time_at(at).ns > (static_cast<std::int64_t>(at) - 1000) * 1000);
        }
    }

    TEST_CASE("hex rows hold sixteen bytes each and the last grows") {
        TestSource source;
        const SourceRows rows(source.tail, RowsAs::hex);
        CHECK(rows.first() == rows.end());
        source.say("0123456789abcdefXY", 5);
        CHECK(rows.end() == 2);
        CHECK(rows.settled() == 1);
        CHECK(rows.text(0).ends_with("|0123456789abcdef|"));
        CHECK(rows.text(1).starts_with("00000010  58 59 "));
        source.say("Z", 9);
        CHECK(rows.text(1).starts_with("00000010  58 59 5a "));
        CHECK(rows.time(1).ns == 5);
    }

    TEST_CASE("a loss is told at the row before which it happened, as text and as hex") {
        TestSource source;
        source.say("0123456789abcdef\n", 1);
        source.writer.lose(data::LossStage::pool_dry, 4711);
        source.say("after\n", 2);
        const SourceRows text(source.tail, RowsAs::text);
        const SourceRows hex(source.tail, RowsAs::hex);
        CHECK(text.gap(0) == nullptr);
        REQUIRE(text.gap(1) != nullptr);
        CHECK(text.gap(1)->bytes == 4711);
        CHECK(hex.gap(0) == nullptr);
        REQUIRE(hex.gap(1) != nullptr);
        CHECK(hex.gap(1)->stage == data::LossStage::pool_dry);
    }

    TEST_CASE("an open text row is not settled until its source ends") {
        TestSource source;
        source.say("a\nb", 1);
        const SourceRows rows(source.tail, RowsAs::text);
        CHECK(rows.end() == 2);
        CHECK(rows.settled() == 1);
        source.writer.end();
        source.tail.drain();
        CHECK(rows.settled() == 2);
    }
}
