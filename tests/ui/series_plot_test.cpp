#include "ui/widgets/series_plot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ui/widgets/sparkline.h"

namespace labdeck::ui {
namespace {

using model::Series;

constexpr std::int64_t second = 1'000'000'000;
constexpr MonoTime start{1'000 * second};

const Theme plain_theme{};

// ImGui without a renderer, one window with one plot, and a pointer.
class Bench {
public:
    TimeAxis axis{60 * second};
    SeriesPlot plot{"Test", {Unit::bytes_per_second, {true, 10}}};
    Series series{"a", "B/s", 65'536};
    MonoTime now{start.ns + 600 * second};
    ImVec2 size{800, 300};
    std::deque<TimeMark> marks;

    Bench() {
        context_ = ImGui::CreateContext();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = {1000, 600};
        fonts_.text = fonts_.bold = fonts_.large = fonts_.mono = io.Fonts->AddFontDefault();
        unsigned char* pixels = nullptr;
        int width = 0;
        int height = 0;
        io.Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
        for (int i = 0; i <= 600; ++i) series.push({start.ns + i * second}, 100 + i % 10);
        frame();
        frame();
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() { ImGui::DestroyContext(context_); }

    void frame() {
        ImGui::GetIO().DeltaTime = 1.0F / 60;
        ImGui::NewFrame();
        ImGui::SetNextWindowPos({0, 0});
        ImGui::SetNextWindowSize({1000, 200});
        ImGui::Begin("bench", nullptr, ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoMove);
        axis.begin_frame(now);
        const PlotLine line{&series, "a", 0xffffffff};
        plot.draw({plain_theme, fonts_, 1, nullptr}, axis, {&line, 1}, size, marks);
        scrolled = ImGui::GetScrollY();
        ImGui::End();
        ImGui::Render();
    }
    // Part of the plot's width and height.
    void point(float x, float y = 0.3F) {
        const ImVec2 min = plot.area_min();
        const ImVec2 max = plot.area_max();
        point_at({min.x + (max.x - min.x) * x, min.y + (max.y - min.y) * y});
    }
    void point_at(ImVec2 at) {
        ImGui::GetIO().AddMousePosEvent(at.x, at.y);
        frame();
    }
    void press(bool down) {
        ImGui::GetIO().AddMouseButtonEvent(0, down);
        frame();
    }
    void click() {
        press(true);
        press(false);
    }
    void wheel(float notches) {
        ImGui::GetIO().AddMouseWheelEvent(0, notches);
        frame();
        frame();
    }
    void drag(float from, float to) {
        point(from);
        press(true);
        for (int i = 1; i <= 10; ++i) point(from + (to - from) * static_cast<float>(i) / 10);
        press(false);
    }

    float scrolled = 0;

private:
    ImGuiContext* context_;
    Fonts fonts_;
};

double seconds(std::int64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(second);
}

}  // namespace

TEST_SUITE("ui/widgets/series_plot") {
    TEST_CASE(
        "a mark stands where it was on, goes on to now while it is, and is left out when it is out of "
        "sight") {
        Bench bench;
        const auto before = [&](std::int64_t seconds) { return MonoTime{bench.now.ns - seconds * second}; };
        bench.marks = {{"long ago", before(600), before(500)},
                       {"from before", before(90), before(45)},
                       {"a moment", before(30), before(30)},
                       {"still on", before(15)},
                       {"just begun", MonoTime{bench.now.ns - 1'000'000}},
                       {"to come", MonoTime{bench.now.ns + second}}};
        bench.frame();
        const auto shown = bench.plot.shown_marks();
        REQUIRE(shown.size() == 4);
        const float left = bench.plot.area_min().x;
        const float right = bench.plot.area_max().x;
        const auto x = [&](float seconds) { return right - (right - left) * seconds / 60; };
        CHECK(shown[0].mark->label == "from before");
        CHECK(shown[0].from_x == left);
        CHECK(shown[0].to_x == doctest::Approx(x(45)).epsilon(0.01));
        CHECK(shown[1].to_x >= shown[1].from_x + 2);
        CHECK(shown[2].from_x == doctest::Approx(x(15)).epsilon(0.01));
        CHECK(shown[2].to_x == doctest::Approx(right).epsilon(0.01));
    }

    TEST_CASE("a drag to the right shows earlier times, by as much as the pointer moved") {
        Bench bench;
        bench.drag(0.25F, 0.75F);
        CHECK_FALSE(bench.axis.live());
        CHECK(seconds(bench.now.ns - bench.axis.right().ns) == doctest::Approx(30).epsilon(0.01));
        CHECK(bench.axis.span_ns() == 60 * second);
        // What was dragged stays under the pointer while time goes on.
        const MonoTime held = bench.axis.right();
        bench.now.ns += 5 * second;
        bench.frame();
        CHECK(bench.axis.right() == held);
    }

    TEST_CASE("a drag beyond now comes back to live") {
        Bench bench;
        bench.drag(0.4F, 0.6F);
        CHECK_FALSE(bench.axis.live());
        bench.drag(0.8F, 0.1F);
        CHECK(bench.axis.live());
        CHECK(bench.axis.right() == bench.now);
    }

    TEST_CASE("the wheel zooms around the pointer, and does not scroll the panel") {
        Bench bench;
        bench.size.y = 900;
        bench.frame();
        bench.frame();
        bench.point(0.25F, 0.05F);
        const MonoTime before = bench.axis.cursor().value();
        bench.wheel(3);
        CHECK(bench.axis.span_ns() < 40 * second);
        CHECK_FALSE(bench.axis.live());
        bench.frame();
        CHECK(std::abs(seconds(bench.axis.cursor().value().ns - before.ns)) < 0.1);
        CHECK(bench.scrolled == 0);
        bench.wheel(-3);
        CHECK(seconds(bench.axis.span_ns()) == doctest::Approx(60).epsilon(1e-6));
    }

    TEST_CASE("zooming out until now is reached is live again") {
        Bench bench;
        bench.drag(0.45F, 0.55F);
        bench.point(0.1F);
        bench.wheel(-20);
        CHECK(bench.axis.live());
        CHECK(bench.axis.span_ns() <= TimeAxis::span_ns_max);
    }

    TEST_CASE("a double click comes back to live and to the chosen span") {
        Bench bench;
        bench.point(0.3F);
        bench.wheel(5);
        bench.drag(0.2F, 0.9F);
        CHECK_FALSE(bench.axis.live());
        bench.click();
        bench.click();
        CHECK(bench.axis.live());
        CHECK(bench.axis.span_ns() == 60 * second);
    }

    TEST_CASE("a single click changes nothing") {
        Bench bench;
        bench.point(0.5F);
        bench.click();
        CHECK(bench.axis.live());
        CHECK(bench.axis.span_ns() == 60 * second);
    }

    TEST_CASE("a click on a legend entry hides its series, another one shows it") {
        Bench bench;
        bench.point_at({92 + 20, bench.plot.area_min().y - 14});
        bench.click();
        CHECK(bench.plot.hidden("a"));
        CHECK(bench.plot.batch().strokes().empty());
        bench.click();
        CHECK_FALSE(bench.plot.hidden("a"));
        CHECK(bench.plot.batch().strokes().size() == 1);
    }

    TEST_CASE("the range of values holds still while the data stays in it, and is a round number") {
        Bench bench;
        const double top = bench.plot.range().top();
        CHECK(bench.plot.range().bottom() == 0);
        CHECK(top == 120);
        for (int i = 1; i <= 50; ++i) {
            bench.now.ns += second;
            bench.series.push(bench.now, 95 + i % 20);
            bench.frame();
            REQUIRE(bench.plot.range().top() == top);
        }
        bench.now.ns += second;
        bench.series.push(bench.now, 5'000);
        bench.frame();
        CHECK(bench.plot.range().top() >= 5'000);
        CHECK(bench.plot.range().top() <= 6'000);
    }

    TEST_CASE("a plot without samples is drawn, and says so rather than crash") {
        Bench bench;
        bench.series = Series("none", "", 1000);
        bench.frame();
        CHECK(bench.plot.batch().strokes().empty());
        CHECK(bench.plot.range().top() > bench.plot.range().bottom());
    }
}

TEST_SUITE("ui/widgets/series_strokes") {
    TEST_CASE("a series of one value is a plain line, until another value or a hole is in the view") {
        Bench bench;
        Series series("flat", "", 1000);
        const auto strokes_after = [&](double value) {
            for (int i = 0; i < 5; ++i) {
                bench.now.ns += second;
                series.push(bench.now, value);
            }
            StrokeBatch batch;
            const TimeAxis::View view{static_cast<double>(bench.now.ns - 60 * second), 1e8};
            batch.begin(nullptr, {0, 0}, {600, 100}, view, 0, 10);
            batch.add(series, {});
            CHECK(batch.flat_lines() + std::min<std::size_t>(1, batch.strokes().size()) == 1);
            return batch.strokes().size();
        };
        CHECK(strokes_after(3) == 0);
        CHECK(strokes_after(3) == 0);
        CHECK(strokes_after(4) > 0);
        Series holed("holed", "", 1000);
        std::swap(series, holed);
        strokes_after(3);
        series.push(bench.now, std::nan(""));
        CHECK(strokes_after(3) > 0);
    }

    TEST_CASE("what a series may touch of its plot reaches from its smallest value shown to its largest") {
        Bench bench;
        Series series("low", "", 1000);
        StrokeBatch batch;
        for (const double value : {9.0, 1.0, 2.0, 1.0, 2.0}) {
            bench.now.ns += second;
            series.push(bench.now, value);
        }
        const auto extent = [&](std::int64_t seconds) {
            const TimeAxis::View view{static_cast<double>(bench.now.ns - seconds * second), 1e8};
            batch.begin(nullptr, {0, 0}, {600, 100}, view, 0, 10);
            gfx::SeriesStyle style;
            style.line_px = 2;
            batch.add(series, style);
            REQUIRE(batch.groups().size() == 1);
            return batch.groups().front();
        };
        ImGui::GetIO().DisplayFramebufferScale = {1, 1};
        CHECK(extent(60).top == doctest::Approx(10 - 3));
        CHECK(extent(60).bottom == doctest::Approx(90 + 3));
        // The 9 has left the view, and so has the line from it.
        CHECK(extent(2).top == doctest::Approx(80 - 3));
    }

    std::vector<SeriesStroke> strokes_of(const Series& series, MonoTime left, std::int64_t span_ns,
                                         double pixels) {
        std::vector<SeriesStroke> strokes;
        const TimeAxis::View view{static_cast<double>(left.ns), static_cast<double>(span_ns) / pixels};
        add_strokes(series, view, pixels, {}, strokes);
        return strokes;
    }

    TEST_CASE("a pixel column gets at most two entries at any zoom, and the whole window is covered") {
        Series series("a", "", 1'000'000);
        for (int i = 0; i < 1'000'000; ++i) series.push({start.ns + i * 1'000'000LL}, i % 17);
        const double pixels = 1000;
        for (std::int64_t span = second / 100; span <= 1000 * second; span += span / 3) {
            const MonoTime left{start.ns + 1000 * second - span};
            const auto strokes = strokes_of(series, left, span, pixels);
            REQUIRE_FALSE(strokes.empty());
            CAPTURE(span);
            double columns = 0;
            for (const SeriesStroke& stroke : strokes)
                columns += static_cast<double>(stroke.end - stroke.first) / stroke.style.group;
            // Beyond that, the finest levels' newest entries.
            CHECK(columns <= 2 * pixels + 3 * 2 * Series::fanout + 4);
            CHECK(strokes.front().first ==
                  std::max<std::uint64_t>(series.first(strokes.front().level),
                                          series.lower_bound(strokes.front().level, left) - 1));
            CHECK(strokes.back().end == series.count(strokes.back().level));
            CHECK(strokes.back().level == 0);
        }
    }

    TEST_CASE("what the coarse levels do not have yet is drawn from the finer ones, without a gap") {
        Series series("a", "", 100'000);
        for (int i = 0; i < 70'007; ++i) series.push({start.ns + i * 1'000'000LL}, 1);
        const auto strokes = strokes_of(series, start, 80 * second, 100);
        REQUIRE(strokes.size() >= 3);
        for (std::size_t i = 1; i < strokes.size(); ++i) {
            CHECK(strokes[i].level == strokes[i - 1].level - 1);
            CHECK(strokes[i].first == (strokes[i - 1].end - 1) * Series::fanout);
        }
        CHECK(strokes.back().end == 70'007);
    }

    TEST_CASE("a window before or after all samples is not a crash") {
        Series series("a", "", 1000);
        for (int i = 0; i < 5000; ++i) series.push({start.ns + i * second}, i);
        for (const std::int64_t at : {-900LL, 0LL, 3'000LL, 4'999LL, 9'000LL}) {
            const auto strokes = strokes_of(series, {start.ns + at * second}, 10 * second, 500);
            for (const SeriesStroke& stroke : strokes) {
                CHECK(stroke.first >= series.first(stroke.level));
                CHECK(stroke.end <= series.count(stroke.level));
            }
        }
        CHECK(strokes_of(Series("none", "", 100), start, second, 100).empty());
    }
}

TEST_SUITE("ui/widgets/axis_ticks") {
    TEST_CASE("values are written with three digits and the prefix that suits them") {
        CHECK(value_text(0, Unit::bytes_per_second) == "0 B/s");
        CHECK(value_text(987, Unit::bytes_per_second) == "987 B/s");
        CHECK(value_text(999.9, Unit::bytes_per_second) == "1.00 kB/s");
        CHECK(value_text(11'520, Unit::bytes_per_second) == "11.5 kB/s");
        CHECK(value_text(1.25e9, Unit::bytes_per_second) == "1.25 GB/s");
        CHECK(value_text(61.2, Unit::mebibytes) == "61.2 MiB");
        CHECK(value_text(1536, Unit::mebibytes) == "1.50 GiB");
        CHECK(value_text(12.34, Unit::percent) == "12.3 %");
        CHECK(value_text(0.25, Unit::per_second) == "0.2 /s");
        CHECK(value_text(std::numeric_limits<double>::quiet_NaN(), Unit::percent) == "-");
    }

    TEST_CASE("ticks are round numbers that share one unit") {
        const ValueTicks kilo = value_ticks(0, 1'000'000, 5, Unit::bytes_per_second);
        CHECK(kilo.unit == "kB/s");
        CHECK(kilo.step == doctest::Approx(200'000));
        CHECK(kilo.label(400'000) == "400");
        const ValueTicks half = value_ticks(0, 1.2, 5, Unit::percent);
        CHECK(half.label(0.5) == "0.5");
        CHECK(half.label(0) == "0.0");
        const ValueTicks gib = value_ticks(0, 3 * 1024, 4, Unit::mebibytes);
        CHECK(gib.unit == "GiB");
        CHECK(gib.label(2048) == "2");
    }

    TEST_CASE("time steps are those of a clock") {
        CHECK(time_step(60 * second, 6) == 10 * second);
        CHECK(time_step(3600 * second, 6) == 600 * second);
        CHECK(time_step(10 * second, 12) == second);
        CHECK(time_step(second, 10) == second / 10);
        CHECK(time_step(2 * 24 * 3600 * second, 1) == 2 * 24 * 3600 * second);
        CHECK(relative_label(30 * second, 10 * second) == "-30 s");
        CHECK(relative_label(90 * second, 10 * second) == "-1:30");
        CHECK(relative_label(0, second) == "now");
        CHECK(relative_label(600 * second, 60 * second) == "-10 min");
    }

    TEST_CASE("a range grows at once and shrinks only when most of it would be empty") {
        ValueRange range;
        range.fit(3, 90, 5, Unit::plain, {true, 0});
        CHECK(range.bottom() == 0);
        CHECK(range.top() == 100);
        range.fit(3, 60, 5, Unit::plain, {true, 0});
        CHECK(range.top() == 100);
        range.fit(3, 101, 5, Unit::plain, {true, 0});
        CHECK(range.top() == 150);
        range.fit(3, 20, 5, Unit::plain, {true, 0});
        CHECK(range.top() == 25);
        range.fit(0, 0, 5, Unit::plain, {true, 10});
        CHECK(range.top() == 10);
        range.fit(-5, 5, 5, Unit::plain, {true, 0});
        CHECK(range.bottom() <= -5);
    }
}

TEST_SUITE("ui/widgets/sparkline") {
    TEST_CASE("a sparkline has at most a few hundred vertices and stays in its rectangle") {
        Bench bench;
        Series dense("d", "", 100'000);
        for (int i = 0; i < 60'000; ++i)
            dense.push({start.ns + i * 1'000'000LL}, i == 31'234 ? 500 : 3 + i % 2);
        ImDrawList list(ImGui::GetDrawListSharedData());
        list._ResetForNewFrame();
        list.PushClipRectFullScreen();
        list.PushTextureID(nullptr);
        draw_sparkline(list, dense, {start.ns + 60 * second}, 60 * second, {10, 10}, {130, 40},
                       {0xffffffff, 0x40ffffff});
        CHECK(list.VtxBuffer.Size > 100);
        CHECK(list.VtxBuffer.Size < 1'200);
        float top = 1e9F;
        for (const ImDrawVert& vertex : list.VtxBuffer) {
            top = std::min(top, vertex.pos.y);
            // The line's own width and smooth edge may reach out.
            REQUIRE(vertex.pos.x >= 8);
            REQUIRE(vertex.pos.x <= 132);
            REQUIRE(vertex.pos.y <= 42);
        }
        // The one sample in sixty thousand is there.
        CHECK(top <= 14);
    }
}

}  // namespace labdeck::ui
