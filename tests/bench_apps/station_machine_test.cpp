#include "bench_apps/station_machine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "station_bench.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using namespace labdeck::bench_apps::bench;

namespace {

using Names = std::vector<std::string>;

/// A run in which these steps failed, and every other one passed.
void check_red_alone(const StationBench& bench, const Names& red) {
    for (const StationStep& one : bench.station.run()->steps) {
        CAPTURE(one.name);
        CAPTURE(one.reason);
        CHECK(one.judged);
        const bool wanted = std::find(red.begin(), red.end(), one.name) != red.end();
        CHECK(verdict_name(one.verdict) == verdict_name(wanted ? Verdict::fail : Verdict::pass));
    }
    CHECK(bench.station.run()->verdict() == Verdict::fail);
}

/// These steps failed, none else, and those that could not be measured say so.
void check_red(const StationBench& bench, const Names& red, const Names& incomplete, const Names& skipped) {
    CHECK(bench.with(Verdict::fail) == red);
    CHECK(bench.with(Verdict::incomplete) == incomplete);
    CHECK(bench.with(Verdict::skipped) == skipped);
    CHECK(bench.station.run()->verdict() == Verdict::fail);
}

const Names analog = {"rail_0", "rail_1",     "rail_2",     "rail_3",
                      "rail_4", "current_10", "current_11", "current_12"};

}  // namespace

