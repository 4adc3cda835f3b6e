#include "bench_apps/bridge_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace labdeck::bench_apps {

namespace {

using contract::Json;
using Counters = BridgeMachine::Counters;

struct CounterName {
    std::string_view name;
    std::uint64_t Counters::*field;
};
constexpr std::array<CounterName, 23> counter_names = {{
    {"requests", &Counters::requests},
    {"answers", &Counters::answers},
    {"exceptions", &Counters::exceptions},
    {"timeouts", &Counters::timeouts},
    {"retries", &Counters::retries},
    {"crcErrors", &Counters::crc_errors},
    {"strayFrames", &Counters::stray_frames},
    {"failedPolls", &Counters::failed_polls},
    {"records", &Counters::records},
    {"advertisements", &Counters::advertisements},
    {"notifications", &Counters::notifications},
    {"notificationsLost", &Counters::notifications_lost},
    {"notificationBytes", &Counters::notification_bytes},
    {"badFrames", &Counters::ble_bad_frames},
    {"linkLosses", &Counters::link_losses},
    {"links", &Counters::links},
    {"writes", &Counters::writes},
    {"acknowledgements", &Counters::acknowledgements},
    {"radioReports", &Counters::radio_reports},
    {"plcBytes", &Counters::plc_bytes},
    {"bleBytes", &Counters::ble_bytes},
    {"plcLosses", &Counters::plc_losses},
    {"bleLosses", &Counters::ble_losses},
}};
static_assert(sizeof(Counters) == counter_names.size() * sizeof(std::uint64_t));

/// A century and more since the machine started, far from where sums would overflow.
constexpr std::int64_t time_ns_max = std::int64_t{1} << 62;

constexpr std::array<std::string_view, 4> request_names = {"trip", "hold", "link", "release"};
static_assert(static_cast<std::size_t>(BridgeRequest::Kind::release) + 1 == request_names.size());

/// Fails with the key's name; the first one that is missing or of another type.
class Reader {
public:
    explicit Reader(const Json& from) : from_(from) {}

