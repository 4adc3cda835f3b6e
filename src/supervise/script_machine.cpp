#include "supervise/script_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"

namespace labdeck::supervise {

namespace {

constexpr std::array<std::string_view, 7> status_names = {"stopped", "starting", "running", "stopping",
                                                          "backoff", "failed",   "exited"};
static_assert(static_cast<std::size_t>(Status::exited) + 1 == status_names.size());

constexpr std::int64_t ns_per_ms = 1'000'000;

bool clean(const io::ExitStatus& end) {
    return !end.signaled && end.code == 0;
}

}  // namespace

std::string_view status_name(Status status) noexcept {
    return status_names[static_cast<std::size_t>(status)];
}

ScriptRules ScriptRules::of(const ScriptDefinition& script) {
    ScriptRules rules;
    rules.policy = script.effective_policy();
    if (script.backoff_ms) rules.backoff_ns = *script.backoff_ms * ns_per_ms;
    if (script.max_retries) rules.retries_max = *script.max_retries;
    if (script.stop_grace_ms) rules.grace_ns = *script.stop_grace_ms * ns_per_ms;
    if (script.health_check) {
        const HealthCheck& check = *script.health_check;
        rules.health_checked = check.port || check.url || check.command;
    }
    rules.restart_on_unhealthy = script.restart_on_unhealthy.value_or(false);
    return rules;
}

ScriptMachine::ScriptMachine(ScriptRules rules, std::function<double()> dice)
    : rules_(rules), dice_(std::move(dice)) {}

bool ScriptMachine::active() const noexcept {
    return status_ == Status::starting || status_ == Status::running || status_ == Status::stopping;
}

void ScriptMachine::set_rules(const ScriptRules& rules) {
    const bool was_checked = std::exchange(rules_, rules).health_checked;
    if (was_checked == rules.health_checked) return;
    // Whether a run has stood long enough counts from its start, or from when it was healthy.
    settled_at_.reset();
    if (rules.health_checked) return;
    if (status_ == Status::running && started_at_) settled_at_ = MonoTime{started_at_->ns + settled_ns};
    bad_probes_ = 0;
    orders_.changed = orders_.changed || healthy_ || !health_reason_.empty();
    healthy_.reset();
    health_reason_.clear();
}

void ScriptMachine::enter(Status status, std::string reason) {
    status_ = status;
    reason_ = std::move(reason);
    orders_.changed = true;
    if (!active()) forget_run();
}

// What one run was waited for must not befall the next.
void ScriptMachine::forget_run() {
    leader_ = 0;
    ending_ = Ending::no;
    healthy_.reset();
    health_reason_.clear();
    sweep_at_.reset();
    unkillable_at_.reset();
    settled_at_.reset();
}

void ScriptMachine::launch() {
    launch_at_.reset();
    start_again_ = false;
    forget_run();
    bad_probes_ = 0;
    survivor_ = 0;
    orders_.launch = true;
    enter(Status::starting, {});
}

void ScriptMachine::start(MonoTime) {
    if (status_ == Status::starting || status_ == Status::running) {
        // What is being ended for another reason starts again by itself or not; asked for, it does.
        if (ending_ == Ending::no) return;
        start_again_ = true;
    }
    retries_ = 0;
    crash_loop_.forget();
    if (start_again_) return;
    if (status_ == Status::stopping) {
        start_again_ = true;
        return;
    }
    launch();
}

void ScriptMachine::stop(MonoTime now) {
    start_again_ = false;
    if (status_ == Status::backoff) {
        launch_at_.reset();
        return enter(Status::stopped, {});
    }
    if (active()) begin_stop(now, Ending::asked);
}

void ScriptMachine::restart(MonoTime now) {
    if (!active()) return start(now);
    stop(now);
    start(now);
}

void ScriptMachine::shorten_grace(MonoTime now, std::int64_t grace_ns_max) {
    rules_.grace_ns = std::min(rules_.grace_ns, grace_ns_max);
    if (sweep_at_) sweep_at_ = std::min(*sweep_at_, MonoTime{now.ns + grace_ns_max});
}

void ScriptMachine::kill_tree(MonoTime now) {
    stop(now);
    if (status_ != Status::stopping) return;
    orders_.signal = false;
    orders_.sweep = true;
    sweep_at_.reset();
}

// What is being ended already goes on being ended; only why may become another.
void ScriptMachine::begin_stop(MonoTime now, Ending why) {
    const bool begun = ending_ != Ending::no;
    ending_ = why;
    if (why == Ending::asked && status_ != Status::stopping) enter(Status::stopping, {});
    if (begun || orders_.launch) {
        // A launch that was not even ordered is taken back.
        if (!begun && std::exchange(orders_.launch, false)) enter(Status::stopped, {});
        return;
    }
    orders_.signal = true;
    sweep_at_ = MonoTime{now.ns + rules_.grace_ns};
    unkillable_at_ = MonoTime{now.ns + rules_.grace_ns + unkillable_ns};
}

void ScriptMachine::started(MonoTime now, pid_t leader) {
    LD_ASSERT(active());
    leader_ = leader;
    started_at_ = now;
    last_end_.reset();
    if (ending_ != Ending::no) {
        orders_.changed = true;
        return;
    }
    if (!rules_.health_checked) settled_at_ = MonoTime{now.ns + settled_ns};
    enter(Status::running, {});
}

void ScriptMachine::failed(const Error& why) {
    if (ending_ == Ending::asked) {
        enter(Status::stopped, why.message);
        if (start_again_) launch();
        return;
    }
    enter(Status::failed, why.message);
}

void ScriptMachine::leader_ended(MonoTime now, io::ExitStatus end) {
    leader_ = 0;
    last_end_ = end;
    orders_.changed = true;
    if (ending_ == Ending::no) {
        begin_stop(now, Ending::leftovers);
        reason_ = fmt::format("{}; what it left behind is being ended", io::exit_text(end));
    }
}

void ScriptMachine::empty(MonoTime now) {
    if (!active()) return;
    if (std::exchange(start_again_, false)) return launch();
    if (ending_ == Ending::asked) return enter(Status::stopped, {});
    settle(now);
    after_unwanted(now);
}

void ScriptMachine::after_unwanted(MonoTime now) {
    const bool unhealthy = ending_ == Ending::unhealthy;
    const bool success = last_end_ && clean(*last_end_) && !unhealthy;
    const bool again = unhealthy || rules_.policy == RestartPolicy::always ||
                       (rules_.policy == RestartPolicy::on_failure && !success);
    if (again) return give_up_or_wait(now);
    const std::string how = last_end_ ? io::exit_text(*last_end_) : std::string();
    enter(success ? Status::exited : Status::failed, success ? std::string() : how);
}

void ScriptMachine::give_up_or_wait(MonoTime now) {
    const std::string how =
        ending_ == Ending::unhealthy ? "unhealthy" : io::exit_text(last_end_.value_or(io::ExitStatus{}));
    if (rules_.retries_max >= 0 && retries_ >= rules_.retries_max) {
        return enter(Status::failed, fmt::format("{}; {} retries used up", how, rules_.retries_max));
    }
    if (crash_loop_.reached(now)) {
        return enter(Status::failed,
                     fmt::format("crash-loop: {} starts within 10 minutes, the last ended with {}",
                                 CrashLoop::starts_max, how));
    }
    ++retries_;
    const double doubled = static_cast<double>(rules_.backoff_ns) *
                           static_cast<double>(1ULL << std::min<std::int64_t>(retries_ - 1, 40));
    const double mean = std::min(static_cast<double>(backoff_ns_max), doubled);
    delay_ns_ = static_cast<std::int64_t>(mean * (0.75 + 0.5 * dice_()));
    launch_at_ = MonoTime{now.ns + delay_ns_};
    enter(Status::backoff, how);
}

void ScriptMachine::survivor(MonoTime now, pid_t pid, char state, int count) {
    survivor_ = pid;
    survivor_state_ = state;
    survivors_ = count;
    tick(now);
}

void ScriptMachine::probed(MonoTime now, bool good, std::string why) {
    if (!to_be_probed()) return;
    if (good) {
        bad_probes_ = 0;
        if (healthy_ == true) return;
        healthy_ = true;
        health_reason_.clear();
        settled_at_ = MonoTime{now.ns + settled_ns};
        orders_.changed = true;
        return;
    }
    orders_.changed = orders_.changed || why != health_reason_;
    health_reason_ = std::move(why);
    if (++bad_probes_ < failures_to_unhealthy || healthy_ == false) return;
    healthy_ = false;
    settled_at_.reset();
    orders_.changed = true;
    if (!rules_.restart_on_unhealthy) return;
    begin_stop(now, Ending::unhealthy);
    reason_ = fmt::format("unhealthy: {}; being ended, to be started again", health_reason_);
}

// A run that stood long enough wipes out the failures before it.
void ScriptMachine::settle(MonoTime now) {
    if (!settled_at_ || now < *settled_at_) return;
    settled_at_.reset();
    if (retries_ == 0) return;
    retries_ = 0;
    orders_.changed = true;
}

void ScriptMachine::tick(MonoTime now) {
    settle(now);
    if (sweep_at_ && now >= *sweep_at_) {
        sweep_at_.reset();
        orders_.sweep = true;
    }
    if (unkillable_at_ && now >= *unkillable_at_ && survivor_ != 0) {
        std::string text = fmt::format("unkillable: pid {} in state {}{}", survivor_, survivor_state_,
                                       survivors_ > 1 ? fmt::format(", and {} more", survivors_ - 1) : "");
        if (text != reason_) {
            reason_ = std::move(text);
            orders_.changed = true;
        }
    }
    if (launch_at_ && now >= *launch_at_) {
        crash_loop_.started(now);
        launch();
    }
}

std::optional<MonoTime> ScriptMachine::next_deadline() const {
    std::optional<MonoTime> next;
    for (const auto& each : {settled_at_, sweep_at_, launch_at_}) {
        if (each && (!next || *each < *next)) next = each;
    }
    return next;
}

std::optional<std::int64_t> ScriptMachine::delay_ns() const noexcept {
    if (!launch_at_) return {};
    return delay_ns_;
}

std::optional<std::int64_t> ScriptMachine::delay_left_ns(MonoTime now) const noexcept {
    if (!launch_at_) return {};
    return std::max<std::int64_t>(launch_at_->ns - now.ns, 0);
}

}  // namespace labdeck::supervise
