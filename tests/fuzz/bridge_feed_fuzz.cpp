// Any bytes as what a bridge says to a station, and as what a station asks of a bridge.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "bench_apps/bridge_feed.h"
#include "bench_apps/station_machine.h"
#include "bench_apps/station_results.h"
#include "contract/framing.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = as_text(ByteView(data, size));
    StationMachine station({});
    station.bridge_up("boot", MonoTime{1});
    station.begin(RunKind::acceptance, "run", std::string(bytes), MonoTime{1});
    std::int64_t now = 2;
    contract::LineSplitter lines(bridge_feed_line_max);
    lines.feed(bytes, {[&](std::string_view line) {
                           if (const auto request = request_of(line)) {
                               require(request_of(request_line(*request)).value() == *request);
                           }
                           const auto read = feed_line_of(line);
                           if (!read || !read->report) return;
                           // What was read is written, and read again, the same.
                           const std::string again = report_line(*read->report);
                           require(report_line(*feed_line_of(again).value().report) == again);
                           station.hear(*read->report, MonoTime{++now});
                       },
                       [] {}});
    station.stop(RunState::canceled, "over", MonoTime{++now});
    require(!station.busy());
    // Such bytes may fail a product; they never make a run complete.
    require(station.run()->state != RunState::canceled || station.run()->verdict() != Verdict::pass);
    require(!run_csv(*station.run(), WallTime{1}).empty());
    require(!run_junit(*station.run(), WallTime{1}).empty());
    return 0;
}
