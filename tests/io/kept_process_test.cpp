#include "io/kept_process.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "base/clock.h"
#include "fakes/without_root.h"
#include "io/io_world.h"
#include "io/orphans.h"
#include "io/proc_text.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

// What a tree inherits, however it forks: by this it is found again, zombies excepted.
class Mark {
public:
    Mark() : value_(std::to_string(::getpid()) + "-" + std::to_string(mono_now().ns)) {}
    const std::string& value() const { return value_; }

    std::vector<pid_t> bearers() const {
        std::vector<pid_t> found;
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const std::string name = entry.path().filename();
            if (name.find_first_not_of("0123456789") != std::string::npos) continue;
            const std::string text = proc_text(entry.path() / "environ");
            if (text.find("LABDECK_TEST_MARK=" + value_) != std::string::npos)
                found.push_back(std::stoi(name));
        }
        return found;
    }

private:
    std::string value_;
};

/// One kept program on its loop, and what its keeper has said.
class Kept {
public:
    explicit Kept(std::vector<std::string> argv, std::string cwd = {}) {
        SpawnRequest request{std::move(argv), std::move(cwd), {{"LABDECK_TEST_MARK", mark.value()}}};
        loop.on([&] {
            auto made = KeptProcess::start(
                loop.reactor(), request,
                {.started = [this](pid_t pid) { leader = pid; },
                 .failed = [this](const Error& why) { failure = why, over = true; },
                 .leader_ended = [this](const ExitStatus& status) { end = exit_text(status); },
                 .survivor = [](pid_t, char, int) {},
                 .empty = [this](bool lost) { keeper_lost = lost, over = true; }});
            if (made) {
                process = std::move(*made);
            } else {
                failure = made.error(), over = true;
            }
            return true;
        });
    }
    ~Kept() {
        loop.on([this] { return process.reset(), true; });
        CHECK(mark.bearers().empty());
    }

    bool is(const std::function<bool()>& so) {
        return becomes([&] { return loop.on(so); });
    }
    bool started() {
        return is([this] { return leader != 0; });
    }
    bool ended() {
        return is([this] { return over; });
    }
    void signal(int number) {
        loop.on([&] { return process->signal(number), true; });
    }
    void sweep() {
        loop.on([&] { return process->sweep(), true; });
    }
    /// What the tree says until `text` is among it. Only one test thread reads, so no loop is asked.
    bool says(const std::string& text) {
        const int fd = process->streams().stdout_fd.get();
        return becomes([&] {
            std::array<char, 4096> buffer;
            const ssize_t size = ::read(fd, buffer.data(), buffer.size());
            if (size > 0) said.append(buffer.data(), static_cast<std::size_t>(size));
            return said.find(text) != std::string::npos;
        });
    }

    Mark mark;
    Loop loop;
    std::unique_ptr<KeptProcess> process;
    std::string said;
    // Written on the loop's thread, read there too.
    pid_t leader = 0;
    std::optional<Error> failure;
    std::string end;
    bool keeper_lost = false;
    bool over = false;
};

std::vector<std::string> sh(const std::string& script) {
    return {"sh", "-c", script};
}
std::vector<std::string> python(const std::string& script) {
    return {"/usr/bin/python3", "-c", "import os, signal, sys, time\n" + script};
}

// Puts a process in a session of its own, without a parent of ours that lives, that no signal but KILL ends.
const std::string daemonize = R"(
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            print("daemon", flush=True)
            time.sleep(1000)
        os._exit(0)
    os.wait()
)";

}  // namespace

