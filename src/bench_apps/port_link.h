// port_link.h - an app's serial port: opened, watched, and opened again when it went away.
//
// What cannot be sent at once waits here, up to a bound; beyond it bytes are dropped and
// counted, as on a wire that nobody reads. Thread: the reactor's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "bench_apps/bytes.h"
#include "io/reactor.h"
#include "io/serial_port.h"

namespace labdeck::bench_apps {

class PortLink {
public:
    struct Counters {
        std::uint64_t rx_bytes = 0;
        std::uint64_t tx_bytes = 0;
        std::uint64_t tx_dropped_bytes = 0;
        std::uint64_t losses = 0;  ///< Times that the port went away.
    };
    struct Handler {
        std::function<void(ByteView bytes, MonoTime when)> received;
        /// The port went away, with the reason, or is back. Not called by open() and close().
        std::function<void(bool open, const std::string& why)> changed;
    };

    /// `name` is what people call the port; `path` is where it lies.
    PortLink(io::Reactor& reactor, std::string name, std::string path, std::uint32_t baud, Handler handler);
    ~PortLink();
    PortLink(const PortLink&) = delete;
    PortLink& operator=(const PortLink&) = delete;

    /// The first time. When it fails nothing is tried again. After it, a lost port is tried again each
    /// second.
    [[nodiscard]] Result<> open();
    void send(ByteView bytes);

    bool is_open() const noexcept { return port_ != nullptr; }
    const std::string& name() const noexcept { return name_; }
    const std::string& path() const noexcept { return path_; }
    const Counters& counters() const noexcept { return counters_; }

private:
    Result<> try_open();
    void on_ready(std::uint32_t events);
    void read_all();
    bool flush();
    void write_pending();
    void lose(const std::string& why);
    void try_again();

    static constexpr std::size_t pending_bytes_max = 64U << 10;
    io::Reactor& reactor_;
    const std::string name_;
    const std::string path_;
    const std::uint32_t baud_;
    const Handler handler_;
    std::unique_ptr<io::SerialPort> port_;
    io::WatchId watch_ = 0;
    io::TimerId retry_ = 0;
    Bytes pending_;
    Counters counters_;
};

}  // namespace labdeck::bench_apps
