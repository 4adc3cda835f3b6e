#include "data/feed.h"

#include <doctest/doctest.h>

#include <array>
#include <thread>

#include "data/bell.h"
#include "data/block_pool.h"

using namespace labdeck::data;

TEST_SUITE("data/feed") {
    TEST_CASE("Blocks come out in the order they went in") {
        const auto pool = BlockPool::create(8);
        Feed feed(8, {});
        std::array<BlockRef, 8> put;
        for (BlockRef& block : put) {
            block = pool->acquire();
            REQUIRE(feed.put(block));
        }
        std::array<BlockRef, 5> out;
        CHECK(feed.take(out) == 5);
        for (std::size_t i = 0; i < 5; ++i) CHECK(out[i].get() == put[i].get());
        CHECK(feed.size() == 3);
        CHECK(feed.take(out) == 3);
        CHECK(out[0].get() == put[5].get());
        CHECK(feed.take(out) == 0);
    }

    TEST_CASE("a full feed refuses, and the next take calls for more once") {
        const auto pool = BlockPool::create(3);
        Feed feed(2, {});
        int rooms = 0;
        feed.on_room([&rooms] { ++rooms; });
        const BlockRef block = pool->acquire();
        CHECK(feed.put(block));
        CHECK(feed.put(block));
        CHECK(feed.full());
        CHECK_FALSE(feed.put(block));
        CHECK(feed.size() == 2);
        std::array<BlockRef, 1> out;
        CHECK(feed.take(out) == 1);
        CHECK(rooms == 1);
        CHECK(feed.take(out) == 1);
        CHECK(rooms == 1);
        CHECK(feed.put(block));
    }

    TEST_CASE("the consumer is woken once between two rests") {
        int wakes = 0;
        Feed feed(2, [&wakes] { ++wakes; });
        feed.notify();
        feed.notify();
        CHECK(wakes == 1);
        feed.rest();
        CHECK(wakes == 1);
        feed.notify();
        CHECK(wakes == 2);
    }

    TEST_CASE("the end is told, and what was put before it can still be taken") {
        const auto pool = BlockPool::create(1);
        int wakes = 0;
        Feed feed(2, [&wakes] { ++wakes; });
        CHECK(feed.put(pool->acquire()));
        feed.end();
        CHECK(feed.ended());
        CHECK(wakes == 1);
        std::array<BlockRef, 2> out;
        CHECK(feed.take(out) == 1);
    }

    TEST_CASE("a feed that goes gives back what nobody took") {
        const auto pool = BlockPool::create(2);
        {
            Feed feed(2, {});
            CHECK(feed.put(pool->acquire()));
            CHECK(pool->blocks_out() == 1);
        }
        CHECK(pool->blocks_out() == 0);
    }

    TEST_CASE("neither side of a feed for a single Block ever waits for good") {
        constexpr std::uint64_t blocks = 20'000;
        Bell room;
        Bell news;
        const auto pool = BlockPool::create(16);
        Feed feed(1, [&news] { news.ring(); });
        feed.on_room([&room] { room.ring(); });
        std::thread consumer([&] {
            std::array<BlockRef, 2> batch;
            for (std::uint64_t next = 0; next < blocks;) {
                feed.rest();
                const std::size_t n = feed.take(batch);
                for (std::size_t i = 0; i < n; ++i) {
                    REQUIRE(batch[i]->first_byte() == next);
                    ++next;
                    batch[i] = {};
                }
                if (n == 0) news.wait();
            }
        });
        for (std::uint64_t i = 0; i < blocks; ++i) {
            const BlockRef block = pool->acquire();
            REQUIRE(block);
            block->begin(i, 0, 0, 0, {});
            while (!feed.put(block)) room.wait();
            feed.notify();
        }
        consumer.join();
        CHECK(feed.size() == 0);
    }
}
