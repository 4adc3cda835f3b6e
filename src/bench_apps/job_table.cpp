#include "bench_apps/job_table.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/id.h"
#include "contract/envelope.h"

namespace labdeck::bench_apps {

using contract::Json;

namespace {

constexpr std::array<std::string_view, 6> job_state_names = {"queued", "running", "succeeded",
                                                             "failed", "timeout", "canceled"};
static_assert(static_cast<std::size_t>(JobState::canceled) + 1 == job_state_names.size());

Json time_json(WallTime time) {
    return time.ns == 0 ? Json(nullptr) : Json(rfc3339(time));
}

JobState final_state(const Result<Json>& result) {
    if (result) return JobState::succeeded;
    if (result.error().code == Code::canceled) return JobState::canceled;
    return result.error().code == Code::action_timeout ? JobState::timeout : JobState::failed;
}

}  // namespace

std::string_view job_state_name(JobState state) noexcept {
    return job_state_names[static_cast<std::size_t>(state)];
}

Job::Job(JobTable& table, std::uint64_t number, std::string app, std::string action, std::int64_t timeout_ms)
    : table_(table),
      number_(number),
      id_(table.id_prefix_ + std::to_string(number)),
      app_(std::move(app)),
      action_(std::move(action)),
      timeout_ms_(timeout_ms) {}

void Job::set_state(JobState state) {
    state_ = state;
    table_.changed(*this);
}

void Job::finish(Result<Json> result) {
    if (finished()) return;
    if (timer_ != 0) table_.reactor_.cancel(std::exchange(timer_, 0));
    give_up_ = nullptr;
    ended_ = wall_now();
    if (result) {
        result_ = contract::dump_line(*result);
    } else {
        error_ = result.error();
    }
    set_state(final_state(result));
}

Json Job::json(bool with_output) const {
    Json json = {{"jobId", id_},
                 {"appId", app_},
                 {"actionName", action_},
                 {"state", job_state_name(state_)},
                 {"acceptedAt", rfc3339(accepted_)},
                 {"startedAt", time_json(started_)},
                 {"finishedAt", time_json(ended_)},
                 {"timeoutMs", timeout_ms_}};
    json["result"] = Json::parse(result_);
    if (with_output) {
        json["stdout"] = out_.text();
        json["stderr"] = err_.text();
    }
    json["error"] = error_ ? contract::error_json(*error_) : Json(nullptr);
    return json;
}

JobTable::JobTable(io::Reactor& reactor, OnChange on_change)
    : reactor_(reactor),
      on_change_(std::move(on_change)),
      id_prefix_("job-" + new_uuid().substr(0, 8) + "-") {}

JobTable::~JobTable() {
    for (const auto& [number, job] : jobs_) {
        if (job->timer_ != 0) reactor_.cancel(job->timer_);
        job->give_up_ = nullptr;
    }
}

JobHandle JobTable::start(const std::string& app, const ActionSpec& action, Work work) {
    const std::uint64_t number = ++last_number_;
    auto job = std::make_shared<Job>(*this, number, app, std::string(action.name), action.timeout_ms);
    jobs_.emplace(number, job);
    on_change_(*job);
    reactor_.post([this, job, work = std::move(work), alive = std::weak_ptr<void>(alive_)] {
        if (!alive.expired()) begin(job, work);
    });
    return job;
}

void JobTable::begin(const JobHandle& job, const Work& work) {
    if (job->finished()) return;
    job->started_ = wall_now();
    job->timer_ = reactor_.after(job->timeout_ms_ * 1'000'000, [job] {
        job->timer_ = 0;
        if (job->finished()) return;
        const auto give_up = std::exchange(job->give_up_, nullptr);
        if (give_up) give_up(JobState::timeout);
        job->finish(fail(Code::action_timeout,
                         job->action_ + " took longer than " + std::to_string(job->timeout_ms_) + " ms"));
    });
    job->set_state(JobState::running);
    try {
        work(job);
    } catch (const std::exception& e) {
        // A bug in one action must not take the other apps of this process with it.
        job->finish(fail(Code::internal, job->action_ + ": " + e.what()));
    }
}

void JobTable::changed(Job& job) {
    on_change_(job);
    if (!job.finished()) return;
    for (const auto& call : std::exchange(job.waiters_, {})) call(job);
    finished_.push_back(job.number_);
    if (finished_.size() <= finished_max) return;
    jobs_.erase(finished_.front());
    finished_.pop_front();
}

JobHandle JobTable::find(std::string_view app, std::string_view id) const {
    if (!id.starts_with(id_prefix_)) return nullptr;
    id.remove_prefix(id_prefix_.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc{} || end != id.data() + id.size()) return nullptr;
    const auto found = jobs_.find(number);
    return found == jobs_.end() || found->second->app() != app ? nullptr : found->second;
}

void JobTable::cancel(const JobHandle& job) {
    if (job->finished()) return;
    const auto give_up = std::exchange(job->give_up_, nullptr);
    if (give_up) give_up(JobState::canceled);
    job->finish(fail(Code::canceled, job->action_ + " was canceled"));
}

void JobTable::when_final(const JobHandle& job, std::function<void(const Job&)> call) {
    if (job->finished()) return call(*job);
    job->waiters_.push_back(std::move(call));
}

std::vector<JobHandle> JobTable::list(std::string_view app, std::string_view state, std::size_t limit) const {
    std::vector<JobHandle> newest_first;
    for (auto it = jobs_.rbegin(); it != jobs_.rend() && newest_first.size() < limit; ++it) {
        const JobHandle& job = it->second;
        if (job->app() == app && (state.empty() || job_state_name(job->state()) == state))
            newest_first.push_back(job);
    }
    return newest_first;
}

}  // namespace labdeck::bench_apps
