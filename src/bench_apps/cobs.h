// cobs.h - Consistent Overhead Byte Stuffing: frames without a zero in them, zeros between them.
//
// One byte in 254 is the price, and a reader that comes in the middle of anything
// is in step again at the next zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "bench_apps/bytes.h"

namespace labdeck::bench_apps {

/// Without the zero that ends a frame on the wire.
Bytes cobs_encode(ByteView data);
/// Nothing when the bytes are no encoding: a zero within, or a count that points beyond the end.
std::optional<Bytes> cobs_decode(ByteView encoded);

/// How many bytes `data_bytes` take on the wire at most, the ending zero included.
constexpr std::size_t cobs_wire_bytes(std::size_t data_bytes) noexcept {
    return data_bytes + data_bytes / 254 + 2;
}

/// Cuts a stream into frames and decodes them.
class CobsDeframer {
public:
    struct Handler {
        std::function<void(ByteView data)> frame;  ///< Decoded; valid during the call.
        std::function<void()> bad;                 ///< A frame that is too long or no encoding; once each.
    };

    /// `data_bytes_max` is the longest frame after decoding; a longer one is skipped to its end.
    explicit CobsDeframer(std::size_t data_bytes_max)
        : wire_bytes_max_(cobs_wire_bytes(data_bytes_max) - 1) {}

    /// The handler must not call back into this. Empty frames are skipped: zeros may fill the line.
    void feed(ByteView bytes, const Handler& handler);
    void reset();
    std::size_t held() const noexcept { return held_.size(); }

private:
    const std::size_t wire_bytes_max_;
    Bytes held_;
    bool skipping_ = false;
};

}  // namespace labdeck::bench_apps
