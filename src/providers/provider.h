// provider.h - one provider process: started, greeted, asked, restarted.
//
// Speaks the contract over the child's stdin and stdout. A provider is up once it has
// answered ping with our interface and major version; another one is refused and
// not started again. A provider that dies comes back after
// min(60 s, backoff_ms * 2^(k-1)) * U(0.75, 1.25), k counting deaths in a row; a healthy uptime of two
// minutes sets k back. Apart from that, more than 30 restarts within 10 minutes are a crash loop.
//
// Thread: hub, all of it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/crash_loop.h"
#include "base/result.h"
#include "contract/client.h"
#include "io/byte_channel.h"
#include "io/child_process.h"
#include "io/reactor.h"

namespace labdeck::providers {

struct ProviderSpec {
    std::string name;
    std::vector<std::string> command;
    std::vector<std::string> apps;
    std::string cwd;
    std::map<std::string, std::string> env;
    bool restart = true;
    int backoff_ms = 1000;
    int restarts_max = 5;  ///< Deaths in a row before it is failed; -1 for no limit.
};

enum class ProviderState : unsigned char { stopped, starting, up, backoff, failed, stopping };
std::string_view provider_state_name(ProviderState state) noexcept;

class Provider {
public:
    struct Hooks {
        std::function<void(const contract::Event&)> event;
        /// After each change of state; reason() says why.
        std::function<void()> state_changed;
        std::function<void(std::string_view level, std::string text)> log;
    };

    /// `stderr_fd` is what the child writes its log to, the same for every incarnation. Owned by the caller.
    Provider(io::Reactor& reactor, ProviderSpec spec, int stderr_fd, Hooks hooks);
    ~Provider();
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;

    void start();
    /// End of file on its stdin and SIGTERM; SIGKILL to its group after `grace_ns`. `done` when it is gone.
    void stop(std::int64_t grace_ns, std::function<void()> done);

    /// What may wait for a provider: whoever asks for more is refused, and the provider is not.
    static constexpr std::size_t waiting_requests_max = 65'536;
    static constexpr std::size_t waiting_bytes_max = 16U << 20;

    /// Answers with what the provider answered, E_TIMEOUT after `timeout_ns` (0: never), E_IO when it is down
    /// or dies before it answered, or E_QUEUE_FULL when so much waits for it already.
    void call(std::string_view method, const contract::Json& params, contract::ClientEnd::OnAnswer on_answer,
              std::int64_t timeout_ns);
    /// The same with params and answer as they are spelled, see ClientEnd::pass_on().
    void pass_on(std::string_view method, std::string_view params_text,
                 contract::ClientEnd::OnPassed on_passed, std::int64_t timeout_ns);

    const ProviderSpec& spec() const noexcept { return spec_; }
    ProviderState state() const noexcept { return state_; }
    /// Why it is not up, for people: "killed by SIGKILL, restarting in 1.0 s". Empty while up.
    std::string reason() const;
    std::optional<pid_t> pid() const;
    std::uint64_t deaths() const noexcept { return deaths_; }
    /// Lines on its stdout that were no message, or answers to nothing asked. Since the hub started.
    std::uint64_t bad_lines() const noexcept { return bad_lines_; }

private:
    void spawn();
    void greet();
    void greeted(const Result<std::shared_ptr<const contract::Json>>& answer);
    void child_ended();
    void wait_and_restart(std::string why);
    void set_state(ProviderState state, std::string why);
    void drop_child(const Error& why);
    /// E_IO when it is not up, E_QUEUE_FULL when it has not read what it was asked before.
    [[nodiscard]] Result<> takes(std::size_t bytes) const;
    void arm_expiry();
    void note_bad_line(std::string_view line, const Error& why);
    void note_late_answer(std::string_view method);

    io::Reactor& reactor_;
    const ProviderSpec spec_;
    const int stderr_fd_;
    Hooks hooks_;
    ProviderState state_ = ProviderState::stopped;
    std::string why_;
    std::optional<io::ChildProcess> child_;
    io::WatchId exit_watch_ = 0;
    std::unique_ptr<io::ByteChannel> channel_;
    std::unique_ptr<contract::ClientEnd> client_;
    io::TimerId restart_timer_ = 0;
    io::TimerId expiry_timer_ = 0;
    io::TimerId kill_timer_ = 0;
    MonoTime restart_at_;
    MonoTime up_since_;
    int deaths_in_a_row_ = 0;
    CrashLoop crash_loop_;
    std::uint64_t deaths_ = 0;
    std::uint64_t bad_lines_ = 0;
    std::uint64_t bad_lines_told_ = 0;
    MonoTime bad_line_told_at_;
    std::uint64_t late_answers_ = 0;
    bool refused_ = false;          ///< Another interface or major version: starting it again is no use.
    std::string greeting_failure_;  ///< Why we ended a child that was not greeted.
    std::function<void()> stopped_;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace labdeck::providers
