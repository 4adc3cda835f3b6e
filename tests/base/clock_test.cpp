#include "base/clock.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

using namespace labdeck;

TEST_SUITE("base/clock") {
    TEST_CASE("the monotonic clock never goes back") {
        MonoTime last = mono_now();
        for (int i = 0; i < 1000; ++i) {
            const MonoTime now = mono_now();
            REQUIRE(now >= last);
            last = now;
        }
    }

    TEST_CASE("wire times are UTC with milliseconds, cut and not rounded") {
        CHECK(rfc3339({0}) == "1970-01-01T00:00:00.000Z");
        CHECK(rfc3339({1'771'345'200'000'000'000}) == "2026-02-17T16:20:00.000Z");
        CHECK(rfc3339({1'771'345'200'999'999'999}) == "2026-02-17T16:20:00.999Z");
    }

    TEST_CASE("a wire time is read as it was written, and anything else is refused") {
        WallTime time{7};
        REQUIRE(parse_rfc3339("2026-02-17T16:20:00.999Z", time));
        CHECK(time.ns == 1'771'345'200'999'000'000);
        REQUIRE(parse_rfc3339("2026-02-17T16:20:00Z", time));
        CHECK(time.ns == 1'771'345'200'000'000'000);
        for (const char* wrong : {"", "2026-02-17", "2026-02-17T16:20:00.9Z", "2026-02-17T16:20:00.999",
                                  "2026-13-17T16:20:00Z", "2026-02-17T25:20:00Z", "2026-02-17 16:20:00Z",
                                  "2026-02-17T16:20:00,999Z", "x026-02-17T16:20:00Z"}) {
            CAPTURE(wrong);
            CHECK_FALSE(parse_rfc3339(wrong, time));
        }
        CHECK(time.ns == 1'771'345'200'000'000'000);
    }

    TEST_CASE("the clock's text has the shape hh:mm:ss.mmm") {
        const std::string text = clock_text(wall_now());
        REQUIRE(text.size() == 12);
        CHECK(text[2] == ':');
        CHECK(text[5] == ':');
        CHECK(text[8] == '.');
    }

    TEST_CASE("ages are told in the two units that matter") {
        CHECK(age_text(950'000'000) == "950 ms");
        CHECK(age_text(12'400'000'000) == "12.4 s");
        CHECK(age_text(59'999'000'000) == "59.9 s");
        CHECK(age_text(200'000'000'000) == "3 min 20 s");
        CHECK(age_text(18'120'000'000'000) == "5 h 02 min");
        CHECK(age_text(273'600'000'000'000) == "3 d 4 h");
        CHECK(age_text(-5) == "0 ms");
    }

    TEST_CASE("a stamp of now is placed at about now on the wall") {
        const WallTime before = wall_now();
        const WallTime placed = wall_of(mono_now());
        CHECK(std::llabs(placed.ns - before.ns) < 5'000'000'000);
        CHECK(wall_of({mono_now().ns - 60'000'000'000}).ns < before.ns - 50'000'000'000);
    }

    TEST_CASE("a thread's CPU time grows with its work") {
        const std::int64_t before = thread_cpu_ns();
        volatile unsigned sum = 0;
        for (unsigned i = 0; i < 1'000'000; ++i) sum = sum + i;
        CHECK(thread_cpu_ns() > before);
    }
}
