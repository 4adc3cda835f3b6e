// kept_process.h - a program under a keeper: it and all that it ever starts.
//
// The keeper (src/keeper) is the tree's subreaper, so nothing that the program forks, forks twice or puts in
// a session of its own gets away; and when we go, however that happens, the keeper ends the tree.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

#include "io/child_process.h"
#include "io/reactor.h"

namespace labdeck::io {

class KeptProcess {
public:
    /// All on the reactor's thread, in this order: started or failed; leader_ended; empty. The KeptProcess
    /// may be destroyed from within failed and empty.
    struct Handler {
        std::function<void(pid_t leader)> started;
        /// exec refused: says errno and path. Nothing of it runs, and nothing more is called.
        std::function<void(const Error& why)> failed;
        /// What the program started may run on.
        std::function<void(const ExitStatus& status)> leader_ended;
        /// While a sweep lasts, about once a second: one that is still there, its state as /proc spells it,
        /// and how many there are.
        std::function<void(pid_t pid, char state, int count)> survivor;
        /// The last call: nothing of the tree is left. `keeper_lost`: somebody killed the keeper; what it
        /// kept was then ended by us, but for processes that had given up their session, their environment
        /// and their parents.
        std::function<void(bool keeper_lost)> empty;
    };

    /// Fails as ChildProcess::spawn() does. Thread: the reactor's, for everything.
    [[nodiscard]] static Result<std::unique_ptr<KeptProcess>> start(Reactor& reactor, SpawnRequest request,
                                                                    Handler handler);
    /// Sweeps what is left, and waits up to 2 s for it; the keeper goes on without us if that was not enough.
    ~KeptProcess();
    KeptProcess(const KeptProcess&) = delete;
    KeptProcess& operator=(const KeptProcess&) = delete;

    /// Our ends of the three streams, as in ChildProcess; to be moved out.
    ChildProcess& streams() noexcept;
    pid_t keeper_pid() const noexcept;
    /// 0 before started and after leader_ended.
    pid_t leader_pid() const noexcept;

    /// To the leader's group, and SIGCONT after it; to all of the tree when the leader is gone.
    void signal(int number);
    /// Stops all, kills all, again until nothing is left.
    void sweep();

private:
    struct Impl;
    explicit KeptProcess(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::io
