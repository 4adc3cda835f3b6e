#include "bench_apps/ble_machine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1'000 * ms;

MonoTime at(std::int64_t ns) {
    return MonoTime{1'000 * second + ns};
}

/// A module and the host that listens to it.
struct Bench {
    explicit Bench(const BleMachine::Settings& settings = {}) : module(settings, at(0)) {}

    /// Lets the time go by in the steps that the module asks for.
    std::vector<BleFrame> run_until(std::int64_t ns) {
        while (module.next_event() <= at(ns)) {
            const MonoTime next = module.next_event();
            module.advance(next);
            REQUIRE(module.next_event() > next);
        }
        return heard();
    }
    std::vector<BleFrame> heard() {
        std::vector<BleFrame> frames;
        ears.feed(module.take_output(), {[&](ByteView data) { frames.push_back(decode_ble(data).value()); },
                                         [] { FAIL("no COBS"); }});
        return frames;
    }
    void say(BleType type, std::uint16_t sequence, Bytes payload, std::int64_t ns) {
        module.receive(encode_ble({type, sequence, std::move(payload)}), at(ns));
    }

    BleMachine module;
    CobsDeframer ears{ble_frame_bytes_max};
};

std::size_t count(const std::vector<BleFrame>& frames, BleType type) {
    return static_cast<std::size_t>(std::count_if(frames.begin(), frames.end(),
                                                  [&](const BleFrame& frame) { return frame.type == type; }));
}

}  // namespace

TEST_SUITE("bench_apps/ble_frame") {
    TEST_CASE("every type survives the wire") {
        for (std::uint8_t type = 1; type <= ble_type_max; ++type) {
            const BleFrame frame{static_cast<BleType>(type), 0xBEEF, {0, 1, 0, 255}};
            const Bytes wire = encode_ble(frame);
            CHECK(wire.back() == 0);
            const auto back = decode_ble(*cobs_decode(ByteView(wire).first(wire.size() - 1)));
            REQUIRE(back.has_value());
            CHECK(back->type == frame.type);
            CHECK(back->sequence == frame.sequence);
            CHECK(back->payload == frame.payload);
            CHECK_FALSE(ble_type_name(frame.type).empty());
        }
    }

    TEST_CASE("a flipped bit, a short frame and an unknown type are refused") {
        const Bytes wire = encode_ble({BleType::write, 1, {5, 6, 7}});
        const Bytes data = *cobs_decode(ByteView(wire).first(wire.size() - 1));
        for (std::size_t i = 0; i < data.size() * 8; ++i) {
            Bytes damaged = data;
            damaged[i / 8] ^= static_cast<std::uint8_t>(1U << i % 8);
            CHECK_FALSE(decode_ble(damaged).has_value());
        }
        CHECK_FALSE(decode_ble(Bytes{1, 2}).has_value());
        const Bytes strange = encode_ble({static_cast<BleType>(9), 1, {}});
        CHECK_FALSE(decode_ble(*cobs_decode(ByteView(strange).first(strange.size() - 1))).has_value());
    }
}

