#include "model/row_filter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "model/rows_bench.h"

using namespace labdeck;
using namespace labdeck::model;

namespace {

constexpr MonoTime whenever{INT64_MAX};

std::shared_ptr<const RowMatcher> matcher(std::string_view pattern, PatternKind kind = PatternKind::words,
                                          CaseRule rule = CaseRule::ignore) {
    auto made = RowMatcher::create(pattern, kind, rule);
    REQUIRE(made);
    return *made;
}

std::vector<std::uint64_t> numbers(const RowFilter& filter) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t i = 0; i < filter.size(); ++i) all.push_back(filter.number(i));
    return all;
}

}  // namespace

TEST_SUITE("model/row_filter") {
    TEST_CASE("words match anywhere, with or without regard to case") {
        CHECK(matcher("disk")->matches("the DISK is full"));
        CHECK_FALSE(matcher("disk", PatternKind::words, CaseRule::exact)->matches("the DISK is full"));
        CHECK(matcher("a.c")->matches("xa.cx"));
        CHECK_FALSE(matcher("a.c")->matches("abc"));
        CHECK(matcher("end")->matches("at the very long row's END"));
        CHECK(matcher("@`{")->matches("@`{"));
        CHECK_FALSE(matcher("@@")->matches("``"));
        CHECK(matcher("")->matches(""));
    }

    TEST_CASE("folded search agrees with a plain one at every place and length") {
        for (std::size_t length = 1; length < 40; ++length) {
            for (std::size_t place = 0; place + 3 <= length; ++place) {
                std::string text(length, 'x');
                text.replace(place, 3, "aBz");
                const auto found = matcher("AbZ")->find(text, 0);
                REQUIRE(found.begin == place);
                REQUIRE(found.end == place + 3);
                REQUIRE(matcher("AbZ")->find(text, place + 1).begin == std::string_view::npos);
            }
        }
    }

    TEST_CASE("expressions are RE2's, and a wrong one is explained") {
        CHECK(matcher("(ERROR|FATAL).*path=/api", PatternKind::regex)->matches("error at path=/api"));
        CHECK_FALSE(matcher("^x$", PatternKind::regex)->matches("xx"));
        const auto wrong = RowMatcher::create("(a", PatternKind::regex, CaseRule::ignore);
        REQUIRE_FALSE(wrong);
        CHECK(wrong.error().code == Code::bad_arg);
        CHECK(wrong.error().message.find("missing )") != std::string::npos);
        CHECK(matcher("b+", PatternKind::regex)->find("aabbbc", 0).end == 5);
        CHECK(matcher("b*", PatternKind::regex)->find("aaa", 0).begin == std::string_view::npos);
    }

    TEST_CASE("colour sequences do not hide a match") {
        CHECK(matcher("error")->matches("\x1b[31mERR\x1b[1mOR\x1b[0m"));
    }

    TEST_CASE("exactly the matching rows are found, old ones and those that come") {
        TestSource source;
        for (int i = 0; i < 1000; ++i) source.say(i % 10 == 3 ? "needle\n" : "hay\n", i);
        RowFilter filter;
        filter.set(matcher("needle"));
        const SourceRows rows(source.tail, RowsAs::text);
        CHECK(filter.scan(rows, whenever));
        REQUIRE(filter.size() == 100);
        for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(filter.number(i) == i * 10 + 3);
        CHECK(filter.index_of(4) == 1);
        CHECK(filter.index_of(13) == 1);
        CHECK(filter.index_of(100'000) == 100);
        source.say("a needle more\n", 2000);
        CHECK(filter.scan(rows, whenever));
        CHECK(filter.size() == 101);
        CHECK(filter.number(100) == 1000);
    }

    TEST_CASE("without time it gets on a little with each call, new rows first") {
        TestSource source;
        for (int i = 0; i < 1000; ++i) source.say("needle\n", i);
        RowFilter filter;
        filter.set(matcher("needle"));
        const SourceRows rows(source.tail, RowsAs::text);
        CHECK_FALSE(filter.scan(rows, {0}));
        CHECK(filter.size() > 0);
        CHECK(filter.size() < 1000);
        CHECK(filter.number(filter.size() - 1) == 999);
        CHECK(filter.progress(rows) < 0.5);
        int calls = 1;
        while (!filter.scan(rows, {0})) ++calls;
        CHECK(calls > 5);
        CHECK(filter.size() == 1000);
        CHECK(filter.progress(rows) == doctest::Approx(1.0));
    }

    TEST_CASE("a row that is still open counts as soon as it matches, and once") {
        TestSource source;
        source.say("x\nnee", 1);
        RowFilter filter;
        filter.set(matcher("needle"));
        const SourceRows rows(source.tail, RowsAs::text);
        CHECK(filter.scan(rows, whenever));
        CHECK(filter.size() == 0);
        source.say("dle", 2);
        CHECK(filter.scan(rows, whenever));
        CHECK(numbers(filter) == std::vector<std::uint64_t>{1});
        CHECK(filter.index_of(1) == 0);
        CHECK(filter.index_of(2) == 1);
        source.say("\n", 3);
        CHECK(filter.scan(rows, whenever));
        CHECK(numbers(filter) == std::vector<std::uint64_t>{1});
    }

    TEST_CASE("matches go when their rows are no longer retained") {
        TestSource source(1, 2);
        RowFilter filter;
        filter.set(matcher("needle"));
        const SourceRows rows(source.tail, RowsAs::text);
        std::string text;
        for (int i = 0; i < 2000; ++i) text += "a needle in a row of some length, as rows have it\n";
        for (int i = 0; i < 20; ++i) {
            source.say(text, i);
            filter.scan(rows, whenever);
            REQUIRE(filter.size() == source.tail.rows());
            REQUIRE(filter.number(0) == source.tail.first_row());
        }
    }

    TEST_CASE("a hex dump is searched as it is shown") {
        TestSource source;
        source.say(std::string_view("\x01\x03\x00\x00\x00\x0a\xc5\xcd", 8), 1);
        RowFilter filter;
        filter.set(matcher("0a c5"));
        const SourceRows rows(source.tail, RowsAs::hex);
        CHECK(filter.scan(rows, whenever));
        CHECK(filter.size() == 1);
    }
}
