// plc_machine.h - the simulated PLC: registers, curves, faults, and what it answers.
//
// Pure: no thread, no port, and the time is an argument, so that a run with the same seed and the same
// requests is the same run. Whoever owns the port hands in whole requests and sends what comes back.
//
// Input registers 0-4 are rails in mV, 10-12 currents in mA, 20-21 temperatures in 0.1 °C, 30 counts
// cycles of 10 ms; those between read 0, so that one request can take them all. Holding
// registers 0-9 are set-points, the first five of them of the rails. Coils (and discrete inputs) 0-3 are
// ready, testing, power good and alarm; the PLC sets the last two when its rails and temperatures cross their
// limits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/modbus_rtu.h"
#include "bench_apps/seeded_stream.h"
#include "bench_apps/waveform.h"

namespace labdeck::bench_apps {

enum class PlcBank : unsigned char { input, holding, coil };

enum class FaultKind : unsigned char {
    crc,        ///< The answer's check sum is wrong.
    silence,    ///< No answer.
    delay,      ///< The answer comes late.
    exception,  ///< An exception instead of the answer.
    lost_byte,  ///< One byte of the answer is missing.
};
std::string_view fault_kind_name(FaultKind kind) noexcept;
bool fault_kind_of(std::string_view name, FaultKind& out) noexcept;

struct Fault {
    FaultKind kind = FaultKind::crc;
    double rate = 1;  ///< Chance for each answer, 0 to 1.
    MonoTime until;
    std::int64_t delay_ns = 100'000'000;  ///< Of FaultKind::delay.
    ModbusException exception = ModbusException::device_failure;
    std::uint64_t applied = 0;
};

struct PlcAnswer {
    Bytes bytes;
    MonoTime send_at;
};

/// A register or coil that means something, and what.
struct PlcRegister {
    PlcBank bank = PlcBank::input;
    std::uint16_t address = 0;
    std::string_view name;
    std::string_view unit;  ///< Of value times scale; empty where there is none.
    double scale = 1;
};
/// In the order of banks and addresses.
std::span<const PlcRegister> plc_registers() noexcept;
std::string_view plc_bank_name(PlcBank bank) noexcept;

class PlcMachine {
public:
    static constexpr std::size_t input_count = 31;
    static constexpr std::size_t holding_count = 10;
    static constexpr std::size_t coil_count = 4;
    static constexpr std::size_t cycle_counter = 30;  ///< Its input register.

    struct Counters {
        std::uint64_t requests = 0;  ///< To this unit, check sum right.
        std::uint64_t answers = 0;   ///< Sent, exceptions included.
        std::uint64_t exceptions = 0;
        std::uint64_t bad_crc = 0;
        std::uint64_t other_unit = 0;
        std::uint64_t faults = 0;  ///< Answers that a fault touched.
    };

    PlcMachine(std::uint8_t unit, std::uint64_t seed, MonoTime start);

    /// A whole request with its check sum. Nothing for a wrong check sum, another unit, a broadcast or a
    /// fault that asks for silence.
    std::optional<PlcAnswer> answer(ByteView adu, MonoTime now);

    /// Ends faults whose time is over and moves the coils that follow the registers.
    void advance(MonoTime now);

    /// An input register that is set stays as it is: its curve is then a constant.
    Result<> set_register(PlcBank bank, int address, int value, MonoTime now);
    /// Of an input register 0-4, 10-12 or 20-21. The curve begins now.
    Result<> set_waveform(int address, const Waveform& waveform, MonoTime now);
    /// In place of another one of its kind.
    void inject(const Fault& fault);
    /// idle, ramp-up, brown-out or overheat; takes all registers and coils back to where it begins.
    Result<> load_scenario(std::string_view name, MonoTime now);

    std::uint16_t input(std::size_t address, MonoTime now) const;
    std::uint16_t holding(std::size_t address) const { return holding_.at(address); }
    bool coil(std::size_t address) const { return coils_.at(address); }
    /// What the input register does over time.
    WaveKind wave_kind(std::size_t address) const { return inputs_.at(address).waveform.kind; }
    const std::string& scenario() const noexcept { return scenario_; }
    const std::vector<Fault>& faults() const noexcept { return faults_; }
    const Counters& counters() const noexcept { return counters_; }

private:
    struct Curve {
        Waveform waveform;
        MonoTime begin;
    };
    /// The data of the answer, or the exception instead of it.
    using Reply = tl::expected<Bytes, ModbusException>;

    Reply carry_out(ModbusFunction function, ByteView data, MonoTime now);
    Reply read_bits(ByteView data) const;
    Reply read_registers(PlcBank bank, ByteView data, MonoTime now) const;
    Reply write_one(PlcBank bank, ByteView data);
    Reply write_many(PlcBank bank, ByteView data);
    std::optional<PlcAnswer> through_faults(RtuFrame reply, MonoTime now);
    void set_holding(std::size_t address, std::uint16_t value);
    std::uint64_t curve_seed(std::size_t address) const noexcept;

    const std::uint8_t unit_;
    const std::uint64_t seed_;
    const MonoTime start_;
    SeededStream fault_draw_;
    std::array<Curve, input_count> inputs_{};
    std::array<std::uint16_t, holding_count> holding_{};
    std::array<bool, coil_count> coils_{};
    bool power_good_ = true;
    bool alarm_ = false;
    std::string scenario_;
    std::vector<Fault> faults_;
    Counters counters_;
};

}  // namespace labdeck::bench_apps
