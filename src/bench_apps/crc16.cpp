#include "bench_apps/crc16.h"

#include <array>

namespace labdeck::bench_apps {

namespace {

using Table = std::array<std::uint16_t, 256>;

constexpr Table reflected_table(std::uint16_t polynomial) {
    Table table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        unsigned crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
        table[i] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr Table plain_table(std::uint16_t polynomial) {
    Table table{};
    for (unsigned i = 0; i < table.size(); ++i) {
        unsigned crc = i << 8;
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? crc << 1 ^ polynomial : crc << 1;
        table[i] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

constexpr Table modbus_table = reflected_table(0xA001);
constexpr Table ccitt_table = plain_table(0x1021);

}  // namespace

std::uint16_t crc16_modbus(ByteView bytes) noexcept {
    unsigned crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) crc = crc >> 8 ^ modbus_table[(crc ^ byte) & 0xFFU];
    return static_cast<std::uint16_t>(crc);
}

std::uint16_t crc16_ccitt(ByteView bytes) noexcept {
    unsigned crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) crc = (crc << 8 ^ ccitt_table[(crc >> 8 ^ byte) & 0xFFU]) & 0xFFFFU;
    return static_cast<std::uint16_t>(crc);
}

}  // namespace labdeck::bench_apps
