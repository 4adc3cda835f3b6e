// health.h - asks a running script again and again whether it is well.
//
// A probe tries what the definition gives, one after the other: the port, the URL, the command; each has its
// time-out, the first that fails ends the probe, and a script is well when all have passed. The first probe
// comes at once, then one each interval, never two at a time. While the script has not been well in this run
// there are more of them, so that nobody waits needlessly for a script that is up: those in between count
// only when they are good, so that a slow start is judged by the interval alone.
//
// What to make of the results is not said here, see ScriptMachine::probed().
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "io/child_process.h"
#include "io/reactor.h"
#include "supervise/records.h"

namespace labdeck::supervise {

/// Thread: the reactor's.
class HealthProbe {
public:
    static constexpr std::int64_t interval_ms_default = 5000;
    static constexpr std::int64_t timeout_ms_default = 2000;
    /// Between two probes until the script has been well once, where its interval is longer.
    static constexpr std::int64_t eager_ns = 1'000'000'000;

    /// Who is asked.
    struct Patient {
        HealthCheck check;
        io::SpawnRequest shell;  ///< Where a command runs, and with which variables; its argv is not used.
        EnvMap env;              ///< Its secrets do not get into a reason.
        pid_t keeper = 0;        ///< Of the script's tree: its ports are those of the processes below it.
    };

    /// One result that counts; `why` for a bad one. May call stop(). Neither may destroy the probe.
    using OnResult = std::function<void(bool good, std::string why)>;
    /// The probe is stopped, and what it was running is gone.
    using OnIdle = std::function<void()>;

    HealthProbe(io::Reactor& reactor, OnResult on_result, OnIdle on_idle);
    /// Waits for a command's processes when it is not idle().
    ~HealthProbe();
    HealthProbe(const HealthProbe&) = delete;
    HealthProbe& operator=(const HealthProbe&) = delete;

    /// No result comes before this returns. Whoever was asked before is not asked any more.
    void start(Patient patient);
    /// No result comes any more. A command that runs is ended with all that it started, without waiting.
    void stop();

    /// Between start() and stop().
    bool runs() const noexcept;
    /// What is asked; that of the last start().
    const HealthCheck& check() const noexcept;
    /// Stopped, and no process of it is left.
    bool idle() const noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::supervise
