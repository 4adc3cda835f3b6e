#include "contract/server.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

struct Bench {
    Dispatcher dispatcher;
    std::vector<std::string> sent;
    std::vector<std::string> logged;
    std::vector<Responder> waiting;
    std::optional<ServerEnd> end;

    Bench() {
        dispatcher.bind("ping", [](const Json&, const Caller&, const Responder& responder) {
            responder.ok(Json{{"pong", true}});
        });
        dispatcher.bind("status.get", [this](const Json&, const Caller&, Responder responder) {
            waiting.push_back(std::move(responder));
        });
        dispatcher.bind("log.write", [](const Json&, const Caller&, const Responder& responder) {
            responder.ok(nullptr);
        });
        dispatcher.bind("config.get", [](const Json&, const Caller&, const Responder& responder) {
            responder.error({Code::unsupported_app, "nobody hosts it", 0, {}});
        });
        dispatcher.bind("events.subscribe",
                        [](const Json& params, const Caller& caller, const Responder& responder) {
                            for (const Json& topic : params["topics"])
                                caller.end->subscribe(topic.get<std::string>());
                            responder.ok(Json{{"subscribed", params["topics"]}});
                        });
        end.emplace(
            dispatcher, [this](std::string lines) { sent.push_back(std::move(lines)); },
            [this](std::string text) { logged.push_back(std::move(text)); });
    }

    std::vector<std::string> say(std::string_view bytes) {
        sent.clear();
        end->receive(bytes);
        return sent;
    }
    bool still_answers() { return say("{\"id\":9,\"method\":\"ping\"}\n").size() == 1; }
};

const std::string pong = R"(,"ok":true,"response":{"pong":true}})"
                         "\n";

}  // namespace

