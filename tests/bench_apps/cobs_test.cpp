#include "bench_apps/cobs.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "bench_apps/seeded_stream.h"

using namespace labdeck::bench_apps;

namespace {

Bytes ascending(int first, int last) {
    Bytes bytes;
    for (int i = first; i <= last; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
    return bytes;
}

struct Seen {
    std::vector<Bytes> frames;
    int bad = 0;
    CobsDeframer::Handler handler{[this](ByteView data) { frames.emplace_back(data.begin(), data.end()); },
                                  [this] { ++bad; }};
};

Bytes on_wire(std::initializer_list<Bytes> frames) {
    Bytes wire;
    for (const Bytes& frame : frames) {
        append(wire, cobs_encode(frame));
        wire.push_back(0);
    }
    return wire;
}

}  // namespace

TEST_SUITE("bench_apps/cobs") {
    TEST_CASE("the examples of the algorithm's paper") {
        CHECK(cobs_encode(Bytes{}) == Bytes{0x01});
        CHECK(cobs_encode(Bytes{0x00}) == Bytes{0x01, 0x01});
        CHECK(cobs_encode(Bytes{0x00, 0x00}) == Bytes{0x01, 0x01, 0x01});
        CHECK(cobs_encode(Bytes{0x11, 0x22, 0x00, 0x33}) == Bytes{0x03, 0x11, 0x22, 0x02, 0x33});
        CHECK(cobs_encode(Bytes{0x11, 0x00, 0x00, 0x00}) == Bytes{0x02, 0x11, 0x01, 0x01, 0x01});
    }

    TEST_CASE("a group of 254 bytes needs no zero behind it") {
        Bytes full = {0xFF};
        append(full, ascending(1, 254));
        CHECK(cobs_encode(ascending(1, 254)) == full);
        Bytes with_next = full;
        append(with_next, Bytes{0x02, 0xFF});
        CHECK(cobs_encode(ascending(1, 255)) == with_next);
        Bytes with_zero = full;
        append(with_zero, Bytes{0x01, 0x01});
        Bytes data = ascending(1, 254);
        data.push_back(0);
        CHECK(cobs_encode(data) == with_zero);
    }

    TEST_CASE("what was encoded has no zero and decodes to itself") {
        SeededStream draw(7);
        for (std::size_t size = 0; size < 800; ++size) {
            Bytes data(size);
            for (auto& byte : data) byte = static_cast<std::uint8_t>(draw.chance(0.05) ? 0 : draw.next());
            const Bytes encoded = cobs_encode(data);
            CHECK(std::find(encoded.begin(), encoded.end(), 0) == encoded.end());
            CHECK(encoded.size() < cobs_wire_bytes(size));
            const auto decoded = cobs_decode(encoded);
            REQUIRE(decoded.has_value());
            CHECK(*decoded == data);
        }
    }

    TEST_CASE("what is no encoding is refused") {
        CHECK_FALSE(cobs_decode(Bytes{0x05, 0x11}).has_value());
        CHECK_FALSE(cobs_decode(Bytes{0x03, 0x11, 0x00}).has_value());
        CHECK_FALSE(cobs_decode(Bytes{0x00}).has_value());
    }

    TEST_CASE("a stream gives the same frames wherever it is split") {
        const Bytes wire = on_wire({ascending(1, 9), Bytes{0, 1, 0}, ascending(0, 200)});
        for (std::size_t split = 0; split <= wire.size(); ++split) {
            CobsDeframer deframer(300);
            Seen seen;
            deframer.feed(ByteView(wire).first(split), seen.handler);
            deframer.feed(ByteView(wire).subspan(split), seen.handler);
            REQUIRE(seen.frames.size() == 3);
            CHECK(seen.frames[2] == ascending(0, 200));
            CHECK(seen.bad == 0);
            CHECK(deframer.held() == 0);
        }
    }

    TEST_CASE("after garbage the next frame is whole") {
        Bytes wire = {0x44, 0x12, 0x00};
        append(wire, on_wire({Bytes{1, 2, 3}}));
        CobsDeframer deframer(16);
        Seen seen;
        deframer.feed(wire, seen.handler);
        CHECK(seen.bad == 1);
        CHECK(seen.frames == std::vector<Bytes>{Bytes{1, 2, 3}});
    }

    TEST_CASE("a frame beyond the bound is skipped, held no further and told once") {
        CobsDeframer deframer(16);
        Seen seen;
        for (int i = 0; i < 1000; ++i) deframer.feed(ascending(1, 20), seen.handler);
        CHECK(deframer.held() <= 19);
        Bytes rest = {0};
        append(rest, on_wire({Bytes{9}}));
        deframer.feed(rest, seen.handler);
        CHECK(seen.bad == 1);
        CHECK(seen.frames == std::vector<Bytes>{Bytes{9}});
    }
}
