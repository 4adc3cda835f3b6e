// events.subscribe and what comes after it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "conform/checks.h"
#include "conform/jobs.h"
#include "conform/shape.h"

namespace labdeck::conform {

namespace {

constexpr std::int64_t late_ns = 100'000'000;

/// Listens until an event passes the look, for as long as an answer may take.
Outcome<Json> wait_for(Context& context, std::string_view name,
                       const std::function<bool(const Json&)>& look) {
    std::shared_ptr<const Json> found;
    const auto enough = [&] {
        for (const Talk::Event& event : context.talk.events()) {
            if (event.name == name && look(*event.params)) found = event.params;
        }
        return found != nullptr;
    };
    context.talk.listen(context.talk.patience_ns(), enough);
    if (found == nullptr) return fault(fmt::format("an event {}", name), "no such event");
    return *found;
}

/// Starts the app and stops it again: what is most likely to be told to subscribers.
Outcome<> start_and_stop(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    bool any = false;
    for (const char* name : {"run_start", "run_stop"}) {
        const bool there =
            std::any_of(actions.begin(), actions.end(), [&](const Json& a) { return a["name"] == name; });
        if (!there) continue;
        any = true;
        const Json accepted = LD_STEP(invoke(context, name));
        LD_STEP(final_job(context, accepted["jobId"]));
    }
    if (!any) return skip("the app has neither run_start nor run_stop");
    return {};
}

/// The states that job.changed told of one job, in their order.
std::vector<std::string> states_told(Talk& talk, const Json& id) {
    std::vector<std::string> states;
    for (const Talk::Event& event : talk.events()) {
        if (event.name == "job.changed" && event.params->value("jobId", Json()) == id) {
            states.push_back(text_of(*event.params, "state"));
        }
    }
    return states;
}

int rank(std::string_view state) {
    if (state == "queued") return 0;
    return state == "running" ? 1 : 2;
}

}  // namespace

Outcome<> no_event_before_subscribe(Context& context) {
    context.talk.listen(late_ns);
    if (context.talk.event_count() != 0) {
        return fault("no event before events.subscribe",
                     fmt::format("{} events", context.talk.event_count()));
    }
    return {};
}

Outcome<> subscribe_answers_topics(Context& context) {
    for (const Json& topics : {Json::array({"status.changed", "log"}), Json::array()}) {
        const Json whole =
            LD_STEP(context.talk.answer(context.talk.request("events.subscribe", {{"topics", topics}})));
        if (whole["ok"] != true && whole["error"]["code"] == "E_UNSUPPORTED_METHOD") {
            return skip("the provider has no events.subscribe, which is optional");
        }
        if (whole["ok"] != true) return fault("events.subscribe is carried out");
        LD_STEP(check_fields(whole["response"], "events.subscribe's response", {{"subscribed", "array"}}));
        for (const Json& topic : topics) {
            const Json& subscribed = whole["response"]["subscribed"];
            if (std::find(subscribed.begin(), subscribed.end(), topic) == subscribed.end()) {
                return fault("subscribed has " + topic.dump(), subscribed.dump());
            }
        }
    }
    return {};
}

Outcome<> subscriptions_add_up(Context& context) {
    // status.changed was subscribed to before; job.changed comes on top.
    LD_STEP(context.talk.subscribe());
    const Json whole = LD_STEP(
        context.talk.answer(context.talk.request("events.subscribe", {{"topics", Json::array({"log"})}})));
    if (whole["ok"] != true) return fault("events.subscribe may be called again");
    const std::string action = LD_STEP(harmless_action(context));
    const Json accepted = LD_STEP(invoke(context, action));
    return Talk::drop(wait_for(context, "job.changed", [&](const Json& params) {
        return params.value("jobId", Json()) == accepted["jobId"];
    }));
}

Outcome<> job_changed_arrives(Context& context) {
    LD_STEP(context.talk.subscribe());
    const std::string action = LD_STEP(harmless_action(context));
    const Json accepted = LD_STEP(invoke(context, action));
    const Json told = LD_STEP(wait_for(context, "job.changed", [&](const Json& params) {
        return params.value("jobId", Json()) == accepted["jobId"] && is_final_state(text_of(params, "state"));
    }));
    if (text_of(told, "appId") != context.app)
        return fault("job.changed names its app, " + context.app, told.dump());
    const std::vector<std::string> states = states_told(context.talk, accepted["jobId"]);
    if (!std::is_sorted(states.begin(), states.end(),
                        [](const auto& a, const auto& b) { return rank(a) < rank(b); })) {
        return fault("queued, running, and then a final state", fmt::format("{}", fmt::join(states, ", ")));
    }
    return {};
}

Outcome<> one_final_state_is_told(Context& context) {
    LD_STEP(context.talk.subscribe());
    const std::string action = LD_STEP(harmless_action(context));
    std::vector<Json> ids;
    for (const bool cancel : {false, true}) {
        const Json accepted = LD_STEP(invoke(context, action));
        ids.push_back(accepted["jobId"]);
        if (!cancel) continue;
        LD_STEP(
            context.talk.ask("action.job.cancel", {{"appId", context.app}, {"jobId", accepted["jobId"]}}));
    }
    for (const Json& id : ids) LD_STEP(final_job(context, id));
    context.talk.listen(late_ns);
    for (const Json& id : ids) {
        const std::vector<std::string> states = states_told(context.talk, id);
        const auto finals =
            std::count_if(states.begin(), states.end(), [](const auto& s) { return is_final_state(s); });
        if (finals != 1) {
            return fault("one final state of job " + id.dump(), fmt::format("{}", fmt::join(states, ", ")));
        }
    }
    return {};
}

Outcome<> status_changed_arrives(Context& context) {
    LD_STEP(context.talk.subscribe());
    context.talk.forget_events();
    LD_STEP(start_and_stop(context));
    return Talk::drop(wait_for(context, "status.changed",
                               [&](const Json& params) { return text_of(params, "appId") == context.app; }));
}

Outcome<> log_arrives(Context& context) {
    LD_STEP(context.talk.subscribe());
    context.talk.forget_events();
    LD_STEP(start_and_stop(context));
    const Json log = LD_STEP(wait_for(context, "log", [](const Json&) { return true; }));
    return check_fields(log, "log's params",
                        {{"appId", "string"}, {"level", "string"}, {"text", "string"}, {"time", "time"}});
}

Outcome<> events_speak_of_hosted_apps(Context& context) {
    LD_STEP(context.talk.subscribe());
    context.talk.listen(late_ns);
    std::set<std::string> apps;
    for (const Talk::Event& event : context.talk.events()) {
        LD_STEP(check_fields(*event.params, event.name, {{"appId", "string"}}));
        apps.insert(text_of(*event.params, "appId"));
    }
    for (const std::string& app : apps) LD_STEP(context.talk.ask("status.get", {{"appId", app}}));
    return {};
}

}  // namespace labdeck::conform
