// station_machine.h - the acceptance station's sequence: what is measured in which order, and how it is
// judged.
//
// Pure: no thread, no socket, and the time is an argument. Whoever owns the socket to the bridge hands in its
// reports, sends the requests, and calls advance() when next_event() says so. Measures by the times and
// counters of the reports, not by when they arrive.
//
// A step passes when its value is within its limits and the window that it was measured in has no hole. A
// value out of its limits fails whatever is missing around it. A hole without such a value is `incomplete`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "bench_apps/bridge_feed.h"
#include "bench_apps/evidence_window.h"
#include "bench_apps/round_trips.h"
#include "bench_apps/station_run.h"

namespace labdeck::bench_apps {

class StationMachine {
public:
    static constexpr std::size_t rail_count = 5;
    static constexpr std::size_t current_count = 3;

    struct Settings {
        std::size_t samples = 20;                          ///< Records in a row for rails and currents.
        std::int64_t sample_ns_max = 5'000'000'000;        ///< How long to look for them.
        std::array<StepLimits, rail_count> rails{};        ///< mV, input registers 0-4.
        std::array<StepLimits, current_count> currents{};  ///< mA, input registers 10-12.
        double advertise_s_max = 2;
        double connect_s_max = 2;
        double battery_percent_min = 20;
        std::int64_t throughput_ns = 3'000'000'000;  ///< The window that it is the mean of.
        StepLimits throughput{};                     ///< Bytes of notifications a second.
        std::size_t round_trips = 100;
        double p50_ms_max = 20;
        double p99_ms_max = 80;
        std::int64_t bridge_timeout_ns = 5'000'000'000;  ///< Without a word of the bridge.
    };

    explicit StationMachine(const Settings& settings) : settings_(settings) {}

    /// REQUIRES: !busy().
    void begin(RunKind kind, std::string id, std::string serial, MonoTime now);
    /// Ends the run with what it has: the steps under way are incomplete, the rest is skipped.
    void stop(RunState state, std::string why, MonoTime now);

    /// The bridge has greeted. Its reports begin at number 1.
    void bridge_up(std::string boot_id, MonoTime now);
    void bridge_down(const std::string& why, MonoTime now);
    void hear(const BridgeReport& report, MonoTime now);
    void advance(MonoTime now);
    /// When advance() has something to do next, if nothing is heard.
    MonoTime next_event() const noexcept;

    std::vector<BridgeRequest> take_requests() { return std::exchange(requests_, {}); }
    bool busy() const noexcept { return phase_ != Phase::idle; }
    bool bridge_there() const noexcept { return bridge_there_; }
    const std::string& bridge_boot() const noexcept { return bridge_boot_; }
    const std::optional<BridgeReport>& last_report() const noexcept { return last_; }
    /// The run under way or the last one; nothing before the first.
    const std::optional<StationRun>& run() const noexcept { return run_; }

private:
    enum class Phase : unsigned char { idle, waiting, analog, advertised, connected, throughput, trips };
    struct Channel {
        std::size_t address = 0;
        std::size_t step = 0;
        std::uint64_t samples = 0;
        double min = 0, max = 0, sum = 0, worst = 0;
    };

    void build_steps(RunKind kind);
    void enter(Phase phase, const BridgeReport& report);
    void next_phase(const BridgeReport& report);
    void give_up(const std::string& why, MonoTime now);
    void end_run(RunState state, MonoTime now);

    void judge_analog(const BridgeReport& report);
    void sample(Channel& channel, double value);
    void finish_channel(const Channel& channel);
    void judge_advertised(const BridgeReport& report);
    void judge_connected(const BridgeReport& report);
    void judge_battery(const BridgeReport& report);
    void judge_throughput(const BridgeReport& report);
    void judge_trips(const BridgeReport& report);
    void ask_trip(MonoTime now);
    void finish_trips();
    void finish_percentile(std::string_view name, double value_ms);

    StationStep* step(std::string_view name);
    void start_steps(Phase phase, MonoTime when);
    /// Decides by the value's limits, then by the evidence.
    void judge(StationStep& step, std::optional<double> value, const Evidence& evidence,
               const std::string& fail_reason = {});
    void close(StationStep& step, Verdict verdict, std::string reason);
    void skip(std::initializer_list<std::string_view> names, const std::string& why);
    static Phase phase_of(std::string_view step) noexcept;

    const Settings settings_;
    std::optional<StationRun> run_;
    Phase phase_ = Phase::idle;
    std::vector<BridgeRequest> requests_;
    bool bridge_there_ = false;
    std::string bridge_boot_;
    std::optional<BridgeReport> last_;
    MonoTime last_heard_;
    bool wishing_ = false;  ///< The bridge was asked for what it is to be released from.

    // Of the phase under way.
    BridgeReport begin_;  ///< The report that it began with.
    EvidenceWindow window_;
    EvidenceWindow whole_;  ///< Asks for nothing but the reports, and never begins anew.
    std::vector<Channel> channels_;
    std::string last_hole_;
    bool confirmed_ = false;  ///< The link is held down.

    std::uint64_t next_trip_ = 1;
    std::size_t asked_ = 0;
    std::size_t answered_first_ = 0;  ///< Of the first settings_.round_trips.
    std::array<std::uint64_t, 5> trip_ends_{};
    RoundTrips trips_{1};
    MonoTime trip_asked_;
};

}  // namespace labdeck::bench_apps
