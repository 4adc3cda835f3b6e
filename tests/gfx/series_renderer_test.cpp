#include "gfx/series_renderer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "canvas.h"

namespace labdeck::gfx {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// A caller's ring with a short way to fill it.
struct TestRing {
    std::vector<SeriesVertex> ring;
    std::uint64_t count = 0;

    explicit TestRing(std::size_t size) : ring(size) {}
    void push(std::uint32_t time, float min, float max) { ring[count++ % ring.size()] = {time, min, max}; }
    void push(std::uint32_t time, float value) { push(time, value, value); }
    RingView view() const {
        const std::uint64_t size = ring.size();
        return {ring.data(), ring.size(), count > size ? count - size : 0, count};
    }
};

void show(Canvas& canvas, const TestRing& series, const SeriesPlot& plot, const SeriesStyle& style) {
    canvas.clear();
    canvas.renderer().upload(&series, 0, series.view());
    canvas.renderer().draw(&series, 0, series.view().first, series.count, plot, style);
    canvas.read();
}

SeriesStyle line_style() {
    SeriesStyle style;
    style.rgba = Canvas::white;
    return style;
}

std::vector<float> noise(std::size_t count, float low, float high) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> value(low, high);
    std::vector<float> values(count);
    for (float& v : values) v = value(random);
    return values;
}

}  // namespace

