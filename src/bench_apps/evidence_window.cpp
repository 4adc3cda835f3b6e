#include "bench_apps/evidence_window.h"

#include <fmt/format.h>

#include <utility>

namespace labdeck::bench_apps {

void EvidenceWindow::open(const BridgeReport& edge, const Needs& needs, std::string bridge_boot) {
    needs_ = needs;
    edge_ = edge.totals;
    evidence_ = {};
    evidence_.bridge_boot = std::move(bridge_boot);
    evidence_.from = evidence_.to = edge.time;
    evidence_.first_report = evidence_.last_report = edge.number;
    evidence_.plc_bytes_from = evidence_.plc_bytes_to = edge.totals.plc_bytes;
    evidence_.ble_bytes_from = evidence_.ble_bytes_to = edge.totals.ble_bytes;
    if (needs.plc && !edge.plc_open) break_off("the PLC's port is not open");
    if (needs.ble && edge.link == BleLink::down) break_off("the BLE module's port is not open");
}

void EvidenceWindow::break_off(std::string why) {
    if (evidence_.complete()) evidence_.why_incomplete = std::move(why);
}

/// What is lost between the report before and this one, in words; empty when nothing is.
std::string EvidenceWindow::hole_in(const BridgeReport& report) const {
    if (report.number != evidence_.last_report + 1) {
        return fmt::format("reports of the bridge are missing: {} came after {}", report.number,
                           evidence_.last_report);
    }
    if (report.totals.plc_bytes < evidence_.plc_bytes_to ||
        report.totals.ble_bytes < evidence_.ble_bytes_to) {
        return "the bridge counts from the beginning again";
    }
    if (report.record && evidence_.records > 0 && report.record->sequence != evidence_.last_record + 1) {
        return fmt::format("records are missing: {} came after {}", report.record->sequence,
                           evidence_.last_record);
    }
    const BridgeMachine::Counters lost = report.totals.since(edge_);
    if (needs_.plc && lost.plc_losses > 0) return "the PLC's port went away";
    if (needs_.plc && lost.failed_polls > 0)
        return fmt::format("the PLC did not answer {} polls", lost.failed_polls);
    if ((needs_.ble || needs_.notifications) && lost.ble_losses > 0) return "the BLE module's port went away";
    if (!needs_.notifications) return {};
    if (lost.link_losses > 0 || lost.links > 0 || report.link != BleLink::connected)
        return "the link went down";
    if (lost.ble_bad_frames > 0)
        return fmt::format("{} frames of the BLE module were damaged", lost.ble_bad_frames);
    if (lost.notifications_lost > 0)
        return fmt::format("{} notifications were lost", lost.notifications_lost);
    return {};
}

void EvidenceWindow::add(const BridgeReport& report) {
    if (std::string hole = hole_in(report); !hole.empty()) break_off(std::move(hole));
    evidence_.to = report.time;
    evidence_.last_report = report.number;
    evidence_.plc_bytes_to = report.totals.plc_bytes;
    evidence_.ble_bytes_to = report.totals.ble_bytes;
    evidence_.counted = report.totals.since(edge_);
    if (!report.record) return;
    if (evidence_.records == 0) evidence_.first_record = report.record->sequence;
    evidence_.last_record = report.record->sequence;
    ++evidence_.records;
}

}  // namespace labdeck::bench_apps
