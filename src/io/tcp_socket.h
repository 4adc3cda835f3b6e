// tcp_socket.h - TCP without waiting: an address, connecting to it, and a listener on this machine alone.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "io/reactor.h"

namespace labdeck::io {

struct TcpAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

/// `host` is an IPv4 or IPv6 address or "localhost" (127.0.0.1); names are not looked up, as that waits for
/// the network. E_BAD_ARG for anything else and for a port outside 1-65535.
[[nodiscard]] Result<TcpAddress> tcp_address(const std::string& host, int port);

/// A non-blocking socket that is connecting or connected: writable once it is one or the other, and then
/// tcp_connected() says which.
[[nodiscard]] Result<UniqueFd> begin_tcp_connect(const TcpAddress& address);
[[nodiscard]] Result<> tcp_connected(int fd);

/// Listens on 127.0.0.1 and nowhere else. Thread: the reactor's.
class TcpListener {
public:
    /// Port 0 takes a free one. E_BUSY when the port is taken.
    [[nodiscard]] static Result<std::unique_ptr<TcpListener>> create(Reactor& reactor, int port,
                                                                     std::function<void(UniqueFd)> on_peer);
    ~TcpListener();
    TcpListener(const TcpListener&) = delete;
    TcpListener& operator=(const TcpListener&) = delete;

    int port() const noexcept { return port_; }

private:
    TcpListener(Reactor& reactor, UniqueFd fd, int port, std::function<void(UniqueFd)> on_peer);
    void accept_some();

    Reactor& reactor_;
    const UniqueFd fd_;
    const int port_;
    const std::function<void(UniqueFd)> on_peer_;
    WatchId watch_ = 0;
};

}  // namespace labdeck::io
