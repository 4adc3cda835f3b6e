// What action.invoke starts, until it is over.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conform/checks.h"
#include "conform/jobs.h"
#include "conform/shape.h"

namespace labdeck::conform {

namespace {

constexpr std::int64_t invoke_ns_max = 50'000'000;
constexpr int invoke_tries = 3;

/// A job of a harmless action that is final.
Outcome<Json> finished_job(Context& context) {
    const std::string action = LD_STEP(harmless_action(context));
    const Json accepted = LD_STEP(invoke(context, action));
    return final_job(context, accepted["jobId"]);
}

Json of_app(Context& context, const Json& id) {
    return {{"appId", context.app}, {"jobId", id}};
}

Outcome<Json> jobs_listed(Context& context, Json params) {
    params["appId"] = context.app;
    const Json list = LD_STEP(context.talk.ask("action.job.list", params));
    LD_STEP(check_fields(list, "action.job.list's response", {{"jobs", "array"}}));
    for (const Json& one : list["jobs"]) {
        LD_STEP(check_fields(one, "a listed job", {{"jobId", "string"}, {"state", "string"}}));
    }
    return list["jobs"];
}

}  // namespace

Outcome<> invoke_answers_a_job(Context& context) {
    const std::string action = LD_STEP(harmless_action(context));
    return Talk::drop(invoke(context, action));
}

Outcome<> invoke_is_quick(Context& context) {
    std::string action = LD_STEP(harmless_action(context));
    Json args = Json::object();
    // What takes its time shows best whether the answer waits for it.
    if (const auto slow = slow_action(context)) {
        action = slow->name;
        args = *slow->args;
    }
    // The best of several: a busy machine is not the provider's fault.
    std::int64_t best = INT64_MAX;
    for (int i = 0; i < invoke_tries; ++i) {
        const MonoTime before = mono_now();
        const Json accepted = LD_STEP(invoke(context, action, args));
        best = std::min(best, mono_now().ns - before.ns);
        LD_STEP(context.talk.ask("action.job.cancel", of_app(context, accepted["jobId"])));
    }
    if (best > invoke_ns_max) {
        return fault(fmt::format("{} is accepted within 50 ms, the best of {}", action, invoke_tries),
                     fmt::format("{:.1f} ms", static_cast<double>(best) / 1e6));
    }
    return {};
}

Outcome<> job_fields(Context& context) {
    const std::string action = LD_STEP(harmless_action(context));
    const Json accepted = LD_STEP(invoke(context, action));
    return Talk::drop(job(context, accepted["jobId"]));
}

Outcome<> job_ends(Context& context) {
    const Json done = LD_STEP(finished_job(context));
    LD_STEP(check_fields(done, "a finished job", {{"startedAt", "time|null"}, {"finishedAt", "time"}}));
    if (done["state"] == "succeeded") {
        if (!done["error"].is_null()) return fault("a job that succeeded has no error", done["error"].dump());
        return {};
    }
    return check_error(done["error"]);
}

Outcome<> job_stays_final(Context& context) {
    const Json done = LD_STEP(finished_job(context));
    for (int i = 0; i < 5; ++i) {
        context.talk.listen(20'000'000);
        const Json again = LD_STEP(job(context, done["jobId"]));
        for (const char* key : {"state", "startedAt", "finishedAt", "result", "error"}) {
            if (again[key] != done[key]) {
                return fault(fmt::format("{} stays {}", key, done[key].dump()), again[key].dump());
            }
        }
    }
    return {};
}

Outcome<> jobs_have_their_own_ids(Context& context) {
    const Json one = LD_STEP(finished_job(context));
    const Json two = LD_STEP(finished_job(context));
    if (one["jobId"] == two["jobId"]) return fault("two jobs have two ids", one["jobId"].dump());
    return {};
}

Outcome<> unknown_job(Context& context) {
    for (const char* method : {"action.job.get", "action.job.cancel"}) {
        for (const char* id : {"labdeck-no-such-job", ""}) {
            LD_STEP(context.talk.refused(method, of_app(context, id), "E_NOT_FOUND"));
        }
    }
    return {};
}

Outcome<> job_list(Context& context) {
    const Json older = LD_STEP(finished_job(context));
    const Json newer = LD_STEP(finished_job(context));
    const Json jobs = LD_STEP(jobs_listed(context, Json::object()));
    const auto place = [&](const Json& id) {
        return std::find_if(jobs.begin(), jobs.end(), [&](const Json& one) { return one["jobId"] == id; });
    };
    if (place(older["jobId"]) == jobs.end()) return fault("the list has the job " + older["jobId"].dump());
    if (place(newer["jobId"]) >= place(older["jobId"]))
        return fault("the newer job stands before the older one");
    return {};
}

Outcome<> job_list_filters(Context& context) {
    const Json done = LD_STEP(finished_job(context));
    LD_STEP(finished_job(context));
    const Json one = LD_STEP(jobs_listed(context, {{"limit", 1}}));
    if (one.size() != 1) return fault("one job with limit 1", fmt::format("{} jobs", one.size()));
    const Json same = LD_STEP(jobs_listed(context, {{"state", done["state"]}}));
    if (same.empty()) return fault("a job in the state " + done["state"].dump());
    for (const Json& job : same) {
        if (job["state"] != done["state"]) return fault("only jobs in the state " + done["state"].dump());
    }
    const Json queued = LD_STEP(jobs_listed(context, {{"state", "queued"}, {"limit", 1000}}));
    for (const Json& job : queued) {
        if (job["state"] != "queued") return fault("only jobs in the state queued");
    }
    return {};
}

Outcome<> cancel_of_a_finished_job(Context& context) {
    const Json done = LD_STEP(finished_job(context));
    const Json canceled = LD_STEP(context.talk.ask("action.job.cancel", of_app(context, done["jobId"])));
    LD_STEP(
        check_fields(canceled, "action.job.cancel's response", {{"jobId", "string"}, {"state", "string"}}));
    const Json again = LD_STEP(job(context, done["jobId"]));
    if (canceled["state"] != done["state"] || again["state"] != done["state"]) {
        return fault("the state stays " + done["state"].dump(), again["state"].dump());
    }
    return {};
}

Outcome<> cancel_ends_a_job(Context& context) {
    const std::string action = LD_STEP(harmless_action(context));
    const Json accepted = LD_STEP(invoke(context, action));
    LD_STEP(context.talk.ask("action.job.cancel", of_app(context, accepted["jobId"])));
    const Json done = LD_STEP(final_job(context, accepted["jobId"]));
    context.talk.listen(50'000'000);
    const Json later = LD_STEP(job(context, accepted["jobId"]));
    if (later["state"] != done["state"]) return fault("the state stays " + done["state"].dump());
    return {};
}

Outcome<> slow_job_is_canceled(Context& context) {
    const SlowAction slow = LD_STEP(slow_action(context));
    const Json accepted = LD_STEP(invoke(context, slow.name, *slow.args));
    context.talk.listen(50'000'000);
    LD_STEP(context.talk.ask("action.job.cancel", of_app(context, accepted["jobId"])));
    const Json done = LD_STEP(final_job(context, accepted["jobId"]));
    if (done["state"] != "canceled") return fault("state canceled", done["state"].dump());
    return {};
}

Outcome<> slow_job_times_out(Context& context) {
    const SlowAction slow = LD_STEP(slow_action(context));
    if (slow.timeout_ms <= 0) return skip(slow.name + " declares no timeoutMs");
    if (slow.timeout_ms > 30'000) return skip(slow.name + " times out only after half a minute");
    const Json accepted = LD_STEP(invoke(context, slow.name, *slow.args));
    context.talk.listen(slow.timeout_ms * 1'000'000);
    const Json done = LD_STEP(final_job(context, accepted["jobId"]));
    if (done["state"] != "timeout" || text_of(done["error"], "code") != "E_ACTION_TIMEOUT") {
        return fault("state timeout with E_ACTION_TIMEOUT", done.dump());
    }
    return {};
}

Outcome<> run_alias(Context& context) {
    const std::string action = LD_STEP(harmless_action(context));
    const Json whole = LD_STEP(context.talk.answer(context.talk.request(
        "action.run", {{"app_id", context.app}, {"action_name", action}, {"args", Json::object()}})));
    if (whole["ok"] != true && whole["error"]["code"] == "E_UNSUPPORTED_METHOD") {
        return skip("the provider has no action.run, which the hub does by itself");
    }
    if (whole["ok"] != true) return fault("action.run is carried out");
    const Json& done = whole["response"];
    LD_STEP(check_fields(done, "action.run's response", {{"jobId", "string"}, {"state", "string"}}));
    if (!is_final_state(text_of(done, "state"))) return fault("a final state", done["state"].dump());
    const Json same = LD_STEP(job(context, done["jobId"]));
    if (same["state"] != done["state"])
        return fault("action.job.get tells the same state", same["state"].dump());
    return {};
}

}  // namespace labdeck::conform
