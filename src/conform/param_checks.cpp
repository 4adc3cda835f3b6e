// Params that are missing, mistyped, out of range, or name nothing.
#include <array>
#include <nlohmann/json.hpp>

#include "conform/checks.h"

namespace labdeck::conform {

namespace {

struct Call {
    std::string_view method;
    const char* rest;  ///< The other params, JSON.
};
/// Every method that asks for an app.
constexpr std::array<Call, 8> calls = {{
    {"status.get", "{}"},
    {"config.get", "{}"},
    {"config.set", R"({"key":"x","value":1})"},
    {"action.list", "{}"},
    {"action.invoke", R"({"actionName":"x","args":{}})"},
    {"action.job.get", R"({"jobId":"x"})"},
    {"action.job.cancel", R"({"jobId":"x"})"},
    {"action.job.list", "{}"},
}};

Outcome<> bad(Talk& talk, std::string_view method, const Json& params, std::string_view key) {
    return Talk::drop(talk.refused(method, params, "E_BAD_ARG", key));
}

}  // namespace

Outcome<> app_id_is_missing(Context& context) {
    for (const Call& call : calls) LD_STEP(bad(context.talk, call.method, Json::parse(call.rest), "appId"));
    return {};
}

Outcome<> app_id_is_mistyped(Context& context) {
    for (const Call& call : calls) {
        for (const Json& wrong : {Json(3), Json(nullptr), Json::array({"x"})}) {
            Json params = Json::parse(call.rest);
            params["appId"] = wrong;
            LD_STEP(bad(context.talk, call.method, params, "appId"));
        }
    }
    return {};
}

Outcome<> app_is_unknown(Context& context) {
    for (const Call& call : calls) {
        Json params = Json::parse(call.rest);
        params["appId"] = "labdeck-no-such-app";
        LD_STEP(context.talk.refused(call.method, params, "E_UNSUPPORTED_APP"));
    }
    return {};
}

Outcome<> params_are_checked_before_the_app(Context& context) {
    const std::string app = "labdeck-no-such-app";
    LD_STEP(bad(context.talk, "config.set", {{"appId", app}, {"value", 1}}, "key"));
    LD_STEP(bad(context.talk, "action.invoke", {{"appId", app}}, "actionName"));
    return bad(context.talk, "action.job.get", {{"appId", app}}, "jobId");
}

Outcome<> config_set_params(Context& context) {
    const std::string& app = context.app;
    LD_STEP(bad(context.talk, "config.set", {{"appId", app}, {"value", 1}}, "key"));
    LD_STEP(bad(context.talk, "config.set", {{"appId", app}, {"key", 7}, {"value", 1}}, "key"));
    return bad(context.talk, "config.set", {{"appId", app}, {"key", "x"}}, "value");
}

Outcome<> invoke_params(Context& context) {
    const std::string& app = context.app;
    LD_STEP(bad(context.talk, "action.invoke", {{"appId", app}, {"args", Json::object()}}, "actionName"));
    LD_STEP(bad(context.talk, "action.invoke", {{"appId", app}, {"actionName", 7}}, "actionName"));
    LD_STEP(bad(context.talk, "action.invoke",
                {{"appId", app}, {"actionName", "labdeck"}, {"args", Json::array({1})}}, "args"));
    return bad(context.talk, "action.invoke", {{"appId", app}, {"actionName", "labdeck"}, {"args", "x"}},
               "args");
}

Outcome<> job_params(Context& context) {
    for (const char* method : {"action.job.get", "action.job.cancel"}) {
        LD_STEP(bad(context.talk, method, {{"appId", context.app}}, "jobId"));
        LD_STEP(bad(context.talk, method, {{"appId", context.app}, {"jobId", 7}}, "jobId"));
    }
    return {};
}

Outcome<> job_list_params(Context& context) {
    for (const Json& wrong : {Json(0), Json(-1), Json("ten"), Json(1.5)}) {
        LD_STEP(bad(context.talk, "action.job.list", {{"appId", context.app}, {"limit", wrong}}, "limit"));
    }
    for (const Json& wrong : {Json("asleep"), Json(7)}) {
        LD_STEP(bad(context.talk, "action.job.list", {{"appId", context.app}, {"state", wrong}}, "state"));
    }
    return {};
}

Outcome<> subscribe_params(Context& context) {
    const Json whole = LD_STEP(context.talk.answer(context.talk.request("events.subscribe")));
    if (whole["ok"] != true && whole["error"]["code"] == "E_UNSUPPORTED_METHOD") {
        return skip("the provider has no events.subscribe, which is optional");
    }
    LD_STEP(bad(context.talk, "events.subscribe", Json::object(), "topics"));
    LD_STEP(bad(context.talk, "events.subscribe", {{"topics", "log"}}, "topics"));
    return bad(context.talk, "events.subscribe", {{"topics", Json::array({"log", 7})}}, "topics");
}

}  // namespace labdeck::conform
