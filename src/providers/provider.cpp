#include "providers/provider.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include <sys/epoll.h>

namespace labdeck::providers {

namespace {

using contract::Json;

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t greeting_timeout_ns = 10 * ns_per_s;
constexpr std::int64_t healthy_uptime_ns = 120 * ns_per_s;
constexpr std::int64_t expiry_period_ns = ns_per_s / 4;
constexpr double backoff_max_s = 60;

constexpr std::array<std::string_view, 6> state_names = {"stopped", "starting", "up",
                                                         "backoff", "failed",   "stopping"};
static_assert(static_cast<std::size_t>(ProviderState::stopping) + 1 == state_names.size());

std::string first_bytes(std::string_view line) {
    constexpr std::size_t shown = 120;
    return std::string(line.substr(0, shown)) + (line.size() > shown ? "…" : "");
}

}  // namespace

std::string_view provider_state_name(ProviderState state) noexcept {
    return state_names[static_cast<std::size_t>(state)];
}

Provider::Provider(io::Reactor& reactor, ProviderSpec spec, int stderr_fd, Hooks hooks)
    : reactor_(reactor), spec_(std::move(spec)), stderr_fd_(stderr_fd), hooks_(std::move(hooks)) {}

Provider::~Provider() {
    reactor_.cancel(restart_timer_);
    reactor_.cancel(expiry_timer_);
    reactor_.cancel(kill_timer_);
    hooks_ = {};
    drop_child(Error{Code::canceled, "the hub ends", 0, {}});
}

std::optional<pid_t> Provider::pid() const {
    return child_ ? std::optional<pid_t>(child_->pid()) : std::nullopt;
}

std::string Provider::reason() const {
    switch (state_) {
        case ProviderState::up:
            return {};
        case ProviderState::backoff: {
            const double left = static_cast<double>(restart_at_.ns - mono_now().ns) / ns_per_s;
            return fmt::format("{}, restarting in {:.1f} s", why_, std::max(left, 0.0));
        }
        case ProviderState::starting:
            return why_.empty() ? "starting" : why_ + ", starting again";
        case ProviderState::stopped:
        case ProviderState::failed:
        case ProviderState::stopping:
            break;
    }
    return why_;
}

void Provider::set_state(ProviderState state, std::string why) {
    state_ = state;
    why_ = std::move(why);
    if (hooks_.state_changed) hooks_.state_changed();
}

void Provider::start() {
    if (state_ != ProviderState::stopped && state_ != ProviderState::failed) return;
    deaths_in_a_row_ = 0;
    crash_loop_.forget();
    refused_ = false;
    spawn();
}

void Provider::spawn() {
    io::SpawnRequest request;
    request.argv = spec_.command;
    request.cwd = spec_.cwd;
    request.env = spec_.env;
    request.stderr_to = stderr_fd_;
    Result<io::ChildProcess> child = io::ChildProcess::spawn(request);
    if (!child) {
        // A program that cannot be started now will not be there in a second either.
        set_state(ProviderState::failed, child.error().message);
        return;
    }
    child_ = std::move(*child);
    const Result<io::WatchId> watched =
        reactor_.watch(child_->exit_fd(), EPOLLIN, [this](std::uint32_t) { child_ended(); });
    if (!watched) {
        drop_child(watched.error());
        set_state(ProviderState::failed, watched.error().message);
        return;
    }
    exit_watch_ = *watched;
    state_ = ProviderState::starting;
    greet();
    if (hooks_.state_changed) hooks_.state_changed();
}

void Provider::greet() {
    io::ByteChannel::Handler handler;
    handler.received = [this](std::string_view bytes) { client_->receive(bytes); };
    // The exit descriptor tells what became of the child; a provider that merely closes its stdout is ended.
    handler.closed = [this](const Error& why) {
        if (client_)
            client_->close(Error{Code::io, fmt::format("provider {}: {}", spec_.name, why.message), 0, {}});
        if (child_) child_->signal(SIGTERM);
    };
    channel_ =
        std::make_unique<io::ByteChannel>(reactor_, std::move(child_->stdout_fd), std::move(child_->stdin_fd),
                                          std::move(handler), io::ByteChannel::Limits{});
    client_ = std::make_unique<contract::ClientEnd>([this](std::string lines) {
        if (channel_) channel_->send(lines);
    });
    client_->on_event([this](const contract::Event& event) { hooks_.event(event); });
    client_->on_noise([this](std::string_view line, const Error& why) { note_bad_line(line, why); });
    client_->request("ping", Json::object(), [this](const auto& answer) { greeted(answer); },
                     {mono_now().ns + greeting_timeout_ns});
    arm_expiry();
}

void Provider::greeted(const Result<std::shared_ptr<const Json>>& answer) {
    if (state_ != ProviderState::starting) return;
    Result<> peer = answer ? contract::check_peer(**answer) : Result<>(fail(answer.error()));
    if (!peer) {
        if (!child_) return;  // It died before it answered; child_ended() says so.
        refused_ = answer.has_value();
        greeting_failure_ = peer.error().message;
        child_->signal(SIGKILL);
        return;
    }
    Json topics = Json::array({"status.changed", "log", "job.changed", "traffic"});
    // events.subscribe is optional in the interface: a provider without it is polled by those who look at it.
    client_->request("events.subscribe", Json{{"topics", std::move(topics)}}, [](const auto&) {},
                     {mono_now().ns + greeting_timeout_ns});
    up_since_ = mono_now();
    set_state(ProviderState::up, {});
}

void Provider::call(std::string_view method, const Json& params, contract::ClientEnd::OnAnswer on_answer,
                    std::int64_t timeout_ns) {
    if (auto taken = takes(0); !taken) return on_answer(fail(std::move(taken).error()));
    const MonoTime deadline = timeout_ns > 0 ? MonoTime{mono_now().ns + timeout_ns} : MonoTime{};
    client_->request(
        method, params,
        [this, method = std::string(method), on_answer = std::move(on_answer)](auto answer) {
            if (!answer && answer.error().code == Code::timeout) note_late_answer(method);
            on_answer(std::move(answer));
        },
        deadline);
    if (timeout_ns > 0) arm_expiry();
}

void Provider::pass_on(std::string_view method, std::string_view params_text,
                       contract::ClientEnd::OnPassed on_passed, std::int64_t timeout_ns) {
    using Answer = Result<std::shared_ptr<const Json>>;
    if (auto taken = takes(params_text.size()); !taken)
        return on_passed(Answer(fail(std::move(taken).error())));
    const MonoTime deadline = timeout_ns > 0 ? MonoTime{mono_now().ns + timeout_ns} : MonoTime{};
    client_->pass_on(
        method, params_text,
        [this, method = std::string(method), on_passed = std::move(on_passed)](const auto& passed) {
            const auto* answer = std::get_if<Answer>(&passed);
            if (answer != nullptr && !*answer && answer->error().code == Code::timeout)
                note_late_answer(method);
            on_passed(passed);
        },
        deadline);
    if (timeout_ns > 0) arm_expiry();
}

Result<> Provider::takes(std::size_t bytes) const {
    if (state_ != ProviderState::up || !client_)
        return fail(Code::io, fmt::format("provider {} is not up: {}", spec_.name, reason()));
    if (client_->pending() < waiting_requests_max && channel_->pending() + bytes <= waiting_bytes_max)
        return {};
    return fail(Code::queue_full,
                fmt::format("provider {} has {} requests to answer first; ask again when some are answered",
                            spec_.name, client_->pending()));
}

/// At most one a second is told: a provider may write nothing else, at the speed of its pipe.
void Provider::note_bad_line(std::string_view line, const Error& why) {
    ++bad_lines_;
    const MonoTime now = mono_now();
    if (bad_line_told_at_.ns != 0 && now.ns - bad_line_told_at_.ns < ns_per_s) return;
    const std::uint64_t untold = bad_lines_ - bad_lines_told_ - 1;
    bad_line_told_at_ = now;
    bad_lines_told_ = bad_lines_;
    std::string more = untold == 0 ? "" : fmt::format(", and {} more before it", untold);
    hooks_.log("warning", fmt::format("provider {} wrote no message ({}): {}{}", spec_.name, why.message,
                                      first_bytes(line), more));
}

/// Told at the 1st, 2nd, 4th, 8th … time.
void Provider::note_late_answer(std::string_view method) {
    if (++late_answers_; (late_answers_ & (late_answers_ - 1)) != 0 || !hooks_.log) return;
    hooks_.log("warning", fmt::format("provider {} did not answer {} in time ({} such requests so far)",
                                      spec_.name, method, late_answers_));
}

void Provider::arm_expiry() {
    if (expiry_timer_ != 0) return;
    expiry_timer_ = reactor_.after(expiry_period_ns, [this] {
        expiry_timer_ = 0;
        if (client_ && client_->expire(mono_now()).ns != 0) arm_expiry();
    });
}

void Provider::drop_child(const Error& why) {
    if (exit_watch_ != 0) reactor_.unwatch(exit_watch_);
    exit_watch_ = 0;
    // Pending answers first: their callbacks may look at us, and we are still whole.
    const std::unique_ptr<contract::ClientEnd> client = std::move(client_);
    if (client) client->close(why);
    channel_.reset();
    child_.reset();
}

void Provider::child_ended() {
    io::ExitStatus status;
    if (!child_ || !child_->reap(status)) return;
    // When we ended it ourselves because its greeting failed, that is the reason, not our signal; one that
    // ended by itself before it was greeted has said how.
    const std::string failure = std::exchange(greeting_failure_, {});
    const bool ended_by_us = !failure.empty() && (refused_ || status.signaled);
    const std::string how = ended_by_us ? failure : io::exit_text(status);
    reactor_.cancel(kill_timer_);
    drop_child(Error{Code::io, fmt::format("provider {}: {}", spec_.name, how), 0, {}});
    if (state_ == ProviderState::stopping) {
        set_state(ProviderState::stopped, "stopped");
        if (stopped_) std::exchange(stopped_, {})();
        return;
    }
    ++deaths_;
    wait_and_restart(how);
}

void Provider::wait_and_restart(std::string why) {
    if (up_since_.ns != 0 && mono_now().ns - up_since_.ns > healthy_uptime_ns) deaths_in_a_row_ = 0;
    up_since_ = {};
    ++deaths_in_a_row_;
    const bool too_often = spec_.restarts_max >= 0 && deaths_in_a_row_ > spec_.restarts_max;
    const bool loop = crash_loop_.reached(mono_now());
    if (refused_ || !spec_.restart || too_often || loop) {
        if (too_often) {
            why += fmt::format(", {} times in a row; not started again by itself", deaths_in_a_row_);
        } else if (loop) {
            why += fmt::format("; crash-loop: {} starts within 10 minutes", CrashLoop::starts_max);
        }
        set_state(ProviderState::failed, std::move(why));
        return;
    }
    std::uniform_real_distribution<double> spread(0.75, 1.25);
    const double grown_s = spec_.backoff_ms / 1e3 * std::pow(2.0, deaths_in_a_row_ - 1);
    const double delay_s = std::min(backoff_max_s, grown_s) * spread(random_);
    const auto delay_ns = static_cast<std::int64_t>(delay_s * ns_per_s);
    restart_at_ = {mono_now().ns + delay_ns};
    restart_timer_ = reactor_.after(delay_ns, [this] {
        crash_loop_.started(mono_now());
        spawn();
    });
    set_state(ProviderState::backoff, std::move(why));
}

void Provider::stop(std::int64_t grace_ns, std::function<void()> done) {
    reactor_.cancel(restart_timer_);
    if (!child_) {
        set_state(ProviderState::stopped, "stopped");
        done();
        return;
    }
    stopped_ = std::move(done);
    set_state(ProviderState::stopping, "stopping");
    channel_->finish();
    child_->signal(SIGTERM);
    child_->signal(SIGCONT);
    kill_timer_ = reactor_.after(grace_ns, [this] {
        if (child_) child_->signal(SIGKILL);
    });
}

}  // namespace labdeck::providers
