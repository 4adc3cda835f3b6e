#include "contract/envelope.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

template <typename T>
T expect(std::string_view line) {
    Message message = decode(line);
    REQUIRE(std::holds_alternative<T>(message));
    return std::get<T>(std::move(message));
}

std::string key_of(const Error& error) {
    return error.details.empty() ? "" : parse_json(error.details).value().value("key", "");
}

}  // namespace

TEST_SUITE("contract/envelope") {
    TEST_CASE("a request is read with its id as it came") {
        const char* const ids[] = {R"("req-1")",
                                   R"("\u00e4\/")",
                                   R"("")",
                                   "17",
                                   "-3",
                                   "0",
                                   "18446744073709551615",
                                   "123456789012345678901234567890"};
        for (const char* id : ids) {
            CAPTURE(id);
            const auto request = expect<Request>(std::string(R"({"id":)") + id + R"(,"method":"ping"})");
            REQUIRE(request.id.has_value());
            CHECK(request.id->text == id);
            CHECK(*request.params == Json::object());
            CHECK(encode_response(*request.id, Json(nullptr)) ==
                  std::string(R"({"id":)") + id + R"(,"ok":true,"response":null})");
        }
    }

    TEST_CASE("an id of any other type is refused under the id null") {
        for (const char* id : {"1.5", "1e3", "true", "{}", "[1]", "null"}) {
            CAPTURE(id);
            const auto bad = expect<BadLine>(std::string(R"({"id":)") + id + R"(,"method":"ping"})");
            CHECK(bad.id.text == "null");
            CHECK(bad.error.code == Code::bad_arg);
            CHECK(key_of(bad.error) == "id");
        }
    }

    TEST_CASE("a message without an id is a notification") {
        CHECK_FALSE(expect<Request>(R"({"method":"pty.write","params":{"data":"x"}})").id.has_value());
    }

    TEST_CASE("what is no message is a bad line") {
        for (const char* line :
             {"", "hello", "{", "[]", "17", "null", "\"text\"", "{\"id\":1,\"method\":\"ping\"", "{}{}",
              "{\"method\":\"ping\"} x", "{\"method\":\"\xff\"}"}) {
            CAPTURE(line);
            const auto bad = expect<BadLine>(line);
            CHECK(bad.id.text == "null");
            CHECK(bad.error.code == Code::bad_arg);
        }
    }

    TEST_CASE("an object with an id and nothing to do names the missing method") {
        const auto bad = expect<BadLine>(R"({"id":"x"})");
        CHECK(bad.id.text == "\"x\"");
        CHECK(key_of(bad.error) == "method");
        CHECK(key_of(expect<BadLine>(R"({"id":2,"method":5})").error) == "method");
    }

    TEST_CASE("short keys are never read") {
        CHECK(key_of(expect<BadLine>(R"({"id":1,"m":"ping","p":{}})").error) == "method");
        CHECK(key_of(expect<BadLine>(R"({"evt":"log","p":{}})").error) == "method");
        CHECK(expect<Request>(R"({"id":1,"method":"ping","p":{"a":1}})").params->empty());
        CHECK(expect<Answer>(R"({"id":1,"ok":true,"r":{"a":1}})").response.value()->is_null());
    }

    TEST_CASE("params that are no object are named, under the request's id") {
        for (const char* params : {"[]", "null", "\"x\"", "1"}) {
            const auto bad =
                expect<BadLine>(std::string(R"({"id":7,"method":"ping","params":)") + params + "}");
            CHECK(bad.id.text == "7");
            CHECK(key_of(bad.error) == "params");
        }
    }

    TEST_CASE("nesting beyond the bound is a bad line, and no overflow") {
        const std::string deep(200'000, '[');
        CHECK(expect<BadLine>(R"({"id":1,"method":"ping","params":{"a":)" + deep).error.code ==
              Code::bad_arg);
    }

    TEST_CASE("a line may have 16 MiB and no byte more") {
        const std::string head = R"({"id":1,"method":"ping","params":{"a":")";
        std::string line = head + std::string(line_bytes_max - head.size() - 3, 'x') + "\"}}";
        REQUIRE(line.size() == line_bytes_max);
        CHECK(expect<Request>(line).method == "ping");
        line.insert(head.size(), 1, 'x');
        CHECK(expect<BadLine>(line).id.text == "null");
    }

    TEST_CASE("answers and events are told apart from requests") {
        const auto answer = expect<Answer>(R"({"id":"req-1","ok":true,"response":[1,2]})");
        CHECK(answer.id.text == "\"req-1\"");
        CHECK(*answer.response.value() == Json::array({1, 2}));
        const auto event = expect<Event>(R"({"event":"status.changed","params":{"appId":"bridge"}})");
        CHECK(event.name == "status.changed");
        CHECK((*event.params)["appId"] == "bridge");
        CHECK(expect<Event>(R"({"event":"x"})").params->is_object());
        CHECK(
            expect<Answer>(R"({"id":null,"ok":false,"error":{"code":"E_BAD_ARG","message":"m"}})").id.text ==
            "null");
    }

    TEST_CASE("an error answer is the reference document's, and comes back as it went") {
        Error error{Code::bad_arg, "missing required key: appId", 0, {}};
        CHECK(
            encode_error({"\"req-1\""}, error) ==
            R"({"id":"req-1","ok":false,"error":{"code":"E_BAD_ARG","message":"missing required key: appId","details":{}}})");
        error.details = R"({"key":"appId"})";
        const auto answer = expect<Answer>(encode_error({"3"}, error));
        REQUIRE_FALSE(answer.response.has_value());
        CHECK(answer.response.error().code == Code::bad_arg);
        CHECK(answer.response.error().message == error.message);
        CHECK(answer.response.error().details == error.details);
    }

    TEST_CASE("every code survives the wire, and a foreign one stays readable") {
        for (std::size_t i = 0; i < code_count; ++i) {
            const Error error{static_cast<Code>(i), "m", 0, {}};
            CHECK(error_of(error_json(error)).code == error.code);
        }
        const Error foreign = error_of(Json{{"code", "E_COFFEE"}, {"message", "empty"}});
        CHECK(foreign.code == Code::internal);
        CHECK(foreign.message == "E_COFFEE: empty");
        CHECK(error_of(Json(5)).code == Code::internal);
        CHECK(error_of(Json{{"code", 5}, {"message", {}}, {"details", 1}}).code == Code::internal);
        CHECK(error_json({Code::io, "m", 0, "no json"})["details"] == Json::object());
    }

    TEST_CASE("what is encoded is one line and is read as the same") {
        Request request{RequestId{"5"}, "pty.write",
                        std::make_shared<const Json>(Json{{"data", "a\n\"b\""}})};
        const std::string line = encode(request);
        CHECK(line == R"({"id":5,"method":"pty.write","params":{"data":"a\n\"b\""}})");
        CHECK(*expect<Request>(line).params == *request.params);
        CHECK(encode_event("log", Json()) == R"({"event":"log","params":{}})");
    }

    TEST_CASE("a carriage return at the end is not part of the line") {
        CHECK(expect<Request>("{\"id\":1,\"method\":\"ping\"}\r").id->text == "1");
    }

    TEST_CASE("a request's params are kept as they are spelled where that says the same as the tree") {
        const auto spelled = [](std::string_view params) {
            return expect<Request>(R"({"id":1,"method":"ping","params":)" + std::string(params) + "}")
                .params_text;
        };
        for (const char* params :
             {"{}", R"({ "a" : 1.00, "b":[12345678901234567890123] })", R"({"a":"\r"})"}) {
            CHECK(spelled(params) == params);
        }
        CHECK(spelled(" {\"a\":1}\t") == "{\"a\":1}");
        CHECK(spelled(R"({"a":1,"a":2})").empty());
        CHECK(spelled(R"({"a":[{"b":1,"\u0062":2}]})").empty());
        CHECK(spelled("{\"a\":\r1}").empty());
        CHECK(expect<Request>(R"({"id":1,"method":"ping"})").params_text.empty());
        CHECK(expect<Request>(R"({"more":{"x":1,"x":2},"method":"ping","params":{"a":1}})").params_text ==
              R"({"a":1})");
    }

    TEST_CASE("a line takes params and responses that are text already") {
        CHECK(encode_request_text(RequestId{"7"}, "a \"b\"", R"({ "x":1.0 })") ==
              R"({"id":7,"method":"a \"b\"","params":{ "x":1.0 }})");
        CHECK(encode_response_text(RequestId{"\"r\""}, "[ 1.0 ]") ==
              R"({"id":"r","ok":true,"response":[ 1.0 ]})");
    }
}
