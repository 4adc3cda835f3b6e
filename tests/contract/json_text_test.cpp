#include "contract/json_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

/// "2:5: message" of a text that is no JSON.
std::string refused(std::string_view text) {
    const auto read = JsonText::read(text);
    if (read) return "taken";
    CHECK_FALSE(parse_json(text).has_value());
    const TextPlace place = place_of(text, read.error().byte);
    return std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + read.error().message;
}

std::string_view slice(std::string_view text, const JsonText& map, std::string_view pointer) {
    const JsonText::Span* const span = map.find(pointer);
    return span == nullptr ? "nothing" : text.substr(span->begin, span->end - span->begin);
}

std::string edited(std::string_view text, std::string_view key, const Json& value) {
    const auto map = JsonText::read(text);
    REQUIRE(map.has_value());
    return map->with_member(text, key, value);
}

}  // namespace

TEST_SUITE("contract/json_text") {
    TEST_CASE("a place counts lines and characters from one, whatever ends the lines") {
        CHECK(place_of("ab\ncd", 0) == TextPlace{1, 1});
        CHECK(place_of("ab\ncd", 4) == TextPlace{2, 2});
        CHECK(place_of("a\r\nb\rc", 3) == TextPlace{2, 1});
        CHECK(place_of("a\r\nb\rc", 5) == TextPlace{3, 1});
        CHECK(place_of("\xC3\xA4\xE2\x82\xAC\tx", 6) == TextPlace{1, 4});
        CHECK(place_of("ab", 99) == TextPlace{1, 3});
    }

    TEST_CASE("every value is found by its pointer") {
        const std::string_view text = R"( {"a": [10, {"b/c": "x"}], "~": {}, "" : -1.5e3, "\u0061b": true} )";
        const JsonText map = JsonText::read(text).value();
        CHECK(slice(text, map, "/a/0") == "10");
        CHECK(slice(text, map, "/a/1/b~1c") == "\"x\"");
        CHECK(slice(text, map, "/~0") == "{}");
        CHECK(slice(text, map, "/") == "-1.5e3");
        CHECK(slice(text, map, "/ab") == "true");
        CHECK(slice(text, map, "").front() == '{');
        for (const char* absent : {"/a/2", "/a/00", "/a/x", "/b", "a", "/a/0/0"})
            CHECK(map.find(absent) == nullptr);
        const JsonText::Span& member = *map.find("/a");
        CHECK(text.substr(member.key_begin, member.key_end - member.key_begin) == "\"a\"");
    }

    TEST_CASE("a text that is no JSON is refused where it goes wrong, with what to do") {
        CHECK(refused("") == "1:1: there is nothing; the smallest JSON object is {}");
        CHECK(refused(" \n ") == "2:2: there is nothing; the smallest JSON object is {}");
        CHECK(refused("\xEF\xBB\xBF{}") ==
              "1:1: begins with a byte order mark; save it as UTF-8 without one");
        CHECK(refused(std::string_view("\xFF\xFE{\0}\0", 6)) == "1:1: is UTF-16; save it as UTF-8");
        CHECK(refused("{\"a\": \"\xE4\"}") == "1:8: here it is not UTF-8; save it as UTF-8");
        CHECK(refused("{\n  \"a\": 1\n") == "1:1: this { is never closed; add its }");
        CHECK(refused("{\"a\": [1, 2") == "1:7: this [ is never closed; add its ]");
        CHECK(refused("{\"a\": [1}") == "1:9: } closes nothing: the [ at 1:7 wants ]");
        CHECK(refused("{\n  \"a\": 1,\n}") == "2:9: a comma before }; remove it");
        CHECK(refused("[1,]") == "1:3: a comma before ]; remove it");
        CHECK(refused("{\"a\": 1\n \"b\": 2}") == "2:2: a comma or } is wanted here");
        CHECK(refused("{ // why\n}") == "1:3: JSON has no comments; remove this one");
        CHECK(refused("{\"a\": 1 /* why */}") == "1:9: JSON has no comments; remove this one");
        CHECK(refused("{\"a\": # why\n1}") == "1:7: JSON has no comments; remove this one");
        CHECK(refused("{a: 1}") == "1:2: a key in double quotes is wanted here");
        CHECK(refused("{'a': 1}") == "1:2: JSON strings stand in double quotes");
        CHECK(refused("{\"a\" 1}") == "1:6: a colon is wanted here");
        CHECK(refused("{\"a\": }") == "1:7: a value is wanted here");
        CHECK(refused("{\"a\":") == "1:6: the text ends here, where a value is wanted");
        CHECK(refused("{\"a\": \"x\n}") == "1:7: this string is not closed on its line; add its \"");
        CHECK(refused("{\"a\": \"x") == "1:7: this string is never closed; add its \"");
        CHECK(refused("[\"a\tb\"]") == "1:4: a tab in a string is written \\t");
        CHECK(refused("[\"a\x01\"]") == "1:4: a control character in a string is written \\u0001");
        CHECK(refused(R"(["C:\dev"])") == "1:5: no such escape; a backslash itself is written \\\\");
        CHECK(refused(R"(["\ud800"])") ==
              "1:3: half of a pair of \\u escapes; write both or the character itself");
        for (const char* number : {"01", "1.", ".5", "+1", "-", "1e", "0x1F", "NaN", "1.2.3"}) {
            CHECK(refused(number) == "1:1: no JSON number; one looks like 12, -0.5 or 1e6");
        }
        CHECK(refused("1e999") == "1:1: a number this large cannot be kept");
        CHECK(refused("0e" + std::string(100, '1')) ==
              "1:1: a number with so long an exponent cannot be kept");
        CHECK(refused("True") == "1:1: JSON writes true and false in small letters");
        CHECK(refused("None") == "1:1: JSON writes null for nothing");
        CHECK(refused("[Com]") == "1:2: no JSON value; a text stands in double quotes");
        CHECK(refused("{} {}") == "1:4: there is more after the end of the JSON; remove it");
        CHECK(refused(std::string(300, '[')) == "1:257: nested deeper than 256 levels");
    }

    TEST_CASE("a key that stands twice is noted with both places") {
        const std::string_view text = "{\"a\": 1,\n \"b\": {\"x\": 1, \"\\u0078\": 2}, \"a\": 3}";
        const JsonText map = JsonText::read(text).value();
        REQUIRE(map.duplicates().size() == 2);
        CHECK(map.duplicates()[0].key == "x");
        CHECK(map.duplicates()[1].key == "a");
        CHECK(place_of(text, map.duplicates()[1].first_byte) == TextPlace{1, 2});
        CHECK(slice(text, map, "/a") == "1");
        CHECK(parse_json(text).value().at("a") == 1);
    }

    TEST_CASE("one member changes and everything around it stays to the byte") {
        CHECK(edited("{ \"a\" :1 ,\r\n\t\"b\":\"x\"}\n", "a", 2) == "{ \"a\" :2 ,\r\n\t\"b\":\"x\"}\n");
        CHECK(edited("{\"a\":{\"b\":1},\"b\":2}", "b", "y") == "{\"a\":{\"b\":1},\"b\":\"y\"}");
        CHECK(edited("{\n  \"a\": 1\n}\n", "b", true) == "{\n  \"a\": 1,\n  \"b\": true\n}\n");
        CHECK(edited("{\"a\":1}", "b", 2) == "{\"a\":1,\"b\":2}");
        CHECK(edited("{}", "b", 2) == "{\n    \"b\": 2\n}");
        CHECK(edited("{\r\n}\r\n", "b", 2) == "{\r\n    \"b\": 2\r\n}\r\n");
        CHECK(edited("{\"a\\u002f\": 1}", "a/", 2) == "{\"a\\u002f\": 2}");
    }

    TEST_CASE("a step of a pointer is escaped") {
        CHECK(pointer_step("a/b~c") == "/a~1b~0c");
    }
}
