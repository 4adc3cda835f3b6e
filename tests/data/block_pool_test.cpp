#include "data/block_pool.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "data/bell.h"
#include "data/feed.h"

using namespace labdeck::data;

TEST_SUITE("data/block_pool") {
    TEST_CASE("a pool makes Blocks up to its bound and then refuses") {
        const auto pool = BlockPool::create(3);
        std::vector<BlockRef> held;
        for (int i = 0; i < 3; ++i) held.push_back(pool->acquire());
        CHECK(held[2]);
        CHECK_FALSE(pool->acquire());
        CHECK(pool->blocks_out() == 3);
        CHECK(pool->blocks_made() == 3);
    }

    TEST_CASE("a Block comes back when its last ref goes, and is used again") {
        const auto pool = BlockPool::create(1);
        BlockRef first = pool->acquire();
        const Block* const block = first.get();
        BlockRef second = first;
        first = {};
        CHECK(pool->blocks_out() == 1);
        second = {};
        CHECK(pool->blocks_out() == 0);
        CHECK(pool->acquire().get() == block);
        CHECK(pool->blocks_made() == 1);
    }

    TEST_CASE("a refusal is answered by one wake, and there is no wake without one") {
        int wakes = 0;
        const auto pool = BlockPool::create(2, [&wakes] { ++wakes; });
        BlockRef a = pool->acquire();
        BlockRef b = pool->acquire();
        a = {};
        CHECK(wakes == 0);
        a = pool->acquire();
        CHECK_FALSE(pool->acquire());
        CHECK_FALSE(pool->acquire());
        a = {};
        CHECK(wakes == 1);
        b = {};
        CHECK(wakes == 1);
    }

    TEST_CASE("Blocks outlive the pool's owner") {
        auto pool = BlockPool::create(2);
        BlockRef block = pool->acquire();
        const std::weak_ptr<BlockPool> seen = pool;
        pool.reset();
        block->begin(0, 0, 0, 0, {});
        CHECK_FALSE(seen.expired());
        block = {};
        CHECK(seen.expired());
    }

    TEST_CASE("a ref assigned to itself keeps its Block") {
        const auto pool = BlockPool::create(1);
        BlockRef block = pool->acquire();
        const BlockRef& same = block;
        block = same;
        CHECK(block);
        CHECK(pool->blocks_out() == 1);
    }

    TEST_CASE("a writer that waits for a dry pool is always woken, whoever gives the Block back") {
        constexpr int blocks = 20'000;
        Bell room;
        Bell news;
        const auto pool = BlockPool::create(2, [&room] { room.ring(); });
        Feed feed(64, [&news] { news.ring(); });
        std::thread consumer([&] {
            std::array<BlockRef, 4> batch;
            for (int taken = 0; taken < blocks;) {
                feed.rest();
                const auto n = static_cast<int>(feed.take(batch));
                for (BlockRef& block : batch) block = {};
                taken += n;
                if (n == 0) news.wait();
            }
        });
        for (int i = 0; i < blocks; ++i) {
            BlockRef block = pool->acquire();
            while (!block) {
                room.wait();
                block = pool->acquire();
            }
            block->begin(static_cast<std::uint64_t>(i), 0, 0, 0, {});
            REQUIRE(feed.put(block));
            feed.notify();
        }
        consumer.join();
        CHECK(pool->blocks_out() == 0);
        CHECK(pool->blocks_made() <= 2);
    }
}
