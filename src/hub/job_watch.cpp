#include "hub/job_watch.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "contract/envelope.h"

namespace labdeck::hub {

using contract::Json;

namespace {

constexpr std::size_t ended_max = 1000;
constexpr std::size_t over_max = 1000;
constexpr std::size_t open_max = 10'000;
constexpr std::size_t actions_max = 1000;  // Of an app.
constexpr std::int64_t ask_after_ns = 5'000'000'000;
constexpr std::size_t asked_max = 16;
constexpr std::int64_t ns_per_ms = 1'000'000;
/// The provider's own clock comes first.
constexpr std::int64_t grace_ns = 2'000'000'000;
constexpr std::int64_t timeout_ms_max = 7 * 24 * 3'600'000LL;

std::string text_of(const Json& job, const char* key) {
    const auto it = job.find(key);
    return it != job.end() && it->is_string() ? it->get<std::string>() : std::string();
}

bool is_final(std::string_view state) {
    static constexpr std::array<std::string_view, 5> finals = {"succeeded", "failed", "timeout", "canceled",
                                                               "cancelled"};
    return std::find(finals.begin(), finals.end(), state) != finals.end();
}

}  // namespace

void JobWatch::note(const std::string& app, const Json& job, MonoTime now) {
    if (!job.is_object()) return;
    const std::string id = text_of(job, "jobId");
    if (id.empty() || !news(app, job)) return;
    if (const auto former = find_ended(app, id); former != ended_.end()) ended_.erase(former);
    const Key key{app, id};
    if (is_final(text_of(job, "state"))) {
        open_.erase(key);
        over_.add(key);
        return;
    }
    if (over_.keys.contains(key)) return;
    auto it = open_.find(key);
    if (it == open_.end()) {
        // A provider that makes up jobs without end must not take our memory.
        if (open_.size() >= open_max) return;
        it = open_.emplace(key, Open{std::make_shared<Json>(Json::object()), {}, now}).first;
    }
    Open& open = it->second;
    open.heard = now;
    for (const auto& [name, value] : job.items()) (*open.job)[name] = value;
    if (!open.job->contains("timeoutMs")) {
        const auto known = timeouts_ms_.find({app, text_of(*open.job, "actionName")});
        if (known != timeouts_ms_.end()) (*open.job)["timeoutMs"] = known->second;
    }
    const auto timeout = open.job->find("timeoutMs");
    if (open.deadline.ns == 0 && text_of(job, "state") == "running" && timeout != open.job->end() &&
        timeout->is_number_integer() && *timeout > 0 && *timeout < timeout_ms_max) {
        open.deadline = {now.ns + timeout->get<std::int64_t>() * ns_per_ms + grace_ns};
    }
}

bool JobWatch::Latest::add(const Key& key) {
    if (!keys.insert(key).second) return false;
    order.push_back(key);
    if (order.size() <= over_max) return true;
    keys.erase(order.front());
    order.pop_front();
    return true;
}

void JobWatch::Latest::forget(const std::function<bool(const Key&)>& which) {
    std::erase_if(order, which);
    std::erase_if(keys, which);
}

bool JobWatch::may_tell(const std::string& app, const Json& job) {
    const Key key{app, text_of(job, "jobId")};
    if (is_final(text_of(job, "state"))) return told_.add(key);
    return !told_.keys.contains(key);
}

std::optional<Json> JobWatch::respelled(const Json& job) {
    if (!job.is_object()) return std::nullopt;
    const auto jobs = job.find("jobs");
    const bool listed =
        jobs != job.end() && jobs->is_array() && std::any_of(jobs->begin(), jobs->end(), [](const Json& one) {
            return one.is_object() && text_of(one, "state") == "cancelled";
        });
    if (text_of(job, "state") != "cancelled" && !listed) return std::nullopt;
    Json copy = job;
    if (text_of(job, "state") == "cancelled") copy["state"] = "canceled";
    if (!listed) return copy;
    for (Json& one : copy["jobs"]) {
        if (one.is_object() && text_of(one, "state") == "cancelled") one["state"] = "canceled";
    }
    return copy;
}

void JobWatch::know_actions(const std::string& app, const Json& response) {
    const auto actions = response.find("actions");
    if (!response.is_object() || actions == response.end() || !actions->is_array()) return;
    std::size_t known = 0;
    for (const Json& action : *actions) {
        const std::string name = action.is_object() ? text_of(action, "name") : std::string();
        if (name.empty() || ++known > actions_max) continue;
        const auto timeout = action.find("timeoutMs");
        const bool given = timeout != action.end() && timeout->is_number_integer() && *timeout > 0;
        if (given) {
            timeouts_ms_[{app, name}] = timeout->get<std::int64_t>();
        } else {
            timeouts_ms_.erase({app, name});
        }
    }
}

bool JobWatch::news(const std::string& app, const Json& job) const {
    if (ended_.empty() || !job.is_object()) return true;
    const auto ended = find_ended(app, text_of(job, "jobId"));
    return ended == ended_.end() || ended->provider_gone;
}

JobWatch::Ended JobWatch::lose(const std::vector<std::string>& apps, const Error& why) {
    const auto is_lost = [&apps](const std::string& app) {
        return std::find(apps.begin(), apps.end(), app) != apps.end();
    };
    Ended lost;
    for (auto it = open_.begin(); it != open_.end();) {
        const auto here = it++;
        const std::string app = here->first.first;
        if (is_lost(app)) lost.push_back(end(app, open_.extract(here).mapped(), "failed", why));
    }
    // The next life may count its jobs from one again.
    for (Latest* latest : {&over_, &told_})
        latest->forget([&](const Key& key) { return is_lost(key.first); });
    std::erase_if(timeouts_ms_, [&](const auto& known) { return is_lost(known.first.first); });
    for (EndedJob& one : ended_) one.provider_gone = one.provider_gone || is_lost(one.app);
    return lost;
}

JobWatch::Ended JobWatch::expire(MonoTime now) {
    Ended late;
    for (auto it = open_.begin(); it != open_.end();) {
        const auto here = it++;
        if (here->second.deadline.ns == 0 || here->second.deadline > now) continue;
        const std::string app = here->first.first;
        late.push_back(end(app, open_.extract(here).mapped(), "timeout",
                           {Code::action_timeout, "its provider let it outlast its timeoutMs", 0, {}}));
    }
    return late;
}

std::vector<std::pair<std::string, std::string>> JobWatch::to_ask(MonoTime now) {
    std::vector<Key> asked;
    for (auto& [key, open] : open_) {
        if (asked.size() == asked_max) break;
        if (open.deadline.ns != 0 || now.ns - open.heard.ns < ask_after_ns) continue;
        open.heard = now;
        asked.push_back(key);
    }
    return asked;
}

std::shared_ptr<const Json> JobWatch::end(const std::string& app, const Open& open, std::string_view state,
                                          const Error& why) {
    const Json& known = *open.job;
    const auto part = [&](const char* key, Json otherwise) {
        const auto it = known.find(key);
        return it == known.end() ? otherwise : *it;
    };
    auto job = std::make_shared<Json>(Json{{"jobId", known["jobId"]},
                                           {"appId", app},
                                           {"actionName", part("actionName", nullptr)},
                                           {"state", state},
                                           {"acceptedAt", part("acceptedAt", nullptr)},
                                           {"startedAt", part("startedAt", nullptr)},
                                           {"finishedAt", rfc3339(wall_now())},
                                           {"timeoutMs", part("timeoutMs", nullptr)},
                                           {"result", part("result", Json::object())},
                                           {"stdout", part("stdout", "")},
                                           {"stderr", part("stderr", "")},
                                           {"error", contract::error_json(why)}});
    ended_.push_front({app, job, false});
    if (ended_.size() > ended_max) ended_.pop_back();
    return job;
}

std::deque<JobWatch::EndedJob>::const_iterator JobWatch::find_ended(std::string_view app,
                                                                    std::string_view job_id) const {
    return std::find_if(ended_.begin(), ended_.end(),
                        [&](const EndedJob& one) { return one.app == app && (*one.job)["jobId"] == job_id; });
}

std::shared_ptr<const Json> JobWatch::find(std::string_view app, std::string_view job_id) const {
    const auto found = find_ended(app, job_id);
    return found == ended_.end() ? nullptr : found->job;
}

}  // namespace labdeck::hub
