#include "bench_apps/bridge_feed.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "station_bench.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using bench::at;
using contract::Json;

namespace {

BridgeReport full_report() {
    BridgeReport report;
    report.number = 7;
    report.time = at(5);
    report.link = BleLink::connecting;
    report.link_held = true;
    report.plc_open = true;
    report.rssi_dbm = -61;
    report.battery_percent = 87;
    report.totals.plc_bytes = 1'000'000'000'000;
    report.totals.ble_losses = 3;
    report.record.emplace();
    report.record->sequence = 12;
    report.record->time = at(4);
    report.record->inputs[2] = 12'000;
    report.record->coils = 5;
    report.trip = BridgeMachine::TripResult{9, TripEnd::timed_out, -1};
    return report;
}

}  // namespace

TEST_SUITE("bench_apps/bridge_feed") {
    TEST_CASE("a report is read back as it was written") {
        const BridgeReport report = full_report();
        const std::string line = report_line(report);
        CHECK(line.back() == '\n');
        const BridgeReport back = feed_line_of(line).value().report.value();
        CHECK(report_line(back) == line);
        CHECK(back.totals == report.totals);
        CHECK(back.record->inputs == report.record->inputs);
        CHECK(back.trip->end == TripEnd::timed_out);
        CHECK(back.link == BleLink::connecting);
    }

    TEST_CASE("a report that lacks any of its parts is refused, and named") {
        const Json whole = Json::parse(report_line(full_report()));
        for (const auto& item : whole.at("params").items()) {
            const std::string key = item.key();
            if (key == "record" || key == "trip") continue;
            CAPTURE(key);
            Json less = whole;
            less["params"].erase(key);
            const auto read = feed_line_of(less.dump());
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().details.find(key) != std::string::npos);
            less["params"][key] = nullptr;
            CHECK_FALSE(feed_line_of(less.dump()).has_value());
        }
        for (const auto& item : whole.at("params").at("totals").items()) {
            const std::string key = item.key();
            CAPTURE(key);
            Json less = whole;
            less["params"]["totals"][key] = -1;
            CHECK_FALSE(feed_line_of(less.dump()).has_value());
        }
    }

    TEST_CASE("values that no bridge could have are refused") {
        Json report = Json::parse(report_line(full_report()));
        const auto refused = [&](const char* pointer, const Json& value) {
            Json changed = report;
            changed[nlohmann::json_pointer<std::string>(pointer)] = value;
            return !feed_line_of(changed.dump()).has_value();
        };
        CHECK(refused("/params/rssi", 1000));
        CHECK(refused("/params/link", "tied"));
        CHECK(refused("/params/number", 1.5));
        CHECK(refused("/params/number", 18'446'744'073'709'551'615U));
        CHECK(refused("/params/record/inputs/3", 65'536));
        CHECK(refused("/params/record/inputs", Json::array()));
        CHECK(refused("/params/record", 5));
        CHECK(refused("/params/trip/end", "lost"));
        CHECK(refused("/params", Json::array()));
        CHECK_FALSE(refused("/params/later", "ignored"));
    }

    TEST_CASE("a greeting is of this name and version, or refused") {
        CHECK(feed_line_of(hello_line("boot-1")).value().boot_id == "boot-1");
        Json other = Json::parse(hello_line("boot-1"));
        other["params"]["interfaceVersion"] = 2;
        CHECK_FALSE(feed_line_of(other.dump()).has_value());
        other = Json::parse(hello_line("boot-1"));
        other["params"]["interfaceName"] = "something-else";
        CHECK_FALSE(feed_line_of(other.dump()).has_value());
        CHECK(feed_line_of(refused_line("busy")).value().refused == "busy");
    }

    TEST_CASE("requests are read back as they were written, and nothing else is one") {
        for (const BridgeRequest& request :
             {BridgeRequest{BridgeRequest::Kind::trip, 5}, BridgeRequest{BridgeRequest::Kind::hold, 0},
              BridgeRequest{BridgeRequest::Kind::link, 0}, BridgeRequest{BridgeRequest::Kind::release, 0}}) {
            CHECK(request_of(request_line(request)).value() == request);
        }
        for (const char* bad : {"", "{", "[]", "{}", R"({"method":"fly"})", R"({"method":"trip"})",
                                R"({"method":"trip","params":{"id":-1}})", R"({"method":5})"}) {
            CAPTURE(bad);
            CHECK_FALSE(request_of(bad).has_value());
        }
    }

    TEST_CASE("a listener hears of every record, every change, and at least ten times a second") {
        BridgeMachine::Settings slow;
        slow.poll_ns = 60 * bench::second;
        BridgeMachine bridge(slow, at(0));
        BridgeFeed feed;
        CHECK(feed.collect(bridge, {}, {}, at(0)).size() == 1);
        CHECK(feed.collect(bridge, {}, {}, at(50 * bench::ms)).empty());
        CHECK(feed.next_event() == at(100 * bench::ms));
        CHECK(feed.collect(bridge, {}, {}, at(100 * bench::ms)).size() == 1);
        bridge.ble_port(true, at(101 * bench::ms));
        const auto changed = feed.collect(bridge, {}, {}, at(101 * bench::ms));
        REQUIRE(changed.size() == 1);
        CHECK(changed[0].link == BleLink::scanning);
        CHECK(changed[0].number == 3);
        const std::vector<BridgeRecord> records(2);
        const std::vector<BridgeMachine::TripResult> trips(1);
        const auto told = feed.collect(bridge, records, trips, at(102 * bench::ms));
        REQUIRE(told.size() == 3);
        CHECK(told[0].record.has_value());
        CHECK_FALSE(told[2].record.has_value());
        CHECK(told[2].trip.has_value());
        CHECK(told[2].number == 6);
    }
}
