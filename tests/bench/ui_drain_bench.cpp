// ui_drain_bench.cpp - what the window pays before each frame for looking at feeds in which nothing came.
//
//   quiet_feeds/N      one BenchState::drain() over N feeds
#include <benchmark/benchmark.h>

#include "ui/bench_state.h"
#include "ui/played_bench.h"

namespace labdeck::ui {
namespace {

void quiet_feeds(benchmark::State& state) {
    PlayedHub hub;
    data::WindowInbox inbox{[] {}};
    PlayedSources sources;
    BenchState bench{hub.link, inbox};
    for (std::int64_t i = 0; i < state.range(0); ++i) sources.add(inbox, "quiet");
    do bench.drain(1'000'000'000);
    while (hub.answer() > 0);
    for (auto _ : state) benchmark::DoNotOptimize(bench.drain(4'000'000));
}
BENCHMARK(quiet_feeds)->Arg(1)->Arg(256);

}  // namespace
}  // namespace labdeck::ui

BENCHMARK_MAIN();
