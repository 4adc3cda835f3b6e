#include "contract/dispatcher.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

struct Asked {
    int answers = 0;
    Result<Json> last = Json();
    Responder responder() {
        return Responder([this](Result<Json> result) {
            ++answers;
            last = std::move(result);
        });
    }
};

Request request(std::string method, Json params = Json::object()) {
    return {RequestId{"1"}, std::move(method), std::make_shared<const Json>(std::move(params))};
}

}  // namespace

TEST_SUITE("contract/dispatcher") {
    TEST_CASE("a call reaches its handler, under any spelling, with its params") {
        Dispatcher dispatcher;
        std::string app;
        dispatcher.bind("status.get", [&](const Json& params, const Caller&, const Responder& responder) {
            app = params["appId"];
            responder.ok(Json{{"appId", app}});
        });
        CHECK(dispatcher.bound("status.get"));
        CHECK_FALSE(dispatcher.bound("ping"));
        Asked asked;
        dispatcher.dispatch(request("status.get", {{"appId", "bridge"}}), {}, asked.responder());
        CHECK(app == "bridge");
        dispatcher.dispatch(request("status", {{"app_id", "40318"}}), {}, asked.responder());
        CHECK(app == "40318");
        CHECK(asked.answers == 2);
        // The canonical spelling goes with the canonical keys.
        dispatcher.dispatch(request("status.get", {{"app_id", "x"}}), {}, asked.responder());
        CHECK(asked.last.error().code == Code::bad_arg);
    }

    TEST_CASE("an unknown or unbound method is told before anything about params") {
        const Dispatcher dispatcher;
        for (const char* method : {"no.such", "status.get", ""}) {
            Asked asked;
            dispatcher.dispatch(request(method), {}, asked.responder());
            CHECK(asked.answers == 1);
            CHECK(asked.last.error().code == Code::unsupported_method);
        }
    }

    TEST_CASE("a wrong param keeps the handler from being called") {
        Dispatcher dispatcher;
        dispatcher.bind("status.get",
                        [](const Json&, const Caller&, const Responder&) { FAIL("was called"); });
        Asked asked;
        dispatcher.dispatch(request("status.get", {{"appId", 1}}), {}, asked.responder());
        CHECK(asked.last.error().details == R"({"key":"appId"})");
    }

    TEST_CASE("an answer may come later, and only the first one counts") {
        Dispatcher dispatcher;
        std::optional<Responder> kept;
        dispatcher.bind(
            "ping", [&](const Json&, const Caller&, Responder responder) { kept = std::move(responder); });
        Asked asked;
        dispatcher.dispatch(request("ping"), {}, asked.responder());
        CHECK(asked.answers == 0);
        const Responder copy = *kept;
        kept->ok(1);
        copy.ok(2);
        kept.reset();
        CHECK(asked.answers == 1);
        CHECK(asked.last.value() == 1);
    }

    TEST_CASE("a handler that drops its responder is answered for") {
        Dispatcher dispatcher;
        dispatcher.bind("ping", [](const Json&, const Caller&, const Responder&) {});
        Asked asked;
        dispatcher.dispatch(request("ping"), {}, asked.responder());
        CHECK(asked.answers == 1);
        CHECK(asked.last.error().code == Code::internal);
        CHECK(asked.last.error().message == "the handler gave no answer");
    }

    TEST_CASE("an exception in a handler is an answer, not an end") {
        Dispatcher dispatcher;
        dispatcher.bind(
            "ping", [](const Json& params, const Caller&, const Responder&) { (void)params.at("missing"); });
        Asked asked;
        dispatcher.dispatch(request("ping"), {}, asked.responder());
        CHECK(asked.answers == 1);
        CHECK(asked.last.error().code == Code::internal);
    }

    TEST_CASE("who takes trees alone gets a tree of a response that is text") {
        Asked asked;
        asked.responder().ok_text(R"({"a":[1]})");
        CHECK(asked.answers == 1);
        CHECK(asked.last.value()["a"][0] == 1);
    }

    TEST_CASE("a handler sees the params as they are spelled, but not where keys were renamed") {
        Dispatcher dispatcher;
        std::string spelled;
        dispatcher.bind("status.get", [&](const Json&, const Caller& caller, const Responder& responder) {
            spelled = caller.params_text;
            responder.ok(nullptr);
        });
        Asked asked;
        Request asking = request("status.get", {{"appId", "x"}});
        asking.params_text = R"({ "appId":"x" })";
        dispatcher.dispatch(asking, {}, asked.responder());
        CHECK(spelled == asking.params_text);
        asking.method = "status";
        dispatcher.dispatch(asking, {}, asked.responder());
        CHECK(spelled.empty());
    }
}
