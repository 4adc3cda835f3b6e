// tcp_link.h - links over TCP: to a server that carries a device's bytes, or as that server.
//
// The stream is what would go over the serial port, byte for byte: Modbus RTU frames and COBS frames, without
// a head of their own. Thread: the reactor's.
#pragma once

#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "bench_apps/link.h"
#include "io/tcp_socket.h"

namespace labdeck::bench_apps {

/// Connects, and again each second while there is no connection.
class TcpLink final : public Link {
public:
    /// It is called HOST:PORT.
    TcpLink(io::Reactor& reactor, std::string host, int port, Handler handler);
    ~TcpLink() override;

    /// Fails for what is no address. A server that is not there yet is no failure: is_open() says so, and
    /// `changed` once it is known why and once it is connected.
    [[nodiscard]] Result<> open() override;

private:
    void close() override { socket_.reset(); }
    void try_again() override;
    ssize_t write_some(int fd, ByteView bytes) override;
    void connect();
    void on_connecting();
    void stop_connecting();
    void not_there(const std::string& why);

    const std::string host_;
    const int port_;
    io::TcpAddress address_;
    UniqueFd socket_;  ///< Connecting while connecting_ is set.
    io::WatchId connecting_ = 0;
    int tries_ = 0;  ///< Seconds that this connection has been tried.
    std::string told_;
};

/// Waits for one peer at a time on 127.0.0.1. A second one is hung up on while the first is there.
class TcpServerLink final : public Link {
public:
    /// It is called 127.0.0.1:PORT.
    TcpServerLink(io::Reactor& reactor, int port, Handler handler);
    ~TcpServerLink() override { detach(); }

    /// Listens; is_open() once somebody has connected. E_BUSY when the port is taken.
    [[nodiscard]] Result<> open() override;

private:
    void close() override { peer_.reset(); }
    /// It is the peer that comes back.
    void try_again() override {}
    ssize_t write_some(int fd, ByteView bytes) override;
    void welcome(UniqueFd peer);

    const int port_;
    UniqueFd peer_;
    std::unique_ptr<io::TcpListener> listener_;
};

}  // namespace labdeck::bench_apps