TEST_SUITE("bench_apps/ble_machine") {
    TEST_CASE("it advertises at its interval until a host connects, then it notifies") {
        Bench bench;
        CHECK(count(bench.run_until(1 * second), BleType::advertisement) == 11);
        bench.say(BleType::connection, 0, {1}, 1 * second);
        const auto answer = bench.heard();
        REQUIRE(answer.size() == 1);
        CHECK(answer[0].type == BleType::connection);
        CHECK(answer[0].payload[0] == 1);
        const auto frames = bench.run_until(2 * second);
        CHECK(count(frames, BleType::notification) == 20);
        CHECK(count(frames, BleType::advertisement) == 0);
        CHECK(frames.front().payload.size() == 2 + 32);
        for (std::size_t i = 0; i < frames.size(); ++i) CHECK(frames[i].sequence == i);
    }

    TEST_CASE("advertising can be slower, and off") {
        Bench bench;
        bench.module.advertise(true, 500 * ms, at(0));
        CHECK(count(bench.run_until(2 * second), BleType::advertisement) == 5);
        bench.module.advertise(false, 500 * ms, at(2 * second));
        CHECK(bench.run_until(4 * second).empty());
    }

    TEST_CASE("a write is acknowledged under its number, refused while nobody is connected") {
        Bench bench;
        bench.module.advertise(false, 100 * ms, at(0));
        bench.say(BleType::write, 7, {'h', 'i'}, 0);
        auto frames = bench.heard();
        REQUIRE(frames.size() == 1);
        CHECK(frames[0].payload == Bytes{7, 0, 1});
        CHECK(bench.module.last_write().empty());
        CHECK(bench.module.connect(at(0)).has_value());
        bench.heard();
        bench.say(BleType::write, 8, {'h', 'i'}, 0);
        frames = bench.heard();
        REQUIRE(frames.size() == 1);
        CHECK(frames[0].type == BleType::acknowledgement);
        CHECK(frames[0].payload == Bytes{8, 0, 0});
        CHECK(bench.module.last_write() == Bytes{'h', 'i'});
    }

    TEST_CASE("notifications of a dropped link are numbered and never sent") {
        Bench bench;
        CHECK(bench.module.connect(at(0)).has_value());
        auto frames = bench.run_until(1 * second);
        CHECK(count(frames, BleType::notification) == 20);
        bench.module.drop_link(2 * second, at(1 * second));
        frames = bench.run_until(2 * second);
        REQUIRE(frames.size() == 1);
        CHECK(frames[0].type == BleType::link_loss);
        CHECK(bench.module.connect(at(2 * second)).error().code == Code::action_failed);
        bench.say(BleType::connection, 0, {1}, 2 * second);
        CHECK(bench.heard().empty());
        CHECK(count(bench.run_until(3 * second), BleType::advertisement) == 1);
        CHECK(bench.module.connect(at(3 * second)).has_value());
        frames = bench.run_until(3 * second + 50 * ms);
        CHECK(frames.back().type == BleType::notification);
        CHECK(frames.back().sequence == 60);
        CHECK(bench.module.counters().lost_in_air == 40);
    }

    TEST_CASE("a disconnection is told and advertising begins again") {
        Bench bench;
        CHECK(bench.module.connect(at(0)).has_value());
        bench.heard();
        bench.module.disconnect(at(0));
        const auto frames = bench.run_until(50 * ms);
        REQUIRE(frames.size() == 2);
        CHECK(frames[0].payload[0] == 0);
        CHECK(frames[1].type == BleType::advertisement);
    }

    TEST_CASE("notifications are as many and as long as the port carries, and no more") {
        Bench bench;
        const double most = notifications_per_second_max(115'200, 244);
        CHECK(bench.module.set_notify(std::floor(most), 244, at(0)).has_value());
        const auto refused = bench.module.set_notify(most + 1, 244, at(0));
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::bad_arg);
        CHECK(refused.error().details == R"({"key":"args.hertz"})");
        CHECK(bench.module.notify_hertz() == std::floor(most));
        CHECK(bench.module.connect(at(0)).has_value());
        std::size_t bytes = 0;
        while (bench.module.next_event() <= at(1 * second)) {
            bench.module.advance(bench.module.next_event());
            bytes += bench.module.take_output().size();
        }
        CHECK(bytes <= 11'520);
        CHECK(bytes > 11'000);
    }

    TEST_CASE("no notifications at 0 Hz") {
        Bench bench;
        CHECK(bench.module.set_notify(0, 32, at(0)).has_value());
        CHECK(bench.module.connect(at(0)).has_value());
        CHECK(count(bench.run_until(5 * second), BleType::notification) == 0);
    }

    TEST_CASE("the RSSI stays where it is set without a walk, near it with one") {
        Bench bench;
        bench.module.set_rssi(-70, 0);
        bench.run_until(10 * second);
        CHECK(bench.module.rssi_dbm() == -70);
        bench.module.set_rssi(-70, 3);
        bool moved = false;
        for (int i = 11; i < 200; ++i) {
            bench.run_until(i * second);
            moved = moved || bench.module.rssi_dbm() != -70;
            CHECK(std::abs(bench.module.rssi_dbm() + 70) <= 15);
        }
        CHECK(moved);
    }

    TEST_CASE("RSSI and battery are in what it says") {
        Bench bench;
        bench.module.set_rssi(-81, 0);
        bench.module.set_battery(12);
        const auto frames = bench.run_until(0);
        REQUIRE(frames.size() == 1);
        CHECK(static_cast<std::int8_t>(frames[0].payload[6]) == -81);
        CHECK(frames[0].payload[7] == 12);
    }

    TEST_CASE("garbage is counted and hurts nobody") {
        Bench bench;
        bench.module.receive(Bytes{9, 9, 9, 0, 3, 1, 1, 0}, at(0));
        CHECK(bench.module.counters().bad_frames == 2);
        bench.say(BleType::connection, 0, {1}, 0);
        CHECK(bench.module.connected());
    }
}
