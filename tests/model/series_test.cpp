#include "model/series.h"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <random>
#include <vector>

using labdeck::MonoTime;
using labdeck::model::Series;

namespace {

constexpr std::int64_t ns_per_tick = 100'000;
constexpr std::int64_t ns_per_hour = 3'600'000'000'000;
const double hole = std::numeric_limits<double>::quiet_NaN();

struct Sample {
    std::int64_t tick = 0;
    float value = 0;
};

/// A series and the same samples in a plain list.
struct Pair {
    explicit Pair(std::size_t capacity) : series("test", "V", capacity) {}
    void push(std::int64_t ns, double value) {
        series.push({ns}, value);
        samples.push_back({ns / ns_per_tick, static_cast<float>(value)});
    }
    Series::Range by_hand(std::int64_t from_ns, std::int64_t to_ns) const {
        Series::Range range;
        for (std::uint64_t i = series.first(); i < samples.size(); ++i) {
            const Sample& s = samples[i];
            if (s.tick < from_ns / ns_per_tick || s.tick > to_ns / ns_per_tick || std::isnan(s.value))
                continue;
            range.min = range.empty ? s.value : std::min<double>(range.min, s.value);
            range.max = range.empty ? s.value : std::max<double>(range.max, s.value);
            range.empty = false;
        }
        return range;
    }
    /// Each entry of each level against the samples it spans; the open ones too.
    void check_levels() const {
        std::uint64_t span = 1;
        for (std::size_t level = 0; level < series.levels(); ++level, span *= Series::fanout) {
            REQUIRE(series.count(level) == samples.size() / span);
            REQUIRE(series.ring_size(level) * span == series.capacity());
            REQUIRE(series.first(level) * span >= series.first());
            for (std::uint64_t i = series.first(level); i < series.count(level); ++i) {
                check_entry(series.entry(level, i), i * span, (i + 1) * span);
                REQUIRE(&series.entry(level, i) == series.ring(level) + i % series.ring_size(level));
            }
            if (level > 0 && series.count(level) * span < samples.size()) {
                check_entry(series.entry(level, series.count(level)), series.count(level) * span,
                            samples.size());
            }
        }
    }
    void check_entry(const Series::Entry& entry, std::uint64_t from, std::uint64_t to) const {
        float min = std::numeric_limits<float>::quiet_NaN();
        float max = min;
        for (std::uint64_t i = from; i < to; ++i) {
            min = std::fmin(min, samples[i].value);
            max = std::fmax(max, samples[i].value);
        }
        const bool same_min = entry.min == min || (std::isnan(entry.min) && std::isnan(min));
        const bool same_max = entry.max == max || (std::isnan(entry.max) && std::isnan(max));
        REQUIRE(same_min);
        REQUIRE(same_max);
        REQUIRE(entry.time == static_cast<std::uint32_t>(samples[from].tick));
    }

    Series series;
    std::vector<Sample> samples;
};

bool same(const Series::Range& a, const Series::Range& b) {
    return a.empty == b.empty && (a.empty || (a.min == b.min && a.max == b.max));
}

}  // namespace

