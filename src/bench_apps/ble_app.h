// ble_app.h - the app ble-simulator: a BleMachine on a serial port.
#pragma once

#include <memory>

#include "bench_apps/bench_app.h"
#include "bench_apps/ble_machine.h"
#include "bench_apps/machine_timer.h"
#include "bench_apps/simulator_port.h"

namespace labdeck::bench_apps {

class BleApp final : public BenchApp {
public:
    explicit BleApp(const AppContext& context);
    ~BleApp() override;

    std::vector<PortTraffic> traffic() const override;

private:
    Result<> start(const AppConfig::Values& settings) override;
    void stop() override;
    void describe(Json& status) const override;
    void on_second() override;

    void add_radio_actions();
    void add_link_actions();
    /// Does what is due, sends what comes of it and sets the timer for what is next.
    void pump();

    std::string port_name_;  ///< As the settings have it.
    std::string transport_;  ///< Com or Tcp.
    std::uint32_t baud_ = 0;
    std::unique_ptr<BleMachine> machine_;  ///< These two while the app runs.
    std::unique_ptr<Link> port_;
    MachineTimer timer_;
    BleMachine::Counters told_;  ///< As of the last line in the log.
    MonoTime told_at_;
    double notified_per_second_ = 0;  ///< As counted over the last second.
};

}  // namespace labdeck::bench_apps
