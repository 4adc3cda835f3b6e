#include "bench_apps/bridge_machine.h"

#include <doctest/doctest.h>

#include "bench_apps/ble_machine.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1'000 * ms;

MonoTime at(std::int64_t ns) {
    return MonoTime{1'000 * second + ns};
}

/// A bridge between a PLC and a BLE module, on wires that take 1 ms.
struct Bench {
    explicit Bench(const BridgeMachine::Settings& settings = {}) : bridge(settings, at(0)) {
        bridge.plc_port(true, at(0));
        bridge.ble_port(true, at(0));
    }

    void run_for(std::int64_t ns) {
        for (const std::int64_t end = now + ns; now < end; now += ms) step();
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
        for (const BridgeRecord& record : bridge.take_records()) records.push_back(record);
        for (const auto& note : bridge.take_notes()) notes.push_back(note.text);
        for (const auto& result : bridge.take_write_results()) writes.push_back(result);
    }
    void plc_answers() {
        std::vector<PlcAnswer> due;
        std::vector<PlcAnswer> later;
        for (PlcAnswer& answer : under_way)
            (answer.send_at < at(now) ? due : later).push_back(std::move(answer));
        under_way = std::move(later);
        for (const PlcAnswer& answer : due) bridge.plc_received(answer.bytes, at(now));
    }
    void inject(FaultKind kind, double rate) {
        Fault fault;
        fault.kind = kind;
        fault.rate = rate;
        fault.until = at(now + 3600 * second);
        plc.inject(fault);
    }

    std::int64_t now = 0;
    BridgeMachine bridge;
    PlcMachine plc{1, 1, at(0)};
    BleMachine module{{}, at(0)};
    std::vector<PlcAnswer> under_way;
    std::vector<BridgeRecord> records;
    std::vector<std::string> notes;
    std::vector<BridgeMachine::WriteResult> writes;
};

}  // namespace

