#include "bench_apps/plc_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench_apps/plc_scenario.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::array<std::string_view, 5> fault_kind_names = {"crc", "silence", "delay", "exception",
                                                              "lost_byte"};
static_assert(static_cast<std::size_t>(FaultKind::lost_byte) + 1 == fault_kind_names.size());

constexpr std::size_t rail_count = 5;
constexpr std::int64_t cycle_ns = 10'000'000;
constexpr double power_good_share = 0.9;  ///< Of a rail's set-point.
constexpr unsigned alarm_tenths = 800;    ///< 80.0 °C.

constexpr bool has_curve(std::size_t address) {
    return address < rail_count || (address >= 10 && address <= 12) || address == 20 || address == 21;
}

constexpr std::array<std::string_view, 3> bank_names = {"input", "holding", "coil"};
static_assert(static_cast<std::size_t>(PlcBank::coil) + 1 == bank_names.size());

constexpr std::array<PlcRegister, 25> registers = {{
    {PlcBank::input, 0, "rail 3.3 V", "mV"},
    {PlcBank::input, 1, "rail 5 V", "mV"},
    {PlcBank::input, 2, "rail 12 V", "mV"},
    {PlcBank::input, 3, "rail 1.8 V", "mV"},
    {PlcBank::input, 4, "rail 24 V", "mV"},
    {PlcBank::input, 10, "current 1", "mA"},
    {PlcBank::input, 11, "current 2", "mA"},
    {PlcBank::input, 12, "current 3", "mA"},
    {PlcBank::input, 20, "temperature 1", "°C", 0.1},
    {PlcBank::input, 21, "temperature 2", "°C", 0.1},
    {PlcBank::input, 30, "cycle counter", ""},
    {PlcBank::holding, 0, "set-point 3.3 V", "mV"},
    {PlcBank::holding, 1, "set-point 5 V", "mV"},
    {PlcBank::holding, 2, "set-point 12 V", "mV"},
    {PlcBank::holding, 3, "set-point 1.8 V", "mV"},
    {PlcBank::holding, 4, "set-point 24 V", "mV"},
    {PlcBank::holding, 5, "limit current 1", "mA"},
    {PlcBank::holding, 6, "limit current 2", "mA"},
    {PlcBank::holding, 7, "limit current 3", "mA"},
    {PlcBank::holding, 8, "limit temperature 1", "°C", 0.1},
    {PlcBank::holding, 9, "limit temperature 2", "°C", 0.1},
    {PlcBank::coil, 0, "ready", ""},
    {PlcBank::coil, 1, "testing", ""},
    {PlcBank::coil, 2, "power good", ""},
    {PlcBank::coil, 3, "alarm", ""},
}};

tl::unexpected<ModbusException> refuse(ModbusException why) {
    return tl::unexpected<ModbusException>(why);
}

constexpr unsigned bit_on = 0xFF00;

/// A count is judged before the address, as the protocol's own diagrams do.
std::optional<ModbusException> range_fault(std::size_t address, std::size_t count, std::size_t count_max,
                                           std::size_t size) {
    if (count == 0 || count > count_max) return ModbusException::illegal_value;
    if (address + count > size) return ModbusException::illegal_address;
    return std::nullopt;
}

}  // namespace

std::string_view fault_kind_name(FaultKind kind) noexcept {
    return fault_kind_names[static_cast<std::size_t>(kind)];
}

bool fault_kind_of(std::string_view name, FaultKind& out) noexcept {
    const auto found = std::find(fault_kind_names.begin(), fault_kind_names.end(), name);
    if (found == fault_kind_names.end()) return false;
    out = static_cast<FaultKind>(found - fault_kind_names.begin());
    return true;
}

std::span<const PlcRegister> plc_registers() noexcept {
    return registers;
}

std::string_view plc_bank_name(PlcBank bank) noexcept {
    return bank_names[static_cast<std::size_t>(bank)];
}

PlcMachine::PlcMachine(std::uint8_t unit, std::uint64_t seed, MonoTime start)
    : unit_(unit), seed_(seed), start_(start), fault_draw_(seed) {
    // The first scenario always exists.
    (void)load_scenario(plc_scenarios().front().name, start);
}

std::uint64_t PlcMachine::curve_seed(std::size_t address) const noexcept {
    return seed_ * 64 + address;
}

