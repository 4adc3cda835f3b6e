// station_app.h - the app 40318: the acceptance station for product 40318.
//
// A StationMachine at the socket of the bridge. A run is a job of its action; its results go to files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench_apps/bench_app.h"
#include "bench_apps/bridge_feed_client.h"
#include "bench_apps/machine_timer.h"
#include "bench_apps/station_machine.h"

namespace labdeck::bench_apps {

class StationApp final : public BenchApp {
public:
    explicit StationApp(const AppContext& context);
    ~StationApp() override;

    std::vector<PortTraffic> traffic() const override;

private:
    /// Of all runs since the provider started.
    struct Counts {
        std::uint64_t runs = 0, passed = 0, failed = 0, incomplete = 0, canceled = 0, timed_out = 0;
        void add(const StationRun& run);
        Json json() const;
    };
    struct Overnight {
        MonoTime until;
        WallTime until_wall;
        Counts counts;
    };

    Result<> start(const AppConfig::Values& settings) override;
    void stop() override;
    void describe(Json& status) const override;

    void ask_for_run(RunKind kind, const Json& args, const JobHandle& job);
    void begin_run();
    /// Does what is due, sends what comes of it, and sets the timer for what is next.
    void pump();
    void tell_steps();
    void finish_run();
    void pause_overnight();
    void finish_overnight();
    void end_job(Result<Json> result);
    void give_up(JobState ending);
    Json last_run_json() const;
    void read_earlier_run();

    std::string socket_name_;  ///< As the settings have it.
    std::string results_folder_;
    std::int64_t pause_ns_ = 0;
    std::unique_ptr<StationMachine> machine_;  ///< These two while the app runs.
    std::unique_ptr<BridgeFeedClient> bridge_;
    MachineTimer timer_;
    MachineTimer overnight_timer_;

    JobHandle job_;  ///< Of the run under way, or of the whole night.
    RunKind kind_ = RunKind::acceptance;
    std::string serial_;
    bool run_open_ = false;   ///< A run has begun and its results are not written.
    std::vector<bool> told_;  ///< By step: its verdict is in the log.
    std::optional<Overnight> night_;
    WallTime run_began_;
    std::optional<StationRun> last_run_;  ///< As it ended.
    /// What an earlier provider left, until a run ends here.
    std::shared_ptr<const Json> earlier_run_;
    std::vector<std::string> files_;  ///< Of the last run.
    std::string files_error_;
    Counts counts_;
};

}  // namespace labdeck::bench_apps
