#include "model/merged_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/rows_bench.h"

using namespace labdeck;
using namespace labdeck::model;

namespace {

/// Some sources that talk at random times, many rows a read, and what their order must be.
struct Crowd {
    explicit Crowd(unsigned seed, std::uint32_t count = 4) {
        std::mt19937 random(seed);
        for (std::uint32_t i = 0; i < count; ++i) sources.push_back(std::make_unique<TestSource>(i + 1));
        std::int64_t now = 1'000'000;
        for (int i = 0; i < 400; ++i) {
            now += static_cast<std::int64_t>(random() % 3) * 1000;
            TestSource& source = *sources[random() % count];
            const auto rows = random() % 5;
            for (unsigned k = 0; k < rows; ++k) source.say("row\n", now);
        }
        for (const auto& source : sources) {
            rows.emplace_back(source->tail, RowsAs::text);
            const auto id = source->writer.info().id.value;
            for (auto n = source->tail.first_row(); n < source->tail.end_row(); ++n) {
                expected.push_back({source->tail.row(n).time.ns, id, n});
            }
        }
        std::sort(expected.begin(), expected.end());
    }
    MergedRows merged() const {
        std::vector<RowLane> lanes;
        for (std::size_t i = 0; i < rows.size(); ++i)
            lanes.push_back({static_cast<std::uint32_t>(i + 1), &rows[i], nullptr});
        return MergedRows(lanes);
    }

    std::vector<std::unique_ptr<TestSource>> sources;
    std::vector<SourceRows> rows;
    std::vector<RowKey> expected;
};

}  // namespace

TEST_SUITE("model/merged_rows") {
    TEST_CASE("rows come by time, then source, then number, in both directions") {
        const Crowd crowd(1);
        MergedRows merged = crowd.merged();
        REQUIRE(merged.size() == crowd.expected.size());
        merged.seek_begin();
        for (const RowKey& key : crowd.expected) {
            const auto row = merged.next();
            REQUIRE(row);
            REQUIRE(row->key == key);
        }
        CHECK_FALSE(merged.next());
        for (auto key = crowd.expected.rbegin(); key != crowd.expected.rend(); ++key) {
            const auto row = merged.previous();
            REQUIRE(row);
            REQUIRE(row->key == *key);
        }
        CHECK_FALSE(merged.previous());
    }

    TEST_CASE("every position is found by its index and by its row") {
        const Crowd crowd(2);
        MergedRows merged = crowd.merged();
        for (std::size_t i = 0; i < crowd.expected.size(); ++i) {
            merged.seek_index(i);
            REQUIRE(merged.index() == i);
            REQUIRE(merged.next()->key == crowd.expected[i]);
            merged.seek(crowd.expected[i]);
            REQUIRE(merged.index() == i);
            REQUIRE(merged.next()->key == crowd.expected[i]);
            REQUIRE(merged.previous()->key == crowd.expected[i]);
        }
        merged.seek_index(crowd.expected.size() + 7);
        CHECK_FALSE(merged.next());
    }

    TEST_CASE("a row that is gone gives its place to the next one") {
        TestSource source(1, 2);
        std::string text;
        for (int i = 0; i < 1000; ++i) text += "a row of some length, so that Blocks fill up soon enough\n";
        source.say(text, 1);
        const SourceRows rows(source.tail, RowsAs::text);
        const RowKey key{1, 1, 5};
        for (int i = 2; i < 20; ++i) source.say(text, i);
        MergedRows merged({{1, &rows, nullptr}});
        merged.seek(key);
        CHECK(merged.next()->key.number == source.tail.first_row());
    }

    TEST_CASE("filtered sources merge by their matching rows alone") {
        Crowd crowd(3, 2);
        crowd.sources[0]->say("needle\n", 1'500'000'000);
        crowd.sources[1]->say("needle\n", 1'400'000'000);
        std::vector<RowFilter> filters(2);
        std::vector<RowLane> lanes;
        for (std::size_t i = 0; i < 2; ++i) {
            filters[i].set(*RowMatcher::create("needle", PatternKind::words, CaseRule::exact));
            filters[i].scan(crowd.rows[i], {INT64_MAX});
            lanes.push_back({static_cast<std::uint32_t>(i + 1), &crowd.rows[i], &filters[i]});
        }
        MergedRows merged(lanes);
        CHECK(merged.size() == 2);
        merged.seek_end();
        CHECK(merged.previous()->lane == 0);
        CHECK(merged.previous()->lane == 1);
    }

    TEST_CASE("no lanes are no rows") {
        MergedRows merged({});
        CHECK(merged.size() == 0);
        merged.seek_end();
        CHECK_FALSE(merged.previous());
        merged.seek_index(3);
        CHECK_FALSE(merged.next());
    }
}
