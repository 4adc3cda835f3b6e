#include "bench_apps/modbus_rtu.h"

#include <doctest/doctest.h>

#include "bench_apps/seeded_stream.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

struct Seen {
    std::vector<Bytes> frames;
    Bytes garbage;
    RtuDeframer::Handler handler{[this](ByteView adu) { frames.emplace_back(adu.begin(), adu.end()); },
                                 [this](ByteView bytes) { append(garbage, bytes); }};
};

std::vector<Bytes> all_requests() {
    std::vector<Bytes> all;
    for (const auto function : {ModbusFunction::read_coils, ModbusFunction::read_discrete_inputs,
                                ModbusFunction::read_holding_registers, ModbusFunction::read_input_registers,
                                ModbusFunction::write_coil, ModbusFunction::write_register}) {
        all.push_back(rtu_request(1, function, 3, 1));
    }
    all.push_back(encode_rtu({1, 15, {0, 0, 0, 4, 1, 0x0F}}));
    all.push_back(encode_rtu({1, 16, {0, 0, 0, 2, 4, 0x12, 0x34, 0x56, 0x78}}));
    return all;
}

std::vector<Bytes> all_responses() {
    return {encode_rtu({1, 1, {1, 5}}),        encode_rtu({1, 3, {4, 1, 2, 3, 4}}),
            encode_rtu({1, 4, Bytes(63, 62)}), encode_rtu({1, 6, {0, 1, 0, 9}}),
            encode_rtu({1, 16, {0, 1, 0, 9}}), encode_rtu({1, 0x84, {2}})};
}

Bytes joined(const std::vector<Bytes>& frames) {
    Bytes wire;
    for (const Bytes& frame : frames) append(wire, frame);
    return wire;
}

void check_every_split(RtuSide side, const std::vector<Bytes>& frames) {
    const Bytes wire = joined(frames);
    for (std::size_t split = 0; split <= wire.size(); ++split) {
        RtuDeframer deframer(side);
        Seen seen;
        deframer.feed(ByteView(wire).first(split), seen.handler);
        deframer.feed(ByteView(wire).subspan(split), seen.handler);
        CHECK(seen.frames == frames);
        CHECK(seen.garbage.empty());
        CHECK(deframer.held() == 0);
    }
}

}  // namespace

TEST_SUITE("bench_apps/modbus_rtu") {
    TEST_CASE("a request is what the specification shows") {
        CHECK(rtu_request(1, ModbusFunction::read_holding_registers, 0, 10) ==
              Bytes{0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD});
    }

    TEST_CASE("decoding takes back what encoding gave, and nothing damaged") {
        for (const Bytes& adu : all_requests()) {
            const auto frame = decode_rtu(adu);
            REQUIRE(frame.has_value());
            CHECK(encode_rtu(*frame) == adu);
            for (std::size_t i = 0; i < adu.size(); ++i) {
                Bytes damaged = adu;
                damaged[i] ^= 0x10;
                CHECK_FALSE(decode_rtu(damaged).has_value());
            }
        }
        CHECK_FALSE(decode_rtu(Bytes{1, 3, 0}).has_value());
    }

    TEST_CASE("both directions give the same frames wherever they are split") {
        check_every_split(RtuSide::request, all_requests());
        check_every_split(RtuSide::response, all_responses());
    }

    TEST_CASE("frames are found byte by byte as well") {
        RtuDeframer deframer(RtuSide::request);
        Seen seen;
        for (const std::uint8_t byte : joined(all_requests()))
            deframer.feed(ByteView(&byte, 1), seen.handler);
        CHECK(seen.frames == all_requests());
    }

    TEST_CASE("after garbage the next sound frame is found, once the line is silent at the latest") {
        SeededStream draw(3);
        for (int round = 0; round < 200; ++round) {
            Bytes wire(draw.next_below(40));
            for (auto& byte : wire) byte = static_cast<std::uint8_t>(draw.next());
            const Bytes frame = rtu_request(1, ModbusFunction::read_input_registers, 0, 31);
            append(wire, frame);
            RtuDeframer deframer(RtuSide::request);
            Seen seen;
            deframer.feed(wire, seen.handler);
            deframer.silence(seen.handler);
            REQUIRE_FALSE(seen.frames.empty());
            CHECK(seen.frames.back() == frame);
            CHECK(deframer.held() == 0);
        }
    }

    TEST_CASE("a frame with a wrong check sum is garbage and never a frame") {
        Bytes wire = rtu_request(1, ModbusFunction::read_coils, 0, 4);
        wire.back() ^= 1;
        RtuDeframer deframer(RtuSide::request);
        Seen seen;
        deframer.feed(wire, seen.handler);
        deframer.silence(seen.handler);
        CHECK(seen.frames.empty());
        CHECK_FALSE(seen.garbage.empty());
    }

    TEST_CASE("never more than one longest frame is held") {
        RtuDeframer deframer(RtuSide::response);
        Seen seen;
        SeededStream draw(11);
        for (int i = 0; i < 20'000; ++i) {
            const auto byte = static_cast<std::uint8_t>(draw.next());
            deframer.feed(ByteView(&byte, 1), seen.handler);
            REQUIRE(deframer.held() <= adu_bytes_max);
        }
    }

    TEST_CASE("a tap makes records of both directions with their round trips") {
        std::vector<RtuRecord> records;
        RtuTap tap([&](const RtuRecord& record) { records.push_back(record); });
        tap.feed(RtuSide::request, rtu_request(1, ModbusFunction::read_input_registers, 0, 31),
                 MonoTime{1000});
        const Bytes answer = encode_rtu({1, 4, {2, 0x0C, 0xE4}});
        tap.feed(RtuSide::response, ByteView(answer).first(3), MonoTime{2000});
        tap.feed(RtuSide::response, ByteView(answer).subspan(3), MonoTime{3000});
        tap.feed(RtuSide::response, encode_rtu({1, 0x84, {2}}), MonoTime{4000});
        REQUIRE(records.size() == 3);
        CHECK(describe_rtu(records[0].side, records[0].frame) == "unit 1 read input registers 0 +31");
        CHECK(records[1].round_trip_ns == 2000);
        CHECK(describe_rtu(records[1].side, records[1].frame) == "unit 1 read input registers: 2 bytes");
        CHECK(records[2].round_trip_ns == -1);
        CHECK(describe_rtu(records[2].side, records[2].frame) == "unit 1 exception 2 (illegal data address)");
        CHECK(tap.garbage_bytes() == 0);
    }

    TEST_CASE("a tap counts what was cut short when the other side speaks") {
        int frames = 0;
        RtuTap tap([&](const RtuRecord&) { ++frames; });
        tap.feed(RtuSide::response, Bytes{1, 4, 62, 0, 0}, MonoTime{1});
        tap.feed(RtuSide::request, rtu_request(1, ModbusFunction::read_coils, 0, 4), MonoTime{2});
        CHECK(frames == 1);
        CHECK(tap.garbage_bytes() == 5);
    }
}
