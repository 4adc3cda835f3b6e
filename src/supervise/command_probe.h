// command_probe.h - runs a command to its end, asks for exit 0, and leaves nothing of it behind.
//
// Under a keeper: when the command has answered, or is given up, its whole tree is ended. There is never more
// than one tree: a start waits until the tree before it is gone. What the command says is thrown away.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/kept_process.h"
#include "io/reactor.h"

namespace labdeck::supervise {

/// Thread: the reactor's.
class CommandProbe {
public:
    /// Gets nothing for exit 0, else "exit 1", "killed by SIGKILL" or why it could not be started.
    using Done = std::function<void(std::string why)>;

    /// `on_idle` is called whenever nothing is left of a tree; it must not destroy the probe.
    CommandProbe(io::Reactor& reactor, std::function<void()> on_idle);
    /// Waits for a tree that is not gone yet, as a KeptProcess does: destroy it when it is idle().
    ~CommandProbe();
    CommandProbe(const CommandProbe&) = delete;
    CommandProbe& operator=(const CommandProbe&) = delete;

    /// `request` says what, where and with which variables. May call `done` before it returns.
    /// REQUIRES: none is under way, unless it was cancelled.
    void start(io::SpawnRequest request, Done done);
    /// `done` is not called any more. The tree is being ended, without waiting for it.
    void cancel();
    /// No process of it is left.
    bool idle() const noexcept { return !process_; }

private:
    struct Wanted {
        io::SpawnRequest request;
        Done done;
    };

    void spawn(Wanted wanted);
    void answer(std::string why);
    void gone();

    io::Reactor& reactor_;
    const std::function<void()> on_idle_;
    std::unique_ptr<io::KeptProcess> process_;
    Done done_;                   ///< Of the process; empty when it has answered or was cancelled.
    std::optional<Wanted> next_;  ///< Waits for the tree before it.
};

}  // namespace labdeck::supervise