TEST_SUITE("contract/server") {
    TEST_CASE("requests are answered under their ids, however the bytes are cut") {
        const std::string text =
            "{\"id\":\"a\",\"method\":\"ping\"}\n{\"id\":2,\"method\":\"ping\",\"params\":{}}\r\n";
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            Bench bench;
            bench.end->receive(text.substr(0, cut));
            bench.end->receive(text.substr(cut));
            CHECK(bench.sent == std::vector<std::string>{"{\"id\":\"a\"" + pong, "{\"id\":2" + pong});
        }
    }

    TEST_CASE("answers may come in another order than the questions") {
        Bench bench;
        CHECK(bench
                  .say("{\"id\":1,\"method\":\"status\",\"params\":{\"app_id\":\"a\"}}\n"
                       "{\"id\":2,\"method\":\"status.get\",\"params\":{\"appId\":\"b\"}}\n")
                  .empty());
        bench.waiting[1].ok("second");
        bench.waiting[0].ok("first");
        CHECK(bench.sent == std::vector<std::string>{"{\"id\":2,\"ok\":true,\"response\":\"second\"}\n",
                                                     "{\"id\":1,\"ok\":true,\"response\":\"first\"}\n"});
    }

    TEST_CASE("a bad line gets one E_BAD_ARG, and the connection lives on") {
        const std::pair<const char*, const char*> lines[] = {
            {"no json", "null"},
            {"[1]", "null"},
            {"17", "null"},
            {"{\"id\":5}", "5"},
            {"{\"id\":1.5,\"method\":\"ping\"}", "null"},
            {"{\"id\":true,\"method\":\"ping\"}", "null"},
            {"{\"id\":{},\"method\":\"ping\"}", "null"},
            {"{\"id\":null,\"method\":\"ping\"}", "null"},
            {"{\"id\":1,\"method\":\"p\xff\"}", "null"},
            {"{\"id\":6,\"method\":\"ping\",\"params\":[]}", "6"},
            {"{\"id\":7,\"m\":\"ping\"}", "7"},
            {"{\"event\":\"log\"}", "null"},
            {"{\"id\":8,\"ok\":true}", "8"}};
        Bench bench;
        for (const auto& bad : lines) {
            const auto [line, id] = bad;
            CAPTURE(bad.first);
            const auto answers = bench.say(std::string(line) + "\n");
            REQUIRE(answers.size() == 1);
            const Json answer = parse_json(answers[0]).value();
            CHECK(answer["id"].dump() == id);
            CHECK(answer["ok"] == false);
            CHECK(answer["error"]["code"] == "E_BAD_ARG");
            CHECK(bench.still_answers());
        }
    }

    TEST_CASE("a line beyond 16 MiB is answered once and skipped, and the connection lives on") {
        Bench bench;
        const std::string piece(1U << 20, 'x');
        bench.sent.clear();
        for (int i = 0; i < 16; ++i) bench.end->receive(piece);
        CHECK(bench.sent.empty());
        bench.end->receive("x");
        for (int i = 0; i < 4; ++i) bench.end->receive(piece);
        bench.end->receive("\n");
        REQUIRE(bench.sent.size() == 1);
        CHECK(bench.sent[0].starts_with(R"({"id":null,"ok":false,"error":{"code":"E_BAD_ARG")"));
        CHECK(bench.still_answers());
    }

    TEST_CASE("a notification is carried out and never answered, and its failure is logged") {
        Bench bench;
        CHECK(
            bench.say("{\"method\":\"log.write\",\"params\":{\"level\":\"info\",\"text\":\"x\"}}\n").empty());
        CHECK(bench.logged.empty());
        CHECK(bench
                  .say("{\"method\":\"log.write\",\"params\":{}}\n{\"method\":\"nothing\"}\n"
                       "{\"method\":\"config.get\",\"params\":{\"appId\":\"x\"}}\n")
                  .empty());
        REQUIRE(bench.logged.size() == 3);
        CHECK(bench.logged[0].find("E_BAD_ARG") != std::string::npos);
        CHECK(bench.logged[1].find("E_UNSUPPORTED_METHOD") != std::string::npos);
        CHECK(bench.logged[2].find("E_UNSUPPORTED_APP") != std::string::npos);
    }

    TEST_CASE("method, params and app are checked in this order") {
        Bench bench;
        const auto code = [&](const char* line) {
            return parse_json(bench.say(line).at(0)).value()["error"]["code"];
        };
        CHECK(code("{\"id\":1,\"method\":\"nothing\",\"params\":{}}\n") == "E_UNSUPPORTED_METHOD");
        CHECK(code("{\"id\":1,\"method\":\"config.get\",\"params\":{}}\n") == "E_BAD_ARG");
        CHECK(code("{\"id\":1,\"method\":\"config.get\",\"params\":{\"appId\":\"x\"}}\n") ==
              "E_UNSUPPORTED_APP");
    }

    TEST_CASE("events come only after they were subscribed to, and subscriptions add up") {
        Bench bench;
        const auto publish = [&](const char* event) {
            bench.sent.clear();
            bench.end->publish(event, Json{{"n", 1}});
            bench.end->publish_encoded(event, encode_event(event, Json{{"n", 1}}) + "\n");
            return bench.sent.size();
        };
        CHECK(publish("log") == 0);
        bench.say("{\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"topics\":[\"log\"]}}\n");
        CHECK(publish("log") == 2);
        CHECK(publish("status.changed") == 0);
        bench.say(
            "{\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"topics\":[\"status.changed\",\"job_"
            "changed\"]}}\n");
        CHECK(publish("log") == 2);
        CHECK(publish("status.changed") == 2);
        CHECK(publish("job.changed") == 2);
        CHECK(bench.end->topics().size() == 3);
        CHECK(publish("traffic") == 0);
        bench.end->push("pty.data", Json{{"sessionId", "s"}});
        CHECK(bench.sent.back() == "{\"event\":\"pty.data\",\"params\":{\"sessionId\":\"s\"}}\n");
    }

    TEST_CASE("an answer that comes after the connection is gone goes nowhere") {
        Bench bench;
        bench.say("{\"id\":1,\"method\":\"status.get\",\"params\":{\"appId\":\"a\"}}\n");
        bench.end.reset();
        bench.waiting[0].ok("late");
        CHECK(bench.sent.empty());
    }

    TEST_CASE("a last line without a newline is read when the peer closes its side") {
        Bench bench;
        CHECK(bench.say("{\"id\":1,\"method\":\"ping\"}").empty());
        bench.end->finish();
        CHECK(bench.sent == std::vector<std::string>{"{\"id\":1" + pong});
    }

    TEST_CASE("a request of the same process is answered through its own responder") {
        Bench bench;
        Result<Json> got = Json();
        const Request request{RequestId{"1"}, "ping", nullptr};
        bench.end->receive(request, Responder([&](Result<Json> result) { got = std::move(result); }));
        CHECK(got.value()["pong"] == true);
        CHECK(bench.sent.empty());
    }

    TEST_CASE("a response that is JSON text goes out as it is spelled, under the asker's id") {
        Bench bench;
        bench.say("{\"id\":\"q\",\"method\":\"status.get\",\"params\":{\"appId\":\"a\"}}\n");
        bench.waiting[0].ok_text(R"({ "big":12345678901234567890123 })");
        bench.waiting[0].ok_text("2");
        bench.waiting[0].ok(3);
        CHECK(bench.sent ==
              std::vector<std::string>{R"({"id":"q","ok":true,"response":{ "big":12345678901234567890123 }})"
                                       "\n"});
    }

    TEST_CASE("a response that is JSON text goes nowhere after the connection is gone") {
        Bench bench;
        bench.say("{\"id\":1,\"method\":\"status.get\",\"params\":{\"appId\":\"a\"}}\n");
        bench.end.reset();
        bench.waiting[0].ok_text("1");
        CHECK(bench.sent.empty());
    }
}
