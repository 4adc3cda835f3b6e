#include "bench_apps/crc16.h"

#include <doctest/doctest.h>

using namespace labdeck::bench_apps;

TEST_SUITE("bench_apps/crc16") {
    TEST_CASE("the check words of the catalogue") {
        CHECK(crc16_modbus(as_bytes("123456789")) == 0x4B37);
        CHECK(crc16_ccitt(as_bytes("123456789")) == 0x29B1);
        CHECK(crc16_modbus({}) == 0xFFFF);
        CHECK(crc16_ccitt({}) == 0xFFFF);
    }

    TEST_CASE("a Modbus frame with its check sum behind it leaves nothing") {
        const Bytes frame = {0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD};
        CHECK(crc16_modbus(frame) == 0);
    }
}
