// Any bytes through the COBS deframer and the BLE module, and any data through encode and back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "bench_apps/ble_machine.h"
#include "bench_apps/cobs.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(data, size);
    const auto back = cobs_decode(cobs_encode(bytes));
    require(back && Bytes(bytes.begin(), bytes.end()) == *back);

    // The same frames come out whether the bytes come at once or one by one.
    std::vector<Bytes> whole;
    std::vector<Bytes> single;
    CobsDeframer at_once(64);
    CobsDeframer one_by_one(64);
    at_once.feed(bytes, {[&](ByteView frame) { whole.emplace_back(frame.begin(), frame.end()); }, [] {}});
    const CobsDeframer::Handler handler{
        [&](ByteView frame) { single.emplace_back(frame.begin(), frame.end()); }, [] {}};
    for (std::size_t i = 0; i < size; ++i) one_by_one.feed(bytes.subspan(i, 1), handler);
    require(whole == single);
    require(at_once.held() == one_by_one.held());

    BleMachine module({}, MonoTime{0});
    module.receive(bytes, MonoTime{1});
    module.advance(MonoTime{1'000'000'000});
    // A host that says nothing sensible still has a module that talks.
    require(!module.take_output().empty() || module.connected());
    return 0;
}
