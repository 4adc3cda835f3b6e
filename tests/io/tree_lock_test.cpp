#include "io/tree_lock.h"

#include <doctest/doctest.h>
#include <signal.h>

#include "io/io_world.h"
#include "io/kept_process.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

TEST_SUITE("io/tree_lock") {
    TEST_CASE("one holds a name at a time, and other names are free") {
        const TempDir folder;
        const TreeLock one(folder / "trees.lock", "one");
        {
            const auto held = one.take();
            REQUIRE(held);
            CHECK(TreeLock(folder / "trees.lock", "two").take());
            const auto again = one.take();
            REQUIRE_FALSE(again);
            CHECK(again.error().code == Code::busy);
        }
        CHECK(one.take());
        CHECK(one.wake_holder() == 0);
    }

    TEST_CASE(
        "a keeper holds it to its end, stopped or not, and is found by it; its program does not have it") {
        const TempDir folder;
        const TreeLock lock(folder / "trees.lock", "script");
        Loop loop;
        std::unique_ptr<KeptProcess> kept;
        std::string end;
        loop.on([&] {
            UniqueFd held = lock.take().value();
            SpawnRequest request{
                {"sh", "-c", "ls /proc/$$/fd | wc -l | grep -qx 3 && exec sleep 1000"}, "", {}};
            request.keeper_holds = held.get();
            kept = KeptProcess::start(loop.reactor(), request,
                                      {[](pid_t) {}, [](const Error&) {},
                                       [&](const ExitStatus& status) { end = exit_text(status); },
                                       [](pid_t, char, int) {}, [](bool) {}})
                       .value();
            return true;
        });
        const pid_t keeper = kept->keeper_pid();
        CHECK(lock.wake_holder() == keeper);
        CHECK_FALSE(lock.take());
        ::kill(keeper, SIGSTOP);
        CHECK(lock.wake_holder() == keeper);
        loop.on([&] { return kept->sweep(), true; });
        CHECK(becomes([&] { return lock.take().has_value(); }));
        // With a fourth descriptor it would have ended by itself.
        CHECK(becomes([&] { return loop.on([&] { return end == "killed by SIGKILL"; }); }));
        loop.on([&] { return kept.reset(), true; });
    }
}
