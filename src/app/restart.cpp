#include "app/restart.h"

#include <linux/close_range.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "app/commands.h"
#include "hub/workspace.h"

namespace labdeck::app {

namespace {

std::atomic<bool> asked{false};

}  // namespace

void ask_for_restart() noexcept {
    asked = true;
}

RestartPoint::RestartPoint(char** argv) : argv_(argv), program_(hub::own_program()) {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
}

int RestartPoint::restart_if_asked(int code) const {
    if (!asked) return code;
    // What main() set for itself, and whatever a library left open.
    std::signal(SIGPIPE, SIG_DFL);
    std::signal(SIGXFSZ, SIG_DFL);
    ::close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
    ::execv(program_.c_str(), argv_);
    std::fprintf(stderr, "labdeck: start %s again: %s\n", program_.c_str(), std::strerror(errno));
    return exit_error;
}

}  // namespace labdeck::app
