#include "contract/client.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <vector>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

struct Bench {
    std::vector<std::string> sent;
    std::vector<std::string> noise;
    std::vector<std::string> events;
    std::vector<std::string> answers;
    ClientEnd client{[this](std::string lines) { sent.push_back(std::move(lines)); }};

    Bench() {
        client.on_event([this](const Event& event) { events.push_back(event.name); });
        client.on_noise([this](std::string_view, const Error& why) { noise.push_back(why.message); });
    }
    void pass(const std::string& label, std::string_view params = "{}", MonoTime deadline = {}) {
        client.pass_on(
            "status.get", params,
            [this, label](const ClientEnd::Passed& passed) {
                if (const auto* text = std::get_if<std::string_view>(&passed)) {
                    answers.push_back(label + "~" + std::string(*text));
                    return;
                }
                const auto& answer = std::get<1>(passed);
                answers.push_back(label +
                                  (answer ? "=" + (*answer)->dump() : "!" + describe(answer.error())));
            },
            deadline);
    }
    void ask(const std::string& label, MonoTime deadline = {}) {
        client.request(
            "ping", Json(),
            [this, label](Result<std::shared_ptr<const Json>> answer) {
                answers.push_back(label +
                                  (answer ? "=" + (*answer)->dump() : "!" + describe(answer.error())));
            },
            deadline);
    }
};

}  // namespace

