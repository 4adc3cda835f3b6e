// pipe_ingest_bench - what it costs to keep what a pipe says, against only draining it.
//
// usage: pipe_ingest [GiB a measurement, 4] [runs, 5] [lines a measurement in millions, 8]
//
// Workloads, each measured alternately by a plain read() loop into one buffer and by a PipeSource whose
// Blocks a model::Tail of 32 MiB keeps, drained by another thread every 16 ms as a window would:
//   blocks   a child writes text of 91-byte lines, 64 KiB a write, into a pipe of 1 MiB
//   lines    a child writes one line of 91 bytes a write
// Printed are medians: bytes and lines a second, CPU of the reading thread a line, and the ratio of the
// speeds. The child is this program, called with --write.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "data/feed.h"
#include "io/child_process.h"
#include "io/pipe_source.h"
#include "io/reactor.h"
#include "model/tail.h"

using namespace labdeck;

namespace {

constexpr std::size_t line_bytes = 91;
constexpr std::size_t block_write_bytes = 64U << 10;
constexpr std::size_t plain_read_bytes = 64U << 10;
constexpr std::size_t retained_bytes = 32U << 20;
constexpr int frame_ms = 16;

enum class Workload { blocks, lines };

struct Cost {
    double seconds = 0;
    double reader_cpu_ns = 0;
    std::uint64_t bytes = 0;

    double bytes_a_second() const { return static_cast<double>(bytes) / seconds; }
    double lines() const { return static_cast<double>(bytes) / line_bytes; }
};

int write_workload(std::size_t write_bytes, std::uint64_t bytes) {
    std::string text;
    while (text.size() < block_write_bytes + line_bytes) {
        text +=
            fmt::format(
                "{:08} 2026-02-17T16:20:00.000Z plc  read  ch=3 value=12.345 unit=V status=ok seq={:<10}\n",
                text.size(), text.size())
                .substr(0, line_bytes - 1) +
            '\n';
    }
    // Every write begins where a line begins, so the text is the same whatever the size is.
    for (std::uint64_t done = 0; done < bytes; done += write_bytes) {
        std::size_t at = 0;
        while (at < write_bytes) {
            const ssize_t n = ::write(STDOUT_FILENO, text.data() + at, write_bytes - at);
            if (n < 0) return 1;
            at += static_cast<std::size_t>(n);
        }
    }
    return 0;
}

io::ChildProcess start_writer(Workload workload, std::uint64_t bytes) {
    const std::size_t write_bytes = workload == Workload::blocks ? block_write_bytes : line_bytes;
    io::SpawnRequest request;
    request.argv = {"/proc/self/exe", "--write", std::to_string(write_bytes), std::to_string(bytes)};
    auto child = io::ChildProcess::spawn(request);
    if (!child) {
        fmt::print(stderr, "{}\n", child.error().message);
        std::exit(1);
    }
    return std::move(*child);
}

Cost drain_only(Workload workload, std::uint64_t bytes) {
    Cost cost;
    io::ChildProcess child = start_writer(workload, bytes);
    ::fcntl(child.stdout_fd.get(), F_SETFL, 0);
    const auto buffer = std::make_unique<char[]>(plain_read_bytes);
    const std::int64_t cpu_before = thread_cpu_ns();
    const MonoTime begun = mono_now();
    ssize_t n = 0;
    while ((n = ::read(child.stdout_fd.get(), buffer.get(), plain_read_bytes)) > 0) {
        cost.bytes += static_cast<std::uint64_t>(n);
    }
    cost.seconds = static_cast<double>(mono_now().ns - begun.ns) / 1e9;
    cost.reader_cpu_ns = static_cast<double>(thread_cpu_ns() - cpu_before);
    return cost;
}

Cost ingest(Workload workload, std::uint64_t bytes) {
    Cost cost;
    const auto reactor = io::Reactor::create("bench").value();
    io::PipeSource::Limits limits;
    limits.retained_bytes = retained_bytes;
    const auto feed = std::make_shared<data::Feed>(limits.ahead_bytes / data::Block::bytes_max, nullptr);
    std::atomic<bool> ended{false};
    std::thread window([&] {
        model::Tail tail(feed, retained_bytes);
        while (!tail.ended()) {
            tail.drain();
            if (!ended) ::poll(nullptr, 0, frame_ms);
        }
    });
    io::ChildProcess child = start_writer(workload, bytes);
    MonoTime over;
    const auto source =
        io::PipeSource::create(*reactor, std::move(child.stdout_fd), {{1}, {}, "bench", ""}, limits,
                               [&](int) {
                                   over = mono_now();
                                   ended = true;
                                   reactor->stop();
                               })
            .value();
    source->writer().add_feed(feed);
    const std::int64_t cpu_before = thread_cpu_ns();
    const MonoTime begun = mono_now();
    reactor->run();
    cost.reader_cpu_ns = static_cast<double>(thread_cpu_ns() - cpu_before);
    cost.seconds = static_cast<double>(over.ns - begun.ns) / 1e9;
    cost.bytes = source->writer().counters()->bytes;
    window.join();
    return cost;
}

template <typename Value>
double median(const std::vector<Cost>& costs, Value value) {
    std::vector<double> values;
    for (const Cost& cost : costs) values.push_back(value(cost));
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void print_row(std::string_view what, const std::vector<Cost>& costs) {
    fmt::print("{:<24} {:6.3f} GB/s {:6.2f} M lines/s  {:6.1f} ns reader CPU a line\n", what,
               median(costs, [](const Cost& c) { return c.bytes_a_second() / 1e9; }),
               median(costs, [](const Cost& c) { return c.lines() / c.seconds / 1e6; }),
               median(costs, [](const Cost& c) { return c.reader_cpu_ns / c.lines(); }));
}

void measure(std::string_view name, Workload workload, std::uint64_t bytes, int runs) {
    std::vector<Cost> plain;
    std::vector<Cost> kept;
    for (int i = 0; i < runs; ++i) {
        plain.push_back(drain_only(workload, bytes));
        kept.push_back(ingest(workload, bytes));
    }
    print_row(fmt::format("{}, drain only", name), plain);
    print_row(fmt::format("{}, ingest", name), kept);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        ratios.push_back(kept[i].bytes_a_second() / plain[i].bytes_a_second());
    }
    std::sort(ratios.begin(), ratios.end());
    const auto speed = [](const Cost& c) { return c.bytes_a_second(); };
    fmt::print("{}: ratio of the medians {:.3f}, of the pairs {:.3f} ({:.3f} to {:.3f})\n\n", name,
               median(kept, speed) / median(plain, speed), ratios[ratios.size() / 2], ratios.front(),
               ratios.back());
    std::fflush(stdout);
}

double argument(int argc, char** argv, int index, double otherwise) {
    return argc > index ? std::strtod(argv[index], nullptr) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--write") {
        return write_workload(std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
    }
    const auto block_bytes = static_cast<std::uint64_t>(argument(argc, argv, 1, 4) * (1U << 30));
    const auto runs = std::max(static_cast<int>(argument(argc, argv, 2, 5)), 1);
    const auto line_total = static_cast<std::uint64_t>(argument(argc, argv, 3, 8) * 1e6) * line_bytes;
    if (block_bytes > 0) measure("blocks", Workload::blocks, block_bytes, runs);
    if (line_total > 0) measure("lines", Workload::lines, line_total, runs);
    return 0;
}
