// What does a frame of charts cost the window's thread? Eight series of 1,000,000 samples each, at 1 kHz, in
// a plot of 1,800 x 1,000 pixels; 16 new samples a series and frame, as at 60 frames a second.
//
//   prepare        choose levels and ranges of entries; no GL
//   submit         prepare, upload what is new, and issue the draws; the GPU (or the software rasteriser) may
//   lag first          the same for series that the GPU has never seen value_range    minimum and maximum of
//   the window, for the value axis
//
// Arguments: seconds shown. Counters: bytes sent and instances drawn a frame. On software GL `submit`
// includes the vertex shaders, which run on the calling thread there.
#include <benchmark/benchmark.h>
#include <glad/gl.h>

#include <cmath>
#include <memory>
#include <vector>

#include "gfx/headless.h"
#include "gfx/series_renderer.h"
#include "ui/widgets/series_strokes.h"

namespace {

using namespace labdeck;

constexpr int series_count = 8;
constexpr int samples = 1'000'000;
constexpr int samples_a_frame = 16;
constexpr std::int64_t ns_per_sample = 1'000'000;
constexpr double pixels = 1'800;

struct Frames {
    std::vector<std::unique_ptr<model::Series>> series;
    MonoTime now{1'000'000'000'000};
    std::uint32_t state = 1;
    std::vector<ui::SeriesStroke> strokes;

    Frames() {
        for (int i = 0; i < series_count; ++i)
            series.push_back(std::make_unique<model::Series>("bench", "", samples));
        for (int i = 0; i < samples; i += samples_a_frame) push();
    }
    void push() {
        for (int i = 0; i < samples_a_frame; ++i) {
            now.ns += ns_per_sample;
            for (auto& one : series) {
                state = state * 1'664'525U + 1'013'904'223U;
                one->push(now, static_cast<double>(state >> 8U));
            }
        }
    }
    void prepare(std::int64_t seconds) {
        const double span = static_cast<double>(seconds) * 1e9;
        const ui::TimeAxis::View view{static_cast<double>(now.ns) - span, span / pixels};
        strokes.clear();
        for (const auto& one : series) ui::add_strokes(*one, view, pixels, {}, strokes);
    }
};

Frames& frames() {
    static Frames all;
    return all;
}

struct Screen {
    std::unique_ptr<gfx::HeadlessContext> context = gfx::HeadlessContext::create().value();
    std::unique_ptr<gfx::Framebuffer> target = gfx::Framebuffer::create(1920, 1080).value();
    std::unique_ptr<gfx::SeriesRenderer> renderer = gfx::SeriesRenderer::create().value();

    void draw(const Frames& frames, std::int64_t seconds) const {
        gfx::SeriesPlot plot{100, 40, static_cast<float>(pixels), 1000, 1920, 1080};
        plot.ticks_wide = static_cast<double>(seconds) * 1e4;
        plot.tick_left = model::Series::tick_of(frames.now) - static_cast<std::uint32_t>(plot.ticks_wide);
        plot.value_top = 1U << 24U;
        for (const ui::SeriesStroke& stroke : frames.strokes) {
            const model::Series& series = *stroke.series;
            const gfx::RingView ring{reinterpret_cast<const gfx::SeriesVertex*>(series.ring(stroke.level)),
                                     series.ring_size(stroke.level), series.first(stroke.level),
                                     series.count(stroke.level)};
            renderer->upload(&series, stroke.level, ring, stroke.first, stroke.end);
            renderer->draw(&series, stroke.level, stroke.first, stroke.end, plot, stroke.style);
        }
    }
};

void prepare(benchmark::State& state) {
    Frames& all = frames();
    for (auto _ : state) {
        all.prepare(state.range(0));
        benchmark::DoNotOptimize(all.strokes.data());
    }
}

void value_range(benchmark::State& state) {
    const Frames& all = frames();
    for (auto _ : state) {
        for (const auto& one : all.series) {
            auto range = one->range({all.now.ns - state.range(0) * 1'000'000'000}, all.now);
            benchmark::DoNotOptimize(range);
        }
    }
}

void submit(benchmark::State& state) {
    Frames& all = frames();
    const Screen screen;
    all.prepare(state.range(0));
    screen.draw(all, state.range(0));
    glFinish();
    const std::uint64_t bytes = screen.renderer->uploaded_bytes();
    const std::uint64_t instances = screen.renderer->drawn_instances();
    for (auto _ : state) {
        all.prepare(state.range(0));
        screen.draw(all, state.range(0));
        state.PauseTiming();
        glFinish();
        all.push();
        state.ResumeTiming();
    }
    const auto count = static_cast<double>(state.iterations());
    state.counters["bytes"] = static_cast<double>(screen.renderer->uploaded_bytes() - bytes) / count;
    state.counters["instances"] = static_cast<double>(screen.renderer->drawn_instances() - instances) / count;
}

void first(benchmark::State& state) {
    Frames& all = frames();
    const Screen screen;
    all.prepare(state.range(0));
    for (auto _ : state) {
        screen.draw(all, state.range(0));
        state.PauseTiming();
        glFinish();
        for (const auto& one : all.series) screen.renderer->forget(one.get());
        state.ResumeTiming();
    }
    state.counters["bytes"] =
        static_cast<double>(screen.renderer->uploaded_bytes()) / static_cast<double>(state.iterations());
}

BENCHMARK(prepare)->Arg(1)->Arg(60)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(value_range)->Arg(1)->Arg(60)->Arg(1000)->Unit(benchmark::kMicrosecond);
// A fixed number: the software rasteriser works between the timed parts, and that can take a hundred times as
// long.
BENCHMARK(submit)->Arg(1)->Arg(60)->Arg(1000)->Unit(benchmark::kMicrosecond)->Iterations(60);
BENCHMARK(first)->Arg(1)->Arg(60)->Arg(1000)->Unit(benchmark::kMicrosecond)->Iterations(10);

}  // namespace

BENCHMARK_MAIN();
