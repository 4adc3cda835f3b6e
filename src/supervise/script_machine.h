// script_machine.h - the life of one script: when it runs, when it is stopped, when it is started again.
//
// A pure machine. Time is an argument, what the world does comes in through the calls, and what is to be done
// is read off with take_orders(). So every rule is tested without a process and without waiting.
//
//   stopped ─start─► starting ─started─► running ─stop─► stopping ─empty─► stopped
//                       │                   │ ended unasked, and its tree is empty
//                       │ cannot be run     ├─► exited    with 0, and nothing says to start it again
//                       └─► failed          ├─► failed    not with 0; or retries used up; or a crash loop
//                                           └─► backoff ─delay over─► starting
//
// A job is over when its tree is empty, not when its leader is: what a leader leaves behind is stopped like a
// job. A stop that was asked for never counts as a crash, and nothing starts again after it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/crash_loop.h"
#include "base/error.h"
#include "io/child_process.h"
#include "supervise/records.h"

namespace labdeck::supervise {

enum class Status : unsigned char { stopped, starting, running, stopping, backoff, failed, exited };
std::string_view status_name(Status status) noexcept;

/// What a definition says about starting and stopping, with the defaults filled in. Times in ns.
struct ScriptRules {
    RestartPolicy policy = RestartPolicy::never;
    std::int64_t backoff_ns = 1'000'000'000;
    std::int64_t retries_max = 5;  ///< -1 for no limit.
    std::int64_t grace_ns = 10'000'000'000;
    bool health_checked = false;
    bool restart_on_unhealthy = false;

    static ScriptRules of(const ScriptDefinition& script);
};

/// What the machine wants done, each at most once a take. `launch` is answered by started() or failed();
/// `signal` and `sweep` by empty(), later.
struct Orders {
    bool launch = false;
    bool signal = false;  ///< The stop signal to the job's group, or to all that is left of it.
    bool sweep = false;
    bool changed = false;  ///< A snapshot would be another one.
};

class ScriptMachine {
public:
    static constexpr std::int64_t backoff_ns_max = 60'000'000'000;
    /// A healthy uptime after which the unwanted exits in a row are forgotten.
    static constexpr std::int64_t settled_ns = 2 * backoff_ns_max;
    static constexpr std::int64_t unkillable_ns = 60'000'000'000;
    static constexpr int failures_to_unhealthy = 3;

    /// `dice` gives numbers in [0, 1): a delay is drawn from 0.75 to 1.25 of its mean.
    ScriptMachine(ScriptRules rules, std::function<double()> dice);

    /// Holds from the next start on; a grace and a delay that run keep their length. Without a check any
    /// more, how the last ones went is forgotten at once.
    void set_rules(const ScriptRules& rules);

    // --- what people ask for -----------------------------------------------
    /// Nothing while it is starting or running. While it is stopping: once that is done. Forgets earlier
    /// failures.
    void start(MonoTime now);
    /// Cancels what was to start. Nothing when nothing runs.
    void stop(MonoTime now);
    void restart(MonoTime now);
    /// What is being stopped, or will be, has no more than this left of its grace.
    void shorten_grace(MonoTime now, std::int64_t grace_ns_max);
    /// As stop(), without a grace.
    void kill_tree(MonoTime now);

    // --- what the world says -----------------------------------------------
    void started(MonoTime now, pid_t leader);
    void failed(const Error& why);
    void leader_ended(MonoTime now, io::ExitStatus end);
    void empty(MonoTime now);
    void survivor(MonoTime now, pid_t pid, char state, int count);
    /// One probe's result, `why` for a bad one. Three bad ones in a row are unhealthy, one good one is
    /// healthy.
    void probed(MonoTime now, bool good, std::string why);
    /// To be called at next_deadline() or later; earlier it does nothing.
    void tick(MonoTime now);

    Orders take_orders() { return std::exchange(orders_, {}); }
    /// Nothing to wait for when there is none.
    std::optional<MonoTime> next_deadline() const;

    // --- how it does -------------------------------------------------------
    Status status() const noexcept { return status_; }
    /// A process of it may exist.
    bool active() const noexcept;
    /// Up, and nothing is ending it: a probe's result counts.
    bool to_be_probed() const noexcept { return status_ == Status::running && ending_ == Ending::no; }
    /// 0 when no leader runs.
    pid_t leader() const noexcept { return leader_; }
    /// Why it is in this status, for people; empty where there is nothing to say.
    const std::string& reason() const noexcept { return reason_; }
    /// Of the present run, or of the last.
    std::optional<MonoTime> started_at() const noexcept { return started_at_; }
    std::optional<io::ExitStatus> last_end() const noexcept { return last_end_; }
    /// Unwanted exits in a row.
    std::int64_t retries() const noexcept { return retries_; }
    /// Not there without a check, and before the first result.
    std::optional<bool> healthy() const noexcept { return healthy_; }
    const std::string& health_reason() const noexcept { return health_reason_; }
    /// Only while waiting: the whole delay, and what is left of it.
    std::optional<std::int64_t> delay_ns() const noexcept;
    std::optional<std::int64_t> delay_left_ns(MonoTime now) const noexcept;

private:
    enum class Ending : unsigned char { no, asked, unhealthy, leftovers };

    void enter(Status status, std::string reason);
    void launch();
    void forget_run();
    void begin_stop(MonoTime now, Ending why);
    void after_unwanted(MonoTime now);
    void give_up_or_wait(MonoTime now);
    void settle(MonoTime now);

    ScriptRules rules_;
    std::function<double()> dice_;
    Status status_ = Status::stopped;
    Orders orders_;
    std::string reason_;
    Ending ending_ = Ending::no;
    bool start_again_ = false;
    pid_t leader_ = 0;
    std::optional<MonoTime> started_at_;
    std::optional<io::ExitStatus> last_end_;
    std::int64_t retries_ = 0;
    CrashLoop crash_loop_;
    std::optional<MonoTime> sweep_at_;
    std::optional<MonoTime> unkillable_at_;
    std::optional<MonoTime> launch_at_;
    std::optional<MonoTime> settled_at_;
    std::int64_t delay_ns_ = 0;
    std::optional<bool> healthy_;
    std::string health_reason_;
    int bad_probes_ = 0;
    pid_t survivor_ = 0;
    char survivor_state_ = '?';
    int survivors_ = 0;
};

}  // namespace labdeck::supervise
