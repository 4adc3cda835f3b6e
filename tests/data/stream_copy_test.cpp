#include "data/stream_copy.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "data/block.h"
#include "data/block_pool.h"

using namespace labdeck::data;

TEST_SUITE("data/stream_copy") {
    TEST_CASE("every size at every alignment is copied, and nothing around it is touched") {
        std::string from;
        for (int i = 0; i < 600; ++i) from += static_cast<char>('a' + i % 23);
        for (std::size_t at = 0; at < 70; ++at) {
            for (std::size_t size = 0; size < 300; size += size < 140 ? 1 : 37) {
                std::string to(500, '.');
                stream_copy(to.data() + at, from.data() + at % 7, size);
                std::string wanted(500, '.');
                wanted.replace(at, size, from, at % 7, size);
                REQUIRE(to == wanted);
            }
        }
    }

    TEST_CASE("a Block that took its bytes from elsewhere is like one that was read into") {
        const auto pool = BlockPool::create(2);
        const BlockRef read_into = pool->acquire();
        const BlockRef copied_into = pool->acquire();
        const BlockRef* const both[] = {&read_into, &copied_into};
        for (const BlockRef* block : both) (*block)->begin(0, 0, 0, 0, Gap{});
        std::string text;
        while (text.size() < 20'000)
            text += std::to_string(text.size()) + (text.size() % 3 == 0 ? "\n" : " ");
        for (std::uint32_t size : {1U, 100U, 4096U, 20'000U}) {
            text.copy(read_into->space(), size);
            CHECK(read_into->commit(size, {size}) == size);
            CHECK(copied_into->commit_from(text.data(), size, {size}) == size);
        }
        const Block::Published seen = copied_into->published();
        REQUIRE(seen.bytes == read_into->published().bytes);
        REQUIRE(seen.rows == read_into->published().rows);
        CHECK(copied_into->view(0, seen.bytes) == read_into->view(0, seen.bytes));
        for (std::uint32_t i = 0; i < seen.rows; ++i)
            REQUIRE(copied_into->row_end(i) == read_into->row_end(i));
    }
}
