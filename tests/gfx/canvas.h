// canvas.h - a picture that series are drawn into, and what the tests ask of its pixels.
#pragma once

#include <glad/gl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "gfx/headless.h"
#include "gfx/series_renderer.h"

namespace labdeck::gfx {

class Canvas {
public:
    static constexpr std::uint32_t background = 0xff1a1410;
    static constexpr std::uint32_t white = 0xffffffff;

    Canvas(int width, int height)
        : context_(HeadlessContext::create().value()),
          target_(Framebuffer::create(width, height).value()),
          renderer_(SeriesRenderer::create().value()) {
        clear();
    }

    SeriesRenderer& renderer() { return *renderer_; }
    int width() const { return target_->width(); }
    int height() const { return target_->height(); }

    /// The whole picture is the plot: one tick a pixel, one unit a pixel, value 0 at the lower edge.
    SeriesPlot plot() const {
        const auto w = static_cast<float>(width());
        const auto h = static_cast<float>(height());
        SeriesPlot plot;
        plot.width = plot.framebuffer_width = w;
        plot.height = plot.framebuffer_height = h;
        plot.ticks_wide = w;
        plot.value_top = h;
        return plot;
    }
    SeriesStyle band(std::uint32_t group = 1) const {
        SeriesStyle style;
        style.shape = SeriesShape::band;
        style.rgba = white;
        style.background = background;
        style.line_px = 1;
        style.band_alpha = 0.5F;
        style.group = group;
        return style;
    }

    void clear() {
        target_->bind();
        glDisable(GL_SCISSOR_TEST);
        glClearColor(0x10 / 255.0F, 0x14 / 255.0F, 0x1a / 255.0F, 1);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    void read() { pixels_ = target_->read(); }
    const std::vector<std::uint8_t>& pixels() const { return pixels_; }

    /// Red of the pixel as of the last read(), from 0x10 (background) to 0xff; y counts from the top.
    int red(int x, int y) const {
        return pixels_[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width()) +
                        static_cast<std::size_t>(x)) *
                       4];
    }
    bool lit(int x, int y) const { return red(x, y) > 0x40; }

    /// Highest and lowest lit row of a column; top > bottom when there is none.
    struct Rows {
        int top = 1 << 20;
        int bottom = -1;
    };
    Rows rows(int x) const {
        Rows rows;
        for (int y = 0; y < height(); ++y) {
            if (!lit(x, y)) continue;
            rows.top = std::min(rows.top, y);
            rows.bottom = y;
        }
        return rows;
    }

private:
    std::unique_ptr<HeadlessContext> context_;
    std::unique_ptr<Framebuffer> target_;
    std::unique_ptr<SeriesRenderer> renderer_;
    std::vector<std::uint8_t> pixels_;
};

}  // namespace labdeck::gfx