TEST_SUITE("gfx/series_renderer") {
    TEST_CASE("a line passes through its samples, one pixel up or down") {
        Canvas canvas(300, 200);
        TestRing series(64);
        for (std::uint32_t i = 0; i <= 30; ++i)
            series.push(i * 10, 100 + 80 * std::sin(static_cast<float>(i) * 0.4F));
        show(canvas, series, canvas.plot(), line_style());
        for (int x = 5; x < 295; ++x) {
            const float at = (static_cast<float>(x) + 0.5F) / 10;
            const auto i = static_cast<std::size_t>(at);
            const float value = std::lerp(series.ring[i].max, series.ring[i + 1].max, at - std::floor(at));
            const float slope = std::abs(series.ring[i + 1].max - series.ring[i].max) / 10;
            const Canvas::Rows rows = canvas.rows(x);
            CHECK(std::abs(static_cast<float>(rows.top + rows.bottom + 1) / 2 - (200 - value)) <= 1);
            CHECK(static_cast<float>(rows.bottom - rows.top) <= 3 + 2 * slope);
        }
    }

    TEST_CASE("times wrap at 2^32 ticks without a jump, and a fraction of a tick moves the line") {
        Canvas canvas(200, 100);
        TestRing series(8);
        const std::uint32_t start = 0xffffffff - 99;
        series.push(start + 50, 20);
        series.push(start + 50 + 100, 20);
        SeriesPlot plot = canvas.plot();
        plot.tick_left = start;
        show(canvas, series, plot, line_style());
        CHECK_FALSE(canvas.lit(45, 79));
        for (int x = 52; x < 148; ++x) REQUIRE((canvas.lit(x, 79) || canvas.lit(x, 80)));
        CHECK_FALSE(canvas.lit(155, 79));
        plot.ticks_wide = 10;
        plot.tick_left = start + 49;
        plot.tick_fraction = 0.5F;
        show(canvas, series, plot, line_style());
        CHECK_FALSE(canvas.lit(7, 79));
        CHECK(canvas.lit(11, 79));
    }

    TEST_CASE("a line between entries that lie millions of pixels apart is where it should be") {
        Canvas canvas(200, 100);
        TestRing series(8);
        series.push(0, 0);
        series.push(20'000'000, 100);
        SeriesPlot plot = canvas.plot();
        plot.tick_left = 10'000'000;
        show(canvas, series, plot, line_style());
        for (int x = 0; x < 200; ++x) REQUIRE((canvas.lit(x, 49) || canvas.lit(x, 50)));
    }

    TEST_CASE("an entry that is not a number breaks the line and the band") {
        Canvas canvas(100, 50);
        TestRing series(16);
        series.push(10, 25);
        series.push(40, 25);
        series.push(50, nan);
        series.push(60, 25);
        series.push(90, 25);
        for (const SeriesStyle& style : {line_style(), canvas.band()}) {
            show(canvas, series, canvas.plot(), style);
            CHECK(canvas.rows(20).bottom >= 0);
            CHECK(canvas.rows(70).bottom >= 0);
            for (int x = 44; x < 58; ++x) REQUIRE(canvas.rows(x).bottom == -1);
        }
    }

    TEST_CASE("a group whose entries are all numbers but one keeps the others") {
        Canvas canvas(20, 50);
        TestRing series(64);
        for (std::uint32_t i = 0; i < 20; ++i) {
            series.push(i * 2, 10, 20);
            series.push(i * 2 + 1, nan);
        }
        SeriesPlot plot = canvas.plot();
        plot.ticks_wide = 40;
        show(canvas, series, plot, canvas.band(2));
        for (int x = 0; x < 20; ++x) {
            REQUIRE(canvas.rows(x).top == 30);
            REQUIRE(canvas.rows(x).bottom == 39);
        }
    }

    TEST_CASE("columns of a band are the smallest and largest of their samples, counted by hand") {
        Canvas canvas(500, 200);
        for (const std::uint32_t group : {1U, 2U, 4U, 8U}) {
            CAPTURE(group);
            const std::size_t samples = 500 * group;
            const std::vector<float> values = noise(samples + 1, 60, 140);
            TestRing series(8192);
            for (std::size_t i = 0; i < values.size(); ++i)
                series.push(static_cast<std::uint32_t>(i), values[i]);
            SeriesPlot plot = canvas.plot();
            plot.ticks_wide = static_cast<double>(samples);
            show(canvas, series, plot, canvas.band(group));
            for (int x = 0; x < 500; ++x) {
                // A column reaches over to the sample after it, as a line would.
                const auto begin = values.begin() + static_cast<std::ptrdiff_t>(x * static_cast<int>(group));
                const auto next = begin + static_cast<std::ptrdiff_t>(group);
                const auto [low, high] = std::minmax_element(begin, next);
                const Canvas::Rows rows = canvas.rows(x);
                // Half a pixel more than one: a range of less than a pixel is made a pixel high.
                CHECK(std::abs(static_cast<float>(rows.top) - (200 - std::max(*high, *next))) <= 1.5F);
                CHECK(std::abs(static_cast<float>(rows.bottom + 1) - (200 - std::min(*low, *next))) <= 1.5F);
            }
        }
    }

    TEST_CASE("one spike in a million samples is seen when all of them are shown") {
        Canvas canvas(1000, 200);
        // What a pyramid of fanout 16 holds at its third level: 3,907 entries for 1,000,000 samples.
        TestRing series(4096);
        const std::uint32_t spike = 617'345;
        for (std::uint32_t i = 0; i < 1'000'000; i += 256)
            series.push(i, 20, spike >= i && spike < i + 256 ? 180.0F : 21.0F);
        SeriesPlot plot = canvas.plot();
        plot.ticks_wide = 1'000'000;
        show(canvas, series, plot, canvas.band(2));
        int columns = 0;
        for (int x = 0; x < 1000; ++x) {
            REQUIRE(canvas.rows(x).bottom >= 178);
            if (canvas.rows(x).top > 22) continue;
            ++columns;
            CHECK(std::abs(x - 617) <= 1);
            // Not a point: the whole way up is drawn.
            for (int y = 21; y < 178; ++y) REQUIRE(canvas.lit(x, y));
        }
        CHECK(columns >= 1);
        CHECK(columns <= 2);
    }

    TEST_CASE("a flat band is at least a pixel high") {
        Canvas canvas(100, 100);
        TestRing series(256);
        for (std::uint32_t i = 0; i < 200; ++i) series.push(i, 49.5F);
        SeriesPlot plot = canvas.plot();
        plot.ticks_wide = 200;
        show(canvas, series, plot, canvas.band(2));
        for (int x = 0; x < 100; ++x) REQUIRE(canvas.red(x, 50) == 0xff);
    }

    TEST_CASE("columns may be wider than a pixel, for screens whose pixels are small") {
        Canvas canvas(60, 50);
        TestRing series(256);
        for (std::uint32_t i = 0; i < 60; ++i) series.push(i, 10, i == 31 ? 40 : 12);
        SeriesStyle style = canvas.band();
        style.column_px = 3;
        show(canvas, series, canvas.plot(), style);
        for (int x = 0; x < 60; ++x) CHECK((canvas.rows(x).top < 20) == (x >= 30 && x < 33));
    }

    TEST_CASE("columns that share a pixel look like one") {
        Canvas canvas(50, 100);
        TestRing once(64);
        TestRing often(1024);
        for (std::uint32_t i = 0; i < 50; ++i) once.push(i * 16, 20, 80);
        for (std::uint32_t i = 0; i < 800; ++i) often.push(i, 20, 80);
        SeriesPlot plot = canvas.plot();
        plot.ticks_wide = 800;
        show(canvas, once, plot, canvas.band(1));
        const std::vector<std::uint8_t> expected = canvas.pixels();
        show(canvas, often, plot, canvas.band(1));
        CHECK(canvas.pixels() == expected);
    }

    TEST_CASE("a ring that went round looks like one that did not, in every shape") {
        Canvas canvas(400, 100);
        const std::vector<float> values = noise(1500, 10, 90);
        for (const std::size_t size : {std::size_t{1024}, std::size_t{1021}}) {
            CAPTURE(size);
            TestRing wrapped(size);
            TestRing straight(2048);
            for (std::size_t i = 0; i < values.size(); ++i) {
                wrapped.push(static_cast<std::uint32_t>(i), values[i]);
                straight.push(static_cast<std::uint32_t>(i), values[i]);
            }
            SeriesPlot plot = canvas.plot();
            plot.tick_left = 800;
            for (const SeriesStyle& style : {line_style(), canvas.band(1), canvas.band(2), canvas.band(8)}) {
                CAPTURE(style.group);
                show(canvas, straight, plot, style);
                const std::vector<std::uint8_t> expected = canvas.pixels();
                show(canvas, wrapped, plot, style);
                CHECK(canvas.pixels() == expected);
            }
        }
    }

    TEST_CASE("only what the GPU does not have yet is sent") {
        Canvas canvas(10, 10);
        SeriesRenderer& renderer = canvas.renderer();
        TestRing series(1000);
        const auto sent = [&](std::uint64_t first, std::uint64_t end) {
            const std::uint64_t before = renderer.uploaded_bytes();
            renderer.upload(&series, 0, series.view(), first, end);
            return (renderer.uploaded_bytes() - before) / sizeof(SeriesVertex);
        };
        for (std::uint32_t i = 0; i < 500; ++i) series.push(i, 1);
        CHECK(sent(100, 200) == 100);
        CHECK(sent(100, 200) == 0);
        CHECK(sent(120, 260) == 60);
        CHECK(sent(50, 260) == 50);
        CHECK(sent(400, 500) == 100);
        CHECK(sent(300, 500) == 100);
        series.push(500, 1);
        CHECK(sent(300, 501) == 1);
        // Slots 0 to 8 go to the ring's end as well.
        for (std::uint32_t i = 501; i < 1005; ++i) series.push(i, 1);
        CHECK(sent(300, 1005) == 504 + 5);
        for (std::uint32_t i = 1005; i < 9000; ++i) series.push(i, 1);
        CHECK(sent(0, 9000) == 1000 + 9);
    }

    TEST_CASE("another series at the same address is not taken for the old one") {
        Canvas canvas(100, 100);
        TestRing series(256);
        for (std::uint32_t i = 0; i < 100; ++i) series.push(i, 20);
        show(canvas, series, canvas.plot(), line_style());
        CHECK(canvas.rows(50).bottom >= 78);
        series = TestRing(256);
        for (std::uint32_t i = 0; i < 120; ++i) series.push(i, 70);
        show(canvas, series, canvas.plot(), line_style());
        CHECK(canvas.rows(50).bottom <= 31);
    }

    TEST_CASE("nothing is drawn outside of the plot, nor of the clip rectangle") {
        Canvas canvas(200, 100);
        TestRing series(64);
        for (std::uint32_t i = 0; i < 50; ++i) series.push(i * 10, 0, 1000);
        SeriesPlot plot = canvas.plot();
        plot.x = 40;
        plot.y = 10;
        plot.width = 100;
        plot.height = 50;
        plot.clip_right = 90;
        plot.clip_top = 20;
        show(canvas, series, plot, canvas.band());
        CHECK(canvas.lit(40, 20));
        CHECK(canvas.lit(89, 59));
        for (int y = 0; y < 100; ++y) {
            for (int x = 0; x < 200; ++x) {
                const bool inside = x >= 40 && x < 90 && y >= 20 && y < 60;
                if (!inside) REQUIRE_FALSE(canvas.lit(x, y));
            }
        }
    }

    TEST_CASE("a band on a light background is darker than it") {
        Canvas canvas(50, 50);
        canvas.clear();
        glClearColor(1, 1, 1, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        TestRing series(64);
        for (std::uint32_t i = 0; i < 50; ++i) series.push(i, 10, 40);
        SeriesStyle style = canvas.band();
        style.background = 0xffffffff;
        style.rgba = 0xff800000;
        canvas.renderer().upload(&series, 0, series.view());
        canvas.renderer().draw(&series, 0, 0, 50, canvas.plot(), style);
        canvas.read();
        CHECK(canvas.red(25, 25) == 0x80);
        CHECK(canvas.red(25, 10) <= 8);
        CHECK(canvas.red(25, 5) == 0xff);
    }

    TEST_CASE("what is forgotten is not drawn") {
        Canvas canvas(50, 50);
        TestRing series(64);
        for (std::uint32_t i = 0; i < 50; ++i) series.push(i, 25);
        show(canvas, series, canvas.plot(), line_style());
        canvas.renderer().forget(&series);
        canvas.clear();
        canvas.renderer().draw(&series, 0, 0, 50, canvas.plot(), line_style());
        canvas.read();
        CHECK(canvas.rows(25).bottom == -1);
    }
}

}  // namespace labdeck::gfx