TEST_SUITE("contract/client") {
    TEST_CASE("answers find their questions in any order, with events between them") {
        Bench bench;
        bench.ask("a");
        bench.ask("b");
        CHECK(bench.sent[0] == "{\"id\":1,\"method\":\"ping\",\"params\":{}}\n");
        bench.client.receive(
            "{\"id\":2,\"ok\":true,\"response\":2}\n{\"event\":\"log\",\"params\":{}}\n{\"id\":1,\"ok\":fal");
        bench.client.receive("se,\"error\":{\"code\":\"E_BUSY\",\"message\":\"held\"}}\n");
        CHECK(bench.answers == std::vector<std::string>{"b=2", "a!E_BUSY: held"});
        CHECK(bench.events == std::vector<std::string>{"log"});
        CHECK(bench.client.pending() == 0);
        CHECK(bench.noise.empty());
    }

    TEST_CASE("what is no answer to a question is noise, and the rest is still read") {
        Bench bench;
        bench.ask("a");
        bench.client.receive(
            "Traceback\n{\"id\":7,\"ok\":true}\n{\"id\":\"1\",\"ok\":true}\n{\"id\":3,\"method\":\"ping\"}\n"
            "{\"id\":null,\"ok\":false,\"error\":{}}\n{\"id\":1,\"ok\":true,\"response\":null}\n");
        CHECK(bench.noise.size() == 5);
        CHECK(bench.answers == std::vector<std::string>{"a=null"});
        bench.client.receive("{\"id\":1,\"ok\":true,\"response\":null}\n");
        CHECK(bench.noise.size() == 6);
    }

    TEST_CASE("a request ends with E_TIMEOUT when its deadline has passed") {
        Bench bench;
        bench.ask("late", MonoTime{100});
        bench.ask("later", MonoTime{200});
        bench.ask("patient");
        CHECK(bench.client.expire(MonoTime{99}) == MonoTime{100});
        CHECK(bench.client.expire(MonoTime{100}) == MonoTime{200});
        CHECK(bench.answers == std::vector<std::string>{"late!E_TIMEOUT: no answer in time"});
        CHECK(bench.client.expire(MonoTime{500}) == MonoTime{0});
        CHECK(bench.client.pending() == 1);
    }

    TEST_CASE("a connection that is gone ends every request, also later ones") {
        Bench bench;
        bench.ask("a");
        bench.client.close({Code::io, "gone", 0, {}});
        bench.ask("b");
        bench.client.notify("log.write", Json());
        CHECK(bench.answers == std::vector<std::string>{"a!E_IO: gone", "b!E_IO: gone"});
        CHECK(bench.sent.size() == 1);
    }

    TEST_CASE("a request that no line can hold is refused at once") {
        Bench bench;
        bool refused = false;
        bench.client.request("log.write", Json{{"text", std::string(line_bytes_max, 'x')}},
                             [&](const Result<std::shared_ptr<const Json>>& answer) {
                                 refused = !answer && answer.error().code == Code::bad_arg;
                             });
        CHECK(refused);
        CHECK(bench.sent.empty());
        CHECK(bench.client.pending() == 0);
    }

    TEST_CASE("a notification has no id") {
        Bench bench;
        bench.client.notify("pty.write", Json{{"data", "x"}});
        CHECK(bench.sent[0] == "{\"method\":\"pty.write\",\"params\":{\"data\":\"x\"}}\n");
        CHECK(bench.client.pending() == 0);
    }

    TEST_CASE("an answer's callback may ask again") {
        Bench bench;
        bench.client.request("ping", Json(), [&](const auto&) { bench.ask("second"); });
        bench.client.receive("{\"id\":1,\"ok\":true}\n{\"id\":2,\"ok\":true}\n");
        CHECK(bench.answers == std::vector<std::string>{"second=null"});
    }

    TEST_CASE("a peer of another interface or another major version is refused, saying so") {
        const auto peer = [](Json name, Json version) {
            return check_peer(Json{{"pong", true},
                                   {"interfaceName", std::move(name)},
                                   {"interfaceVersion", std::move(version)}});
        };
        CHECK(peer("generic-process-interface", 1));
        CHECK(peer("generic-process-interface", 1.4));
        CHECK(peer("generic-process-interface", "1.4"));
        CHECK(peer("coffee", 1).error().message.find("coffee") != std::string::npos);
        CHECK(peer("generic-process-interface", 2).error().message.find("version 2") != std::string::npos);
        for (const Json& version : {Json(0), Json("2"), Json("1x"), Json(""), Json(nullptr), Json(true)}) {
            CHECK_FALSE(peer("generic-process-interface", version));
        }
        CHECK_FALSE(check_peer(Json("pong")));
        CHECK_FALSE(check_peer(Json::object()));
    }

    TEST_CASE("a question is passed on with its params as they are spelled, and so is a good answer") {
        Bench bench;
        bench.pass("a", R"({ "appId":"x", "big":12345678901234567890123, "one":1.00 })");
        CHECK(
            bench.sent[0] ==
            R"({"id":1,"method":"status.get","params":{ "appId":"x", "big":12345678901234567890123, "one":1.00 }})"
            "\n");
        bench.client.receive(R"({"id":1,"ok":true,"response":{ "big":12345678901234567890123, "one":1.00 }})"
                             "\n");
        CHECK(bench.answers ==
              std::vector<std::string>{R"(a~{ "big":12345678901234567890123, "one":1.00 })"});
        CHECK(bench.client.pending() == 0);
    }

    TEST_CASE("an answer that cannot be passed on as it is spelled comes as a tree or an error") {
        Bench bench;
        for (const char* label : {"a", "b", "c", "d"}) bench.pass(label);
        bench.client.receive(R"({"id":1,"ok":true,"response":{"x":1,"x":2}})"
                             "\n"
                             R"({"id":2,"ok":false,"error":{"code":"E_BUSY","message":"held"}})"
                             "\n"
                             R"({"id":3,"ok":true})"
                             "\n");
        bench.client.close({Code::io, "gone", 0, {}});
        bench.pass("e");
        CHECK(bench.answers == std::vector<std::string>{R"(a={"x":1})", "b!E_BUSY: held", "c=null",
                                                        "d!E_IO: gone", "e!E_IO: gone"});
        CHECK(bench.noise.empty());
    }

    TEST_CASE("among questions that are passed on, a tree is still a tree and noise is still noise") {
        Bench bench;
        bench.pass("passed");
        bench.ask("asked");
        bench.pass("late", "{}", MonoTime{100});
        bench.client.expire(MonoTime{100});
        bench.client.receive(
            "{\"id\":2,\"ok\":true,\"response\":1.0}\n"
            "{\"id\":3,\"ok\":true,\"response\":1.0}\n"
            "{\"id\":1,\"ok\":true,\"response\":1e400}\n"
            "{\"id\":1,\"ok\":true,\"response\":1.0}\n"
            "{\"id\":1,\"ok\":true,\"response\":1.0}\n");
        CHECK(bench.answers ==
              std::vector<std::string>{"late!E_TIMEOUT: no answer in time", "asked=1.0", "passed~1.0"});
        CHECK(bench.noise.size() == 3);
    }

    TEST_CASE("params that no line can hold are refused at once, passed on or not") {
        Bench bench;
        bench.pass("a", "{\"text\":\"" + std::string(line_bytes_max, 'x') + "\"}");
        REQUIRE(bench.answers.size() == 1);
        CHECK(bench.answers[0].starts_with("a!E_BAD_ARG"));
        CHECK(bench.sent.empty());
    }

    TEST_CASE("deadlines are kept to after earlier ones were met") {
        Bench bench;
        bench.ask("early", MonoTime{100});
        bench.ask("later", MonoTime{300});
        bench.client.receive("{\"id\":1,\"ok\":true}\n");
        const MonoTime look = bench.client.expire(MonoTime{90});
        CHECK(look.ns > 0);
        CHECK(look <= MonoTime{300});
        CHECK(bench.client.expire(MonoTime{200}) == MonoTime{300});
        CHECK(bench.client.expire(MonoTime{300}) == MonoTime{0});
        CHECK(bench.answers == std::vector<std::string>{"early=null", "later!E_TIMEOUT: no answer in time"});
    }
}
