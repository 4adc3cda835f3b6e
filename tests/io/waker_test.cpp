#include "io/waker.h"

#include <doctest/doctest.h>

#include <thread>

#include "io/io_world.h"

using labdeck::io::Waker;
using labdeck::io::world::readable;

TEST_SUITE("io/waker") {
    TEST_CASE("nothing is to be read before the first wake") {
        const Waker waker = Waker::create().value();
        CHECK_FALSE(readable(waker.fd(), 0));
        CHECK(waker.drain() == 0);
    }

    TEST_CASE("wakes that nobody has drained are one event") {
        const Waker waker = Waker::create().value();
        for (int i = 0; i < 1000; ++i) waker.wake();
        CHECK(readable(waker.fd(), 0));
        CHECK(waker.drain() == 1000);
        CHECK_FALSE(readable(waker.fd(), 0));
    }

    TEST_CASE("another thread's wake ends a poll") {
        const Waker waker = Waker::create().value();
        std::thread other([&waker] { waker.wake(); });
        CHECK(readable(waker.fd()));
        other.join();
    }
}
