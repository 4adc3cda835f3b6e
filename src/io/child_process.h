// child_process.h - starts a program with pipes for its three standard streams.
//
// posix_spawn, never fork: a start costs the same whatever the console's size.
// The child gets a process group of its own, default signals, and no descriptor
// but 0, 1 and 2.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace labdeck::io {

struct SpawnRequest {
    std::vector<std::string> argv;           ///< argv[0] is looked up in PATH if it has no slash.
    std::string cwd;                         ///< Empty: ours.
    std::map<std::string, std::string> env;  ///< Added to our environment; wins over it.
    int stdout_to = -1;  ///< Not negative: the child's stdout is this descriptor, no pipe is made.
    int stderr_to = -1;  ///< The same for stderr. One descriptor may serve many incarnations.
    bool kept = false;   ///< Under a keeper, which control_fd speaks to: for KeptProcess.
    /// The keeper has this open as long as it lives, and nobody whom it starts: a lock. None if negative.
    int keeper_holds = -1;
};

struct ExitStatus {
    bool signaled = false;
    int code = 0;  ///< Exit code, or the signal's number.
};

/// "exit 1", "killed by SIGKILL".
std::string exit_text(const ExitStatus& status);

/// Whether it was started by ChildProcess and not reaped yet. Thread: any.
bool is_child_of_ours(pid_t pid) noexcept;

/// A running or ended child. Owner: one thread. Destroying it kills the group (SIGKILL) and reaps the child.
class ChildProcess {
public:
    /// The error says errno and path: "start /usr/bin/foo: No such file or directory".
    [[nodiscard]] static Result<ChildProcess> spawn(const SpawnRequest& request);
    ChildProcess(ChildProcess&&) noexcept;
    ChildProcess& operator=(ChildProcess&&) noexcept;
    ~ChildProcess();

    pid_t pid() const noexcept { return pid_; }
    /// Readable when the child has ended. For a Reactor, EPOLLIN.
    int exit_fd() const noexcept { return pidfd_.get(); }

    /// Our ends, non-blocking, CLOEXEC; empty where a descriptor was given. F_SETPIPE_SZ is 1 MiB on stdout
    /// and stderr where allowed, else 256 KiB.
    UniqueFd stdin_fd;
    UniqueFd stdout_fd;
    UniqueFd stderr_fd;
    /// Under a keeper: our end of its control socket (keeper/message.h), non-blocking. pid() is the keeper's.
    UniqueFd control_fd;

    /// To the child's process group. Harmless once it was reaped.
    void signal(int number) noexcept;
    /// True once, when the child has ended; then `out` has its status and it is reaped.
    bool reap(ExitStatus& out) noexcept;
    /// Lets go of it: it runs on, and is not waited for when this goes.
    void leave() noexcept;

private:
    ChildProcess() = default;
    void end() noexcept;
    void forget() noexcept;

    pid_t pid_ = -1;
    bool reaped_ = false;
    UniqueFd pidfd_;
};

}  // namespace labdeck::io
