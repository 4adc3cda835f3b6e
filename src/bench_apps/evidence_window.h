// evidence_window.h - watches a stretch of the bridge's reports for holes.
//
// A window that has a hole keeps it: whoever judges on it may say fail for what was seen, and never pass.
#pragma once

#include <string>

#include "bench_apps/station_run.h"

namespace labdeck::bench_apps {

class EvidenceWindow {
public:
    /// What must not have been lost within. That no report is missing is always asked for.
    struct Needs {
        bool plc = false;            ///< Every poll of the PLC, and its port.
        bool ble = false;            ///< The BLE module's port.
        bool notifications = false;  ///< Every notification, on one unbroken link.
    };

    /// Begins anew with this report as the edge: what the bridge counted until then lies outside.
    void open(const BridgeReport& edge, const Needs& needs, std::string bridge_boot);
    /// In the order in which they came. What comes after a hole widens the window and mends nothing.
    void add(const BridgeReport& report);
    /// The first reason stays.
    void break_off(std::string why);

    const Evidence& evidence() const noexcept { return evidence_; }

private:
    std::string hole_in(const BridgeReport& report) const;

    Needs needs_;
    BridgeMachine::Counters edge_;
    Evidence evidence_;
};

}  // namespace labdeck::bench_apps