TEST_SUITE("bench_apps/station_machine") {
    TEST_CASE("a sound bench passes every step, each bound to the window it was judged on") {
        StationBench bench;
        const StationRun& run = bench.judge();
        for (const StationStep& one : run.steps) {
            CAPTURE(one.name);
            CAPTURE(one.reason);
            CHECK(one.verdict == Verdict::pass);
            CHECK(one.value.has_value());
            CHECK(one.evidence.complete());
            CHECK(one.evidence.bridge_boot == "boot-1");
            CHECK(one.evidence.last_report > one.evidence.first_report);
            CHECK(one.started.ns > 0);
            CHECK(one.duration_ns >= 0);
        }
        CHECK(run.verdict() == Verdict::pass);
        CHECK(run.state == RunState::completed);
        CHECK(run.steps.size() == 16);
        const Evidence& rail = bench.step_of("rail_2").evidence;
        CHECK(rail.records == 20);
        CHECK(rail.last_record - rail.first_record == 19);
        // A poll is 31 registers and 4 coils: 67 and 6 bytes.
        CHECK(rail.plc_bytes_to - rail.plc_bytes_from == 20 * (67 + 6));
        CHECK(bench.step_of("rail_2").value.value() == doctest::Approx(12'000).epsilon(0.01));
        CHECK(bench.step_of("modbus_answered").value == 100.0);
        // A millisecond to the PLC and one back.
        CHECK(bench.step_of("modbus_p50").value == 2.0);
        CHECK(bench.step_of("throughput").value.value() == doctest::Approx(640).epsilon(0.1));
        CHECK(bench.step_of("advertised").value.value() < 0.2);
        CHECK(bench.step_of("battery").value == 87.0);
        // The link that was held down for it is there again.
        CHECK(bench.bridge.link() == BleLink::connected);
        CHECK_FALSE(bench.bridge.link_held());
    }

    TEST_CASE("the same bench gives the same run, to the nanosecond") {
        StationBench one;
        StationBench other;
        const StationRun& first = one.judge();
        const StationRun& second_run = other.judge();
        REQUIRE(first.steps.size() == second_run.steps.size());
        for (std::size_t i = 0; i < first.steps.size(); ++i) {
            CHECK(first.steps[i].value == second_run.steps[i].value);
            CHECK(first.steps[i].started == second_run.steps[i].started);
            CHECK(first.steps[i].duration_ns == second_run.steps[i].duration_ns);
        }
    }

    TEST_CASE("a bridge that makes no links by itself makes one for the run, and leaves it at that") {
        BridgeMachine::Settings settings;
        settings.keep_linked = false;
        StationBench bench(usual_settings(), settings);
        CHECK(bench.bridge.link() == BleLink::scanning);
        CHECK(bench.judge().verdict() == Verdict::pass);
        bench.run_for(10 * ms);
        bench.module.disconnect(at(bench.now));
        bench.run_for(second);
        CHECK(bench.bridge.link() == BleLink::scanning);
    }

    TEST_CASE("pairing measures the radio alone") {
        StationBench bench;
        const StationRun& run = bench.judge(RunKind::pair);
        REQUIRE(run.steps.size() == 3);
        CHECK(run.verdict() == Verdict::pass);
        CHECK(bench.with(Verdict::pass) == Names{"advertised", "connected", "battery"});
    }

    TEST_CASE("damaged answers turn the Modbus answers red and nothing else") {
        StationBench bench;
        bench.inject(FaultKind::crc, 0.1);
        bench.judge();
        check_red_alone(bench, {"modbus_answered"});
        CHECK(bench.step_of("modbus_answered").value.value() < 100);
        CHECK(bench.step_of("modbus_answered").evidence.counted.crc_errors > 0);
    }

    TEST_CASE("answers that lack a byte turn the Modbus answers red and nothing else") {
        StationBench bench;
        bench.inject(FaultKind::lost_byte, 0.1);
        bench.judge();
        check_red_alone(bench, {"modbus_answered"});
    }

    TEST_CASE("answers that do not come turn the Modbus answers red and nothing else") {
        StationBench bench;
        bench.inject(FaultKind::silence, 0.1);
        bench.judge();
        check_red_alone(bench, {"modbus_answered"});
        CHECK(bench.step_of("modbus_answered").evidence.counted.timeouts > 0);
    }

    TEST_CASE("exceptions turn the Modbus answers red and nothing else") {
        StationBench bench;
        bench.inject(FaultKind::exception, 0.1);
        bench.judge();
        check_red_alone(bench, {"modbus_answered"});
    }

    TEST_CASE("late answers turn the percentiles red that they reach") {
        StationBench rare;
        rare.inject(FaultKind::delay, 0.1);
        rare.judge();
        check_red_alone(rare, {"modbus_p99"});
        StationBench always;
        always.inject(FaultKind::delay, 1);
        always.judge();
        check_red_alone(always, {"modbus_p50", "modbus_p99"});
    }

    TEST_CASE(
        "a PLC that never answers fails that step, and what it would have told is incomplete, not passed") {
        for (const FaultKind kind : {FaultKind::silence, FaultKind::crc, FaultKind::exception}) {
            CAPTURE(fault_kind_name(kind));
            StationBench bench;
            bench.inject(kind, 1);
            bench.judge();
            Names incomplete = analog;
            incomplete.insert(incomplete.end(), {"modbus_p50", "modbus_p99"});
            check_red(bench, {"modbus_answered"}, incomplete, {});
            CHECK(bench.step_of("modbus_answered").value == 0.0);
            CHECK_FALSE(bench.step_of("rail_0").value.has_value());
            CHECK(bench.step_of("rail_0").reason.find("0 of 20 records") == 0);
        }
    }

    TEST_CASE("each rail out of its limits turns its own step red and nothing else") {
        const std::array<int, 5> values = {3000, 5300, 13'000, 1950, 22'000};
        for (int rail = 0; rail < 5; ++rail) {
            CAPTURE(rail);
            StationBench bench;
            bench.set_input(rail, values[static_cast<std::size_t>(rail)]);
            bench.judge();
            check_red_alone(bench, {"rail_" + std::to_string(rail)});
        }
    }

    TEST_CASE("each current out of its limits turns its own step red and nothing else") {
        const std::array<int, 3> values = {650, 0, 400};
        for (int current = 0; current < 3; ++current) {
            CAPTURE(current);
            StationBench bench;
            bench.set_input(10 + current, values[static_cast<std::size_t>(current)]);
            bench.judge();
            check_red_alone(bench, {"current_" + std::to_string(10 + current)});
        }
    }

    TEST_CASE("one sample out of limits is enough, whatever is lost around it") {
        StationBench bench;
        bench.set_input(0, 3000);
        bench.station.begin(RunKind::acceptance, "run-1", "", at(bench.now));
        bench.run_for(200 * ms);
        bench.set_input(0, 3300);
        bench.inject(FaultKind::silence, 1);
        bench.run_for(10 * second);
        CHECK(bench.step_of("rail_0").verdict == Verdict::fail);
        CHECK(bench.step_of("rail_0").value == 3000.0);
        CHECK(bench.step_of("rail_1").verdict == Verdict::incomplete);
    }

    TEST_CASE("a module that does not advertise fails that step, and what needs it is skipped") {
        StationBench bench;
        bench.module.advertise(false, 100 * ms, at(bench.now));
        bench.judge();
        check_red(bench, {"advertised"}, {}, {"connected", "battery", "link_kept", "throughput"});
        CHECK_FALSE(bench.step_of("advertised").value.has_value());
        CHECK(bench.step_of("advertised").reason == "no advertisement within 2 s");
    }

    TEST_CASE("a link that is lost before the run keeps the module from being heard in time") {
        StationBench bench;
        bench.module.drop_link(3 * second, at(bench.now));
        bench.judge(RunKind::pair);
        check_red(bench, {"advertised"}, {}, {"connected", "battery"});
    }

    TEST_CASE("a module that falls silent after advertising turns the connection red") {
        StationBench bench;
        bench.judge(RunKind::acceptance, [&] {
            if (bench.bridge.link() == BleLink::connecting && !bench.module.dropped()) {
                bench.module.drop_link(60 * second, at(bench.now));
            }
        });
        // The advertisement that was heard while it was held down counts; no link is made afterwards.
        check_red(bench, {"connected"}, {}, {"battery", "link_kept", "throughput"});
    }

    TEST_CASE("a link that is lost under load turns its own step red, and the throughput is not judged") {
        StationBench bench;
        bool dropped = false;
        bench.judge(RunKind::acceptance, [&] {
            const StationStep& one = bench.step_of("throughput");
            if (dropped || one.started.ns == 0 || at(bench.now).ns - one.started.ns < second) return;
            bench.module.drop_link(second, at(bench.now));
            dropped = true;
        });
        check_red(bench, {"link_kept"}, {"throughput"}, {});
        CHECK(bench.step_of("link_kept").value == 1.0);
        CHECK(bench.step_of("link_kept").evidence.counted.link_losses == 1);
    }

    TEST_CASE("a weak battery turns its step red and nothing else") {
        StationBench bench;
        bench.module.set_battery(7);
        bench.judge();
        check_red_alone(bench, {"battery"});
        CHECK(bench.step_of("battery").value == 7.0);
    }

    TEST_CASE("notifications that are too few or none turn the throughput red and nothing else") {
        for (const double hertz : {0.0, 5.0}) {
            CAPTURE(hertz);
            StationBench bench;
            REQUIRE(bench.module.set_notify(hertz, 32, at(bench.now)));
            bench.judge();
            check_red_alone(bench, {"throughput"});
        }
    }

    TEST_CASE("a notification that is lost makes the throughput incomplete, however many came") {
        StationBench bench;
        bool damaged = false;
        bench.judge(RunKind::acceptance, [&] {
            const StationStep& one = bench.step_of("throughput");
            if (damaged || one.started.ns == 0) return;
            bench.bridge.ble_received(as_bytes(std::string_view("\x03garbage\x00", 9)), at(bench.now));
            damaged = true;
        });
        CHECK(bench.with(Verdict::incomplete) == Names{"throughput"});
        CHECK(bench.with(Verdict::fail).empty());
        CHECK(bench.station.run()->verdict() == Verdict::incomplete);
        CHECK(bench.step_of("throughput").value.value() > 500);
    }

    TEST_CASE("a report that is missing makes what it stood for incomplete") {
        StationBench bench;
        bool lost = false;
        bench.judge(RunKind::acceptance, [&] {
            const StationStep& one = bench.step_of("modbus_answered");
            if (lost || one.started.ns == 0 || at(bench.now).ns - one.started.ns < 20 * ms) return;
            bench.lose_reports = 1;
            lost = true;
        });
        CHECK(bench.with(Verdict::incomplete) == Names{"modbus_answered", "modbus_p50", "modbus_p99"});
        CHECK(bench.with(Verdict::fail).empty());
        CHECK(bench.station.run()->verdict() == Verdict::incomplete);
    }

    TEST_CASE("a lost report among the samples only moves the window that is judged") {
        StationBench bench;
        bool lost = false;
        bench.judge(RunKind::acceptance, [&] {
            const StationStep& one = bench.step_of("rail_0");
            if (lost || one.started.ns == 0 || at(bench.now).ns - one.started.ns < 300 * ms) return;
            bench.lose_reports = 1;
            lost = true;
        });
        CHECK(bench.station.run()->verdict() == Verdict::pass);
        const Evidence& rail = bench.step_of("rail_0").evidence;
        CHECK(rail.records == 20);
        CHECK(rail.last_record - rail.first_record == 19);
    }

    TEST_CASE("a port that goes away under the round trips makes them incomplete") {
        StationBench bench;
        bool gone = false;
        bench.judge(RunKind::acceptance, [&] {
            const StationStep& one = bench.step_of("modbus_answered");
            if (gone || one.started.ns == 0 || at(bench.now).ns - one.started.ns < 20 * ms) return;
            bench.bridge.plc_port(false, at(bench.now));
            gone = true;
        });
        CHECK(bench.with(Verdict::incomplete) == Names{"modbus_answered", "modbus_p50", "modbus_p99"});
        CHECK(bench.with(Verdict::fail).empty());
    }

    TEST_CASE("without a bridge every step is incomplete once its patience is over") {
        StationBench bench;
        bench.deafen();
        const StationRun& run = bench.judge();
        CHECK(run.verdict() == Verdict::incomplete);
        CHECK(bench.with(Verdict::incomplete).size() == run.steps.size());
        CHECK(run.steps[0].reason == "nothing was heard of the bridge for 5 s");
        CHECK(run.duration_ns == 5 * second);
    }

    TEST_CASE("a bridge that goes away ends the run: what was under way is incomplete, the rest skipped") {
        StationBench bench;
        bench.judge(RunKind::acceptance, [&] {
            const StationStep& one = bench.step_of("throughput");
            if (bench.listening && one.started.ns != 0) bench.deafen();
        });
        CHECK(bench.with(Verdict::incomplete) == Names{"link_kept", "throughput"});
        CHECK(bench.with(Verdict::skipped) == Names{"modbus_answered", "modbus_p50", "modbus_p99"});
        CHECK(bench.station.run()->verdict() == Verdict::incomplete);
        CHECK(bench.step_of("throughput").reason == "the bridge went away: it hung up");
    }

    TEST_CASE("a run that is stopped lets the link go and is never a pass") {
        StationBench bench;
        bench.judge(RunKind::acceptance, [&] {
            if (bench.bridge.link_held())
                bench.station.stop(RunState::canceled, "stopped by hand", at(bench.now));
        });
        CHECK(bench.station.run()->state == RunState::canceled);
        CHECK(bench.station.run()->verdict() == Verdict::incomplete);
        bench.run_for(second);
        CHECK_FALSE(bench.bridge.link_held());
        CHECK(bench.bridge.link() == BleLink::connected);
        CHECK(bench.judge().verdict() == Verdict::pass);
    }

    TEST_CASE("the bridge's counters being reset under a run changes no verdict") {
        StationBench bench;
        int i = 0;
        bench.judge(RunKind::acceptance, [&] {
            if (++i % 100 == 0) bench.bridge.reset_counters();
        });
        CHECK(bench.station.run()->verdict() == Verdict::pass);
    }

    TEST_CASE("a value that is no number is within no limits") {
        CHECK_FALSE(StepLimits{}.hold(std::nan("")));
        CHECK(StepLimits{}.hold(1e300));
        CHECK(StepLimits{1, 2}.hold(1));
        CHECK(StepLimits{1, 2}.hold(2));
        CHECK_FALSE(StepLimits{1, {}}.hold(0.999));
    }
}
