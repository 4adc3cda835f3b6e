#include "contract/json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

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

    TEST_CASE("the spelling of one top-level value is kept") {
        std::string raw;
        REQUIRE(parse_json(R"({"x":{"id":1},"id" : "a\u0041\/" ,"id":2})", "id", raw));
        CHECK(raw == R"("a\u0041\/")");
        REQUIRE(parse_json(R"({"id":  -17  })", "id", raw));
        CHECK(raw == "-17");
        REQUIRE(parse_json(R"({"id":{"id":5}})", "id", raw));
        CHECK(raw.empty());
    }

    TEST_CASE("text that is not UTF-8 is written with replacement characters, in one line") {
        CHECK(dump_line(Json("a\xff\nb")) == "\"a\xEF\xBF\xBD\\nb\"");
    }
}