    template <typename T>
    T number(std::string_view key, T min, T max) {
        const Json* value = find(key);
        if (value == nullptr || !value->is_number_integer()) return lack(key, T{});
        // Numbers beyond 63 bits do not come from a bridge.
        const auto whole = value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX
                               ? std::int64_t{-1}
                               : value->get<std::int64_t>();
        if (std::cmp_less(whole, min) || std::cmp_greater(whole, max)) return lack(key, T{});
        return static_cast<T>(whole);
    }
    std::uint64_t count(std::string_view key) { return number<std::uint64_t>(key, 0, INT64_MAX); }
    bool flag(std::string_view key) {
        const Json* value = find(key);
        return value != nullptr && value->is_boolean() ? value->get<bool>() : lack(key, false);
    }
    std::string text(std::string_view key) {
        const Json* value = find(key);
        return value != nullptr && value->is_string() ? value->get<std::string>() : lack(key, std::string());
    }
    const Json* find(std::string_view key) const {
        const auto found = from_.find(key);
        return found == from_.end() ? nullptr : &*found;
    }
    template <typename T>
    T lack(std::string_view key, T otherwise) {
        if (missing_.empty()) missing_ = key;
        return otherwise;
    }
    Result<> done() const {
        if (missing_.empty()) return {};
        return fail(contract::bad_arg(missing_, fmt::format("missing or out of range: {}", missing_)));
    }

private:
    const Json& from_;
    std::string missing_;
};

Result<Json> object_of(std::string_view line) {
    Json json = LD_TRY(contract::parse_json(line));
    if (!json.is_object()) return fail(Code::bad_arg, "a line is no JSON object");
    return json;
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

constexpr std::array<BleLink, 4> links = {BleLink::down, BleLink::scanning, BleLink::connecting,
                                          BleLink::connected};
constexpr std::array<TripEnd, 5> trip_ends = {TripEnd::answered, TripEnd::exception, TripEnd::damaged,
                                              TripEnd::timed_out, TripEnd::port_gone};

template <typename Enum, std::size_t N, typename Name>
Enum named(Reader& reader, std::string_view key, const std::array<Enum, N>& all, Name name_of) {
    const std::string name = reader.text(key);
    const auto found = std::find_if(all.begin(), all.end(), [&](Enum one) { return name_of(one) == name; });
    return found == all.end() ? reader.lack(key, all[0]) : *found;
}

Json record_json(const BridgeRecord& record) {
    return {{"sequence", record.sequence},
            {"timeNs", record.time.ns},
            {"inputs", record.inputs},
            {"coils", record.coils}};
}

Result<BridgeRecord> record_of(const Json& json) {
    if (!json.is_object()) return fail(contract::bad_arg("record", "a record is no object"));
    Reader reader(json);
    BridgeRecord record;
    record.sequence = reader.count("sequence");
    record.time.ns = reader.number<std::int64_t>("timeNs", 0, time_ns_max);
    record.coils = reader.number<std::uint8_t>("coils", 0, UINT8_MAX);
    const Json* inputs = reader.find("inputs");
    if (inputs == nullptr || !inputs->is_array() || inputs->size() != record.inputs.size()) {
        return fail(contract::bad_arg("inputs", "a record lacks its inputs"));
    }
    for (std::size_t i = 0; i < record.inputs.size(); ++i) {
        const Json& value = (*inputs)[i];
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > UINT16_MAX) {
            return fail(contract::bad_arg("inputs", "a record's input is no register's value"));
        }
        record.inputs[i] = value.get<std::uint16_t>();
    }
    LD_TRY(reader.done());
    return record;
}

Result<BridgeMachine::TripResult> trip_of(const Json& json) {
    if (!json.is_object()) return fail(contract::bad_arg("trip", "a round trip is no object"));
    Reader reader(json);
    BridgeMachine::TripResult trip;
    trip.id = reader.count("id");
    trip.end = named(reader, "end", trip_ends, trip_end_name);
    trip.round_trip_ns = reader.number<std::int64_t>("roundTripNs", -1, INT64_MAX);
    LD_TRY(reader.done());
    return trip;
}

Result<BridgeReport> report_of(const Json& json) {
    Reader reader(json);
    BridgeReport report;
    report.number = reader.count("number");
    report.time.ns = reader.number<std::int64_t>("timeNs", 0, time_ns_max);
    report.link = named(reader, "link", links, ble_link_name);
    report.link_held = reader.flag("linkHeld");
    report.plc_open = reader.flag("plcOpen");
    report.plc_answers = reader.flag("plcAnswers");
    report.rssi_dbm = reader.number<int>("rssi", -128, 127);
    report.battery_percent = reader.number<int>("battery", 0, 255);
    const Json* totals = reader.find("totals");
    if (totals == nullptr || !totals->is_object()) {
        return fail(contract::bad_arg("totals", "a report lacks its totals"));
    }
    Reader counts(*totals);
    for (const CounterName& counter : counter_names)
        report.totals.*counter.field = counts.count(counter.name);
    LD_TRY(counts.done());
    LD_TRY(reader.done());
    if (const Json* record = reader.find("record")) report.record = LD_TRY(record_of(*record));
    if (const Json* trip = reader.find("trip")) report.trip = LD_TRY(trip_of(*trip));
    return report;
}

std::string line_of(const Json& json) {
    std::string line = contract::dump_line(json);
    line += '\n';
    return line;
}

}  // namespace

LinkWish link_wish_of(BridgeRequest::Kind kind) noexcept {
    if (kind == BridgeRequest::Kind::hold) return LinkWish::hold_down;
    return kind == BridgeRequest::Kind::link ? LinkWish::make : LinkWish::by_settings;
}

std::vector<BridgeReport> BridgeFeed::collect(const BridgeMachine& bridge,
                                              std::span<const BridgeRecord> records,
                                              std::span<const BridgeMachine::TripResult> trips,
                                              MonoTime now) {
    BridgeReport next;
    next.number = last_.number;
    next.time = now;
    next.link = bridge.link();
    next.link_held = bridge.link_held();
    next.plc_open = bridge.plc_open();
    next.plc_answers = bridge.plc_answers();
    next.rssi_dbm = bridge.rssi_dbm();
    next.battery_percent = bridge.battery_percent();
    next.totals = bridge.totals();

    std::vector<BridgeReport> told;
    const auto tell = [&] {
        ++next.number;
        told.push_back(next);
        next.record.reset();
        next.trip.reset();
    };
    for (const BridgeRecord& record : records) {
        next.record = record;
        tell();
    }
    for (const BridgeMachine::TripResult& trip : trips) {
        next.trip = trip;
        tell();
    }
    const Counters& before = last_.totals;
    const bool changed =
        next.link != last_.link || next.link_held != last_.link_held || next.plc_open != last_.plc_open ||
        next.totals.advertisements != before.advertisements ||
        next.totals.link_losses != before.link_losses || next.totals.ble_losses != before.ble_losses ||
        next.totals.failed_polls != before.failed_polls;
    if (told.empty() && (last_.number == 0 || changed || now >= next_event())) tell();
    if (!told.empty()) last_ = next;
    return told;
}

