#include "base/utf8.h"

#include <doctest/doctest.h>

#include <string>

using namespace labdeck;

namespace {

std::string said(std::string_view text) {
    const Utf8Head head = utf8_head(text);
    const char* const kinds[] = {"whole", "begun", "foreign"};
    return std::string(kinds[static_cast<int>(head.kind)]) + " " + std::to_string(head.bytes);
}

}  // namespace

TEST_SUITE("base/utf8") {
    TEST_CASE("characters of each length are whole, whatever follows") {
        CHECK(said("a\xff") == "whole 1");
        CHECK(said(std::string_view("\0x", 2)) == "whole 1");
        CHECK(said("\xC3\xA4 and more") == "whole 2");
        CHECK(said("\xE2\x82\xAC\xAC") == "whole 3");
        CHECK(said("\xF0\x9F\x98\x80") == "whole 4");
        CHECK(said("\xF4\x8F\xBF\xBF") == "whole 4");
    }

    TEST_CASE("a beginning at the text's end may become one") {
        CHECK(said("\xC3") == "begun 1");
        CHECK(said("\xE2\x82") == "begun 2");
        CHECK(said("\xF0\x9F\x98") == "begun 3");
    }

    TEST_CASE("what can become none is foreign, as far as it looked like one") {
        CHECK(said("\x80") == "foreign 1");
        CHECK(said("\xC0\x80") == "foreign 1");
        CHECK(said("\xFF") == "foreign 1");
        CHECK(said("\xE2\x82x") == "foreign 2");
        CHECK(said("\xF0\x9F\x98\xF0") == "foreign 3");
        // Too long a spelling, a surrogate, beyond the last code point.
        CHECK(said("\xE0\x9F\xBF") == "foreign 1");
        CHECK(said("\xED\xA0\x80") == "foreign 1");
        CHECK(said("\xF0\x8F\xBF\xBF") == "foreign 1");
        CHECK(said("\xF4\x90\x80\x80") == "foreign 1");
    }
}
