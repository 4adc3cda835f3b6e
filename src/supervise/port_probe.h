// port_probe.h - whether a script listens on a port: one connection, and a look at whose the socket is.
//
// Tries 127.0.0.1, then ::1; the connection is closed at once. No waiting: the caller sets the time-out and
// cancels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/unique_fd.h"
#include "io/reactor.h"
#include "supervise/port_holder.h"

namespace labdeck::supervise {

/// Thread: the reactor's.
class PortProbe {
public:
    /// Gets nothing for a good port, else why it is a bad one.
    using Done = std::function<void(std::string why)>;

    explicit PortProbe(io::Reactor& reactor) : reactor_(reactor) {}
    ~PortProbe() { cancel(); }
    PortProbe(const PortProbe&) = delete;
    PortProbe& operator=(const PortProbe&) = delete;

    /// The port counts when a process below `keeper` listens there. May call `done` before it returns.
    /// REQUIRES: none is under way.
    void start(std::uint16_t port, pid_t keeper, Done done);
    /// `done` is not called any more.
    void cancel();

private:
    void connect(Loopback address);
    void connected(Loopback address, const Result<>& result);
    void finish(std::string why);

    io::Reactor& reactor_;
    PortHolder holder_;
    std::uint16_t port_ = 0;
    pid_t keeper_ = 0;
    Done done_;
    std::string why_;  ///< What 127.0.0.1 lacked.
    UniqueFd fd_;
    io::WatchId watch_ = 0;
};

}  // namespace labdeck::supervise
