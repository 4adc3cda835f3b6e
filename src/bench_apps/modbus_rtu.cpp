#include "bench_apps/modbus_rtu.h"

#include <fmt/format.h>

#include "bench_apps/crc16.h"

namespace labdeck::bench_apps {

namespace {

RtuSize exactly(std::size_t bytes) {
    return {RtuSize::Known::yes, bytes};
}

/// A frame with a byte count at `at`, and `fixed` bytes beside what is counted.
RtuSize counted(ByteView begin, std::size_t at, std::size_t fixed) {
    if (begin.size() <= at) return {RtuSize::Known::not_yet, 0};
    const std::size_t bytes = fixed + begin[at];
    if (bytes > adu_bytes_max) return {RtuSize::Known::never, 0};
    return exactly(bytes);
}

RtuSize request_size(ByteView begin) {
    switch (begin[1]) {
        case 1:
        case 2:
        case 3:
        case 4:
        case 5:
        case 6:
            return exactly(8);
        case 7:
        case 11:
        case 12:
        case 17:
            return exactly(4);
        case 15:
        case 16:
            return counted(begin, 6, 9);
        case 22:
            return exactly(10);
        case 23:
            return counted(begin, 10, 13);
        default:
            return {};
    }
}

RtuSize response_size(ByteView begin) {
    switch (begin[1]) {
        case 1:
        case 2:
        case 3:
        case 4:
        case 12:
        case 17:
        case 23:
            return counted(begin, 2, 5);
        case 5:
        case 6:
        case 11:
        case 15:
        case 16:
            return exactly(8);
        case 7:
            return exactly(5);
        case 22:
            return exactly(10);
        default:
            return (begin[1] & exception_bit) != 0 ? exactly(5) : RtuSize{};
    }
}

bool check_sum_right(ByteView adu) {
    return crc16_modbus(adu.first(adu.size() - 2)) == le16(adu, adu.size() - 2);
}

const char* function_name(std::uint8_t function) {
    switch (static_cast<ModbusFunction>(function)) {
        case ModbusFunction::read_coils:
            return "read coils";
        case ModbusFunction::read_discrete_inputs:
            return "read discrete inputs";
        case ModbusFunction::read_holding_registers:
            return "read holding registers";
        case ModbusFunction::read_input_registers:
            return "read input registers";
        case ModbusFunction::write_coil:
            return "write coil";
        case ModbusFunction::write_register:
            return "write register";
        case ModbusFunction::write_coils:
            return "write coils";
        case ModbusFunction::write_registers:
            return "write registers";
    }
    return "function";
}

const char* exception_name(std::uint8_t code) {
    switch (static_cast<ModbusException>(code)) {
        case ModbusException::illegal_function:
            return "illegal function";
        case ModbusException::illegal_address:
            return "illegal data address";
        case ModbusException::illegal_value:
            return "illegal data value";
        case ModbusException::device_failure:
            return "device failure";
    }
    return "unknown";
}

}  // namespace

Bytes encode_rtu(const RtuFrame& frame) {
    Bytes adu = {frame.unit, frame.function};
    append(adu, frame.data);
    append_le16(adu, crc16_modbus(adu));
    return adu;
}

std::optional<RtuFrame> decode_rtu(ByteView adu) {
    if (adu.size() < 4 || adu.size() > adu_bytes_max || !check_sum_right(adu)) return std::nullopt;
    return RtuFrame{adu[0], adu[1], Bytes(adu.begin() + 2, adu.end() - 2)};
}

Bytes rtu_request(std::uint8_t unit, ModbusFunction function, std::uint16_t address, std::uint16_t value) {
    RtuFrame frame{unit, static_cast<std::uint8_t>(function), {}};
    append_be16(frame.data, address);
    append_be16(frame.data, value);
    return encode_rtu(frame);
}

RtuSize rtu_size(RtuSide side, ByteView begin) {
    if (begin.size() < 2) return {RtuSize::Known::not_yet, 0};
    return side == RtuSide::request ? request_size(begin) : response_size(begin);
}

void RtuDeframer::feed(ByteView bytes, const Handler& handler) {
    append(held_, bytes);
    const std::size_t used = scan(handler, false);
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(used));
}

void RtuDeframer::silence(const Handler& handler) {
    scan(handler, true);
    held_.clear();
}

/// Returns how many bytes are done with.
std::size_t RtuDeframer::scan(const Handler& handler, bool silent) {
    const ByteView all = held_;
    std::size_t at = 0;
    std::size_t garbage = 0;
    auto drop_garbage = [&] {
        if (garbage > 0 && handler.garbage) handler.garbage(all.subspan(at - garbage, garbage));
        garbage = 0;
    };
    while (at < all.size()) {
        const ByteView rest = all.subspan(at);
        const RtuSize size = rtu_size(side_, rest);
        const bool whole = size.known == RtuSize::Known::yes && rest.size() >= size.bytes;
        if (whole && check_sum_right(rest.first(size.bytes))) {
            drop_garbage();
            handler.frame(rest.first(size.bytes));
            at += size.bytes;
            continue;
        }
        const bool may_grow =
            size.known == RtuSize::Known::not_yet || (size.known == RtuSize::Known::yes && !whole);
        if (may_grow && !silent) break;
        ++at;
        ++garbage;
    }
    drop_garbage();
    return at;
}

std::string describe_rtu(RtuSide side, const RtuFrame& frame) {
    const ByteView data = frame.data;
    if (side == RtuSide::response && (frame.function & exception_bit) != 0 && !data.empty()) {
        return fmt::format("unit {} exception {} ({})", frame.unit, data[0], exception_name(data[0]));
    }
    if (side == RtuSide::response && frame.function <= 4 && !data.empty()) {
        return fmt::format("unit {} {}: {} bytes", frame.unit, function_name(frame.function), data[0]);
    }
    if (data.size() < 4)
        return fmt::format("unit {} {} {}", frame.unit, function_name(frame.function), frame.function);
    const bool single = frame.function == 5 || frame.function == 6;
    return fmt::format("unit {} {} {} {}{}", frame.unit, function_name(frame.function), be16(data, 0),
                       single ? "= " : "+", be16(data, 2));
}

RtuDeframer::Handler RtuTap::records(RtuSide side, MonoTime when) {
    return {[this, side, when](ByteView adu) {
                RtuRecord record{when, side, *decode_rtu(adu), -1};
                if (side == RtuSide::request) {
                    asked_ = when;
                } else if (asked_) {
                    record.round_trip_ns = when.ns - asked_->ns;
                    asked_.reset();
                }
                on_record_(record);
            },
            [this](ByteView garbage) { garbage_bytes_ += garbage.size(); }};
}

void RtuTap::feed(RtuSide side, ByteView bytes, MonoTime when) {
    if (bytes.empty()) return;
    const bool request = side == RtuSide::request;
    const RtuSide other = request ? RtuSide::response : RtuSide::request;
    // The line is half-duplex: when one side speaks, whatever the other had begun is over.
    (request ? responses_ : requests_).silence(records(other, when));
    (request ? requests_ : responses_).feed(bytes, records(side, when));
}

}  // namespace labdeck::bench_apps
