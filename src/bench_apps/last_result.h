// last_result.h - the newest result of the station that a folder holds, read back from its JSON file.
//
// Files are told by the name that write_results() gives them, 40318-TIME-DIGITS.json, and the newest is told
// by the time in it. What is no whole, sound result is passed over and named, whatever is in it: half a file,
// another program's, one whose verdict is not that of its steps. Other names are not looked at. Waits for the
// disk.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/json.h"

namespace labdeck::bench_apps {

struct LastResult {
    /// As the status shows it in lastRun, its files included; null when there is none.
    std::shared_ptr<const contract::Json> run;
    /// Why newer files, or the folder, were passed over: "PATH: why".
    std::vector<std::string> passed_over;
};

/// A folder that is not there holds no result, and that is no fault. At most 100 files are passed over.
LastResult read_last_result(const std::string& folder);

/// The text of a JSON result as run_json() made it, of a run that is over. The error says what is wrong with
/// it.
[[nodiscard]] Result<contract::Json> parse_result(std::string_view text, std::string_view id);

}  // namespace labdeck::bench_apps
