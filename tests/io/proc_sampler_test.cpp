#include "io/proc_sampler.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <future>
#include <map>
#include <mutex>

#include "io/child_process.h"
#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

constexpr std::int64_t fast_ns = 5'000'000;

using Batch = std::shared_ptr<const data::SampleBatch>;

// What the sampler says, for the test to look at.
class Samples {
public:
    ProcSampler::OnBatch sink() {
        return [this](Batch batch) {
            const std::lock_guard lock(mutex_);
            for (const data::ProcessSample& sample : batch->processes) {
                most_cpu_[sample.name] = std::max(most_cpu_[sample.name], sample.cpu_percent);
                least_cpu_[sample.name] = std::min(least_cpu_[sample.name], sample.cpu_percent);
            }
            newest_ = std::move(batch);
            ++count_;
        };
    }
    // A batch whose scan began after the call, so that it knows what was done before it.
    Batch next() {
        const std::uint64_t from = count() + 2;
        becomes([&] { return count() >= from; });
        return newest();
    }
    Batch newest() {
        const std::lock_guard lock(mutex_);
        return newest_;
    }
    /// The highest and the lowest (0 or less) that was ever said of a process.
    std::pair<double, double> cpu_range(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return {most_cpu_[name], least_cpu_[name]};
    }
    bool becomes_so(const std::function<bool(const data::SampleBatch&)>& so) {
        return becomes([&] {
            const Batch batch = newest();
            return batch && so(*batch);
        });
    }

private:
    std::uint64_t count() {
        const std::lock_guard lock(mutex_);
        return count_;
    }

    std::mutex mutex_;
    Batch newest_;
    std::uint64_t count_ = 0;
    std::map<std::string, double> most_cpu_;
    std::map<std::string, double> least_cpu_;
};

const data::ProcessSample* find(const data::SampleBatch& batch, const std::string& name) {
    for (const data::ProcessSample& sample : batch.processes) {
        if (sample.name == name) return &sample;
    }
    return nullptr;
}

// A /proc of our own making. Files are replaced whole, as a reader must never see half of one.
class FakeProc {
public:
    FakeProc() {
        machine(100, 900);
        write("meminfo", "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n");
    }
    void machine(int busy, int idle) {
        // In place: the sampler keeps this one open.
        std::ofstream(dir_ / "stat") << fmt::format(
            "cpu  {} 0 0 {} 0 0 0 0 0 0\ncpu0 1 2\ncpu1 1 2\nintr 1\n", busy, idle);
    }
    void process(pid_t pid, pid_t parent, int ticks, int reaped, int start, int pages, char state = 'S') {
        std::filesystem::create_directories(dir_ / std::to_string(pid));
        write(fmt::format("{}/stat", pid),
              fmt::format("{} (a ) name) {} {} 1 1 0 -1 0 0 0 0 0 {} 0 {} 0 20 0 1 0 {} 1000 {} 0 0\n", pid,
                          state, parent, ticks, reaped, start, pages));
    }
    void pss(pid_t pid, int kb) {
        write(fmt::format("{}/smaps_rollup", pid), fmt::format("0-1 rollup\nRss: 9 kB\nPss: {} kB\n", kb));
    }
    void remove(pid_t pid) { std::filesystem::remove_all(dir_ / std::to_string(pid)); }
    const std::string& path() const { return dir_.path(); }

private:
    void write(const std::string& name, const std::string& text) {
        std::ofstream(dir_ / "new") << text;
        std::filesystem::rename(dir_ / "new", dir_ / name);
    }
    TempDir dir_;
};

}  // namespace

