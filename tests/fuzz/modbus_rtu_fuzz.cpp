// Any bytes through both deframers, the tap, and the PLC that answers what they find.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "bench_apps/modbus_rtu.h"
#include "bench_apps/plc_machine.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

std::vector<Bytes> frames_of(RtuSide side, ByteView bytes, std::size_t step) {
    std::vector<Bytes> frames;
    RtuDeframer deframer(side);
    std::size_t seen = 0;
    const RtuDeframer::Handler handler{[&](ByteView adu) {
                                           frames.emplace_back(adu.begin(), adu.end());
                                           seen += adu.size();
                                       },
                                       [&](ByteView garbage) { seen += garbage.size(); }};
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        deframer.feed(bytes.subspan(at, std::min(step, bytes.size() - at)), handler);
        require(deframer.held() <= adu_bytes_max);
    }
    deframer.silence(handler);
    require(seen == bytes.size());
    return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    PlcMachine plc(1, 1, MonoTime{0});
    RtuTap tap([](const RtuRecord& record) { require(!describe_rtu(record.side, record.frame).empty()); });
    for (const RtuSide side : {RtuSide::request, RtuSide::response}) {
        const auto frames = frames_of(side, bytes, bytes.size() + 1);
        require(frames == frames_of(side, bytes, 1));
        tap.feed(side, bytes, MonoTime{1});
        for (const Bytes& frame : frames) {
            const auto answer = plc.answer(frame, MonoTime{1});
            require(!answer || decode_rtu(answer->bytes).has_value());
        }
    }
    // Whatever stands before a check sum of its own is a request that has an answer, but for other units.
    if (size < 1 || size > adu_bytes_max - 3) return 0;
    const Bytes request = encode_rtu({1, data[0], Bytes(data + 1, data + size)});
    require(plc.answer(request, MonoTime{2}).has_value());
    return 0;
}
