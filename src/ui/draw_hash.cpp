#include "ui/draw_hash.h"

#include <cstring>

namespace labdeck::ui {

namespace {

/// Four lanes of multiply and rotate: about 10 GB/s, so a dense frame's megabyte costs a tenth of a
/// millisecond.
class Hash {
public:
    void add(const void* data, std::size_t size) noexcept {
        const char* at = static_cast<const char*>(data);
        std::uint64_t words[4];
        for (; size >= sizeof words; size -= sizeof words, at += sizeof words) {
            std::memcpy(words, at, sizeof words);
            for (int i = 0; i < 4; ++i) mix(lanes_[i], words[i]);
        }
        std::uint64_t rest[4] = {size, 0, 0, 0};
        std::memcpy(rest + 1, at, size < 24 ? size : 24);
        if (size > 24) std::memcpy(rest, at + 24, size - 24);
        for (int i = 0; i < 4; ++i) mix(lanes_[i], rest[i]);
    }
    std::uint64_t value() const noexcept {
        std::uint64_t all = 0x9e37'79b9'7f4a'7c15U;
        for (const std::uint64_t lane : lanes_) mix(all, lane);
        return all == 0 ? 1 : all;
    }

private:
    static void mix(std::uint64_t& lane, std::uint64_t word) noexcept {
        lane = (lane ^ word) * 0xff51'afd7'ed55'8ccdU;
        lane ^= lane >> 32U;
    }
    std::uint64_t lanes_[4] = {1, 2, 3, 4};
};

}  // namespace

std::uint64_t hash_of(const ImDrawData& data) noexcept {
    Hash hash;
    hash.add(&data.DisplaySize, sizeof data.DisplaySize);
    for (const ImDrawList* list : data.CmdLists) {
        for (const ImDrawCmd& command : list->CmdBuffer) {
            if (command.UserCallback != nullptr && command.UserCallback != ImDrawCallback_ResetRenderState)
                return 0;
            hash.add(&command.ClipRect, sizeof command.ClipRect);
            hash.add(&command.ElemCount, sizeof command.ElemCount);
        }
        hash.add(list->VtxBuffer.Data, static_cast<std::size_t>(list->VtxBuffer.size_in_bytes()));
        hash.add(list->IdxBuffer.Data, static_cast<std::size_t>(list->IdxBuffer.size_in_bytes()));
    }
    return hash.value();
}

}  // namespace labdeck::ui