TEST_SUITE("model/series") {
    TEST_CASE("levels are rings of the same span, sixteen to one, down to a few entries") {
        for (const std::size_t capacity : {1U, 16U, 256U, 257U, 5000U, 65'536U, 1'000'000U}) {
            const Series series("s", "", capacity);
            CHECK(series.capacity() >= capacity);
            std::size_t span = 1;
            for (std::size_t level = 0; level < series.levels(); ++level, span *= Series::fanout) {
                CHECK(series.ring_size(level) * span == series.capacity());
                CHECK((series.ring_size(level) <= 256) == (level + 1 == series.levels()));
            }
        }
        CHECK(Series("s", "", 65'536).levels() == 3);
        CHECK(Series("s", "", 1'048'576).levels() == 4);
    }

    TEST_CASE("every entry of every level has the smallest and largest value of what it spans") {
        std::mt19937_64 random(31);
        for (int round = 0; round < 6; ++round) {
            Pair pair(round % 2 == 0 ? 5000 : 300);
            std::int64_t now = 1'000'000'000;
            const int samples = round < 2 ? 4000 : 23'456;
            for (int i = 0; i < samples; ++i) {
                now += static_cast<std::int64_t>(random() % 3'000'000);
                const double value = random() % 11 == 0 ? hole : static_cast<double>(random() % 1000) - 500;
                pair.push(now, value);
            }
            pair.check_levels();
        }
    }

    TEST_CASE("range() is what a look at each sample says, holes and all") {
        std::mt19937_64 random(32);
        for (const std::size_t capacity : {300U, 70'000U}) {
            Pair pair(capacity);
            std::int64_t now = 5'000'000'000;
            for (int i = 0; i < 30'000; ++i) {
                now += static_cast<std::int64_t>(random() % 400'000);
                pair.push(now, (random() % 5 == 0 || i % 5000 < 900) ? hole : std::sin(i * 0.01) * i);
            }
            const std::int64_t first = pair.series.first_time().ns - 1'000'000'000;
            const auto span = static_cast<std::uint64_t>(now + 1'000'000'000 - first);
            for (int i = 0; i < 600; ++i) {
                const std::int64_t from = first + static_cast<std::int64_t>(random() % span);
                const auto length = static_cast<std::int64_t>(random() % (i % 2 == 0 ? span : span / 500));
                REQUIRE(same(pair.series.range({from}, {from + length}), pair.by_hand(from, from + length)));
            }
            CHECK(same(pair.series.range({0}, {now * 2}), pair.by_hand(0, now * 2)));
            CHECK(pair.series.range({now}, {first}).empty);
        }
    }

    TEST_CASE("one spike is seen at every level, also while its entry is still being filled") {
        for (const int at : {0, 15, 16, 255, 4095, 4096, 20'000, 29'999}) {
            Pair pair(65'536);
            for (int i = 0; i < 30'000; ++i) pair.push(i * 1'000'000LL, i == at ? 1e6 : 1.0);
            for (std::size_t level = 0; level < pair.series.levels(); ++level) {
                float max = 0;
                const std::uint64_t end = pair.series.count(level) + (level == 0 ? 0 : 1);
                for (std::uint64_t i = pair.series.first(level); i < end; ++i) {
                    max = std::fmax(max, pair.series.entry(level, i).max);
                }
                CHECK(max == 1e6F);
            }
        }
    }

    TEST_CASE("holes are skipped by coarser levels, and a span of nothing else is one") {
        Series series("s", "", 1000);
        for (int i = 0; i < 16; ++i) series.push({i * 1'000'000LL}, hole);
        for (int i = 16; i < 32; ++i) series.push({i * 1'000'000LL}, i == 20 ? 5.0 : hole);
        CHECK(std::isnan(series.entry(1, 0).min));
        CHECK(std::isnan(series.entry(1, 0).max));
        CHECK(series.entry(1, 1).min == 5.0F);
        CHECK(series.entry(1, 1).max == 5.0F);
        CHECK(series.range({0}, {15'000'000}).empty);
    }

    TEST_CASE("a time that goes back is placed at the last one") {
        Series series("s", "", 100);
        series.push({5'000'000}, 1);
        series.push({3'000'000}, 2);
        CHECK(series.last_time() == MonoTime{5'000'000});
        CHECK(series.entry(0, 1).time == 50);
        CHECK(series.last_value() == 2);
    }

    TEST_CASE("lower_bound() finds the first entry at or after a time, at every level") {
        std::mt19937_64 random(33);
        Pair pair(5000);
        std::int64_t now = 0;
        for (int i = 0; i < 12'000; ++i) pair.push(now += static_cast<std::int64_t>(random() % 500'000), i);
        for (int i = 0; i < 300; ++i) {
            const auto time =
                static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(now + 1'000'000));
            std::uint64_t span = 1;
            for (std::size_t level = 0; level < pair.series.levels(); ++level, span *= Series::fanout) {
                std::uint64_t expected = pair.series.first(level);
                while (expected < pair.series.count(level) &&
                       pair.samples[expected * span].tick < time / ns_per_tick) {
                    ++expected;
                }
                REQUIRE(pair.series.lower_bound(level, {time}) == expected);
            }
        }
    }

    TEST_CASE("nothing changes when the ticks pass 2^32") {
        const std::int64_t wrap = (std::int64_t{1} << 32) * ns_per_tick;
        Pair pair(5000);
        for (int i = 0; i < 4000; ++i) pair.push(wrap - 2'000'000'000 + i * 1'000'000LL, i);
        pair.check_levels();
        CHECK(pair.series.first_time() == MonoTime{wrap - 2'000'000'000});
        CHECK(pair.series.lower_bound(0, {wrap}) == 2000);
        CHECK(pair.series.lower_bound(0, {wrap - 1'000'000}) == 1999);
        CHECK(pair.series.lower_bound(0, {wrap + 5'000'000}) == 2005);
        CHECK(same(pair.series.range({wrap - 3'000'000}, {wrap + 4'000'000}),
                   pair.by_hand(wrap - 3'000'000, wrap + 4'000'000)));
    }

    TEST_CASE("samples older than the ticks reach are gone, and the rest is still in order") {
        std::mt19937_64 random(34);
        Pair pair(5000);
        std::int64_t now = 0;
        for (int i = 0; i < 2000; ++i) {
            // Mostly minutes, at times days, once in a while longer than any two ticks can tell apart.
            const std::int64_t step = i % 700 == 699 ? 500 : i % 97 == 96 ? 60 : 1;
            now += step * ns_per_hour / (step == 1 ? 60 : 1) + static_cast<std::int64_t>(random() % 1000);
            pair.push(now, static_cast<double>(random() % 100));
            const Series& series = pair.series;
            REQUIRE(now - series.first_time().ns <= (std::int64_t{1} << 32) * ns_per_tick);
            REQUIRE(series.first_time().ns / ns_per_tick == pair.samples[series.first()].tick);
            REQUIRE(same(series.range({0}, {now}), pair.by_hand(0, now)));
            for (std::size_t level = 0; level < series.levels(); ++level) {
                REQUIRE(series.first(level) <= series.count(level));
                REQUIRE(series.lower_bound(level, {0}) == series.first(level));
                REQUIRE(series.lower_bound(level, {now + ns_per_hour}) == series.count(level));
            }
        }
        CHECK(pair.series.first() > 0);
    }

    TEST_CASE("level_for() picks the coarsest level that has an entry in each pixel") {
        Series series("s", "", 65'536);
        CHECK(series.level_for(1e12) == 0);
        for (int i = 0; i < 10'000; ++i) series.push({i * 1'000'000LL}, i);
        CHECK(series.level_for(0) == 0);
        CHECK(series.level_for(1e6) == 0);
        CHECK(series.level_for(15.9e6) == 0);
        CHECK(series.level_for(16.1e6) == 1);
        CHECK(series.level_for(255e6) == 1);
        CHECK(series.level_for(257e6) == 2);
        CHECK(series.level_for(1e15) == 2);
        CHECK(series.level_for(hole) == 0);
    }

    TEST_CASE("nearest() finds the sample beside a time, at both ends too") {
        Series series("s", "", 100);
        MonoTime at;
        double value = 0;
        CHECK_FALSE(series.nearest({0}, at, value));
        series.push({10'000'000}, 1);
        series.push({20'000'000}, 2);
        REQUIRE(series.nearest({14'000'000}, at, value));
        CHECK(value == 1);
        REQUIRE(series.nearest({16'000'000}, at, value));
        CHECK(value == 2);
        CHECK(at == MonoTime{20'000'000});
        REQUIRE(series.nearest({0}, at, value));
        CHECK(value == 1);
        REQUIRE(series.nearest({90'000'000}, at, value));
        CHECK(value == 2);
    }

    TEST_CASE("an empty series has no samples, no times and an empty range") {
        const Series series("s", "", 100);
        CHECK(series.count() == 0);
        CHECK(series.first_time() == MonoTime{});
        CHECK(series.range({0}, {INT64_MAX}).empty);
        CHECK(series.lower_bound(0, {5}) == 0);
        CHECK(std::isnan(series.entry(series.levels() - 1, 0).min));
    }
}
