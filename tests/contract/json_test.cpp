#include "contract/json.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

std::string nested(int depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_SUITE("contract/json") {
    TEST_CASE("every kind of value comes back as it was written, keys in their order") {
        const std::string text =
            R"({"z":[1,-2,18446744073709551615,2.5],"a":{"t":true,"f":false,"n":null},"s":"ä\n\"","e":{},"l":[]})";
        CHECK(dump_line(parse_json(text).value()) == text);
    }

    TEST_CASE("what is written reads back as the same value, by any reader") {
        std::mt19937_64 random(7);
        const auto some_text = [&random] {
            static const std::vector<std::string> pieces = {
                "a", " ", "\"", "\\", "\n", "\x01", "\x7f", "/", "ä", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
            std::string text;
            for (std::uint64_t n = random() % 8; n > 0; --n) text += pieces[random() % pieces.size()];
            return text;
        };
        const std::function<Json(int)> some_value = [&](int depth) -> Json {
            switch (random() % (depth > 0 ? 9 : 7)) {
                case 0:
                    return nullptr;
                case 1:
                    return random() % 2 == 0;
                case 2:
                    return static_cast<std::int64_t>(random());
                case 3:
                    return random();
                case 4:
                    return static_cast<double>(static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000);
                case 5:
                    return std::bit_cast<double>(random() & ~(std::uint64_t{1} << 62));  // Finite.
                case 6:
                    return some_text();
                case 7: {
                    Json list = Json::array();
                    for (std::uint64_t n = random() % 5; n > 0; --n) list.push_back(some_value(depth - 1));
                    return list;
                }
                default: {
                    Json members = Json::object();
                    for (std::uint64_t n = random() % 5; n > 0; --n)
                        members[some_text()] = some_value(depth - 1);
                    return members;
                }
            }
        };
        for (int i = 0; i < 2000; ++i) {
            const Json value = some_value(4);
            const std::string line = dump_line(value);
            CAPTURE(line);
            REQUIRE(line.find('\n') == std::string::npos);
            REQUIRE(Json::parse(line) == value);
            REQUIRE(parse_json(line).value() == value);
        }
    }

    TEST_CASE("text that is not UTF-8 is mended, and what is no finite number is null") {
        CHECK(dump_line(Json("a\xff")) == "\"a\xef\xbf\xbd\"");
        CHECK(dump_line(Json(std::nan(""))) == "null");
        CHECK(dump_line(Json(2.0)) == "2.0");
        CHECK(dump_line(Json(1e300)) == "1e+300");
    }

    TEST_CASE("of twenty keys each keeps its first value") {
        std::string text = "{";
        for (int round = 0; round < 2; ++round) {
            for (int i = 0; i < 20; ++i)
                text += "\"k" + std::to_string(i) + "\":" + std::to_string(round * 100 + i) + ",";
        }
        text.back() = '}';
        const Json json = parse_json(text).value();
        CHECK(json.size() == 20);
        for (int i = 0; i < 20; ++i) CHECK(json.at("k" + std::to_string(i)) == i);
    }

    TEST_CASE("a single number, word or string is a JSON text") {
        CHECK(parse_json("42").value() == 42);
        CHECK(parse_json(" true ").value() == true);
        CHECK(parse_json("\"x\"").value() == "x");
        CHECK(parse_json("null").value().is_null());
    }

    TEST_CASE("integers keep all 64 bits, and become doubles beyond") {
        CHECK(parse_json("-9223372036854775808").value().get<std::int64_t>() == INT64_MIN);
        CHECK(parse_json("18446744073709551615").value().get<std::uint64_t>() == UINT64_MAX);
        CHECK(parse_json("18446744073709551616").value().is_number_float());
        CHECK(parse_json("123456789012345678901234567890").value().get<double>() ==
              doctest::Approx(1.2345678901234568e29));
    }

    TEST_CASE("what is no JSON is refused") {
        const char* const wrong[] = {
            "",        " ",     "{",        "}",     "[1,]",      "{\"a\":1,}",   "{\"a\"}",     "[1 2]",
            "1 2",     "1,2",   "1],[2",    "01",    "nul",       "nulls",        "null\f",      "[null\f]",
            "nul\f",   "1\f",   "true\f",   "nullx", "truefalse", "{\"a\":nulx}", "'a'",         "{a:1}",
            "\"\\x\"", "\"abc", "\"a\nb\"", "+1",    "1.",        ".5",           "\"\\ud800\"", "[1]]",
            "[[1]"};
        for (const char* text : wrong) {
            CAPTURE(text);
            const auto result = parse_json(text);
            REQUIRE_FALSE(result.has_value());
            CHECK(result.error().code == Code::bad_arg);
        }
    }

    TEST_CASE("bytes that are not UTF-8 are refused, and said to be") {
        for (const char* text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xc3\""}) {
            const auto result = parse_json(text);
            REQUIRE_FALSE(result.has_value());
            CHECK(result.error().message == "not UTF-8");
        }
    }

    TEST_CASE("the error says where a string breaks off") {
        CHECK(parse_json("{\"a\":\"b\nc\"}").error().message.find("byte 7") != std::string::npos);
        CHECK(parse_json("{\"a\":\"bc}").error().message.find("byte 5") != std::string::npos);
    }

    TEST_CASE("nesting has a bound, and beyond it nothing is parsed") {
        CHECK(parse_json(nested(json_depth_max)).has_value());
        CHECK(parse_json(nested(json_depth_max + 1)).error().message.find("256") != std::string::npos);
        CHECK_FALSE(parse_json(nested(100'000)).has_value());
        CHECK_FALSE(parse_json(std::string(1'000'000, '[')).has_value());
    }

    TEST_CASE("of keys that stand twice the first counts, in small objects and large ones") {
        CHECK(dump_line(parse_json(R"({"a":1,"b":2,"a":3})").value()) == R"({"a":1,"b":2})");
        std::string large = "{";
        for (int round = 0; round < 2; ++round) {
            for (int i = 0; i < 1000; ++i)
                large += "\"k" + std::to_string(i) + "\":" + std::to_string(round) + ",";
        }
        large.back() = '}';
        const Json json = parse_json(large).value();
        CHECK(json.size() == 1000);
        CHECK(json["k7"] == 0);
        CHECK(json["k999"] == 0);
    }

    TEST_CASE("how members of the top level are spelled is told, and where the tree says less") {
        std::array<Spelled, 2> found{{{"id", {}}, {"more", {}}}};
        const auto read = [&](std::string_view text) { return parse_json(text, found).has_value(); };
        REQUIRE(read(R"({"x":{"id":1},"id" : "a\u0041\/" ,"id":2})"));
        CHECK(found[0].value == R"("a\u0041\/")");
        CHECK(found[1].value.empty());
        REQUIRE(read(R"({"id":  -17  ,"more": { "a" : [ 1.0 ] } } )"));
        CHECK(found[0].value == "-17");
        CHECK(found[1].value == R"({ "a" : [ 1.0 ] })");
        CHECK_FALSE(found[1].repeats_key);
        REQUIRE(read(R"({"id":{"id":5},"more":{"a":{"b":1,"b":2}}})"));
        CHECK(found[0].value == R"({"id":5})");
        CHECK_FALSE(found[0].repeats_key);
        CHECK(found[1].repeats_key);
    }

    TEST_CASE("text that is not UTF-8 is written with replacement characters, in one line") {
        CHECK(dump_line(Json("a\xff\nb")) == "\"a\xEF\xBF\xBD\\nb\"");
    }
}
