// series_renderer.h - draws series of millions of samples: lines and min/max bands, anti-aliased, instanced.
//
// Samples are uploaded once, into a ring buffer on the GPU that mirrors the caller's ring
// level by level; panning and zooming then only changes uniforms. Knows nothing of
// the program's series: the caller hands over rings.
//
// Thread: that of the GL context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"

namespace labdeck::gfx {

/// Same layout as the caller's ring entries.
struct SeriesVertex {
    std::uint32_t time;  ///< Ticks, modulo 2^32.
    float min;
    float max;
};

/// A caller's ring as it is now: entry i (counted from the first ever) lies at ring[i % size].
struct RingView {
    const SeriesVertex* ring = nullptr;
    std::size_t size = 0;
    std::uint64_t first = 0;  ///< Oldest that is still there.
    std::uint64_t count = 0;  ///< One past the newest finished one.
};

struct SeriesStyle {
    std::uint32_t rgba = 0xffffffff;  ///< 0xAABBGGRR as ImGui has it.
    float line_px = 1.5F;
    float band_alpha = 0.35F;  ///< Fill between min and max.
};

/// Where and what: the plot's rectangle in framebuffer pixels (origin top left) and the shown window.
struct SeriesPlot {
    float x = 0, y = 0, width = 0, height = 0;
    float framebuffer_width = 0, framebuffer_height = 0;
    std::uint32_t tick_left = 0;   ///< Tick at the left edge (modulo 2^32).
    double ticks_wide = 1;         ///< Ticks from left to right edge; may be fractional, < 2^31.
    float tick_fraction = 0;       ///< Sub-tick offset of the left edge, [0, 1).
    float value_bottom = 0, value_top = 1;
};

class SeriesRenderer {
public:
    [[nodiscard]] static Result<std::unique_ptr<SeriesRenderer>> create();
    ~SeriesRenderer();
    SeriesRenderer(const SeriesRenderer&) = delete;
    SeriesRenderer& operator=(const SeriesRenderer&) = delete;

    /// Brings the GPU's copy of (`key`, `level`) up to the ring: only entries that are new since the last
    /// call are sent. `key` is any address that names the series for its life.
    void upload(const void* key, std::size_t level, const RingView& ring);
    /// Draws entries [first, end) of (key, level): call within a frame, e.g. from an ImDrawList callback.
    /// Saves and restores the GL state it touches. Clips to the plot's rectangle.
    void draw(const void* key, std::size_t level, std::uint64_t first, std::uint64_t end, const SeriesPlot& plot,
              const SeriesStyle& style);
    void forget(const void* key);

    std::uint64_t uploaded_bytes() const noexcept;

private:
    struct Impl;
    explicit SeriesRenderer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::gfx