std::uint16_t PlcMachine::input(std::size_t address, MonoTime now) const {
    if (address == cycle_counter) return static_cast<std::uint16_t>((now.ns - start_.ns) / cycle_ns);
    const Curve& curve = inputs_.at(address);
    const double value = curve.waveform.value(now.ns - curve.begin.ns, curve_seed(address));
    return static_cast<std::uint16_t>(std::lround(std::clamp(value, 0.0, 65'535.0)));
}

std::optional<PlcAnswer> PlcMachine::answer(ByteView adu, MonoTime now) {
    const std::optional<RtuFrame> request = decode_rtu(adu);
    if (!request) {
        ++counters_.bad_crc;
        return std::nullopt;
    }
    const bool broadcast = request->unit == 0;
    if (!broadcast && request->unit != unit_) {
        ++counters_.other_unit;
        return std::nullopt;
    }
    advance(now);
    ++counters_.requests;
    Reply reply = carry_out(static_cast<ModbusFunction>(request->function), request->data, now);
    if (broadcast) return std::nullopt;
    if (reply) return through_faults({unit_, request->function, std::move(*reply)}, now);
    ++counters_.exceptions;
    const auto function = static_cast<std::uint8_t>(request->function | exception_bit);
    return through_faults({unit_, function, {static_cast<std::uint8_t>(reply.error())}}, now);
}

PlcMachine::Reply PlcMachine::carry_out(ModbusFunction function, ByteView data, MonoTime now) {
    switch (function) {
        case ModbusFunction::read_coils:
        case ModbusFunction::read_discrete_inputs:
            return read_bits(data);
        case ModbusFunction::read_holding_registers:
            return read_registers(PlcBank::holding, data, now);
        case ModbusFunction::read_input_registers:
            return read_registers(PlcBank::input, data, now);
        case ModbusFunction::write_coil:
            return write_one(PlcBank::coil, data);
        case ModbusFunction::write_register:
            return write_one(PlcBank::holding, data);
        case ModbusFunction::write_coils:
            return write_many(PlcBank::coil, data);
        case ModbusFunction::write_registers:
            return write_many(PlcBank::holding, data);
    }
    return refuse(ModbusException::illegal_function);
}

PlcMachine::Reply PlcMachine::read_bits(ByteView data) const {
    if (data.size() != 4) return refuse(ModbusException::illegal_value);
    const std::size_t address = be16(data, 0);
    const std::size_t count = be16(data, 2);
    if (const auto fault = range_fault(address, count, 2000, coil_count)) return refuse(*fault);
    Bytes out((count + 7) / 8 + 1);
    out[0] = static_cast<std::uint8_t>(out.size() - 1);
    for (std::size_t i = 0; i < count; ++i) {
        if (coils_[address + i]) out[1 + i / 8] = static_cast<std::uint8_t>(out[1 + i / 8] | 1U << i % 8);
    }
    return out;
}

PlcMachine::Reply PlcMachine::read_registers(PlcBank bank, ByteView data, MonoTime now) const {
    if (data.size() != 4) return refuse(ModbusException::illegal_value);
    const std::size_t address = be16(data, 0);
    const std::size_t count = be16(data, 2);
    const std::size_t size = bank == PlcBank::input ? input_count : holding_count;
    if (const auto fault = range_fault(address, count, 125, size)) return refuse(*fault);
    Bytes out = {static_cast<std::uint8_t>(count * 2)};
    for (std::size_t i = address; i < address + count; ++i) {
        append_be16(out, bank == PlcBank::input ? input(i, now) : holding_[i]);
    }
    return out;
}

PlcMachine::Reply PlcMachine::write_one(PlcBank bank, ByteView data) {
    if (data.size() != 4) return refuse(ModbusException::illegal_value);
    const std::size_t address = be16(data, 0);
    const std::uint16_t value = be16(data, 2);
    if (bank == PlcBank::coil) {
        if (value != 0 && value != bit_on) return refuse(ModbusException::illegal_value);
        if (address >= coil_count) return refuse(ModbusException::illegal_address);
        coils_[address] = value == bit_on;
    } else {
        if (address >= holding_count) return refuse(ModbusException::illegal_address);
        set_holding(address, value);
    }
    return Bytes(data.begin(), data.end());
}

PlcMachine::Reply PlcMachine::write_many(PlcBank bank, ByteView data) {
    if (data.size() < 5) return refuse(ModbusException::illegal_value);
    const std::size_t address = be16(data, 0);
    const std::size_t count = be16(data, 2);
    const bool coils = bank == PlcBank::coil;
    const std::size_t value_bytes = coils ? (count + 7) / 8 : count * 2;
    if (data[4] != value_bytes || data.size() != 5 + value_bytes)
        return refuse(ModbusException::illegal_value);
    const auto fault = range_fault(address, count, coils ? 1968 : 123, coils ? coil_count : holding_count);
    if (fault) return refuse(*fault);
    for (std::size_t i = 0; i < count; ++i) {
        if (coils) {
            coils_[address + i] = (data[5 + i / 8] >> i % 8 & 1U) != 0;
        } else {
            set_holding(address + i, be16(data, 5 + 2 * i));
        }
    }
    return Bytes(data.begin(), data.begin() + 4);
}

void PlcMachine::set_holding(std::size_t address, std::uint16_t value) {
    holding_[address] = value;
    if (address < rail_count) inputs_[address].waveform.offset = value;
}

std::optional<PlcAnswer> PlcMachine::through_faults(RtuFrame reply, MonoTime now) {
    PlcAnswer answer{{}, now};
    bool silent = false;
    bool wrong_crc = false;
    bool lose_byte = false;
    bool touched = false;
    for (Fault& fault : faults_) {
        if (!fault_draw_.chance(fault.rate)) continue;
        ++fault.applied;
        touched = true;
        switch (fault.kind) {
            case FaultKind::crc:
                wrong_crc = true;
                break;
            case FaultKind::silence:
                silent = true;
                break;
            case FaultKind::delay:
                answer.send_at.ns += fault.delay_ns;
                break;
            case FaultKind::exception:
                reply.function |= exception_bit;
                reply.data = {static_cast<std::uint8_t>(fault.exception)};
                break;
            case FaultKind::lost_byte:
                lose_byte = true;
                break;
        }
    }
    if (touched) ++counters_.faults;
    if (silent) return std::nullopt;
    answer.bytes = encode_rtu(reply);
    if (wrong_crc) answer.bytes.back() ^= 0xFF;
    if (lose_byte) {
        const auto at = static_cast<std::ptrdiff_t>(fault_draw_.next_below(answer.bytes.size()));
        answer.bytes.erase(answer.bytes.begin() + at);
    }
    ++counters_.answers;
    return answer;
}

void PlcMachine::advance(MonoTime now) {
    std::erase_if(faults_, [&](const Fault& fault) { return fault.until <= now; });
    bool power_good = true;
    for (std::size_t rail = 0; rail < rail_count; ++rail) {
        if (input(rail, now) < holding_[rail] * power_good_share) power_good = false;
    }
    const bool alarm = input(20, now) >= alarm_tenths || input(21, now) >= alarm_tenths;
    // Only a change moves the coil, so that a client may set it by hand in between.
    if (power_good != power_good_) coils_[2] = power_good;
    if (alarm != alarm_) coils_[3] = alarm;
    power_good_ = power_good;
    alarm_ = alarm;
}

Result<> PlcMachine::set_register(PlcBank bank, int address, int value, MonoTime now) {
    const std::size_t size = bank == PlcBank::input     ? input_count
                             : bank == PlcBank::holding ? holding_count
                                                        : coil_count;
    const int value_max = bank == PlcBank::coil ? 1 : 65'535;
    if (address < 0 || static_cast<std::size_t>(address) >= size) {
        return fail(Code::bad_arg,
                    fmt::format("there is no register {} here; the last is {}", address, size - 1),
                    R"({"key":"args.register"})");
    }
    if (value < 0 || value > value_max) {
        return fail(Code::bad_arg, fmt::format("{} does not fit: 0 to {}", value, value_max),
                    R"({"key":"args.value"})");
    }
    const auto at = static_cast<std::size_t>(address);
    if (bank == PlcBank::coil) {
        coils_[at] = value != 0;
    } else if (bank == PlcBank::holding) {
        set_holding(at, static_cast<std::uint16_t>(value));
    } else if (!has_curve(at)) {
        return fail(Code::bad_arg, fmt::format("input register {} cannot be set", address),
                    R"({"key":"args.register"})");
    } else {
        inputs_[at] = {{WaveKind::constant, 0, static_cast<double>(value), 1000}, now};
    }
    return {};
}

Result<> PlcMachine::set_waveform(int address, const Waveform& waveform, MonoTime now) {
    if (address < 0 || static_cast<std::size_t>(address) >= input_count ||
        !has_curve(static_cast<std::size_t>(address))) {
        return fail(Code::bad_arg,
                    fmt::format("input register {} has no curve: 0-4, 10-12, 20 and 21 have one", address),
                    R"({"key":"args.register"})");
    }
    inputs_[static_cast<std::size_t>(address)] = {waveform, now};
    return {};
}

void PlcMachine::inject(const Fault& fault) {
    std::erase_if(faults_, [&](const Fault& other) { return other.kind == fault.kind; });
    faults_.push_back(fault);
}

Result<> PlcMachine::load_scenario(std::string_view name, MonoTime now) {
    const auto all = plc_scenarios();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const PlcScenario& one) { return one.name == name; });
    if (found == all.end()) {
        return fail(Code::bad_arg, fmt::format("no scenario is called {}", name), R"({"key":"args.name"})");
    }
    scenario_ = found->name;
    inputs_ = {};
    holding_ = found->set_points;
    coils_ = {true, found->testing, true, false};
    power_good_ = true;
    alarm_ = false;
    for (const PlcScenario::Curve& curve : found->curves) inputs_[curve.address] = {curve.waveform, now};
    advance(now);
    return {};
}

}  // namespace labdeck::bench_apps
