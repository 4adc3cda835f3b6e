// plc_app.h - the app plc-simulator: a PlcMachine on a serial port, with libmodbus as its ear.
#pragma once

#include <map>
#include <memory>

#include "bench_apps/bench_app.h"
#include "bench_apps/modbus_listener.h"
#include "bench_apps/plc_machine.h"
#include "bench_apps/simulator_port.h"

namespace labdeck::bench_apps {

class PlcApp final : public BenchApp {
public:
    explicit PlcApp(const AppContext& context);
    ~PlcApp() override;

    std::vector<PortTraffic> traffic() const override;

private:
    Result<> start(const AppConfig::Values& settings) override;
    void stop() override;
    void describe(Json& status) const override;
    void on_second() override;

    Result<Json> set_register(const Json& args);
    Result<Json> set_waveform(const Json& args);
    Result<Json> inject_fault(const Json& args);
    Result<Json> load_scenario(const Json& args);
    void handle_request(const Bytes& adu);
    void send(PlcAnswer answer);
    void wait_for_delayed();
    void describe_registers(Json& status) const;

    std::string port_name_;  ///< As the settings have it.
    std::string transport_;  ///< Com or Tcp.
    std::uint32_t baud_ = 0;
    int unit_ = 0;
    std::unique_ptr<PlcMachine> machine_;  ///< These three while the app runs.
    std::unique_ptr<Link> port_;
    std::unique_ptr<ModbusListener> listener_;
    std::multimap<MonoTime, Bytes> delayed_;  ///< Answers that a fault holds back, by when they go out.
    io::TimerId delay_timer_ = 0;
    std::uint64_t lost_bytes_ = 0;  ///< The listener had no room for them.
    PlcMachine::Counters told_;     ///< As of the last line in the log.
};

}  // namespace labdeck::bench_apps
