// station_run.h - one run of the acceptance station: its steps, their limits, and what they were judged on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "bench_apps/bridge_feed.h"

namespace labdeck::bench_apps {

enum class Verdict : unsigned char {
    pass,
    fail,        ///< Measured, and out of its limits.
    skipped,     ///< Not measured: a step before it failed, or the run ended.
    incomplete,  ///< What it would be judged on has a hole. Never better than that.
};
std::string_view verdict_name(Verdict verdict) noexcept;
/// Nothing when it is the name of none; likewise below.
std::optional<Verdict> verdict_of_name(std::string_view name) noexcept;

enum class RunKind : unsigned char {
    acceptance,  ///< All steps.
    pair,        ///< The BLE module is found, connected and asked for its battery.
    overnight,   ///< All steps, one run of many.
};
std::string_view run_kind_name(RunKind kind) noexcept;
std::optional<RunKind> run_kind_of_name(std::string_view name) noexcept;

enum class RunState : unsigned char { running, completed, canceled, timeout };
std::string_view run_state_name(RunState state) noexcept;
std::optional<RunState> run_state_of_name(std::string_view name) noexcept;

/// Inclusive; without one there is none.
struct StepLimits {
    std::optional<double> lower = {};
    std::optional<double> upper = {};

    /// Never of what is no number.
    bool hold(double value) const noexcept;
    /// How far within the nearer limit, negative when outside; infinite without limits.
    double margin(double value) const noexcept;
    friend bool operator==(const StepLimits&, const StepLimits&) = default;
};

/// What of the bridge's stream a step was judged on. Ranges include the first and exclude the last byte;
/// numbers of records and reports include both. 0 records for a window in which the PLC was not read.
struct Evidence {
    std::string why_incomplete;  ///< Empty when the window has no hole.
    std::string bridge_boot;
    MonoTime from, to;
    std::uint64_t first_report = 0, last_report = 0;
    std::uint64_t first_record = 0, last_record = 0, records = 0;
    std::uint64_t plc_bytes_from = 0, plc_bytes_to = 0;
    std::uint64_t ble_bytes_from = 0, ble_bytes_to = 0;
    BridgeMachine::Counters counted;  ///< What the bridge counted within.

    bool complete() const noexcept { return why_incomplete.empty(); }
};

struct StationStep {
    std::string name;   ///< For programs: rail_0.
    std::string title;  ///< For people: Rail 0.
    std::string unit;
    StepLimits limits;
    std::optional<double> value = {};  ///< Nothing when there was nothing to measure.
    Verdict verdict = Verdict::skipped;
    bool judged = false;      ///< Until then the verdict says nothing.
    std::string reason = {};  ///< Why it is no pass; empty for a pass.
    MonoTime started = {};    ///< {0} when it never was.
    std::int64_t duration_ns = 0;
    std::vector<std::pair<std::string, double>> details = {};  ///< What else was measured.
    Evidence evidence = {};
};

struct StationRun {
    std::string id;
    RunKind kind = RunKind::acceptance;
    RunState state = RunState::running;
    std::string serial;  ///< Of the product under test, as the person gave it.
    MonoTime started;
    std::int64_t duration_ns = 0;  ///< So far, while it runs.
    std::vector<StationStep> steps;

    /// fail when a step failed, pass when all passed, incomplete otherwise.
    Verdict verdict() const noexcept;
};

}  // namespace labdeck::bench_apps
