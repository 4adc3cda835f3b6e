// job_table.h - the jobs of a provider: what was asked for, how it goes, what came of it.
//
// A job goes from queued through running to exactly one final state; whatever is said after
// that is not heard. The latest 1,000 finished jobs are kept. Thread: the reactor's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench_apps/action_spec.h"
#include "bench_apps/bounded_text.h"
#include "contract/json.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

enum class JobState : unsigned char { queued, running, succeeded, failed, timeout, canceled };
std::string_view job_state_name(JobState state) noexcept;
constexpr bool is_final(JobState state) noexcept {
    return state >= JobState::succeeded;
}

class JobTable;

/// One job, held by the table and by whoever works on it.
class Job {
public:
    Job(JobTable& table, std::uint64_t number, std::string app, std::string action, std::int64_t timeout_ms);
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    const std::string& id() const noexcept { return id_; }
    const std::string& app() const noexcept { return app_; }
    JobState state() const noexcept { return state_; }
    bool finished() const noexcept { return is_final(state_); }

    /// The work is done, or not: an E_CANCELED error makes it canceled, E_ACTION_TIMEOUT timeout, any other
    /// failed. The result is an object.
    void finish(Result<contract::Json> result);
    void print(std::string_view text) { out_.append(text); }
    void print_error(std::string_view text) { err_.append(text); }
    /// Called before the job is canceled or, its time being over, timeout; with which of the two. So that the
    /// work ends as well. Once.
    using GiveUp = std::function<void(JobState ending)>;
    void on_give_up(GiveUp call) { give_up_ = std::move(call); }

    /// All there is to know; `with_output` adds stdout and stderr.
    contract::Json json(bool with_output) const;

private:
    friend class JobTable;
    void set_state(JobState state);

    static constexpr std::size_t output_bytes_max = 1U << 20;
    JobTable& table_;
    const std::uint64_t number_;
    const std::string id_;
    const std::string app_;
    const std::string action_;
    const std::int64_t timeout_ms_;
    const WallTime accepted_ = wall_now();
    WallTime started_;
    WallTime ended_;
    JobState state_ = JobState::queued;
    std::string result_ = "{}";  ///< JSON text.
    std::optional<Error> error_;
    BoundedText out_{output_bytes_max};
    BoundedText err_{output_bytes_max};
    GiveUp give_up_;
    io::TimerId timer_ = 0;
    std::vector<std::function<void(const Job&)>> waiters_;
};

using JobHandle = std::shared_ptr<Job>;

class JobTable {
public:
    using Work = std::function<void(const JobHandle& job)>;
    /// Told of every state, the first included.
    using OnChange = std::function<void(const Job& job)>;

    JobTable(io::Reactor& reactor, OnChange on_change);
    JobTable(const JobTable&) = delete;
    JobTable& operator=(const JobTable&) = delete;
    /// Gives up what still runs.
    ~JobTable();

    /// Accepts it at once; the work begins in a later round of the reactor, and with it the time-out.
    JobHandle start(const std::string& app, const ActionSpec& action, Work work);
    /// nullptr when there is no such job of this app.
    JobHandle find(std::string_view app, std::string_view id) const;
    void cancel(const JobHandle& job);
    /// Calls once the job is final; at once if it is.
    void when_final(const JobHandle& job, std::function<void(const Job&)> call);
    /// Newest first.
    std::vector<JobHandle> list(std::string_view app, std::string_view state, std::size_t limit) const;

private:
    friend class Job;
    void begin(const JobHandle& job, const Work& work);
    void changed(Job& job);

    static constexpr std::size_t finished_max = 1000;
    io::Reactor& reactor_;
    const OnChange on_change_;
    const std::string
        id_prefix_;  ///< Ids of an earlier start of this provider must not name jobs of this one.
    std::uint64_t last_number_ = 0;
    std::map<std::uint64_t, JobHandle> jobs_;
    std::deque<std::uint64_t> finished_;  ///< In the order in which they ended.
    std::shared_ptr<void> alive_ = std::make_shared<int>(0);
};

}  // namespace labdeck::bench_apps
