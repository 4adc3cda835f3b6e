// bridge_feed.h - what the bridge tells a station that judges its devices, and what that may ask of it.
//
// Lines of JSON over a socket in the workspace, in the grammar of the contract. The bridge greets first, then
// sends a report for each poll, each change of the link, each round trip that was asked for, and at least ten
// a second while somebody listens. Reports are numbered without gaps and carry all counters since the bridge
// started, so that any two of them bound a window in which nothing can have been lost unseen.
//
//     ← {"event":"hello","params":{"interfaceName":"labdeck-bridge-feed","interfaceVersion":1,"bootId":"…"}}
//     ← {"event":"report","params":{"number":1,"timeNs":…,"link":"connected",…,"totals":{…},"record":{…}}}
//     ← {"event":"refused","params":{"reason":"…"}}   instead of the greeting: one station at a time
//     → {"method":"trip","params":{"id":1}}     one round trip to the PLC; the report has "trip":{"id":1,…}
//     → {"method":"hold"}                       ends the BLE link and makes none
//     → {"method":"link"}                       makes one whenever the module advertises
//     → {"method":"release"}                    leaves links to the bridge's settings again
//
// Times are the machine's monotonic clock in nanoseconds: both ends are on one machine. Pure; no thread, no
// socket.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/bridge_machine.h"
#include "contract/json.h"

namespace labdeck::bench_apps {

inline constexpr std::string_view bridge_feed_name = "labdeck-bridge-feed";
inline constexpr int bridge_feed_version = 1;
/// Of one line, either way.
inline constexpr std::size_t bridge_feed_line_max = 64U << 10;

struct BridgeReport {
    std::uint64_t number = 0;  ///< From 1 on for each listener.
    MonoTime time;
    BleLink link = BleLink::down;
    bool link_held = false;
    bool plc_open = false;
    bool plc_answers = false;
    int rssi_dbm = 0;
    int battery_percent = 0;
    BridgeMachine::Counters totals;
    std::optional<BridgeRecord>
        record;  ///< Of `inputs`, `coils`, `sequence` and `time`; the rest is in the report.
    std::optional<BridgeMachine::TripResult> trip;
};

struct BridgeRequest {
    enum class Kind : unsigned char { trip, hold, link, release } kind = Kind::trip;
    std::uint64_t id = 0;  ///< Of a trip.
    friend bool operator==(const BridgeRequest&, const BridgeRequest&) = default;
};

/// Of any request but a trip.
LinkWish link_wish_of(BridgeRequest::Kind kind) noexcept;

/// One listener's reports.
class BridgeFeed {
public:
    /// What there is to tell since the last call.
    std::vector<BridgeReport> collect(const BridgeMachine& bridge, std::span<const BridgeRecord> records,
                                      std::span<const BridgeMachine::TripResult> trips, MonoTime now);
    /// When collect() has something to tell even if nothing happens.
    MonoTime next_event() const noexcept { return {last_.time.ns + beat_ns}; }

private:
    static constexpr std::int64_t beat_ns = 100'000'000;
    BridgeReport last_;
};

/// One of the three, or none for an event that a later version may add.
struct BridgeFeedLine {
    std::optional<std::string> boot_id;  ///< Of the greeting.
    std::optional<std::string> refused;  ///< Why there is no greeting.
    std::optional<BridgeReport> report;
};

/// Lines with their newline.
std::string hello_line(std::string_view boot_id);
std::string refused_line(std::string_view why);
std::string report_line(const BridgeReport& report);
std::string request_line(const BridgeRequest& request);

/// E_BAD_ARG for what is no line of a feed or lacks something; a greeting of another name or version too.
[[nodiscard]] Result<BridgeFeedLine> feed_line_of(std::string_view line);
[[nodiscard]] Result<BridgeRequest> request_of(std::string_view line);

}  // namespace labdeck::bench_apps
