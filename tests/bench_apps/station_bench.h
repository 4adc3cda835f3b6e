// station_bench.h - the real machines of the whole bench against each other, in simulated time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench_apps/ble_machine.h"
#include "bench_apps/bridge_feed.h"
#include "bench_apps/bridge_machine.h"
#include "bench_apps/station_machine.h"

namespace labdeck::bench_apps::bench {

inline constexpr std::int64_t ms = 1'000'000;
inline constexpr std::int64_t second = 1'000 * ms;

inline MonoTime at(std::int64_t ns) {
    return MonoTime{1'000 * second + ns};
}

/// The limits that the station's settings have by default.
inline StationMachine::Settings usual_settings() {
    StationMachine::Settings settings;
    settings.rails = {{{3135, 3465}, {4750, 5250}, {11'400, 12'600}, {1710, 1890}, {22'800, 25'200}}};
    settings.currents = {{{50, 600}, {20, 300}, {10, 200}}};
    settings.throughput = {500, {}};
    return settings;
}

/// PLC and BLE module, the bridge between them and the station behind the bridge. A step is 1 ms; reports and
/// requests go through their lines, as over the socket.
struct StationBench {
    explicit StationBench(const StationMachine::Settings& settings = usual_settings(),
                          const BridgeMachine::Settings& bridge_settings = {})
        : bridge(bridge_settings, at(0)), station(settings) {
        bridge.plc_port(true, at(0));
        bridge.ble_port(true, at(0));
        run_for(2 * second);
        listen();
    }

    void listen() {
        feed = {};
        station.bridge_up("boot-1", at(now));
        listening = true;
    }
    void deafen() {
        listening = false;
        bridge.wish_link(LinkWish::by_settings);
        station.bridge_down("it hung up", at(now));
    }
    void run_for(std::int64_t ns) {
        for (const std::int64_t end = now + ns; now < end; now += ms) step();
    }
    /// Runs the sequence to its end; `meanwhile` is called each millisecond.
    const StationRun& judge(RunKind kind = RunKind::acceptance, const std::function<void()>& meanwhile = {}) {
        station.begin(kind, "run-1", "SN-1", at(now));
        for (int i = 0; station.busy() && i < 120'000; ++i, now += ms) {
            step();
            if (meanwhile) meanwhile();
        }
        return *station.run();
    }
    const StationStep& step_of(std::string_view name) const {
        for (const StationStep& one : station.run()->steps) {
            if (one.name == name) return one;
        }
        throw std::runtime_error("no step " + std::string(name));
    }
    std::vector<std::string> with(Verdict verdict) const {
        std::vector<std::string> names;
        for (const StationStep& one : station.run()->steps) {
            if (one.verdict == verdict) names.push_back(one.name);
        }
        return names;
    }
    void inject(FaultKind kind, double rate, std::int64_t delay_ns = 100 * ms) {
        Fault fault;
        fault.kind = kind;
        fault.rate = rate;
        fault.delay_ns = delay_ns;
        fault.until = at(now + 3600 * second);
        plc.inject(fault);
    }
    void set_input(int address, int value) {
        (void)plc.set_register(PlcBank::input, address, value, at(now));
    }

    void step() {
        plc_answers();
        bridge.advance(at(now));
        module.advance(at(now));
        const Bytes request = bridge.take_plc_output();
        if (!request.empty()) {
            if (auto answer = plc.answer(request, at(now))) under_way.push_back(std::move(*answer));
        }
        module.receive(bridge.take_ble_output(), at(now));
        bridge.ble_received(module.take_output(), at(now));
        tell_station();
        station.advance(at(now));
        for (const BridgeRequest& asked : station.take_requests()) {
            if (!listening) continue;
            const BridgeRequest heard = request_of(request_line(asked)).value();
            if (heard.kind == BridgeRequest::Kind::trip) {
                (void)bridge.ask_trip(heard.id, at(now));
            } else {
                bridge.wish_link(link_wish_of(heard.kind));
            }
        }
    }
    void plc_answers() {
        std::vector<PlcAnswer> due;
        std::vector<PlcAnswer> later;
        for (PlcAnswer& answer : under_way)
            (answer.send_at < at(now) ? due : later).push_back(std::move(answer));
        under_way = std::move(later);
        for (const PlcAnswer& answer : due) bridge.plc_received(answer.bytes, at(now));
    }
    void tell_station() {
        const std::vector<BridgeRecord> records = bridge.take_records();
        const std::vector<BridgeMachine::TripResult> trips = bridge.take_trip_results();
        if (!listening) return;
        for (const BridgeReport& report : feed.collect(bridge, records, trips, at(now))) {
            if (lose_reports > 0 && lose_reports-- > 0) continue;
            const auto line = feed_line_of(report_line(report));
            station.hear(*line.value().report, at(now));
        }
    }

    std::int64_t now = 0;
    BridgeMachine bridge;
    PlcMachine plc{1, 1, at(0)};
    BleMachine module{{}, at(0)};
    BridgeFeed feed;
    StationMachine station;
    bool listening = false;
    int lose_reports = 0;
    std::vector<PlcAnswer> under_way;
};

}  // namespace labdeck::bench_apps::bench
