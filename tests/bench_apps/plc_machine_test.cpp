#include "bench_apps/plc_machine.h"

#include <doctest/doctest.h>

#include <algorithm>

#include <optional>

#include "bench_apps/plc_scenario.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t second = 1'000 * ms;

MonoTime at(std::int64_t ns) {
    return MonoTime{1'000 * second + ns};
}

/// A PLC and a client that reads its answers.
struct Bench {
    explicit Bench(std::uint64_t seed = 1) : plc(1, seed, at(0)) {}

    std::optional<RtuFrame> ask(ModbusFunction function, std::uint16_t address, std::uint16_t value,
                                MonoTime when = at(0)) {
        return ask_raw(rtu_request(1, function, address, value), when);
    }
    std::optional<RtuFrame> ask_raw(const Bytes& adu, MonoTime when = at(0)) {
        const auto answer = plc.answer(adu, when);
        return answer ? decode_rtu(answer->bytes) : std::nullopt;
    }

    PlcMachine plc;
};

Bytes poll() {
    return rtu_request(1, ModbusFunction::read_input_registers, 0, 31);
}

bool is_exception(const std::optional<RtuFrame>& frame, ModbusException code) {
    return frame && (frame->function & exception_bit) != 0 &&
           frame->data == Bytes{static_cast<std::uint8_t>(code)};
}

Fault fault(FaultKind kind, double rate = 1, std::int64_t lasts = 10 * second) {
    Fault one;
    one.kind = kind;
    one.rate = rate;
    one.until = at(lasts);
    return one;
}

}  // namespace

