#include "contract/answer_text.h"

#include <doctest/doctest.h>

#include <string>

#include "contract/envelope.h"

using namespace labdeck;
using namespace labdeck::contract;

namespace {

std::string answer_with(const std::string& response) {
    return R"({"id":7,"ok":true,"response":)" + response + "}";
}

std::string nested(int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return std::string(count, '[') + std::string(count, ']');
}

}  // namespace

TEST_SUITE("contract/answer_text") {
    TEST_CASE("a response is found as it is spelled, whatever stands around it") {
        for (const char* response :
             {R"({"a":1})", R"({ "a" : [ 1 , 2 ] })", "[]", "null", "true", "\"text\"",
              "12345678901234567890123", "1.0", "-0.10e+2", R"("\u00e4\/")", R"({"\u0061":"\\"})"}) {
            CAPTURE(response);
            for (const std::string& line :
                 {answer_with(response),
                  R"({"response": )" + std::string(response) + R"( , "ok":true,"id": "x" })",
                  R"({"more":{"id":9,"ok":false},"id":-3,"ok" : true ,"response":)" + std::string(response) +
                      "}"}) {
                const auto found = find_answer(line);
                REQUIRE(found.has_value());
                CHECK(found->response == response);
            }
        }
        CHECK(find_answer(answer_with("1"))->id == "7");
        CHECK(find_answer(R"({"id" : "a\"b" , "ok":true,"response":1})")->id == R"("a\"b")");
    }

    TEST_CASE("other messages are left to decode()") {
        for (const char* line :
             {R"({"id":1,"ok":false,"error":{"code":"E_BUSY","message":"","details":{}}})",
              R"({"id":1,"ok":true})", R"({"event":"log","params":{}})",
              R"({"id":1,"method":"ping","ok":true,"response":1})", R"({"id":null,"ok":true,"response":1})",
              R"({"id":1.5,"ok":true,"response":1})", R"({"id":1,"ok":1,"response":1})",
              R"({"ok":true,"response":1})", R"([{"id":1,"ok":true,"response":1}])", "17", "\"ok\"", "",
              " "}) {
            CAPTURE(line);
            CHECK_FALSE(find_answer(line).has_value());
        }
    }

    TEST_CASE("nothing is found in what decode() refuses") {
        for (const char* response :
             {"1e400",       "01",      "1.",    "nul",     "nulls",       "truefalse", "[1,]",
              "{\"a\":1,}",  "{\"a\"}", "[1 2]", "\"\\x\"", "\"\\ud800\"", "\"\xff\"",  "\"a\tb\"",
              "{\"\\x\":1}", "",        "1 2",   "]",       "{}}",         "null\f",    "1\f"}) {
            const std::string line = answer_with(response);
            CAPTURE(line);
            CHECK_FALSE(find_answer(line).has_value());
            const bool is_refused = std::holds_alternative<BadLine>(decode(line));
            CHECK(is_refused);
        }
        CHECK_FALSE(find_answer(answer_with("1") + "{}").has_value());
        CHECK_FALSE(find_answer("\xEF\xBB\xBF" + answer_with("1")).has_value());
        // The message is a level of its own.
        CHECK(find_answer(answer_with(nested(json_depth_max - 1))).has_value());
        CHECK_FALSE(find_answer(answer_with(nested(json_depth_max))).has_value());
    }

    TEST_CASE("a response in which a key stands twice has to be spelled anew") {
        for (const char* response :
             {R"({"a":1,"a":2})", R"([{"b":{"key of some length":1,"key of some length":1}}])",
              R"({"a":1,"\u0061":2})"}) {
            CAPTURE(response);
            CHECK_FALSE(find_answer(answer_with(response)).has_value());
        }
        CHECK_FALSE(find_answer(R"({"id":1,"ok":true,"response":1,"response":2})").has_value());
        CHECK_FALSE(find_answer(R"({"id":1,"ok":true,"\u006fk":false,"response":1})").has_value());
        CHECK(find_answer(answer_with(R"([{"a":1},{"a":2,"b":{"a":3}}])")).has_value());
    }

    TEST_CASE("a response with a carriage return between its values has to be spelled anew") {
        CHECK_FALSE(find_answer(answer_with("[1,\r2]")).has_value());
        CHECK(find_answer(answer_with("[1,2]") + "\r").has_value());
        CHECK(find_answer(answer_with(R"("\r")")).has_value());
    }
}
