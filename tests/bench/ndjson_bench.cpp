// How near does EventStream come to bare simdjson?
//
//   bare/…      ondemand iterate_many, one thread, 1 MB batches: the same four fields, asked in order, no
//   dispatch stream/…    EventStream: framing, dispatch by name, checks; fed whole, in reads of 64 KiB and of
//   4 KiB stream/bad  the same with one bad line in a thousand decode/…    LineSplitter and decode(), what
//   the control plane does with a line
//
// Text: 200,000 traffic events of about 112 bytes from a fixed seed. Compare bytes_per_second; take medians:
//   ndjson --benchmark_repetitions=7 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <random>
#include <string>

#include "contract/envelope.h"
#include "contract/event_stream.h"
#include "contract/framing.h"

using namespace labdeck::contract;

namespace {

constexpr int event_count = 200'000;

std::string make_text(int bad_every) {
    std::mt19937 random(42);
    std::string out;
    for (int i = 0; i < event_count; ++i) {
        if (bad_every > 0 && i % bad_every == 0) out += "{\"event\":\"traffic\",\"params\":{\"oops\n";
        out += R"({"event":"traffic","params":{"appId":"bridge","port":"plc","rxBytes":)" +
               std::to_string(random() % 100'000) + R"(,"txBytes":)" + std::to_string(random() % 10'000) +
               R"(,"time":)" + std::to_string(1'700'000'000 + i) + "." +
               std::to_string(100 + random() % 900) + "}}\n";
    }
    return out;
}

struct Sums {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::size_t names = 0;
    double time = 0;
};

void report(benchmark::State& state, const std::string& text, const Sums& sums) {
    if (sums.events != static_cast<std::uint64_t>(state.iterations()) * event_count)
        state.SkipWithError("events are missing");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
    state.SetItemsProcessed(static_cast<std::int64_t>(sums.events));
    benchmark::DoNotOptimize(sums.time);
}

void bare(benchmark::State& state) {
    const simdjson::padded_string text(make_text(0));
    simdjson::ondemand::parser parser;
#ifdef SIMDJSON_THREADS_ENABLED
    parser.threaded = false;
#endif
    Sums sums;
    for (auto _ : state) {
        auto stream = parser.iterate_many(text, 1U << 20);
        for (auto document : stream.value()) {
            simdjson::ondemand::object params = document.find_field("params").get_object();
            sums.names += std::string_view(params.find_field("port")).size();
            sums.bytes += std::uint64_t(params.find_field("rxBytes"));
            sums.bytes += std::uint64_t(params.find_field("txBytes"));
            sums.time += double(params.find_field("time"));
            ++sums.events;
        }
    }
    report(state, std::string(text), sums);
}

void feed_all(benchmark::State& state, const std::string& text, std::size_t piece) {
    Sums sums;
    EventStream stream([](std::string_view) {});
    stream.on("status.changed", [](EventFields&) {});
    stream.on("traffic", [&](EventFields& params) {
        std::string_view port;
        std::uint64_t rx = 0;
        std::uint64_t tx = 0;
        double time = 0;
        params.get("port", port);
        params.get("rxBytes", rx);
        params.get("txBytes", tx);
        params.get("time", time);
        sums.names += port.size();
        sums.bytes += rx + tx;
        sums.time += time;
        ++sums.events;
    });
    for (auto _ : state) {
        for (std::size_t from = 0; from < text.size(); from += piece) {
            stream.feed(std::string_view(text).substr(from, piece));
        }
    }
    report(state, text, sums);
}

void stream(benchmark::State& state) {
    feed_all(state, make_text(0), static_cast<std::size_t>(state.range(0)));
}

void stream_bad(benchmark::State& state) {
    feed_all(state, make_text(1000), 64U << 10);
}

void decode_lines(benchmark::State& state) {
    const std::string text = make_text(0);
    Sums sums;
    LineSplitter splitter(line_bytes_max);
    const LineSplitter::Handler handler{
        [&](std::string_view line) { sums.events += std::holds_alternative<Event>(decode(line)) ? 1 : 0; },
        [] {}};
    for (auto _ : state) splitter.feed(text, handler);
    report(state, text, sums);
}

BENCHMARK(bare)->Name("bare/iterate_many")->Unit(benchmark::kMillisecond);
BENCHMARK(stream)
    ->Name("stream/feed")
    ->Arg(64 << 20)
    ->Arg(1 << 20)
    ->Arg(64 << 10)
    ->Arg(4 << 10)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(stream_bad)->Name("stream/bad")->Unit(benchmark::kMillisecond);
BENCHMARK(decode_lines)->Name("decode/lines")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
