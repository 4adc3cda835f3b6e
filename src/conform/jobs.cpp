#include "conform/jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conform/shape.h"

namespace labdeck::conform {

namespace {

constexpr std::int64_t poll_ns = 10'000'000;
constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t slow_ms_max = 60'000;

bool needs_arguments(const Json& action) {
    return std::any_of(action["args"].begin(), action["args"].end(),
                       [](const Json& arg) { return arg.is_object() && arg.value("required", false); });
}

}  // namespace

Outcome<Json> actions_of(Context& context) {
    const Json list = LD_STEP(context.talk.ask("action.list", {{"appId", context.app}}));
    LD_STEP(check_fields(list, "action.list's response", {{"actions", "array"}}));
    for (const Json& action : list["actions"]) {
        LD_STEP(
            check_fields(action, "an action", {{"name", "string"}, {"label", "string"}, {"args", "array"}}));
    }
    return list["actions"];
}

Outcome<std::string> harmless_action(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    std::string first;
    for (const Json& action : actions) {
        const std::string name = text_of(action, "name");
        if (name == "run_stop") return name;
        if (first.empty() && !needs_arguments(action)) first = name;
    }
    if (first.empty()) return skip("the app has no action that needs no arguments");
    return first;
}

Outcome<SlowAction> slow_action(Context& context) {
    const std::string& named = context.talk.settings().slow;
    const Json actions = LD_STEP(actions_of(context));
    for (const Json& action : actions) {
        if (action["name"] != (named.empty() ? "wait" : named)) continue;
        Json args = Json::object();
        for (const Json& arg : action["args"]) {
            const std::string unit = text_of(arg, "unit");
            if ((unit == "s" || unit == "ms") && arg.contains("max")) args[text_of(arg, "name")] = arg["max"];
        }
        return SlowAction{text_of(action, "name"), std::make_shared<const Json>(std::move(args)),
                          action.value("timeoutMs", std::int64_t{0})};
    }
    return skip("the app has no action that is known to take its time (wait, or --slow ACTION)");
}

Outcome<Json> invoke(Context& context, const std::string& action) {
    return invoke(context, action, Json::object());
}

Outcome<Json> invoke(Context& context, const std::string& action, const Json& args) {
    const Json accepted = LD_STEP(
        context.talk.ask("action.invoke", {{"appId", context.app}, {"actionName", action}, {"args", args}}));
    LD_STEP(check_fields(accepted, "action.invoke's response",
                         {{"jobId", "string"}, {"state", "string"}, {"acceptedAt", "time"}}));
    if (!is_state(text_of(accepted, "state")))
        return fault("state is a job's state", accepted["state"].dump());
    return accepted;
}

Outcome<Json> job(Context& context, const Json& id) {
    const Json now = LD_STEP(context.talk.ask("action.job.get", {{"appId", context.app}, {"jobId", id}}));
    LD_STEP(check_fields(now, "action.job.get's response",
                         {{"jobId", "string"},
                          {"state", "string"},
                          {"startedAt", "time|null"},
                          {"finishedAt", "time|null"},
                          {"result", "any"},
                          {"stdout", "string"},
                          {"stderr", "string"},
                          {"error", "object|null"}}));
    if (now["jobId"] != id) return fault("the job that was asked for: " + id.dump(), now["jobId"].dump());
    if (!is_state(text_of(now, "state"))) return fault("state is a job's state", now["state"].dump());
    return now;
}

Outcome<Json> final_job(Context& context, const Json& id) {
    std::int64_t allowed_ns = context.talk.patience_ns();
    const MonoTime start = mono_now();
    while (true) {
        const Json now = LD_STEP(job(context, id));
        if (is_final_state(text_of(now, "state"))) return now;
        if (now.contains("timeoutMs") && now["timeoutMs"].is_number_integer()) {
            const std::int64_t own_ms =
                std::clamp<std::int64_t>(now["timeoutMs"].get<std::int64_t>(), 0, slow_ms_max);
            allowed_ns = std::max(allowed_ns, context.talk.patience_ns() + own_ms * ns_per_ms);
        }
        if (mono_now().ns - start.ns > allowed_ns) {
            return fault("the job comes to a final state",
                         fmt::format("{} for {} s", text_of(now, "state"), allowed_ns / 1'000'000'000));
        }
        context.talk.listen(poll_ns);
    }
}

}  // namespace labdeck::conform
