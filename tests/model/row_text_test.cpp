#include "model/row_text.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace labdeck::model;

namespace {

std::string columns(std::string_view raw, std::size_t first = 0, std::size_t count = 1000) {
    std::string out;
    append_columns(raw, first, count, out);
    return out;
}

std::string hex(std::uint64_t offset, std::size_t missing, std::string_view bytes) {
    std::string out;
    append_hex_row(offset, missing, bytes, out);
    return out;
}

}  // namespace

TEST_SUITE("model/row_text") {
    TEST_CASE("plain text is shown as it is, from the column that is asked for") {
        CHECK(columns("hello world") == "hello world");
        CHECK(columns("hello world", 6) == "world");
        CHECK(columns("hello world", 2, 3) == "llo");
        CHECK(columns("hello", 9).empty());
        CHECK(columns("").empty());
    }

    TEST_CASE("a tab goes to the next multiple of eight, also where the window cuts it") {
        CHECK(columns("a\tb") == "a       b");
        CHECK(columns("12345678\tb") == "12345678        b");
        CHECK(columns("a\tb", 4) == "    b");
        CHECK(columns("a\tb", 0, 4) == "a   ");
    }

    TEST_CASE("control characters are marks that can be seen") {
        CHECK(columns(std::string_view("a\0b", 3)) == "a^@b");
        CHECK(columns("\x01\x7f\r") == "^A^?^M");
        CHECK(columns("\x01x", 1) == "Ax");
    }

    TEST_CASE("each byte that is no UTF-8 is one U+FFFD, and what is stays whole") {
        CHECK(columns("gr\xC3\xBC\xC3\x9F\x65") == "gr\xC3\xBC\xC3\x9F\x65");
        CHECK(columns("a\xFFz") == "a\xEF\xBF\xBDz");
        CHECK(columns("\xE2\x82") == "\xEF\xBF\xBD\xEF\xBF\xBD");
        CHECK(columns("\xC0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD");
        CHECK(columns("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
        CHECK(columns("\xE2\x82\xAC!", 1) == "!");
        CHECK(columns("\xF0\x9F\x98\x80!", 0, 1) == "\xF0\x9F\x98\x80");
    }

    TEST_CASE("colour sequences are left out, other escapes are not") {
        CHECK(columns("\x1b[31mred\x1b[0m end\x1b[K") == "red end");
        CHECK(columns("\x1b[38;5;196mx") == "x");
        CHECK(columns("\x1b[2Jx") == "^[[2Jx");
        CHECK(columns("\x1b[31") == "^[[31");
        CHECK(columns("\x1b") == "^[");
        std::string scratch;
        CHECK(without_colours("a\x1b[1mb\x1b[0mc", scratch) == "abc");
        CHECK(without_colours("abc", scratch).data() != scratch.data());
    }

    TEST_CASE("levels are words, not parts of words") {
        CHECK(level_of("2026-01-01 12:00:00 ERROR disk full") == Level::error);
        CHECK(level_of("[WARN] hot") == Level::warn);
        CHECK(level_of("WARNING: hot") == Level::warn);
        CHECK(level_of("I/O INFO x") == Level::info);
        CHECK(level_of("TRACE x") == Level::debug);
        CHECK(level_of("TERROR INFORMATION") == Level::none);
        CHECK(level_of("ERROR_COUNT=0 INFO ok") == Level::info);
        CHECK(level_of("\x1b[31mERROR\x1b[0m x") == Level::error);
        CHECK(level_of("") == Level::none);
    }

    TEST_CASE("in lower case a level counts only where it stands as a label") {
        CHECK(level_of("level=error msg=x") == Level::error);
        CHECK(level_of(R"({"level":"warn","text":"x"})") == Level::warn);
        CHECK(level_of("[info] x") == Level::info);
        CHECK(level_of("main.c:3:1: error: x") == Level::error);
        CHECK(level_of("error: x") == Level::error);
        CHECK(level_of("no error was found") == Level::none);
    }

    TEST_CASE("a level is looked for in the first bytes alone") {
        CHECK(level_of(std::string(70, '.') + " ERROR x") == Level::error);
        CHECK(level_of(std::string(100, '.') + " ERROR x") == Level::none);
        CHECK(level_of(std::string(76, '.') + " INFORMATION") == Level::none);
    }

    TEST_CASE("Modbus and COBS look binary, logs in any language do not") {
        CHECK(looks_binary(
            std::string_view("\x01\x03\x00\x00\x00\x0a\xc5\xcd\x01\x03\x14\x0c\xe4\x13\x88", 15)));
        CHECK_FALSE(looks_binary("plain text\r\nwith lines\n"));
        CHECK_FALSE(looks_binary("\x1b[32mgr\xC3\xBC\x6E\x1b[0m \xE6\xB8\xA9\xE5\xBA\xA6\n"));
        CHECK_FALSE(looks_binary(""));
    }

    TEST_CASE("a hex row has offset, bytes and their text") {
        CHECK(hex(0x1a40, 0, "0123456789abcdef") ==
              "00001a40  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|");
        CHECK(hex(0, 0, std::string_view("\x00\xffz", 3)) ==
              "00000000  00 ff 7a                                          |..z             |");
        CHECK(hex(16, 14, "yz") ==
              "00000010                                             79 7a  |              yz|");
        CHECK(hex(0x1234567890, 0, "").starts_with("1234567890  "));
    }
}
