#include "io/tcp_socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace labdeck::io {

namespace {

constexpr int backlog = 4;
constexpr int peers_a_round_max = 16;

const sockaddr* general(const sockaddr_storage& storage) noexcept {
    return reinterpret_cast<const sockaddr*>(&storage);
}

/// Requests and answers are short and wait for each other: none of them may wait for more to come.
void send_at_once(int fd) noexcept {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

template <typename Address>
TcpAddress wrapped(const Address& address) {
    TcpAddress out;
    std::memcpy(&out.storage, &address, sizeof address);
    out.size = sizeof address;
    return out;
}

}  // namespace

Result<TcpAddress> tcp_address(const std::string& host, int port) {
    if (port < 1 || port > 65'535)
        return fail(Code::bad_arg, fmt::format("{} is no TCP port: 1 to 65535", port));
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(port));
    const std::string numeric = host == "localhost" ? "127.0.0.1" : host;
    if (::inet_pton(AF_INET, numeric.c_str(), &four.sin_addr) == 1) return wrapped(four);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = four.sin_port;
    if (::inet_pton(AF_INET6, numeric.c_str(), &six.sin6_addr) == 1) return wrapped(six);
    return fail(Code::bad_arg, fmt::format("{} is no address: give numbers, or localhost", host));
}

Result<UniqueFd> begin_tcp_connect(const TcpAddress& address) {
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return os_error("connect");
    send_at_once(fd.get());
    if (::connect(fd.get(), general(address.storage), address.size) != 0 && errno != EINPROGRESS &&
        errno != EINTR) {
        return os_error("connect");
    }
    return fd;
}

Result<> tcp_connected(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return os_error("connect");
    if (error != 0) return fail(os_error_value("connect", error));
    return {};
}

Result<std::unique_ptr<TcpListener>> TcpListener::create(Reactor& reactor, int port,
                                                         std::function<void(UniqueFd)> on_peer) {
    const std::string what = fmt::format("listen on 127.0.0.1:{}", port);
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return os_error(what);
    const int on = 1;
    // A listener that starts again takes its port at once, whatever connections are still dying.
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd.get(), any, size) != 0 || ::listen(fd.get(), backlog) != 0) {
        if (errno == EADDRINUSE) return fail(Code::busy, what + ": another program has the port");
        return os_error(what);
    }
    if (::getsockname(fd.get(), any, &size) != 0) return os_error(what);
    std::unique_ptr<TcpListener> listener(
        new TcpListener(reactor, std::move(fd), ntohs(address.sin_port), std::move(on_peer)));
    listener->watch_ = LD_TRY(reactor.watch(listener->fd_.get(), EPOLLIN,
                                            [self = listener.get()](std::uint32_t) { self->accept_some(); }));
    return listener;
}

TcpListener::TcpListener(Reactor& reactor, UniqueFd fd, int port, std::function<void(UniqueFd)> on_peer)
    : reactor_(reactor), fd_(std::move(fd)), port_(port), on_peer_(std::move(on_peer)) {}

TcpListener::~TcpListener() {
    if (watch_ != 0) reactor_.unwatch(watch_);
}

void TcpListener::accept_some() {
    for (int i = 0; i < peers_a_round_max; ++i) {
        UniqueFd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!peer) return;
        send_at_once(peer.get());
        on_peer_(std::move(peer));
    }
}

}  // namespace labdeck::io
