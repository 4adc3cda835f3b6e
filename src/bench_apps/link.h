// link.h - an app's line to a device: bytes both ways, and the line again when it went away.
//
// What cannot be sent at once waits here, up to a bound; beyond it bytes are dropped and
// counted, as on a wire that nobody reads. What kind of line it is, a serial port or TCP, is its subclass's
// business; accounting is the same for all. Thread: the reactor's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/bytes.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

class Link {
public:
    struct Counters {
        std::uint64_t rx_bytes = 0;
        std::uint64_t tx_bytes = 0;
        std::uint64_t tx_dropped_bytes = 0;
        std::uint64_t losses = 0;  ///< Times that the line went away.
    };
    struct Handler {
        std::function<void(ByteView bytes, MonoTime when)> received;
        /// The line went away, with the reason, or is back. Not called by open() and the destructor.
        std::function<void(bool open, const std::string& why)> changed;
    };

    virtual ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// The first time. When it fails nothing is tried again. After it, a line that is not there is tried
    /// again each second.
    [[nodiscard]] virtual Result<> open() = 0;
    /// Nothing while it is not open.
    void send(ByteView bytes);

    bool is_open() const noexcept { return fd_ >= 0; }
    /// What people call it.
    const std::string& name() const noexcept { return name_; }
    const Counters& counters() const noexcept { return counters_; }

protected:
    Link(io::Reactor& reactor, std::string name, Handler handler);

    io::Reactor& reactor() const noexcept { return reactor_; }
    /// From now on bytes come from and go to this descriptor, which stays the subclass's.
    Result<> attach(int fd);
    void detach();
    /// Counts the loss, detaches, has the subclass close and tells. Tries again where the subclass does not
    /// wait.
    void lose(const std::string& why);
    /// Each second until it is cancelled by come_back() or the end.
    void keep_trying();
    void come_back();
    void tell_closed(const std::string& why) { handler_.changed(false, why); }
    /// Writes what the line takes. False when it takes nothing any more; errno says why.
    bool flush();

    virtual void close() = 0;
    virtual void try_again() = 0;
    virtual ssize_t write_some(int fd, ByteView bytes) = 0;

private:
    void on_ready(std::uint32_t events);
    void read_all();
    void write_pending();

    static constexpr std::size_t pending_bytes_max = 64U << 10;
    io::Reactor& reactor_;
    const std::string name_;
    const Handler handler_;
    int fd_ = -1;
    io::WatchId watch_ = 0;
    io::TimerId retry_ = 0;
    Bytes pending_;
    Counters counters_;
};

}  // namespace labdeck::bench_apps