TEST_SUITE("io/proc_sampler") {
    TEST_CASE("the machine and the console itself are always there") {
        Samples samples;
        const auto sampler = ProcSampler::start(fast_ns, samples.sink()).value();
        CHECK(samples.becomes_so(
            [](const data::SampleBatch& batch) { return batch.processes[0].memory_bytes > 0; }));
        const Batch batch = samples.newest();
        CHECK(batch->cores >= 1);
        CHECK(batch->memory_total_bytes > batch->memory_used_bytes);
        CHECK(batch->memory_used_bytes > 0);
        REQUIRE(batch->processes.size() == 1);
        CHECK(batch->processes[0].pid == ::getpid());
        CHECK(batch->processes[0].alive);
        CHECK(batch->time.ns > 0);
    }

    TEST_CASE("a child that burns a core is seen, also when its own child does it, and its end too") {
        Samples samples;
        const auto sampler = ProcSampler::start(20'000'000, samples.sink()).value();
        ChildProcess child =
            ChildProcess::spawn({{"sh", "-c", "(while :; do :; done) & wait"}, "", {}, -1, -1}).value();
        sampler->watch({{"burner", child.pid()}});
        CHECK(samples.becomes_so([](const data::SampleBatch& batch) {
            const auto* const burner = find(batch, "burner");
            return burner != nullptr && burner->cpu_percent > 20 && burner->memory_bytes > 0;
        }));
        child.signal(SIGKILL);
        CHECK(samples.becomes_so([](const data::SampleBatch& batch) {
            const auto* const burner = find(batch, "burner");
            return burner != nullptr && !burner->alive;
        }));
        sampler->watch({});
        CHECK(samples.becomes_so([](const data::SampleBatch& batch) { return batch.processes.size() == 1; }));
    }

    TEST_CASE("machine figures are computed from what /proc says") {
        FakeProc proc;
        Samples samples;
        const auto sampler = ProcSampler::start(fast_ns, samples.sink(), proc.path()).value();
        const Batch first = samples.next();
        CHECK(first->cores == 2);
        CHECK(first->memory_total_bytes == 1000 * 1024);
        CHECK(first->memory_used_bytes == 600 * 1024);
        CHECK(first->cpu_percent == doctest::Approx(0));
    }

    TEST_CASE("a tree is told parents first, without its top, and what is beyond the limit is counted") {
        FakeProc proc;
        proc.process(10, 1, 0, 0, 500, 4);
        proc.process(12, 10, 0, 0, 501, 4, 'D');
        proc.process(11, 12, 0, 0, 502, 8);
        proc.process(13, 11, 0, 0, 503, 4);
        proc.process(20, 1, 0, 0, 504, 100);
        proc.pss(12, 7);
        Samples samples;
        const auto sampler = ProcSampler::start(fast_ns, samples.sink(), proc.path()).value();
        sampler->watch({{"tree", 10}});
        const auto ask = [&](pid_t top, std::size_t count_max) {
            std::promise<data::ProcessTree> told;
            sampler->tree(top, count_max, [&](data::ProcessTree tree) { told.set_value(std::move(tree)); });
            return told.get_future().get();
        };
        const data::ProcessTree all = ask(10, 500);
        REQUIRE(all.processes.size() == 3);
        CHECK(all.more == 0);
        CHECK(all.processes[0].pid == 12);
        CHECK(all.processes[0].name == "a ) name");
        CHECK(all.processes[0].state == 'D');
        CHECK(all.processes[0].memory_bytes == 7 * 1024);
        CHECK(all.processes[0].memory_kind == data::MemoryKind::pss);
        CHECK(all.processes[1].parent == 12);
        CHECK(all.processes[1].memory_kind == data::MemoryKind::rss);
        CHECK(all.processes[2].pid == 13);
        CHECK(all.processes[0].started < all.processes[2].started);
        const data::ProcessTree some = ask(10, 2);
        CHECK(some.processes.size() == 2);
        CHECK(some.more == 1);
        // Nobody watches this one, and that one is not there.
        CHECK(ask(20, 500).processes.empty());
        CHECK(ask(77, 500).processes.empty());
    }

    TEST_CASE("a process of a tree has its own CPU, and who waits for an answer gets one at the end") {
        Samples samples;
        auto sampler = ProcSampler::start(20'000'000, samples.sink()).value();
        ChildProcess child =
            ChildProcess::spawn({{"sh", "-c", "(while :; do :; done) & wait"}, "", {}, -1, -1}).value();
        sampler->watch({{"burner", child.pid()}});
        CHECK(becomes([&] {
            std::promise<data::ProcessTree> told;
            sampler->tree(child.pid(), 500, [&](data::ProcessTree tree) { told.set_value(std::move(tree)); });
            const data::ProcessTree tree = told.get_future().get();
            return tree.processes.size() == 1 && tree.processes[0].cpu_percent > 20 &&
                   tree.processes[0].parent == child.pid();
        }));
        child.signal(SIGKILL);
        std::atomic<int> answers = 0;
        for (int i = 0; i < 100; ++i) sampler->tree(4'000'000, 1, [&](const auto&) { ++answers; });
        sampler.reset();
        CHECK(answers == 100);
    }

    TEST_CASE("a tree's memory is summed, PSS where it is told and else RSS, and says which") {
        FakeProc proc;
        proc.process(10, 1, 0, 0, 500, 4);
        proc.process(11, 10, 0, 0, 501, 4);
        proc.process(12, 11, 0, 0, 502, 4);
        proc.process(20, 1, 0, 0, 503, 100);
        for (const pid_t pid : {10, 11, 12}) proc.pss(pid, pid);
        Samples samples;
        const auto sampler = ProcSampler::start(fast_ns, samples.sink(), proc.path()).value();
        sampler->watch({{"tree", 10}, {"alone", 20}});
        CHECK(samples.becomes_so(
            [](const data::SampleBatch& batch) { return find(batch, "alone") != nullptr; }));
        const Batch batch = samples.newest();
        CHECK(find(*batch, "tree")->memory_bytes == (10 + 11 + 12) * 1024);
        CHECK(find(*batch, "tree")->memory_kind == data::MemoryKind::pss);
        CHECK(find(*batch, "alone")->memory_bytes ==
              100U * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
        CHECK(find(*batch, "alone")->memory_kind == data::MemoryKind::rss);
    }

    TEST_CASE("children that were waited for count, and time never runs backwards") {
        FakeProc proc;
        proc.process(10, 1, 100, 0, 500, 1);
        proc.process(11, 10, 100, 0, 501, 1);
        Samples samples;
        const auto sampler = ProcSampler::start(fast_ns, samples.sink(), proc.path()).value();
        sampler->watch({{"tree", 10}});
        CHECK(samples.becomes_so(
            [](const data::SampleBatch& batch) { return find(batch, "tree") != nullptr; }));
        CHECK(find(*samples.next(), "tree")->cpu_percent == doctest::Approx(0));
        // The child is reaped: its time is now its parent's, and 50 ticks more were used meanwhile.
        proc.remove(11);
        proc.process(10, 1, 100, 150, 500, 1);
        CHECK(becomes([&samples] { return samples.cpu_range("tree").first > 0; }));
        CHECK(samples.cpu_range("tree").second == doctest::Approx(0));
    }

    TEST_CASE("a number that went to another process is not the watched one") {
        FakeProc proc;
        proc.process(10, 1, 100, 0, 500, 1);
        Samples samples;
        const auto sampler = ProcSampler::start(fast_ns, samples.sink(), proc.path()).value();
        sampler->watch({{"first", 10}});
        CHECK(samples.becomes_so([](const data::SampleBatch& batch) {
            return find(batch, "first") != nullptr && find(batch, "first")->alive;
        }));
        proc.process(10, 1, 0, 0, 900, 1);
        CHECK_FALSE(find(*samples.next(), "first")->alive);
        // Asked for anew, it is the new one.
        sampler->watch({{"second", 10}});
        CHECK(samples.becomes_so([](const data::SampleBatch& batch) {
            return find(batch, "second") != nullptr && find(batch, "second")->alive;
        }));
        proc.process(10, 1, 0, 0, 900, 0, 'Z');
        CHECK_FALSE(find(*samples.next(), "second")->alive);
        proc.remove(10);
        CHECK_FALSE(find(*samples.next(), "second")->alive);
    }

    TEST_CASE("without /proc there is an error") {
        const TempDir folder;
        CHECK_FALSE(ProcSampler::start(
                        fast_ns, [](Batch) {}, folder / "proc")
                        .has_value());
        CHECK(ProcSampler::start(0, [](Batch) {}).error().code == Code::bad_arg);
    }
}
