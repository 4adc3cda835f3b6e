#include "bench_apps/ble_frame.h"

#include <array>

#include "bench_apps/cobs.h"
#include "bench_apps/crc16.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::size_t head_bytes = 3;
constexpr std::size_t check_bytes = 2;
constexpr std::array<std::string_view, ble_type_max> ble_type_names = {
    "advertisement", "connection", "notification", "write", "acknowledgement", "link_loss"};

}  // namespace

std::string_view ble_type_name(BleType type) noexcept {
    return ble_type_names[static_cast<std::size_t>(type) - 1];
}

Bytes encode_ble(const BleFrame& frame) {
    Bytes data = {static_cast<std::uint8_t>(frame.type)};
    append_le16(data, frame.sequence);
    append(data, frame.payload);
    append_le16(data, crc16_ccitt(data));
    Bytes wire = cobs_encode(data);
    wire.push_back(0);
    return wire;
}

std::optional<BleFrame> decode_ble(ByteView data) {
    if (data.size() < head_bytes + check_bytes || data.size() > ble_frame_bytes_max) return std::nullopt;
    const ByteView checked = data.first(data.size() - check_bytes);
    if (crc16_ccitt(checked) != le16(data, checked.size())) return std::nullopt;
    if (data[0] == 0 || data[0] > ble_type_max) return std::nullopt;
    return BleFrame{static_cast<BleType>(data[0]), le16(data, 1),
                    Bytes(checked.begin() + head_bytes, checked.end())};
}

std::size_t notification_wire_bytes(std::size_t data_bytes) noexcept {
    return cobs_wire_bytes(head_bytes + 2 + data_bytes + check_bytes);
}

double notifications_per_second_max(std::uint32_t baud, std::size_t data_bytes) noexcept {
    return baud / 10.0 / static_cast<double>(notification_wire_bytes(data_bytes));
}

}  // namespace labdeck::bench_apps