TEST_SUITE("bench_apps/plc_machine") {
    TEST_CASE("input registers carry rails, currents, temperatures and the cycle counter") {
        Bench bench;
        const auto frame = bench.ask(ModbusFunction::read_input_registers, 0, 31, at(2 * second));
        REQUIRE(frame.has_value());
        REQUIRE(frame->data.size() == 63);
        const auto reg = [&](std::size_t i) { return be16(frame->data, 1 + 2 * i); };
        CHECK(reg(0) == doctest::Approx(3300).epsilon(0.01));
        CHECK(reg(4) == doctest::Approx(24'000).epsilon(0.01));
        CHECK(reg(10) == doctest::Approx(420).epsilon(0.2));
        CHECK(reg(20) == doctest::Approx(312).epsilon(0.1));
        CHECK(reg(5) == 0);
        CHECK(reg(30) == 200);
    }

    TEST_CASE("the cycle counter starts again after 65,535") {
        const Bench bench;
        CHECK(bench.plc.input(30, at(65'536LL * 10 * ms)) == 0);
    }

    TEST_CASE("set-points and coils are written and read by all eight functions") {
        Bench bench;
        CHECK(bench.ask(ModbusFunction::write_register, 7, 1234).has_value());
        CHECK(bench.ask_raw(encode_rtu({1, 16, {0, 8, 0, 2, 4, 0, 5, 0, 6}}))->data == Bytes{0, 8, 0, 2});
        CHECK(bench.ask(ModbusFunction::read_holding_registers, 7, 3)->data == Bytes{6, 4, 210, 0, 5, 0, 6});
        CHECK(bench.ask(ModbusFunction::write_coil, 1, 0xFF00)->data == Bytes{0, 1, 0xFF, 0});
        CHECK(bench.ask(ModbusFunction::read_coils, 0, 4)->data == Bytes{1, 0b0111});
        CHECK(bench.ask_raw(encode_rtu({1, 15, {0, 0, 0, 4, 1, 0b1010}}))->data == Bytes{0, 0, 0, 4});
        CHECK(bench.ask(ModbusFunction::read_discrete_inputs, 0, 4)->data == Bytes{1, 0b1010});
        CHECK(bench.ask(ModbusFunction::read_coils, 1, 2)->data == Bytes{1, 0b01});
        CHECK(bench.plc.counters().exceptions == 0);
    }

    TEST_CASE("a set-point of a rail moves the rail") {
        Bench bench;
        bench.ask(ModbusFunction::write_register, 2, 9000);
        CHECK(bench.plc.input(2, at(0)) == doctest::Approx(9000).epsilon(0.01));
    }

    TEST_CASE("what is asked wrongly is answered with the exception that fits") {
        Bench bench;
        CHECK(is_exception(bench.ask_raw(encode_rtu({1, 7, {}})), ModbusException::illegal_function));
        CHECK(is_exception(bench.ask_raw(encode_rtu({1, 0x41, {1, 2}})), ModbusException::illegal_function));
        CHECK(is_exception(bench.ask(ModbusFunction::read_input_registers, 31, 1),
                           ModbusException::illegal_address));
        CHECK(is_exception(bench.ask(ModbusFunction::read_holding_registers, 9, 2),
                           ModbusException::illegal_address));
        CHECK(is_exception(bench.ask(ModbusFunction::read_coils, 4, 1), ModbusException::illegal_address));
        CHECK(
            is_exception(bench.ask(ModbusFunction::write_register, 10, 1), ModbusException::illegal_address));
        CHECK(is_exception(bench.ask(ModbusFunction::read_input_registers, 0, 0),
                           ModbusException::illegal_value));
        CHECK(is_exception(bench.ask(ModbusFunction::read_input_registers, 0, 126),
                           ModbusException::illegal_value));
        CHECK(is_exception(bench.ask(ModbusFunction::write_coil, 0, 1), ModbusException::illegal_value));
        CHECK(is_exception(bench.ask_raw(encode_rtu({1, 16, {0, 0, 0, 2, 3, 0, 5, 0, 6}})),
                           ModbusException::illegal_value));
        CHECK(bench.plc.counters().exceptions == 10);
    }

    TEST_CASE("a wrong check sum and another unit are met with silence, a broadcast is carried out") {
        Bench bench;
        Bytes damaged = poll();
        damaged.back() ^= 1;
        CHECK_FALSE(bench.plc.answer(damaged, at(0)).has_value());
        CHECK_FALSE(bench.plc.answer(rtu_request(2, ModbusFunction::read_coils, 0, 1), at(0)).has_value());
        CHECK_FALSE(
            bench.plc.answer(rtu_request(0, ModbusFunction::write_register, 9, 77), at(0)).has_value());
        CHECK(bench.plc.holding(9) == 77);
        CHECK(bench.plc.counters().bad_crc == 1);
        CHECK(bench.plc.counters().other_unit == 1);
        CHECK(bench.plc.counters().answers == 0);
    }

    TEST_CASE("a crc fault spoils the check sum and nothing else") {
        Bench bench;
        const Bytes good = bench.plc.answer(poll(), at(0))->bytes;
        bench.plc.inject(fault(FaultKind::crc));
        const Bytes bad = bench.plc.answer(poll(), at(0))->bytes;
        CHECK_FALSE(decode_rtu(bad).has_value());
        CHECK(std::equal(good.begin(), good.end() - 2, bad.begin()));
        CHECK(bad.size() == good.size());
    }

    TEST_CASE("a silence fault answers nothing, a delay fault late, a lost byte short by one") {
        Bench bench;
        bench.plc.inject(fault(FaultKind::silence));
        CHECK_FALSE(bench.plc.answer(poll(), at(0)).has_value());

        Bench late;
        late.plc.inject(fault(FaultKind::delay));
        CHECK(late.plc.answer(poll(), at(0))->send_at == at(100 * ms));

        Bench loses;
        loses.plc.inject(fault(FaultKind::lost_byte));
        CHECK(loses.plc.answer(poll(), at(0))->bytes.size() == 66);
    }

    TEST_CASE("an exception fault answers with the code that was asked for") {
        Bench bench;
        bench.plc.inject(fault(FaultKind::exception));
        CHECK(is_exception(bench.ask_raw(poll()), ModbusException::device_failure));
    }

    TEST_CASE("a fault of a kind takes the place of the one before, and ends in time") {
        Bench bench;
        bench.plc.inject(fault(FaultKind::silence, 1, 10 * second));
        bench.plc.inject(fault(FaultKind::silence, 1, 2 * second));
        CHECK(bench.plc.faults().size() == 1);
        CHECK_FALSE(bench.plc.answer(poll(), at(2 * second - 1)).has_value());
        CHECK(bench.plc.answer(poll(), at(2 * second)).has_value());
        CHECK(bench.plc.faults().empty());
    }

    TEST_CASE("a rate is kept, and the same seed gives the same faults") {
        const auto pattern = [](std::uint64_t seed) {
            Bench bench(seed);
            bench.plc.inject(fault(FaultKind::silence, 0.25));
            std::vector<bool> answered;
            for (int i = 0; i < 2000; ++i) answered.push_back(bench.plc.answer(poll(), at(0)).has_value());
            return answered;
        };
        const std::vector<bool> first = pattern(42);
        CHECK(first == pattern(42));
        CHECK(first != pattern(43));
        CHECK(std::count(first.begin(), first.end(), false) == doctest::Approx(500).epsilon(0.15));
    }

    TEST_CASE("a register that is set stays, a curve that is set begins now") {
        Bench bench;
        CHECK(bench.plc.set_register(PlcBank::input, 10, 777, at(0)).has_value());
        CHECK(bench.plc.input(10, at(50 * second)) == 777);
        CHECK(bench.plc.set_waveform(11, {WaveKind::ramp, 100, 200, 1000}, at(5 * second)).has_value());
        CHECK(bench.plc.input(11, at(5 * second)) == 200);
        CHECK(bench.plc.input(11, at(5 * second + 500 * ms)) == 250);
        CHECK(bench.plc.set_register(PlcBank::holding, 9, 65'535, at(0)).has_value());
        CHECK(bench.plc.set_register(PlcBank::coil, 3, 1, at(0)).has_value());
        CHECK(bench.plc.coil(3));
    }

    TEST_CASE("what cannot be set says which argument is wrong") {
        Bench bench;
        CHECK(bench.plc.set_register(PlcBank::input, 5, 1, at(0)).error().details ==
              R"({"key":"args.register"})");
        CHECK(bench.plc.set_register(PlcBank::input, 31, 1, at(0)).error().code == Code::bad_arg);
        CHECK(bench.plc.set_register(PlcBank::coil, 0, 2, at(0)).error().details ==
              R"({"key":"args.value"})");
        CHECK(bench.plc.set_waveform(30, {}, at(0)).error().code == Code::bad_arg);
        CHECK(bench.plc.load_scenario("party", at(0)).error().details == R"({"key":"args.name"})");
    }

    TEST_CASE("every scenario loads and its registers stay in range") {
        Bench bench;
        for (const PlcScenario& scenario : plc_scenarios()) {
            CHECK(bench.plc.load_scenario(scenario.name, at(0)).has_value());
            CHECK(bench.plc.scenario() == scenario.name);
            CHECK(bench.plc.holding(2) == 12'000);
        }
    }

    TEST_CASE("a brown-out takes power good away and gives it back") {
        Bench bench;
        REQUIRE(bench.plc.load_scenario("brown-out", at(0)).has_value());
        bench.plc.advance(at(1 * second));
        CHECK(bench.plc.coil(2));
        bench.plc.advance(at(3 * second));
        CHECK_FALSE(bench.plc.coil(2));
        bench.plc.advance(at(5 * second));
        CHECK(bench.plc.coil(2));
    }

    TEST_CASE("overheating raises the alarm once; a client may clear it") {
        Bench bench;
        REQUIRE(bench.plc.load_scenario("overheat", at(0)).has_value());
        bench.plc.advance(at(55 * second));
        CHECK(bench.plc.coil(3));
        bench.ask(ModbusFunction::write_coil, 3, 0, at(56 * second));
        bench.plc.advance(at(57 * second));
        CHECK_FALSE(bench.plc.coil(3));
    }
}