TEST_SUITE("io/kept_process") {
    TEST_CASE("a program runs with its streams, its folder and its exit code as without a keeper") {
        const TempDir folder;
        Kept kept(sh("pwd; read line; echo got $line; exit 7"), folder.path());
        REQUIRE(kept.started());
        CHECK(::write(kept.process->streams().stdin_fd.get(), "hello\n", 6) == 6);
        CHECK(kept.says(folder.path() + "\ngot hello\n"));
        REQUIRE(kept.ended());
        CHECK(kept.end == "exit 7");
        CHECK_FALSE(kept.keeper_lost);
        CHECK_FALSE(kept.failure.has_value());
    }

    TEST_CASE(
        "the program leads its group, outside the session of whoever started it, with three descriptors") {
        Kept kept(sh("cut -d' ' -f4-6 /proc/$$/stat; ls /proc/$$/fd; echo end"));
        REQUIRE(kept.says("end\n"));
        REQUIRE(kept.started());
        const std::string keeper = std::to_string(kept.process->keeper_pid());
        const std::string leader = std::to_string(kept.loop.on([&] { return kept.leader; }));
        CHECK(kept.said == keeper + " " + leader + " " + keeper + "\n0\n1\n2\nend\n");
        CHECK(kept.ended());
    }

    TEST_CASE("output ends when the tree does, not with the keeper") {
        Kept kept(sh("echo last words"));
        REQUIRE(kept.says("last words\n"));
        const int out = kept.process->streams().stdout_fd.get();
        CHECK(readable(out));
        char byte = 0;
        CHECK(becomes([&] { return ::read(out, &byte, 1) == 0; }));
        CHECK(kept.ended());
    }

    TEST_CASE("a program that cannot be run says errno and path") {
        const TempDir folder;
        const auto refused = [](std::vector<std::string> argv, std::string cwd = {}) {
            Kept kept(std::move(argv), std::move(cwd));
            CHECK(kept.ended());
            CHECK(kept.leader == 0);
            return kept.failure ? kept.failure->message : "no failure";
        };
        CHECK(refused({"/nowhere/at/all"}) == "start /nowhere/at/all: No such file or directory");
        CHECK(refused({"no-such-program-anywhere"}) ==
              "start no-such-program-anywhere: No such file or directory");
        CHECK(refused({"true"}, "/nowhere") == "start in /nowhere: No such file or directory");
        std::ofstream(folder / "text") << "no program";
        CHECK(refused({folder / "text"}) == "start " + (folder / "text") + ": Permission denied");
        std::filesystem::permissions(folder / "text", std::filesystem::perms::owner_all);
        CHECK(refused({folder / "text"}) == "start " + (folder / "text") + ": Exec format error");
        CHECK(refused({"true", std::string(200'000, 'x')}) == "start /usr/bin/true: Argument list too long");
    }

    TEST_CASE("a stop reaches the group, a stopped one too") {
        Kept kept(sh("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done"));
        REQUIRE(kept.says("ready\n"));
        REQUIRE(kept.started());
        ::kill(kept.loop.on([&] { return kept.leader; }), SIGSTOP);
        kept.signal(SIGTERM);
        CHECK(kept.says("bye\n"));
        REQUIRE(kept.ended());
        CHECK(kept.end == "exit 3");
    }

    TEST_CASE("a sweep ends what forks twice, changes its session and ignores TERM") {
        Kept kept(python(daemonize + R"(
daemon(); daemon()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(1000)
)"));
        REQUIRE(kept.says("ready\n"));
        CHECK(kept.mark.bearers().size() == 4);
        kept.signal(SIGTERM);
        CHECK(kept.mark.bearers().size() == 4);
        kept.sweep();
        REQUIRE(kept.ended());
        CHECK(kept.end == "killed by SIGKILL");
        CHECK(kept.mark.bearers().empty());
    }

    TEST_CASE("what outlives its leader stays in the tree, and the tree is not empty before it is") {
        Kept kept(python(daemonize + "daemon()\nprint('leaving', flush=True)\nos._exit(0)"));
        REQUIRE(kept.says("leaving\n"));
        REQUIRE(kept.is([&] { return kept.end == "exit 0"; }));
        CHECK_FALSE(kept.loop.on([&] { return kept.over; }));
        // All but the keeper itself, which has the mark too.
        REQUIRE(becomes([&] { return kept.mark.bearers().size() == 2; }));
        kept.sweep();
        CHECK(kept.ended());
    }

    TEST_CASE("with its leader gone, a signal goes to whoever is left") {
        Kept kept(
            sh("(trap 'echo child says bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done) & sleep "
               "0.1"));
        REQUIRE(kept.says("ready\n"));
        REQUIRE(kept.is([&] { return kept.end == "exit 0"; }));
        kept.signal(SIGTERM);
        CHECK(kept.says("child says bye\n"));
        CHECK(kept.ended());
    }

    TEST_CASE("a sweep catches what never stays: each forks an heir, in a session of its own, and goes") {
        // Bounded: 16 lines of heirs, 4,000 generations at the most.
        Kept kept(python(R"(
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in range(16):
    if os.fork() == 0: break
else:
    print("ready", flush=True)
    time.sleep(1000)
for generation in range(4000):
    if os.fork() != 0: os._exit(0)
    os.setsid()
time.sleep(1000)
)"));
        REQUIRE(kept.says("ready\n"));
        kept.sweep();
        REQUIRE(kept.ended());
        CHECK(kept.mark.bearers().empty());
    }

    TEST_CASE("a sweep catches up with a fork storm") {
        // Bounded: doubles seven times, so that there are 256 in the end.
        Kept kept(python(R"(
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
for generation in range(8):
    if os.fork() == 0: os.setsid()
    time.sleep(0.002)
time.sleep(1000)
)"));
        REQUIRE(kept.says("ready\n"));
        REQUIRE(becomes([&] { return kept.mark.bearers().size() > 20; }));
        kept.sweep();
        REQUIRE(kept.ended());
        CHECK(kept.mark.bearers().empty());
    }

    TEST_CASE("a sweep ends stopped processes and the parents of zombies") {
        Kept kept(python(R"(
for i in range(20):
    if os.fork() == 0: os._exit(0)
child = os.fork()
if child == 0: time.sleep(1000)
os.kill(child, signal.SIGSTOP)
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
)"));
        REQUIRE(kept.says("ready\n"));
        kept.sweep();
        CHECK(kept.ended());
    }

    TEST_CASE("when the owner dies, the tree dies") {
        const Mark mark;
        const pid_t owner = ::fork();
        if (owner == 0) {
            auto reactor = Reactor::create("owner").value();
            auto kept = KeptProcess::start(
                *reactor,
                {python(daemonize + "daemon()\nprint('ready', flush=True)\ntime.sleep(1000)"),
                 "",
                 {{"LABDECK_TEST_MARK", mark.value()}}},
                {[](pid_t) {}, [](const Error&) {}, [](const ExitStatus&) {}, [](pid_t, char, int) {},
                 [](bool) {}});
            if (kept) reactor->run();
            ::_exit(1);
        }
        CHECK(becomes([&] { return mark.bearers().size() == 3; }));
        ::kill(owner, SIGKILL);
        ::waitpid(owner, nullptr, 0);
        CHECK(becomes([&] { return mark.bearers().empty(); }));
    }

    TEST_CASE("a keeper that somebody kills takes the program along and is told of") {
        Kept kept(sh("echo ready; exec sleep 1000"));
        REQUIRE(kept.says("ready\n"));
        ::kill(kept.process->keeper_pid(), SIGKILL);
        REQUIRE(kept.ended());
        CHECK(kept.keeper_lost);
        CHECK(kept.end == "killed by SIGKILL");
        CHECK(becomes([&] { return kept.mark.bearers().empty(); }));
    }

    TEST_CASE("a keeper that ends before it has heard all is not taken for one that was killed") {
        for (int i = 0; i < 50; ++i) {
            Kept kept({"/bin/true"});
            const auto over = [&] {
                if (!kept.over) kept.process->signal(SIGCONT);
                return kept.over;
            };
            REQUIRE(becomes([&] { return kept.loop.on(over); }));
            REQUIRE_FALSE(kept.keeper_lost);
            REQUIRE(kept.end == "exit 0");
        }
    }

    TEST_CASE("what a killed keeper leaves behind is ended before the tree is called empty") {
        // Daemons, and one with a session and an environment of its own below another.
        Kept kept(python(daemonize + R"(
daemon(); daemon()
come, go = os.pipe()
if os.fork() == 0:
    os.setsid()
    sleeper = os.fork()
    if sleeper == 0:
        os.setsid()
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    while open(f"/proc/{sleeper}/comm").read() != "sleep\n": time.sleep(0.005)
    os.write(go, b"!")
    time.sleep(1000)
os.read(come, 1)
print("ready", flush=True)
time.sleep(1000)
)"));
        REQUIRE(kept.says("ready\n"));
        REQUIRE(kept.started());
        ::kill(kept.process->keeper_pid(), SIGKILL);
        REQUIRE(kept.ended());
        CHECK(kept.keeper_lost);
        CHECK(kept.end == "killed by SIGKILL");
        CHECK(kept.mark.bearers().empty());
        kept.loop.on([&] { return kept.process.reset(), true; });
        // One that was still dying when the tree was called empty is reaped at the next start, at the latest.
        CHECK(becomes([&] {
            return kept.loop.on([] { return reap_strangers(), true; }) &&
                   ::waitpid(-1, nullptr, WNOHANG) == -1;
        }));
    }

    TEST_CASE("letting go of it while its keeper's leavings are being ended ends them") {
        Kept kept(python(daemonize + "daemon()\nprint('ready', flush=True)\ntime.sleep(1000)"));
        REQUIRE(kept.says("ready\n"));
        const pid_t keeper = kept.process->keeper_pid();
        kept.loop.on([&] {
            ::kill(keeper, SIGKILL);
            return kept.process.reset(), true;
        });
        CHECK(becomes([&] { return kept.mark.bearers().empty(); }));
    }

    TEST_CASE("an orphan of another child that has ended is reaped, and nobody else's children are") {
        become_subreaper();
        const pid_t others = ::fork();
        if (others == 0) ::_exit(3);
        {
            auto child = ChildProcess::spawn({sh("(exec setsid sleep 0) & echo $!"), "", {}});
            REQUIRE(child);
            ExitStatus status;
            CHECK(becomes([&] { return child->reap(status); }));
        }
        CHECK(becomes([&] {
            reap_strangers();
            const pid_t own = ::getpid();
            std::ifstream children(fmt::format("/proc/{}/task/{}/children", own, own));
            pid_t pid = 0;
            while (children >> pid) {
                if (pid != others) return false;
            }
            return true;
        }));
        int how = 0;
        CHECK(::waitpid(others, &how, 0) == others);
        CHECK(WEXITSTATUS(how) == 3);
    }

    TEST_CASE("letting go of it sweeps, and leaves no descriptor and no zombie") {
        const std::size_t before = open_descriptors();
        for (int i = 0; i < 5; ++i) {
            Kept kept(python(daemonize + "daemon()\nprint('ready', flush=True)\ntime.sleep(1000)"));
            REQUIRE(kept.says("ready\n"));
        }
        CHECK(open_descriptors() <= before + 1);  // The keeper's image, made once.
        CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    }

    TEST_CASE("a keeper's memory is small: its own pages under 2 MiB") {
        Kept kept(sh("echo ready; exec sleep 1000"));
        REQUIRE(kept.says("ready\n"));
        std::ifstream file("/proc/" + std::to_string(kept.process->keeper_pid()) + "/smaps_rollup");
        std::string word;
        long pss = 0;
        while (file >> word) {
            if (word == "Pss:") file >> pss;
        }
        CHECK(pss > 0);
        CHECK(pss <= 2048);
        kept.sweep();
        CHECK(kept.ended());
    }
}
