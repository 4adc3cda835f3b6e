#include "data/block.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "data/block_pool.h"
#include "data/texts.h"

using namespace labdeck;
using namespace labdeck::data;

namespace {

BlockRef begun_block(std::uint32_t open_row_bytes = 0) {
    BlockRef block = BlockPool::create(1)->acquire();
    block->begin(0, 0, 0, open_row_bytes, {});
    return block;
}

std::uint32_t put(Block& block, std::string_view text, std::int64_t when_us) {
    REQUIRE(text.size() <= block.space_bytes());
    std::memcpy(block.space(), text.data(), text.size());
    return block.commit(static_cast<std::uint32_t>(text.size()), {when_us * 1000});
}

/// All that a reader sees, against the text's rows found by hand.
void check_index(const Block& block, std::string_view text) {
    const Block::Published seen = block.published();
    REQUIRE(block.view(0, seen.bytes) == text.substr(0, seen.bytes));
    const auto rows = rows_of(text.substr(0, seen.bytes));
    const std::size_t ended = rows.empty() || !rows.back().open ? rows.size() : rows.size() - 1;
    REQUIRE(seen.rows == ended);
    std::uint32_t soft = 0;
    for (std::uint32_t i = 0; i < seen.rows; ++i) {
        REQUIRE(block.row_end(i) == rows[i].to - 1);
        REQUIRE(block.soft_end(i) == rows[i].soft);
        soft += rows[i].soft ? 1 : 0;
    }
    CHECK(seen.soft_rows == soft);
    CHECK(block.rows_after() == ended);
    CHECK(block.lines_after() == ended - soft);
    CHECK(block.open_row_bytes() == (ended < rows.size() ? rows.back().to - rows.back().from : 0));
}

}  // namespace

TEST_SUITE("data/block") {
    TEST_CASE(
        "rows are where a look at each byte finds them, whatever the text and however it is cut into reads") {
        Random random(2);
        for (const Text kind : all_texts) {
            for (int round = 0; round < 25; ++round) {
                const std::string text = make_text(kind, Block::bytes_max, random);
                const BlockRef block = begun_block();
                const std::size_t read_max = round % 3 == 0 ? 65'536 : round % 3 == 1 ? 5000 : 90;
                std::size_t at = 0;
                while (block->space_bytes() > 0) {
                    const std::size_t n = std::min(number_in(random, 1, read_max), text.size() - at);
                    at += put(*block, {text.data() + at, n}, static_cast<std::int64_t>(at));
                }
                check_index(*block, text);
                CHECK(block->published().sealed);
            }
        }
    }

    TEST_CASE("a Block takes as much as its row table holds, then seals itself") {
        const BlockRef block = begun_block();
        CHECK(put(*block, std::string(20'000, '\n'), 0) == Block::rows_max);
        const Block::Published seen = block->published();
        CHECK(seen.rows == Block::rows_max);
        CHECK(seen.bytes == Block::rows_max);
        CHECK(seen.sealed);
        CHECK(block->space_bytes() == 0);
    }

    TEST_CASE("after the last row end text without a newline still fits") {
        const BlockRef block = begun_block();
        CHECK(put(*block, std::string(Block::rows_max, '\n'), 0) == Block::rows_max);
        CHECK_FALSE(block->published().sealed);
        CHECK(put(*block, "abc", 1) == 3);
        CHECK(put(*block, "d\n", 2) == 1);
        CHECK(block->published().sealed);
        CHECK(block->open_row_bytes() == 4);
    }

    TEST_CASE("a read that no stamp is left for is refused whole") {
        const BlockRef block = begun_block();
        for (std::uint32_t i = 0; i < Block::stamps_max; ++i) REQUIRE(put(*block, "x", i) == 1);
        CHECK(block->published().stamps == Block::stamps_max);
        CHECK(put(*block, "y", 5000) == 0);
        CHECK(block->published().bytes == Block::stamps_max);
        CHECK(block->published().sealed);
    }

    TEST_CASE("a row that began in the Block before ends softly after what is left of its 8 KiB") {
        const BlockRef block = begun_block(Block::row_bytes_max - 10);
        CHECK(block->row_bytes_before() == Block::row_bytes_max - 10);
        put(*block, std::string(9, 'a'), 0);
        CHECK(block->published().rows == 0);
        put(*block, "a", 0);
        REQUIRE(block->published().rows == 1);
        CHECK(block->row_end(0) == 9);
        CHECK(block->soft_end(0));
        CHECK(block->open_row_bytes() == 0);
        CHECK(block->row_bytes_before() == Block::row_bytes_max - 10);
    }

    TEST_CASE("a newline as the last byte of 8 KiB ends its row hard") {
        const BlockRef block = begun_block();
        put(*block, std::string(Block::row_bytes_max - 1, 'a') + "\n", 0);
        REQUIRE(block->published().rows == 1);
        CHECK_FALSE(block->soft_end(0));
        CHECK(block->published().soft_rows == 0);
    }

    TEST_CASE("each byte has the time of the read that brought it") {
        const BlockRef block = begun_block();
        put(*block, "abc", 1'000'000);
        put(*block, "d", 1'000'007);
        put(*block, "ef", 3'000'000);
        const std::uint32_t stamps = block->published().stamps;
        CHECK(block->time_at(0, stamps).ns == 1'000'000'000);
        CHECK(block->time_at(2, stamps).ns == 1'000'000'000);
        CHECK(block->time_at(3, stamps).ns == 1'000'007'000);
        CHECK(block->time_at(4, stamps).ns == 3'000'000'000);
        CHECK(block->time_at(5, stamps).ns == 3'000'000'000);
    }

    TEST_CASE("a clock that goes back leaves a byte at the time of the one before") {
        const BlockRef block = begun_block();
        put(*block, "a", 1000);
        put(*block, "b", 1500);
        put(*block, "c", 900);
        CHECK(block->time_at(2, block->published().stamps).ns == 1'500'000);
    }

    TEST_CASE("a Block that has been open for longer than its stamps reach takes no more") {
        const BlockRef block = begun_block();
        put(*block, "a", 0);
        CHECK(put(*block, "b", std::int64_t{UINT32_MAX}) == 1);
        CHECK(put(*block, "c", std::int64_t{UINT32_MAX} + 1) == 0);
        CHECK(block->published().sealed);
    }

    TEST_CASE("nothing is published by begin() or by an empty commit") {
        const BlockRef block = begun_block();
        CHECK(block->commit(0, {5}) == 0);
        const Block::Published seen = block->published();
        CHECK(seen.bytes == 0);
        CHECK(seen.stamps == 0);
        CHECK_FALSE(seen.sealed);
    }

    TEST_CASE("every stage of loss has a name of its own") {
        for (std::size_t i = 0; i < loss_stage_count; ++i) {
            for (std::size_t k = 0; k < i; ++k) {
                CHECK(loss_stage_name(static_cast<LossStage>(i)) !=
                      loss_stage_name(static_cast<LossStage>(k)));
            }
        }
    }
}
