// modbus_rtu.h - Modbus RTU frames: bytes to meaning and back.
//
// The serial line's own frame mark, a silence of 3.5 characters, does not survive
// USB adapters and pseudo-terminals, which hand over bytes in batches. So frames are cut
// by what their function code says of their length, and the check sum confirms the cut.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "bench_apps/bytes.h"

namespace labdeck::bench_apps {

enum class ModbusFunction : std::uint8_t {
    read_coils = 1,
    read_discrete_inputs = 2,
    read_holding_registers = 3,
    read_input_registers = 4,
    write_coil = 5,
    write_register = 6,
    write_coils = 15,
    write_registers = 16,
};

enum class ModbusException : std::uint8_t {
    illegal_function = 1,
    illegal_address = 2,
    illegal_value = 3,
    device_failure = 4,
};

/// Longest frame: unit, function, 252 bytes, check sum.
inline constexpr std::size_t adu_bytes_max = 256;
/// What an answer to an exception has set in its function code.
inline constexpr std::uint8_t exception_bit = 0x80;

struct RtuFrame {
    std::uint8_t unit = 0;
    std::uint8_t function = 0;
    Bytes data;  ///< What stands between the function code and the check sum.
};

Bytes encode_rtu(const RtuFrame& frame);
/// Nothing when it is too short or its check sum is wrong.
std::optional<RtuFrame> decode_rtu(ByteView adu);

/// A read or single write: function, address, then count or value.
Bytes rtu_request(std::uint8_t unit, ModbusFunction function, std::uint16_t address, std::uint16_t value);

enum class RtuSide : unsigned char { request, response };

/// How long the frame is that begins so, check sum included.
struct RtuSize {
    enum class Known : unsigned char { yes, not_yet, never } known = Known::never;
    std::size_t bytes = 0;
};
RtuSize rtu_size(RtuSide side, ByteView begin);

/// Cuts one direction's bytes into frames. After garbage it finds the next frame whose check sum is right.
class RtuDeframer {
public:
    struct Handler {
        std::function<void(ByteView adu)> frame;           ///< Whole, check sum right; valid during the call.
        std::function<void(ByteView bytes)> garbage = {};  ///< Bytes that belong to no frame.
    };

    explicit RtuDeframer(RtuSide side) : side_(side) {}

    /// The handler must not call back into this.
    void feed(ByteView bytes, const Handler& handler);
    /// The line fell silent: no frame that has begun will be finished. What is held is searched for
    /// whole frames, the rest is garbage.
    void silence(const Handler& handler);
    /// Forgets what is held.
    void reset() { held_.clear(); }
    std::size_t held() const noexcept { return held_.size(); }

private:
    std::size_t scan(const Handler& handler, bool silent);

    const RtuSide side_;
    Bytes held_;
};

/// A frame as a person reads it: "unit 1 read input registers 0 +31". For a response, what it carries.
std::string describe_rtu(RtuSide side, const RtuFrame& frame);

/// One frame seen on the wire.
struct RtuRecord {
    MonoTime time;
    RtuSide side = RtuSide::request;
    RtuFrame frame;
    std::int64_t round_trip_ns = -1;  ///< Of a response: since the request it answers; else -1.
};

/// Listens to both directions of a Modbus line and makes records of what passes. Changes nothing.
class RtuTap {
public:
    using OnRecord = std::function<void(const RtuRecord& record)>;
    explicit RtuTap(OnRecord on_record) : on_record_(std::move(on_record)) {}

    void feed(RtuSide side, ByteView bytes, MonoTime when);
    /// Bytes so far that were part of no frame.
    std::uint64_t garbage_bytes() const noexcept { return garbage_bytes_; }

private:
    RtuDeframer::Handler records(RtuSide side, MonoTime when);

    OnRecord on_record_;
    RtuDeframer requests_{RtuSide::request};
    RtuDeframer responses_{RtuSide::response};
    std::optional<MonoTime> asked_;
    std::uint64_t garbage_bytes_ = 0;
};

}  // namespace labdeck::bench_apps
