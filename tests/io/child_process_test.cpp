#include "io/child_process.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

SpawnRequest shell(const std::string& script) {
    return {{"sh", "-c", script}, "", {}, -1, -1};
}

// All that comes until end of file.
std::string read_to_end(const UniqueFd& fd) {
    std::string text;
    std::array<char, 65'536> buffer;
    while (readable(fd.get())) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n == 0) return text;
        if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text + "…and no end";
}

ExitStatus end_of(ChildProcess& child) {
    ExitStatus status;
    CHECK(readable(child.exit_fd()));
    CHECK(child.reap(status));
    return status;
}

// The group is empty: nobody would get a signal any more.
bool group_is_gone(pid_t group) {
    return ::kill(-group, 0) != 0 && errno == ESRCH;
}

class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t most) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit lower = before_;
        lower.rlim_cur = most;
        ::setrlimit(RLIMIT_NOFILE, &lower);
    }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

}  // namespace

TEST_SUITE("io/child_process") {
    TEST_CASE("the three streams lead to the child and its exit code comes back") {
        ChildProcess child =
            ChildProcess::spawn(shell("read line; echo out $line; echo err >&2; exit 7")).value();
        CHECK(::write(child.stdin_fd.get(), "hello\n", 6) == 6);
        CHECK(read_to_end(child.stdout_fd) == "out hello\n");
        CHECK(read_to_end(child.stderr_fd) == "err\n");
        const ExitStatus status = end_of(child);
        CHECK_FALSE(status.signaled);
        CHECK(exit_text(status) == "exit 7");
        ExitStatus again;
        CHECK_FALSE(child.reap(again));
    }

    TEST_CASE("a closed stdin is end of file to the child") {
        ChildProcess child = ChildProcess::spawn({{"cat"}, "", {}, -1, -1}).value();
        CHECK(::write(child.stdin_fd.get(), "abc", 3) == 3);
        child.stdin_fd.reset();
        CHECK(read_to_end(child.stdout_fd) == "abc");
        CHECK(exit_text(end_of(child)) == "exit 0");
    }

    TEST_CASE("a child killed by a signal says which") {
        ChildProcess child = ChildProcess::spawn(shell("echo ready; exec sleep 1000")).value();
        CHECK(readable(child.stdout_fd.get()));
        child.signal(SIGKILL);
        const ExitStatus status = end_of(child);
        CHECK(status.signaled);
        CHECK(exit_text(status) == "killed by SIGKILL");
        child.signal(SIGKILL);
    }

    TEST_CASE("signals and masks are the default, whatever ours are") {
        sigset_t blocked;
        sigset_t before;
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
        auto* const old = ::signal(SIGTERM, SIG_IGN);
        ChildProcess child = ChildProcess::spawn(shell("kill -TERM $$; exit 0")).value();
        ::signal(SIGTERM, old);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        CHECK(exit_text(end_of(child)) == "killed by SIGTERM");
    }

    TEST_CASE("the child gets a group of its own and no descriptor but its three streams") {
        const UniqueFd inheritable(::open("/dev/null", O_RDONLY));
        ChildProcess child =
            ChildProcess::spawn(shell("cut -d' ' -f5 /proc/$$/stat; ls /proc/$$/fd; true")).value();
        const std::string text = read_to_end(child.stdout_fd);
        CHECK(text == std::to_string(child.pid()) + "\n0\n1\n2\n");
        end_of(child);
    }

    TEST_CASE("folder and environment are the ones asked for") {
        const TempDir folder;
        ::setenv("LABDECK_TEST_OVERRIDDEN", "ours", 1);
        ::setenv("LABDECK_TEST_KEPT", "kept", 1);
        SpawnRequest request =
            shell("pwd; echo $LABDECK_TEST_OVERRIDDEN $LABDECK_TEST_KEPT $LABDECK_TEST_NEW");
        request.cwd = folder.path();
        request.env = {{"LABDECK_TEST_OVERRIDDEN", "theirs"}, {"LABDECK_TEST_NEW", "a b=c"}};
        ChildProcess child = ChildProcess::spawn(request).value();
        CHECK(read_to_end(child.stdout_fd) == folder.path() + "\ntheirs kept a b=c\n");
        end_of(child);
        ::unsetenv("LABDECK_TEST_OVERRIDDEN");
        ::unsetenv("LABDECK_TEST_KEPT");
    }

    TEST_CASE("a descriptor given for stdout and stderr takes both, and no pipe is made") {
        const TempDir folder;
        const UniqueFd file(::open((folder / "log").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        SpawnRequest request = shell("echo one; echo two >&2");
        request.stdout_to = file.get();
        request.stderr_to = file.get();
        for (int i = 0; i < 2; ++i) {
            ChildProcess child = ChildProcess::spawn(request).value();
            CHECK_FALSE(child.stdout_fd);
            CHECK_FALSE(child.stderr_fd);
            end_of(child);
        }
        std::string text(64, '\0');
        text.resize(static_cast<std::size_t>(::pread(file.get(), text.data(), text.size(), 0)));
        CHECK(text == "one\ntwo\none\ntwo\n");
    }

    TEST_CASE("a program that is not there is named in the error") {
        const auto by_path = ChildProcess::spawn({{"/no/such/program"}, "", {}, -1, -1});
        REQUIRE_FALSE(by_path.has_value());
        CHECK(by_path.error().code == Code::not_found);
        CHECK(by_path.error().os == ENOENT);
        CHECK(by_path.error().message == "start /no/such/program: No such file or directory");
        const auto by_name = ChildProcess::spawn({{"no-such-program"}, "", {}, -1, -1});
        REQUIRE_FALSE(by_name.has_value());
        CHECK(by_name.error().message == "start no-such-program: No such file or directory");
        CHECK(ChildProcess::spawn({{}, "", {}, -1, -1}).error().code == Code::bad_arg);
    }

    TEST_CASE("a file that may not be run and a folder that is not there say so") {
        const TempDir folder;
        std::ofstream(folder / "plain") << "text";
        const auto plain = ChildProcess::spawn({{folder / "plain"}, "", {}, -1, -1});
        REQUIRE_FALSE(plain.has_value());
        CHECK(plain.error().code == Code::denied);
        CHECK(plain.error().os == EACCES);
        const auto homeless = ChildProcess::spawn({{"true"}, folder / "gone", {}, -1, -1});
        REQUIRE_FALSE(homeless.has_value());
        CHECK(homeless.error().message == "start in " + (folder / "gone") + ": No such file or directory");
    }

    TEST_CASE("PATH of the request decides, and the error names what was found there") {
        const TempDir folder;
        std::ofstream(folder / "tool") << "#!/bin/sh\necho mine\n";
        SpawnRequest request{{"tool"}, "", {{"PATH", folder.path()}}, -1, -1};
        CHECK(ChildProcess::spawn(request).error().os == EACCES);
        ::chmod((folder / "tool").c_str(), 0700);
        ChildProcess child = ChildProcess::spawn(request).value();
        CHECK(read_to_end(child.stdout_fd) == "mine\n");
        end_of(child);
    }

    TEST_CASE("destroying a child ends its whole group and reaps it") {
        UniqueFd held_by_all;
        {
            ChildProcess child =
                ChildProcess::spawn(shell("trap '' TERM; sleep 1000 & sleep 1000 & echo ready; wait"))
                    .value();
            held_by_all = std::move(child.stdout_fd);
            CHECK(readable(held_by_all.get()));
        }
        // End of file comes when the last of them has gone.
        CHECK(read_to_end(held_by_all) == "ready\n");
    }

    TEST_CASE("moving a child over another ends the other one") {
        ChildProcess child = ChildProcess::spawn(shell("exec sleep 1000")).value();
        const pid_t first = child.pid();
        child = ChildProcess::spawn(shell("exit 3")).value();
        CHECK(becomes([first] { return group_is_gone(first); }));
        CHECK(exit_text(end_of(child)) == "exit 3");
    }

    TEST_CASE("out of descriptors is an error that leaves none behind" *
              doctest::skip(needs_descriptors_itself)) {
        const std::size_t before = open_descriptors();
        {
            std::vector<UniqueFd> taken;
            const DescriptorLimit limit(before + 8);
            for (int room = 0; room < 10; ++room) {
                const auto child = ChildProcess::spawn(shell("exit 0"));
                if (!child) {
                    CHECK(child.error().os == EMFILE);
                    CHECK(child.error().message.starts_with("start /"));
                }
                taken.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            }
            CHECK_FALSE(ChildProcess::spawn(shell("exit 0")).has_value());
        }
        CHECK(open_descriptors() == before);
    }
}
