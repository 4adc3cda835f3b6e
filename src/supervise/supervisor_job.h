// supervisor_job.h - one script as the supervisor holds it. For supervisor*.cpp alone.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "io/kept_process.h"
#include "supervise/health.h"
#include "supervise/script_machine.h"
#include "supervise/supervisor.h"

namespace labdeck::supervise {

struct Supervisor::Job {
    Job(const ScriptDefinition& definition, std::function<double()> dice)
        : script(definition), machine(ScriptRules::of(definition), std::move(dice)) {}

    /// A process of it may exist, its health check's included.
    bool alive() const noexcept { return machine.active() || !health->idle(); }

    ScriptDefinition script;
    ScriptMachine machine;
    std::unique_ptr<io::KeptProcess> process;
    std::unique_ptr<HealthProbe> health;
    UniqueFd write_end;  ///< Of the pipe that all its runs say their words into.
    std::optional<data::SourceInfo> output;
    std::shared_ptr<OutputLog> log;
    std::string logs_folder;  ///< Where that writes.
    EnvMap run_env;           ///< Of the latest start: its secrets are out in that run's hands.
    io::TimerId timer = 0;
    /// Only while it waits for the end of a run under an earlier hub.
    io::TimerId tree_timer = 0;
    std::optional<MonoTime> waits_since;
    std::uint64_t start_number = 0;
    std::vector<Answer> starters;  ///< Who wants to know whether it runs, while it is starting.
    /// Before it is stopped.
    void cancel_starters() {
        for (const Answer& answer : std::exchange(starters, {}))
            answer(fail(Code::canceled, script.name + " was stopped before it ran"));
    }
    void answer_starters() {
        if (machine.status() == Status::starting) return;
        for (const Answer& answer : std::exchange(starters, {})) {
            if (machine.status() == Status::failed) {
                answer(fail(Code::io, machine.reason()));
            } else {
                answer(Json(nullptr));
            }
        }
    }

    bool doomed = false;  ///< Deleted; goes when nothing of it runs any more.
    std::optional<data::ProcessSample> sample;
};

/// A profile on its way up or down, a script after the other.
struct Supervisor::ProfileRun {
    enum class Way : unsigned char { up, down };
    std::string profile;
    Way way = Way::up;
    std::vector<std::string>
        left;            ///< In the order in which they are dealt with; the first is being waited for.
    bool begun = false;  ///< The first was told.
};

}  // namespace labdeck::supervise
