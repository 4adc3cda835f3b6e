#include "bench_apps/cobs.h"

#include <algorithm>
#include <utility>

namespace labdeck::bench_apps {

Bytes cobs_encode(ByteView data) {
    Bytes out;
    out.reserve(cobs_wire_bytes(data.size()));
    std::size_t count_at = 0;
    out.push_back(1);
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (data[i] != 0) {
            out.push_back(data[i]);
            // A full group needs no zero behind it; at the very end it needs no next group either.
            if (++out[count_at] != 0xFF || i + 1 == data.size()) continue;
        }
        count_at = out.size();
        out.push_back(1);
    }
    return out;
}

std::optional<Bytes> cobs_decode(ByteView encoded) {
    Bytes out;
    out.reserve(encoded.size());
    std::size_t at = 0;
    while (at < encoded.size()) {
        const std::size_t count = encoded[at];
        if (count == 0 || at + count > encoded.size()) return std::nullopt;
        const ByteView group = encoded.subspan(at + 1, count - 1);
        if (std::find(group.begin(), group.end(), 0) != group.end()) return std::nullopt;
        append(out, group);
        at += count;
        if (count != 0xFF && at < encoded.size()) out.push_back(0);
    }
    return out;
}

void CobsDeframer::feed(ByteView bytes, const Handler& handler) {
    while (!bytes.empty()) {
        const auto zero = std::find(bytes.begin(), bytes.end(), 0);
        const auto count = static_cast<std::size_t>(zero - bytes.begin());
        if (!skipping_) {
            append(held_, bytes.first(std::min(count, wire_bytes_max_ + 1 - held_.size())));
            skipping_ = held_.size() > wire_bytes_max_;
        }
        if (zero == bytes.end()) return;
        bytes = bytes.subspan(count + 1);
        const Bytes frame = std::exchange(held_, {});
        const bool too_long = std::exchange(skipping_, false);
        if (frame.empty()) continue;
        const std::optional<Bytes> data = too_long ? std::nullopt : cobs_decode(frame);
        if (data) {
            handler.frame(*data);
        } else {
            handler.bad();
        }
    }
}

void CobsDeframer::reset() {
    held_.clear();
    skipping_ = false;
}

}  // namespace labdeck::bench_apps
