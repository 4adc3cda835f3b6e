#include "bench_apps/round_trips.h"

#include <doctest/doctest.h>

using namespace labdeck::bench_apps;

TEST_SUITE("bench_apps/round_trips") {
    TEST_CASE("percentiles are ranks of what was measured") {
        RoundTrips trips(1000);
        CHECK(trips.summary().count == 0);
        for (int i = 100; i >= 1; --i) trips.add(i);
        const RoundTrips::Summary summary = trips.summary();
        CHECK(summary.count == 100);
        CHECK(summary.p50_ns == 50);
        CHECK(summary.p99_ns == 99);
        CHECK(summary.max_ns == 100);
        CHECK(trips.last_ns() == 1);
    }

    TEST_CASE("only the latest count") {
        RoundTrips trips(10);
        trips.add(1'000'000);
        for (int i = 1; i <= 10; ++i) trips.add(i);
        CHECK(trips.summary().count == 10);
        CHECK(trips.summary().max_ns == 10);
        trips.clear();
        CHECK(trips.summary().count == 0);
    }
}
