// bridge_app.h - the app bridge: a BridgeMachine between a PLC's port and a BLE module's.
#pragma once

#include <map>
#include <memory>

#include "bench_apps/bench_app.h"
#include "bench_apps/bridge_feed_server.h"
#include "bench_apps/bridge_machine.h"
#include "bench_apps/link.h"
#include "bench_apps/machine_timer.h"

namespace labdeck::bench_apps {

class BridgeApp final : public BenchApp {
public:
    explicit BridgeApp(const AppContext& context);
    ~BridgeApp() override;

    std::vector<PortTraffic> traffic() const override;

private:
    Result<> start(const AppConfig::Values& settings) override;
    void stop() override;
    void describe(Json& status) const override;
    void on_second() override;

    std::unique_ptr<Link> make_plc_port(const AppConfig::Values& settings);
    std::unique_ptr<Link> make_ble_port(const AppConfig::Values& settings);
    void listen_for_station(const AppConfig::Values& settings);
    void station_asked(const BridgeRequest& request);
    void port_changed(const Link& port, bool open, const std::string& why);
    void pair(const JobHandle& job);
    void send(const Json& args, const JobHandle& job);
    /// Does what is due, sends and logs what comes of it, and sets the timer for what is next.
    void pump();
    void settle_jobs();
    void log_notes();
    void log_record(const BridgeRecord& record);
    void describe_plc(Json& status) const;
    void describe_ble(Json& status) const;
    void describe_station(Json& status) const;

    std::uint32_t baud_ = 0;                  ///< 0 over TCP.
    std::string transport_;                   ///< Com or Tcp.
    std::unique_ptr<BridgeMachine> machine_;  ///< These three while the app runs.
    std::unique_ptr<Link> plc_port_;
    std::unique_ptr<Link> ble_port_;
    std::unique_ptr<RtuTap> plc_tap_;            ///< Hears both directions of the PLC's line.
    std::unique_ptr<BridgeFeedServer> station_;  ///< Nothing while its socket cannot be had.
    std::string station_error_;
    std::string last_exchange_;
    MachineTimer timer_;
    JobHandle pairing_;
    std::map<std::uint16_t, JobHandle> writing_;  ///< By the number that the acknowledgement has.
    BridgeMachine::Counters told_;                ///< As of the last line in the log.
    MonoTime next_record_line_;
    int notes_this_second_ = 0;
};

}  // namespace labdeck::bench_apps
