#include "base/assert.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

TEST_SUITE("base/assert") {
    TEST_CASE("a broken invariant ends the process, in every build") {
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            // The child's abort is the point: neither doctest nor a core file should hear of it.
            std::signal(SIGABRT, SIG_DFL);
            ::close(STDERR_FILENO);
            LD_ASSERT(1 + 1 == 3);
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        REQUIRE(WIFSIGNALED(status));
        CHECK(WTERMSIG(status) == SIGABRT);
    }

    TEST_CASE("an expression that holds is evaluated once and costs nothing else") {
        int evaluated = 0;
        LD_ASSERT(++evaluated == 1);
        CHECK(evaluated == 1);
    }
}
