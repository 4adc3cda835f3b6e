// model_bench.cpp - what a window pays for looking: tails and series.
//
//   drain/N            a Tail takes N full Blocks and lets as many old ones go; CPU time per Block
//   drain_quiet        a drain that finds nothing new
//   row_sequential     row() for one row after the other, 64 MiB of 80-byte lines retained
//   row_random         row() anywhere in the same
//   row_soft           row() in Blocks that have soft ends, whose lines have to be counted
//   push/N             Series::push() with a capacity of N samples
//   range              exact extent of a random window of 1 M samples
//   frame              level_for() and both lower_bound() of a random window of 1 M samples
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <string>

#include "model/series.h"
#include "model/tail.h"

using namespace labdeck;

namespace {

constexpr std::size_t blocks_held = 1024;

struct Source {
    explicit Source(std::size_t retained_blocks)
        : feed(std::make_shared<data::Feed>(4096, std::function<void()>{})),
          writer({SourceId{1}, data::SourceKind::pipe, "bench", {}}, 8192, data::SourceWriter::WhenFull::wait,
                 {}),
          tail(feed, retained_blocks * data::Block::bytes_max) {
        writer.add_feed(feed);
    }
    void say(const std::string& text, std::size_t bytes) {
        for (std::size_t at = 0; at < bytes; at += text.size()) {
            benchmark::DoNotOptimize(writer.write(text, {static_cast<std::int64_t>(at)}));
        }
        writer.notify();
    }

    std::shared_ptr<data::Feed> feed;
    data::SourceWriter writer;
    model::Tail tail;
};

std::string lines(std::size_t bytes, std::size_t line_bytes) {
    std::string text(bytes, 'x');
    for (std::size_t i = line_bytes - 1; i < bytes; i += line_bytes) text[i] = '\n';
    return text;
}

void drain(benchmark::State& state) {
    Source source(blocks_held);
    const std::string text = lines(data::Block::bytes_max, 64);
    const auto blocks = static_cast<std::size_t>(state.range(0));
    source.say(text, blocks_held * data::Block::bytes_max);
    source.tail.drain();
    for (auto _ : state) {
        source.say(text, blocks * data::Block::bytes_max);
        const std::int64_t from = thread_cpu_ns();
        benchmark::DoNotOptimize(source.tail.drain());
        const auto took_ns = static_cast<double>(thread_cpu_ns() - from);
        state.SetIterationTime(took_ns * 1e-9 / static_cast<double>(blocks));
    }
}
BENCHMARK(drain)->Arg(1)->Arg(64)->Arg(512)->UseManualTime()->Iterations(50);

void drain_quiet(benchmark::State& state) {
    Source source(16);
    source.say(lines(1000, 50), 1000);
    source.tail.drain();
    for (auto _ : state) benchmark::DoNotOptimize(source.tail.drain());
}
BENCHMARK(drain_quiet);

void row_sequential(benchmark::State& state) {
    Source source(blocks_held);
    source.say(lines(80'000, 80), blocks_held * data::Block::bytes_max);
    source.tail.drain();
    std::uint64_t row = source.tail.first_row();
    for (auto _ : state) {
        benchmark::DoNotOptimize(source.tail.row(row));
        if (++row == source.tail.end_row()) row = source.tail.first_row();
    }
}
BENCHMARK(row_sequential);

void row_random(benchmark::State& state) {
    Source source(blocks_held);
    source.say(lines(80'000, 80), blocks_held * data::Block::bytes_max);
    source.tail.drain();
    std::mt19937_64 random(1);
    for (auto _ : state) {
        benchmark::DoNotOptimize(source.tail.row(source.tail.first_row() + random() % source.tail.rows()));
    }
}
BENCHMARK(row_random);

void row_soft(benchmark::State& state) {
    Source source(64);
    source.say(std::string(20'000, 's') + "\n" + lines(40'000, 20), 64 * data::Block::bytes_max);
    source.tail.drain();
    std::mt19937_64 random(1);
    for (auto _ : state) {
        benchmark::DoNotOptimize(source.tail.row(source.tail.first_row() + random() % source.tail.rows()));
    }
}
BENCHMARK(row_soft);

void push(benchmark::State& state) {
    model::Series series("bench", "", static_cast<std::size_t>(state.range(0)));
    std::int64_t now = 0;
    for (auto _ : state) {
        now += 1'000'000;
        series.push({now}, static_cast<double>(now % 977));
    }
    benchmark::DoNotOptimize(series.ring(0));
}
BENCHMARK(push)->Arg(65'536)->Arg(1'048'576);

model::Series million() {
    model::Series series("bench", "", 1'048'576);
    std::mt19937_64 random(1);
    for (int i = 0; i < 1'048'576; ++i) series.push({i * 1'000'000LL}, static_cast<double>(random() % 1000));
    return series;
}

void range(benchmark::State& state) {
    const model::Series series = million();
    std::mt19937_64 random(2);
    const auto end = static_cast<std::uint64_t>(series.last_time().ns);
    for (auto _ : state) {
        const auto from = static_cast<std::int64_t>(random() % end);
        const auto to = from + static_cast<std::int64_t>(random() % (end - static_cast<std::uint64_t>(from)));
        benchmark::DoNotOptimize(series.range({from}, {to}));
    }
}
BENCHMARK(range);

void frame(benchmark::State& state) {
    const model::Series series = million();
    std::mt19937_64 random(2);
    const auto end = static_cast<std::uint64_t>(series.last_time().ns);
    for (auto _ : state) {
        const auto from = static_cast<std::int64_t>(random() % end);
        const auto to = from + static_cast<std::int64_t>(random() % (end - static_cast<std::uint64_t>(from)));
        const std::size_t level = series.level_for(static_cast<double>(to - from) / 2000);
        benchmark::DoNotOptimize(series.lower_bound(level, {from}));
        benchmark::DoNotOptimize(series.lower_bound(level, {to}));
    }
}
BENCHMARK(frame);

}  // namespace

BENCHMARK_MAIN();
