#include "io/reactor.h"

#include <doctest/doctest.h>
#include <sys/epoll.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

struct Pipe {
    Pipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        out = UniqueFd(ends[0]);
        in = UniqueFd(ends[1]);
    }
    void put() const { CHECK(::write(in.get(), "x", 1) == 1); }

    UniqueFd out;
    UniqueFd in;
};

}  // namespace

TEST_SUITE("io/reactor") {
    TEST_CASE("work of several threads runs on the loop, each thread's in its order") {
        Loop loop;
        constexpr int threads = 4;
        constexpr int each = 5000;
        std::vector<std::vector<int>> seen(threads);
        std::vector<std::thread> posters;
        std::atomic<int> done{0};
        for (int t = 0; t < threads; ++t) {
            posters.emplace_back([&, t] {
                for (int i = 0; i < each; ++i) {
                    loop.reactor().post([&, t, i] {
                        seen[static_cast<std::size_t>(t)].push_back(i);
                        ++done;
                    });
                }
            });
        }
        for (std::thread& poster : posters) poster.join();
        CHECK(becomes([&] { return done == threads * each; }));
        loop.on([&] {
            for (const auto& one : seen) CHECK(std::is_sorted(one.begin(), one.end()));
        });
        CHECK(loop.reactor().rounds() > 0);
        CHECK(loop.reactor().cpu_ns() > 0);
    }

    TEST_CASE("work posted before stop is done, and the loop can run again") {
        const auto reactor = Reactor::create("again").value();
        int done = 0;
        for (int i = 0; i < 100; ++i) reactor->post([&done] { ++done; });
        reactor->stop();
        reactor->run();
        CHECK(done == 100);
        reactor->post([&done] { ++done; });
        reactor->stop();
        reactor->run();
        CHECK(done == 101);
    }

    TEST_CASE("the loop's thread has the reactor's name") {
        Loop loop;
        std::string name;
        loop.on([&name] { std::getline(std::ifstream("/proc/thread-self/comm"), name); });
        CHECK(name == "test-loop");
    }

    TEST_CASE("a poster that outlives its reactor drops what it is given") {
        auto reactor = Reactor::create("short").value();
        const Reactor::Poster poster = reactor->poster();
        const auto held = std::make_shared<int>(0);
        reactor->post([held] { ++*held; });
        poster.post([held] { ++*held; });
        CHECK(held.use_count() == 3);
        reactor.reset();
        poster.post([held] { ++*held; });
        CHECK(held.use_count() == 1);
        CHECK(*held == 0);
    }

    TEST_CASE("a callback that unwatches every descriptor keeps the others of its round from being called") {
        const auto reactor = Reactor::create("unwatch").value();
        std::vector<Pipe> pipes(20);
        std::vector<WatchId> ids;
        int calls = 0;
        for (const Pipe& pipe : pipes) {
            pipe.put();
            ids.push_back(reactor
                              ->watch(pipe.out.get(), EPOLLIN,
                                      [&](std::uint32_t) {
                                          ++calls;
                                          for (const WatchId id : ids) reactor->unwatch(id);
                                          reactor->stop();
                                      })
                              .value());
        }
        reactor->run();
        CHECK(calls == 1);
    }

    TEST_CASE("what a callback owns stays until it has returned from unwatching itself") {
        const auto reactor = Reactor::create("own").value();
        const Pipe pipe;
        pipe.put();
        const auto owned = std::make_shared<int>(7);
        WatchId id = 0;
        long uses_within = 0;
        id = reactor
                 ->watch(pipe.out.get(), EPOLLIN,
                         [&, owned](std::uint32_t) {
                             reactor->unwatch(id);
                             uses_within = owned.use_count();
                             reactor->stop();
                         })
                 .value();
        reactor->run();
        CHECK(uses_within == 2);
        CHECK(owned.use_count() == 1);
    }

    TEST_CASE("a watch changed to nothing does not even report a hang-up") {
        const auto reactor = Reactor::create("mute").value();
        Pipe pipe;
        int calls = 0;
        const WatchId id = reactor
                               ->watch(pipe.out.get(), EPOLLIN,
                                       [&](std::uint32_t) {
                                           ++calls;
                                           reactor->change(id, EPOLLIN);
                                           reactor->stop();
                                       })
                               .value();
        reactor->change(id, 0);
        pipe.in.reset();
        const std::uint64_t before = reactor->rounds();
        reactor->after(20'000'000, [&] {
            CHECK(calls == 0);
            CHECK(reactor->rounds() - before < 10);
            reactor->change(id, EPOLLIN);
        });
        reactor->run();
        CHECK(calls == 1);
        reactor->unwatch(id);
    }

    TEST_CASE("a file that cannot be waited for is an error, not a crash") {
        const auto reactor = Reactor::create("file").value();
        const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
        CHECK_FALSE(reactor->watch(file.get(), EPOLLIN, [](std::uint32_t) {}).has_value());
    }

    TEST_CASE("timers fire in the order of their times, and a canceled one never") {
        const auto reactor = Reactor::create("timers").value();
        std::vector<int> fired;
        TimerId never = 0;
        reactor->after(3'000'000, [&] { fired.push_back(3); });
        reactor->after(1'000'000, [&] {
            fired.push_back(1);
            reactor->cancel(never);
        });
        never = reactor->after(1'000'001, [&] { fired.push_back(0); });
        reactor->after(2'000'000, [&] { fired.push_back(2); });
        reactor->after(4'000'000, [&] { reactor->stop(); });
        reactor->run();
        CHECK(fired == std::vector<int>{1, 2, 3});
    }

    TEST_CASE("a periodic timer goes on until it cancels itself, and skips what it missed") {
        const auto reactor = Reactor::create("every").value();
        int fired = 0;
        const MonoTime begun = mono_now();
        TimerId id = 0;
        id = reactor->every(1'000'000, [&] {
            if (++fired == 1) {
                while (mono_now().ns < begun.ns + 10'000'000) {
                }
            }
            if (fired < 5) return;
            reactor->cancel(id);
            reactor->after(3'000'000, [&] { reactor->stop(); });
        });
        reactor->run();
        CHECK(fired == 5);
        CHECK(mono_now().ns - begun.ns >= 13'000'000);
    }

    TEST_CASE("a nap gathers writes, and posted work ends it") {
        const auto reactor = Reactor::create("nap").value();
        std::int64_t asked_ns = 0;
        std::int64_t came_ns = 0;
        std::thread other;
        reactor->post([&] {
            reactor->nap_next_round(1'000'000);
            other = std::thread([&] {
                asked_ns = mono_now().ns;
                reactor->post([&] {
                    came_ns = mono_now().ns;
                    reactor->stop();
                });
            });
        });
        reactor->run();
        other.join();
        CHECK(came_ns > asked_ns);
    }

    TEST_CASE("what is asked for at a round's end runs once, in order, behind the work of its round") {
        const auto reactor = Reactor::create("rounds").value();
        std::vector<std::string> done;
        reactor->at_round_end([&] { done.emplace_back("before the first round"); });
        reactor->post([&] {
            reactor->at_round_end([&] {
                done.emplace_back("end");
                reactor->at_round_end([&] { done.emplace_back("asked for at the end"); });
            });
            reactor->at_round_end([&] { done.emplace_back("end again"); });
            done.emplace_back("work");
        });
        reactor->post([&] { done.emplace_back("more work"); });
        reactor->stop();
        reactor->run();
        CHECK(done == std::vector<std::string>{"before the first round", "work", "more work", "end",
                                               "end again", "asked for at the end"});
    }
}