TEST_SUITE("bench_apps/bridge_machine") {
    TEST_CASE("a quiet bench gives a record each poll, numbered without gaps, and loses nothing") {
        Bench bench;
        bench.run_for(10 * second);
        CHECK(bench.records.size() == 200);
        for (std::size_t i = 0; i < bench.records.size(); ++i) CHECK(bench.records[i].sequence == i + 1);
        const BridgeRecord& last = bench.records.back();
        CHECK(last.inputs[0] == doctest::Approx(3300).epsilon(0.01));
        CHECK(last.coils == 0b0101);
        CHECK(last.linked);
        CHECK(last.rssi_dbm < 0);
        CHECK(last.battery_percent == 87);
        const auto& counters = bench.bridge.counters();
        CHECK(counters.timeouts + counters.retries + counters.crc_errors + counters.notifications_lost == 0);
        CHECK(counters.notifications >= 195);
        CHECK(bench.bridge.plc_round_trips().summary().p50_ns == ms);
    }

    TEST_CASE("silence is a time-out and a retry, and its round trips do not count") {
        Bench bench;
        bench.run_for(1 * second);
        const std::size_t counted = bench.bridge.plc_round_trips().summary().count;
        bench.inject(FaultKind::silence, 0.3);
        bench.run_for(10 * second);
        const auto& counters = bench.bridge.counters();
        CHECK(counters.timeouts > 5);
        CHECK(counters.retries > 5);
        CHECK(counters.crc_errors == 0);
        CHECK(bench.bridge.plc_round_trips().summary().max_ns == ms);
        CHECK(bench.bridge.plc_round_trips().summary().count >= counted);
    }

    TEST_CASE("a damaged answer is a CRC error and is asked for again at once") {
        Bench bench;
        bench.inject(FaultKind::crc, 0.2);
        bench.run_for(5 * second);
        CHECK(bench.bridge.counters().crc_errors > 10);
        CHECK(bench.bridge.counters().retries > 10);
        CHECK(bench.bridge.counters().timeouts == 0);
        CHECK(bench.records.size() >= 95);
    }

    TEST_CASE("an answer that lacks a byte is told from silence") {
        Bench bench;
        bench.inject(FaultKind::lost_byte, 0.2);
        bench.run_for(10 * second);
        CHECK(bench.bridge.counters().crc_errors > 5);
    }

    TEST_CASE("exceptions are counted, retried, and given up without an end of polling") {
        Bench bench;
        bench.inject(FaultKind::exception, 1);
        bench.run_for(1 * second);
        CHECK(bench.bridge.counters().exceptions > 10);
        CHECK(bench.bridge.counters().failed_polls > 5);
        CHECK(bench.records.empty());
        CHECK_FALSE(bench.bridge.plc_answers());
        Fault over;
        over.kind = FaultKind::exception;
        over.until = at(0);
        bench.plc.inject(over);
        bench.run_for(1 * second);
        CHECK(bench.bridge.plc_answers());
        CHECK_FALSE(bench.records.empty());
    }

    TEST_CASE("a dead PLC is told once, and once that it is back") {
        Bench bench;
        bench.run_for(1 * second);
        bench.notes.clear();
        bench.inject(FaultKind::silence, 1);
        bench.run_for(10 * second);
        CHECK(bench.notes.size() == 1);
        Fault over;
        over.kind = FaultKind::silence;
        over.until = at(0);
        bench.plc.inject(over);
        bench.run_for(1 * second);
        CHECK(bench.notes.size() == 2);
    }

    TEST_CASE("a delay shows in the round trips") {
        Bench bench;
        bench.inject(FaultKind::delay, 1);
        bench.run_for(5 * second);
        CHECK(bench.bridge.plc_round_trips().summary().p50_ns >= 100 * ms);
        CHECK(bench.bridge.counters().timeouts == 0);
    }

    TEST_CASE("a dropped link is found again, and what was lost in the air is counted") {
        Bench bench;
        bench.run_for(2 * second);
        bench.module.drop_link(3 * second, at(bench.now));
        bench.run_for(1 * second);
        CHECK(bench.bridge.link() == BleLink::scanning);
        CHECK_FALSE(bench.records.back().linked);
        bench.run_for(4 * second);
        CHECK(bench.bridge.link() == BleLink::connected);
        CHECK(bench.bridge.counters().link_losses == 1);
        CHECK(bench.bridge.counters().notifications_lost == bench.module.counters().lost_in_air);
        CHECK(bench.bridge.counters().notifications_lost >= 59);
    }

    TEST_CASE("a module that starts again is no loss") {
        Bench bench;
        bench.run_for(2 * second);
        BleMachine::Settings other;
        other.boot = 2;
        bench.bridge.ble_port(false, at(bench.now));
        CHECK(bench.bridge.link() == BleLink::down);
        bench.bridge.ble_port(true, at(bench.now));
        BleMachine again(other, at(bench.now));
        for (int i = 0; i < 2000; ++i, bench.now += ms) {
            bench.bridge.advance(at(bench.now));
            again.advance(at(bench.now));
            again.receive(bench.bridge.take_ble_output(), at(bench.now));
            bench.bridge.ble_received(again.take_output(), at(bench.now));
        }
        CHECK(bench.bridge.link() == BleLink::connected);
        CHECK(bench.bridge.counters().notifications_lost == 0);
    }

    TEST_CASE("without the wish for a link it only listens, until it is told to pair") {
        BridgeMachine::Settings settings;
        settings.keep_linked = false;
        Bench bench(settings);
        bench.run_for(2 * second);
        CHECK(bench.bridge.link() == BleLink::scanning);
        bench.bridge.pair(at(bench.now));
        bench.run_for(200 * ms);
        CHECK(bench.bridge.link() == BleLink::connected);
        bench.bridge.stop_pairing();
        bench.module.disconnect(at(bench.now));
        bench.run_for(1 * second);
        CHECK(bench.bridge.link() == BleLink::scanning);
    }

    TEST_CASE("a write comes back acknowledged, or as timed out, or not at all without a link") {
        Bench bench;
        CHECK(bench.bridge.send(as_bytes("early"), at(0)).error().code == Code::action_failed);
        bench.run_for(1 * second);
        const auto sequence = bench.bridge.send(as_bytes("hello"), at(bench.now));
        REQUIRE(sequence.has_value());
        bench.run_for(10 * ms);
        REQUIRE(bench.writes.size() == 1);
        CHECK(bench.writes[0].sequence == *sequence);
        CHECK(bench.writes[0].taken);
        CHECK(as_text(bench.module.last_write()) == "hello");
        REQUIRE(bench.bridge.send(as_bytes("lost"), at(bench.now)).has_value());
        (void)bench.bridge.take_ble_output();
        bench.run_for(3 * second);
        REQUIRE(bench.writes.size() == 2);
        CHECK(bench.writes[1].timed_out);
    }

    TEST_CASE("resetting the counters keeps the records' numbers") {
        Bench bench;
        bench.run_for(1 * second);
        const std::uint64_t last = bench.records.back().sequence;
        bench.bridge.reset_counters();
        CHECK(bench.bridge.counters().records == 0);
        CHECK(bench.bridge.plc_round_trips().summary().count == 0);
        bench.run_for(100 * ms);
        CHECK(bench.records.back().sequence > last);
    }

    TEST_CASE("nothing is sent to a port that is gone") {
        Bench bench;
        bench.run_for(1 * second);
        bench.bridge.plc_port(false, at(bench.now));
        bench.bridge.advance(at(bench.now + second));
        CHECK(bench.bridge.take_plc_output().empty());
        bench.bridge.plc_port(true, at(bench.now + second));
        bench.bridge.advance(at(bench.now + second));
        CHECK(bench.bridge.take_plc_output().size() == 8);
    }

    TEST_CASE("a round trip that is asked for goes between the polls and takes none of their records") {
        Bench bench;
        bench.run_for(1 * second);
        const std::size_t before = bench.records.size();
        for (std::uint64_t id = 1; id <= 50; ++id) REQUIRE(bench.bridge.ask_trip(id, at(bench.now)));
        bench.run_for(1 * second);
        const auto trips = bench.bridge.take_trip_results();
        REQUIRE(trips.size() == 50);
        for (std::size_t i = 0; i < trips.size(); ++i) {
            CHECK(trips[i].id == i + 1);
            CHECK(trips[i].end == TripEnd::answered);
            CHECK(trips[i].round_trip_ns >= ms);
        }
        CHECK(bench.records.size() == before + 20);
        for (std::size_t i = 0; i < bench.records.size(); ++i) CHECK(bench.records[i].sequence == i + 1);
    }

    TEST_CASE("a round trip says how it ended, and is never tried again") {
        Bench bench;
        const auto ends_as = [&](FaultKind kind) {
            bench.inject(kind, 1);
            REQUIRE(bench.bridge.ask_trip(1, at(bench.now)));
            std::vector<BridgeMachine::TripResult> trips;
            while (trips.empty()) {
                bench.run_for(10 * ms);
                trips = bench.bridge.take_trip_results();
            }
            Fault over;
            over.kind = kind;
            over.until = at(0);
            bench.plc.inject(over);
            bench.run_for(2 * second);
            CHECK(bench.bridge.take_trip_results().empty());
            return trips[0].end;
        };
        CHECK(ends_as(FaultKind::silence) == TripEnd::timed_out);
        CHECK(ends_as(FaultKind::crc) == TripEnd::damaged);
        CHECK(ends_as(FaultKind::exception) == TripEnd::exception);
        CHECK(ends_as(FaultKind::delay) == TripEnd::answered);
    }

    TEST_CASE("a late answer is not taken for the answer to a later round trip") {
        Bench bench;
        Fault late;
        late.kind = FaultKind::delay;
        late.delay_ns = 300 * ms;
        late.until = at(3600 * second);
        bench.plc.inject(late);
        for (std::uint64_t id = 1; id <= 5; ++id) REQUIRE(bench.bridge.ask_trip(id, at(bench.now)));
        bench.run_for(20 * second);
        const auto trips = bench.bridge.take_trip_results();
        REQUIRE(trips.size() == 5);
        for (const auto& trip : trips) CHECK(trip.end == TripEnd::timed_out);
        CHECK(bench.bridge.counters().stray_frames > 0);
    }

    TEST_CASE("round trips have their turn even where polls come without a pause") {
        BridgeMachine::Settings settings;
        settings.poll_ns = 1;
        Bench bench(settings);
        for (std::uint64_t id = 1; id <= 20; ++id) REQUIRE(bench.bridge.ask_trip(id, at(bench.now)));
        bench.run_for(1 * second);
        CHECK(bench.bridge.take_trip_results().size() == 20);
        CHECK(bench.records.size() > 100);
    }

    TEST_CASE("too many round trips are refused, and a port that goes away ends those that wait") {
        Bench bench;
        for (std::uint64_t id = 1; id <= BridgeMachine::trips_max; ++id)
            REQUIRE(bench.bridge.ask_trip(id, at(bench.now)));
        CHECK(bench.bridge.ask_trip(1000, at(bench.now)).error().code == Code::queue_full);
        bench.bridge.plc_port(false, at(bench.now));
        const auto trips = bench.bridge.take_trip_results();
        REQUIRE(trips.size() == BridgeMachine::trips_max);
        CHECK(trips.back().end == TripEnd::port_gone);
        REQUIRE(bench.bridge.ask_trip(1, at(bench.now)));
        CHECK(bench.bridge.take_trip_results().at(0).end == TripEnd::port_gone);
    }

    TEST_CASE("a link that is held down is ended, heard advertising, and made again when it is let go") {
        Bench bench;
        bench.run_for(1 * second);
        const std::uint64_t heard = bench.bridge.totals().advertisements;
        bench.bridge.wish_link(LinkWish::hold_down);
        bench.run_for(1 * second);
        CHECK(bench.bridge.link() == BleLink::scanning);
        CHECK_FALSE(bench.module.connected());
        CHECK(bench.bridge.totals().advertisements >= heard + 9);
        CHECK(bench.bridge.totals().link_losses == 0);
        bench.bridge.wish_link(LinkWish::by_settings);
        bench.run_for(200 * ms);
        CHECK(bench.bridge.link() == BleLink::connected);
        CHECK(bench.bridge.totals().notifications_lost == 0);
    }

    TEST_CASE("the totals go on when the counters are reset") {
        Bench bench;
        bench.run_for(1 * second);
        const auto before = bench.bridge.totals();
        CHECK(before == bench.bridge.counters());
        bench.bridge.reset_counters();
        CHECK(bench.bridge.totals() == before);
        CHECK(bench.bridge.counters() == BridgeMachine::Counters{});
        CHECK(before.plc_bytes == 20 * (67 + 6));
    }
}
