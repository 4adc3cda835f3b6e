// crc16.h - the two check sums of the bench's wires.
#pragma once

#include <cstdint>

#include "bench_apps/bytes.h"

namespace labdeck::bench_apps {

/// CRC-16/MODBUS: reflected 0x8005, begins with 0xFFFF. Over "123456789": 0x4B37. Sent low byte first.
std::uint16_t crc16_modbus(ByteView bytes) noexcept;

/// CRC-16/CCITT-FALSE: 0x1021, begins with 0xFFFF. Over "123456789": 0x29B1.
std::uint16_t crc16_ccitt(ByteView bytes) noexcept;

}  // namespace labdeck::bench_apps
