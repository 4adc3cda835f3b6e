#include "io/pipe_source.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cstring>

#include "io/child_process.h"
#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

constexpr int not_ended = -1;

// A source on a loop, fed by a program.
class Fed {
public:
    Fed(const std::string& script, PipeSource::Limits limits, std::size_t feed_blocks)
        : consumer(feed_blocks), child(ChildProcess::spawn({{"sh", "-c", script}, "", {}, -1, -1}).value()) {
        loop.on([&] {
            source = PipeSource::create(loop.reactor(), std::move(child.stdout_fd), {{1}, {}, "test", ""},
                                        limits, [this](int os) { end_os = os; })
                         .value();
            source->writer().add_feed(consumer.feed);
        });
        counters = source->writer().counters();
        pool = source->writer().pool();
    }
    Fed(const Fed&) = delete;
    Fed& operator=(const Fed&) = delete;
    ~Fed() {
        loop.on([this] { source.reset(); });
    }

    std::atomic<int> end_os{not_ended};
    Consumer consumer;
    std::shared_ptr<data::SourceCounters> counters;
    std::shared_ptr<data::BlockPool> pool;
    ChildProcess child;
    Loop loop;
    std::unique_ptr<PipeSource> source;
};

// "0000000000\n0000000001\n"… checked to the last byte, piece by piece.
class NumberedLines {
public:
    void see(std::string_view bytes) {
        for (const char byte : bytes) {
            if (at_ == line_.size()) {
                line_ = fmt::format("{:010}\n", next_++);
                at_ = 0;
            }
            if (byte != line_[at_++]) ++wrong_;
        }
        total_ += bytes.size();
    }
    std::uint64_t total() const { return total_; }
    std::uint64_t wrong() const { return wrong_; }

private:
    std::string line_;
    std::size_t at_ = 0;
    std::uint64_t next_ = 0;
    std::uint64_t total_ = 0;
    std::uint64_t wrong_ = 0;
};

}  // namespace

