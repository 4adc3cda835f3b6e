// station_results.h - a run of the station as JSON, CSV and JUnit XML, and these as files.
//
// The three say the same: JSON everything, CSV one row a step, JUnit XML what build servers read. In it a
// step that is incomplete is an error, so that nobody counts it as passed. Texts that people gave are made
// harmless for each: CSV cells that a spreadsheet would take for a formula get an apostrophe before them, XML
// loses control characters. Pure, but for write_results().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/station_run.h"
#include "contract/json.h"

namespace labdeck::bench_apps {

/// `began` is the wall time of run.started; all other times follow from it.
contract::Json run_json(const StationRun& run, WallTime began);
/// RFC 4180: a head line, CR LF, quotes where they are needed.
std::string run_csv(const StationRun& run, WallTime began);
std::string run_junit(const StationRun& run, WallTime began);

/// As a cell stands in the file: guarded against formulas, quoted if need be.
std::string csv_cell(std::string_view text);
/// For element text and attribute values. What XML 1.0 cannot hold is left out.
std::string xml_text(std::string_view text);

/// Writes ID.json, ID.csv and ID.xml into the folder, which is made when it is missing, and gives their
/// paths. Each is written beside its place, synced and renamed: a file is whole or not there. After an error
/// those before it remain. Waits for the disk.
[[nodiscard]] Result<std::vector<std::string>> write_results(const StationRun& run, WallTime began,
                                                             const std::string& folder);

}  // namespace labdeck::bench_apps
