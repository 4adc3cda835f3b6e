// ble_frame.h - what the BLE module and its host say to each other.
//
// A frame is type, sequence number (little-endian), payload and CRC-16/CCITT
// (little-endian), COBS-encoded and ended by a zero. Each side counts its own frames; of the module's,
// only notifications count, so that a gap in their numbers is a loss.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench_apps/bytes.h"

namespace labdeck::bench_apps {

enum class BleType : std::uint8_t {
    advertisement = 1,    ///< Module: address (6), RSSI, battery, name.
    connection = 2,       ///< Host: 1 asks for a connection, 0 to end it. Module: 1 or 0, RSSI, battery,
                          ///< and which start of the module this is (2): its numbers begin again with each.
    notification = 3,     ///< Module: RSSI, battery, data.
    write = 4,            ///< Host: data.
    acknowledgement = 5,  ///< Module: the write's sequence number (2), a status of 0 for taken.
    link_loss = 6,        ///< Module: reason. The connection is gone.
};
inline constexpr std::uint8_t ble_type_max = 6;
std::string_view ble_type_name(BleType type) noexcept;

/// The most data that one notification or write carries: an ATT MTU of 247.
inline constexpr std::size_t ble_data_bytes_max = 244;
/// Longest frame before COBS: head, RSSI and battery, data, check sum.
inline constexpr std::size_t ble_frame_bytes_max = 3 + 2 + ble_data_bytes_max + 2;

struct BleFrame {
    BleType type = BleType::advertisement;
    std::uint16_t sequence = 0;
    Bytes payload;
};

/// As it goes over the wire, with the zero at its end.
Bytes encode_ble(const BleFrame& frame);
/// Of what a CobsDeframer gave out. Nothing when it is too short, of no known type or its check sum is wrong.
std::optional<BleFrame> decode_ble(ByteView data);

/// Bytes on the wire of a notification with so much data.
std::size_t notification_wire_bytes(std::size_t data_bytes) noexcept;
/// The most notifications a second that a port of 10 bits a byte carries.
double notifications_per_second_max(std::uint32_t baud, std::size_t data_bytes) noexcept;

}  // namespace labdeck::bench_apps