TEST_SUITE("io/pipe_source") {
    TEST_CASE("what a child says arrives, with a last line that has no newline, and the end is told once") {
        Fed fed("printf 'one\\ntwo\\nthree'", {}, 64);
        CHECK(fed.consumer.all() == "one\ntwo\nthree");
        CHECK(becomes([&] { return fed.end_os == 0; }));
        CHECK(fed.counters->bytes == 13);
        CHECK(fed.counters->lines == 2);
        CHECK(fed.counters->state == data::SourceState::closed);
        CHECK(fed.counters->lost_total() == 0);
    }

    TEST_CASE("200 MB of numbered lines reach a slow consumer whole, in bounded memory") {
        // 11 bytes a line.
        constexpr std::uint64_t lines = 200'000'000 / 11;
        PipeSource::Limits limits;
        limits.retained_bytes = 1U << 20;
        limits.ahead_bytes = 1U << 20;
        Fed fed(fmt::format("seq -f %010.0f 0 {}", lines - 1), limits, 16);
        NumberedLines seen;
        bool more = true;
        std::uint64_t looks = 0;
        while (more) {
            more = fed.consumer.look([&seen](std::string_view bytes) { seen.see(bytes); });
            if (++looks % 64 == 0) ::poll(nullptr, 0, 1);
        }
        CHECK(seen.total() == lines * 11);
        CHECK(seen.wrong() == 0);
        CHECK(fed.counters->lines == lines);
        CHECK(fed.counters->lost_total() == 0);
        CHECK(fed.pool->blocks_made() <= 32);
        CHECK(becomes([&] { return fed.end_os == 0; }));
    }

    TEST_CASE("rows too many for a Block are carried over and all there at the end") {
        PipeSource::Limits limits;
        limits.retained_bytes = 128U << 10;
        limits.ahead_bytes = 128U << 10;
        Fed fed("yes | head -c 3000001", limits, 2);
        // Nobody looks until the child has written all it could: the pool and the feed are full by then.
        CHECK(becomes([&] { return fed.counters->bytes > 0; }));
        std::size_t total = 0;
        std::size_t wrong = 0;
        becomes([&] {
            return !fed.consumer.look([&](std::string_view bytes) {
                for (const char byte : bytes) wrong += byte != (total++ % 2 == 0 ? 'y' : '\n') ? 1U : 0U;
            });
        });
        CHECK(total == 3'000'001);
        CHECK(wrong == 0);
        CHECK(fed.counters->lost_total() == 0);
    }

    TEST_CASE("a source without room does not spin, not even when its writer has gone") {
        PipeSource::Limits limits;
        limits.retained_bytes = 64U << 10;
        limits.ahead_bytes = 64U << 10;
        Fed fed("head -c 300000 /dev/zero", limits, 2);
        CHECK(readable(fed.child.exit_fd()));
        CHECK(becomes([&] { return fed.pool->blocks_out() == 2; }));
        // A round or two may still be on its way.
        fed.loop.on([] {});
        fed.loop.on([] {});
        const std::uint64_t before = fed.loop.reactor().rounds();
        ::poll(nullptr, 0, 50);
        CHECK(fed.loop.reactor().rounds() - before <= 3);
        CHECK(fed.end_os == not_ended);
        CHECK(fed.consumer.all().size() == 300'000);
        CHECK(becomes([&] { return fed.end_os == 0; }));
    }

    TEST_CASE(
        "what a flood had on its way when its writer left and no room was left arrives before the end") {
        PipeSource::Limits limits;
        limits.retained_bytes = 128U << 10;
        limits.ahead_bytes = 128U << 10;
        Fed fed("seq -f %010.0f 0 99999 | dd bs=1100000 iflag=fullblock status=none", limits, 4);
        NumberedLines seen;
        CHECK(readable(fed.child.exit_fd()));
        CHECK(becomes([&] { return fed.pool->blocks_out() == 4; }));
        CHECK(fed.end_os == not_ended);
        // With the first room it takes over all that the writer's pipe holds, and has no room for the most of
        // it.
        becomes([&] { return !fed.consumer.look([&seen](std::string_view bytes) { seen.see(bytes); }); });
        CHECK(seen.total() == 1'100'000);
        CHECK(seen.wrong() == 0);
        CHECK(fed.counters->lines == 100'000);
        CHECK(becomes([&] { return fed.end_os == 0; }));
    }

    TEST_CASE(
        "a filter changes what is read, and gives what it keeps back when nothing comes, and at the end") {
        Fed fed("read go; printf 'one '; read go; printf 'two'", {}, 16);
        std::string kept;
        fed.loop.on([&] {
            // Doubles every byte and always keeps the last one back.
            fed.source->set_filter(
                {[&kept](std::string_view bytes, const PipeSource::Filter::Out& out) {
                     for (const char byte : bytes) {
                         out(kept);
                         kept = std::string(2, byte);
                     }
                 },
                 [&kept](const PipeSource::Filter::Out& out) { out(std::exchange(kept, {})); },
                 [&kept](const PipeSource::Filter::Out& out) { out(std::exchange(kept, {})); }, 20'000'000});
        });
        REQUIRE(::write(fed.child.stdin_fd.get(), "\n", 1) == 1);
        CHECK(fed.consumer.all(8) == "oonnee  ");
        REQUIRE(::write(fed.child.stdin_fd.get(), "\n", 1) == 1);
        CHECK(fed.consumer.all() == "ttwwoo");
        CHECK(becomes([&] { return fed.end_os == 0; }));
    }
    TEST_CASE("a filter that makes more than there is room for waits, and loses nothing") {
        Fed fed("read go; for i in $(seq 2000); do echo 0123456789012345678901234567890123456789; done",
                {64U << 10, 128U << 10}, 2);
        fed.loop.on([&] {
            fed.source->set_filter({[](std::string_view bytes, const PipeSource::Filter::Out& out) {
                                        for (int i = 0; i < 20; ++i) out(bytes);
                                    },
                                    [](const PipeSource::Filter::Out&) {}});
        });
        REQUIRE(::write(fed.child.stdin_fd.get(), "\n", 1) == 1);
        std::size_t bytes = 0;
        CHECK(becomes(
            [&] { return !fed.consumer.look([&](std::string_view more) { bytes += more.size(); }); }));
        CHECK(bytes == 2000U * 41 * 20);
    }
    TEST_CASE("a killed writer is an end, with what it wrote before") {
        Fed fed("echo before; exec sleep 1000", {}, 8);
        CHECK(fed.consumer.all(7) == "before\n");
        fed.child.signal(SIGKILL);
        CHECK(becomes([&] { return fed.end_os == 0; }));
        CHECK(fed.consumer.all().empty());
    }

    TEST_CASE("a source may be destroyed by its own end") {
        Loop loop;
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        const UniqueFd in(ends[1]);
        std::unique_ptr<PipeSource> source;
        std::atomic<bool> gone{false};
        loop.on([&] {
            source =
                PipeSource::create(loop.reactor(), UniqueFd(ends[0]), {{1}, {}, "test", ""}, {}, [&](int) {
                    source.reset();
                    gone = true;
                }).value();
        });
        loop.on([&in] { const_cast<UniqueFd&>(in).reset(); });
        CHECK(becomes([&] { return gone.load(); }));
    }

    TEST_CASE("room that comes after source and reactor have gone disturbs nobody") {
        auto loop = std::make_unique<Loop>();
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        const UniqueFd in(ends[1]);
        Consumer consumer(1);
        std::unique_ptr<PipeSource> source;
        loop->on([&] {
            source = PipeSource::create(loop->reactor(), UniqueFd(ends[0]), {{1}, {}, "test", ""},
                                        {64U << 10, 64U << 10}, nullptr)
                         .value();
            source->writer().add_feed(consumer.feed);
        });
        const std::string text(200'000, 'x');
        CHECK(::write(in.get(), text.data(), text.size()) == 200'000);
        CHECK(becomes([&] { return source->writer().counters()->bytes == 65'536; }));
        loop->on([&] { source.reset(); });
        loop.reset();
        CHECK(consumer.all().size() == 65'536);
    }

    TEST_CASE("a flood of small writes makes the reader nap, so that a read brings many") {
        Loop loop;
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        UniqueFd in(ends[1]);
        Consumer consumer(1024);
        std::unique_ptr<PipeSource> source;
        loop.on([&] {
            source = PipeSource::create(loop.reactor(), UniqueFd(ends[0]), {{1}, {}, "test", ""}, {}, nullptr)
                         .value();
            source->writer().add_feed(consumer.feed);
        });
        const auto counters = source->writer().counters();
        constexpr std::uint64_t lines = 1'000'000;
        const std::string line(90, 'l');
        std::thread writer([&] {
            for (std::uint64_t i = 0; i < lines; ++i) {
                if (::write(in.get(), (line + '\n').c_str(), 91) != 91) std::abort();
            }
            in.reset();
        });
        std::uint64_t total = 0;
        becomes([&] { return !consumer.look([&total](std::string_view bytes) { total += bytes.size(); }); });
        writer.join();
        CHECK(total == lines * 91);
        CHECK(counters->lines == lines);
        CHECK(counters->reads < lines / 10);
        loop.on([&] { source.reset(); });
    }

    TEST_CASE("a terminal's hang-up is an end of file") {
        Loop loop;
        UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(::grantpt(master.get()) == 0);
        REQUIRE(::unlockpt(master.get()) == 0);
        UniqueFd slave(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
        Consumer consumer(8);
        std::unique_ptr<PipeSource> source;
        std::atomic<int> end_os{not_ended};
        loop.on([&] {
            source =
                PipeSource::create(loop.reactor(), std::move(master), {{1}, {}, "test", ""}, {}, [&](int os) {
                    end_os = os;
                }).value();
            source->writer().add_feed(consumer.feed);
        });
        CHECK(::write(slave.get(), "bye", 3) == 3);
        CHECK(consumer.all(3) == "bye");
        slave.reset();
        CHECK(becomes([&] { return end_os == 0; }));
        loop.on([&] { source.reset(); });
    }

    TEST_CASE("a descriptor that cannot be read is an error with its errno") {
        Loop loop;
        loop.on([&] {
            CHECK_FALSE(PipeSource::create(loop.reactor(), UniqueFd(), {{1}, {}, "test", ""}, {}, nullptr)
                            .has_value());
        });
    }
}
