// series_renderer.h - draws series of millions of samples: lines and min/max bands, anti-aliased, instanced.
//
// Entries are uploaded once, into a ring buffer on the GPU that mirrors the caller's ring
// level by level; panning and zooming then changes uniforms and sends what was never seen
// before. Knows nothing of the program's series: the caller hands over rings.
//
// Bands of one series, and of several, may overlap: they are blended by maximum (on a dark background, else
// minimum), so that a pixel drawn twice looks like one drawn once.
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

enum class SeriesShape : unsigned char {
    line,  ///< From each entry's max to the next one's: for level 0, up to a few samples a pixel.
    band,  ///< A column from min to max for each group of entries: never narrower or lower than a pixel.
};

struct SeriesStyle {
    SeriesShape shape = SeriesShape::line;
    std::uint32_t rgba = 0xffffffff;        ///< 0xAABBGGRR as ImGui has it.
    std::uint32_t background = 0xff000000;  ///< What the plot stands on; a band is mixed with it.
    float line_px = 1.5F;                   ///< Also the height that a band has at least.
    float band_alpha = 0.35F;               ///< Fill between min and max.
    float column_px = 1;      ///< Width of a band's columns, whole pixels: more on a dense screen.
    std::uint32_t group = 1;  ///< Entries a column of a band: 1, 2, 4 or 8.
};

/// Where and what: the plot's rectangle in framebuffer pixels (origin top left) and the shown window.
struct SeriesPlot {
    float x = 0, y = 0, width = 0, height = 0;
    float framebuffer_width = 0, framebuffer_height = 0;
    std::uint32_t tick_left = 0;  ///< Tick at the left edge (modulo 2^32).
    double ticks_wide = 1;        ///< Ticks from left to right edge; may be fractional, < 2^31.
    float tick_fraction = 0;      ///< Sub-tick offset of the left edge, [0, 1).
    float value_bottom = 0, value_top = 1;
    /// Nothing is drawn outside of this rectangle, nor outside of the plot's: left, top, right, bottom.
    float clip_left = 0, clip_top = 0, clip_right = 1e6F, clip_bottom = 1e6F;
};

class SeriesRenderer {
public:
    [[nodiscard]] static Result<std::unique_ptr<SeriesRenderer>> create();
    ~SeriesRenderer();
    SeriesRenderer(const SeriesRenderer&) = delete;
    SeriesRenderer& operator=(const SeriesRenderer&) = delete;

    /// Brings entries [first, end) of the GPU's copy of (`key`, `level`) up to the ring: only those that it
    /// does not have yet are sent. `key` is any address that names the series for its life; one that is used
    /// again for another series is noticed by the entry that was sent last.
    void upload(const void* key, std::size_t level, const RingView& ring, std::uint64_t first,
                std::uint64_t end);
    void upload(const void* key, std::size_t level, const RingView& ring) {
        upload(key, level, ring, ring.first, ring.count);
    }
    /// Draws those of entries [first, end) of (key, level) that were uploaded. An entry that is not a number
    /// breaks the line.
    ///
    /// GL state: to save it would cost a glGet for each piece and draw, so program, vertex array, array
    /// buffer, viewport, scissor box, blend function and equation are left changed. In an ImDrawList callback
    /// the next command must be ImDrawCallback_ResetRenderState, which sets up all that ImGui's back end
    /// needs; the back end itself saves the application's state around the whole frame.
    void draw(const void* key, std::size_t level, std::uint64_t first, std::uint64_t end,
              const SeriesPlot& plot, const SeriesStyle& style);
    /// Frees what the GPU has of the series.
    void forget(const void* key);

    /// Bytes ever sent, and instances ever drawn: what the tests and the console's own chart look at.
    std::uint64_t uploaded_bytes() const noexcept;
    std::uint64_t drawn_instances() const noexcept;

private:
    struct Impl;
    explicit SeriesRenderer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::gfx
