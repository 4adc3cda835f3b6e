// console_report.h - what the console measured of itself, as JSON for tests and for people who doubt it.
#pragma once

#include <string>
#include <vector>

#include "ui/bench_state.h"
#include "ui/frame_costs.h"
#include "ui/panel.h"

namespace labdeck::ui {

/// What a pane's badge said in the last frame.
struct PanelAge {
    std::string id;
    DataAge age;
};

std::string report_text(const BenchState& bench, const FrameCosts& frames, const FrameCosts& whole_frames,
                        const std::vector<PanelAge>& ages);

/// Replaces the file as a whole, so that a reader never sees half of it. A report that cannot be written is
/// no reason to stop: it is left out.
void write_report(const std::string& path, const std::string& text);

}  // namespace labdeck::ui