std::string hello_line(std::string_view boot_id) {
    return line_of({{"event", "hello"},
                    {"params",
                     {{"interfaceName", bridge_feed_name},
                      {"interfaceVersion", bridge_feed_version},
                      {"bootId", boot_id}}}});
}

std::string refused_line(std::string_view why) {
    return line_of({{"event", "refused"}, {"params", {{"reason", why}}}});
}

std::string report_line(const BridgeReport& report) {
    Json totals = Json::object();
    for (const CounterName& counter : counter_names) {
        totals[std::string(counter.name)] = report.totals.*counter.field;
    }
    Json params = {{"number", report.number},
                   {"timeNs", report.time.ns},
                   {"link", ble_link_name(report.link)},
                   {"linkHeld", report.link_held},
                   {"plcOpen", report.plc_open},
                   {"plcAnswers", report.plc_answers},
                   {"rssi", report.rssi_dbm},
                   {"battery", report.battery_percent},
                   {"totals", std::move(totals)}};
    if (report.record) params["record"] = record_json(*report.record);
    if (report.trip) {
        params["trip"] = {{"id", report.trip->id},
                          {"end", trip_end_name(report.trip->end)},
                          {"roundTripNs", report.trip->round_trip_ns}};
    }
    return line_of({{"event", "report"}, {"params", std::move(params)}});
}

std::string request_line(const BridgeRequest& request) {
    Json line = {{"method", request_names[static_cast<std::size_t>(request.kind)]}};
    if (request.kind == BridgeRequest::Kind::trip) line["params"] = {{"id", request.id}};
    return line_of(line);
}

Result<BridgeFeedLine> feed_line_of(std::string_view line) {
    const Json json = LD_TRY(object_of(line));
    Reader envelope(json);
    const std::string event = envelope.text("event");
    const Json* params = envelope.find("params");
    if (params == nullptr || !params->is_object()) (void)envelope.lack("params", 0);
    LD_TRY(envelope.done());
    BridgeFeedLine out;
    if (event == "report") out.report = LD_TRY(report_of(*params));
    if (event == "refused") {
        Reader refused(*params);
        out.refused = refused.text("reason");
        LD_TRY(refused.done());
    }
    if (event != "hello") return out;
    Reader hello(*params);
    const std::string name = hello.text("interfaceName");
    const int version = hello.number<int>("interfaceVersion", 0, INT32_MAX);
    out.boot_id = hello.text("bootId");
    LD_TRY(hello.done());
    if (name != bridge_feed_name || version != bridge_feed_version) {
        return fail(Code::bad_arg, fmt::format("the bridge speaks {} {}, not {} {}", name, version,
                                               bridge_feed_name, bridge_feed_version));
    }
    return out;
}

Result<BridgeRequest> request_of(std::string_view line) {
    const Json json = LD_TRY(object_of(line));
    Reader reader(json);
    const auto kind = index_of(request_names, reader.text("method"));
    if (!kind) return fail(contract::bad_arg("method", "a bridge's feed takes trip, hold, link and release"));
    BridgeRequest request{static_cast<BridgeRequest::Kind>(*kind), 0};
    if (request.kind != BridgeRequest::Kind::trip) return request;
    const Json* params = reader.find("params");
    if (params == nullptr || !params->is_object()) {
        return fail(contract::bad_arg("params", "a round trip needs its id"));
    }
    Reader of_trip(*params);
    request.id = of_trip.count("id");
    LD_TRY(of_trip.done());
    return request;
}

}  // namespace labdeck::bench_apps
