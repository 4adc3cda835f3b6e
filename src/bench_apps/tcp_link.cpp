#include "bench_apps/tcp_link.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <utility>

namespace labdeck::bench_apps {

namespace {

constexpr int tries_max = 5;

ssize_t send_some(int fd, ByteView bytes) {
    // A peer that is gone is an error to handle, not a signal.
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace

TcpLink::TcpLink(io::Reactor& reactor, std::string host, int port, Handler handler)
    : Link(reactor, fmt::format("{}:{}", host, port), std::move(handler)),
      host_(std::move(host)),
      port_(port) {}

TcpLink::~TcpLink() {
    stop_connecting();
    detach();
}

Result<> TcpLink::open() {
    address_ = LD_TRY(io::tcp_address(host_, port_));
    connect();
    keep_trying();
    return {};
}

void TcpLink::stop_connecting() {
    if (connecting_ != 0) reactor().unwatch(std::exchange(connecting_, 0));
}

void TcpLink::connect() {
    tries_ = 0;
    Result<UniqueFd> socket = io::begin_tcp_connect(address_);
    if (!socket) return;
    auto watch = reactor().watch(socket->get(), EPOLLOUT, [this](std::uint32_t) { on_connecting(); });
    if (!watch) return;
    socket_ = std::move(*socket);
    connecting_ = *watch;
}

void TcpLink::on_connecting() {
    stop_connecting();
    const Result<> connected = io::tcp_connected(socket_.get());
    if (!connected) return not_there(connected.error().message);
    if (const Result<> attached = attach(socket_.get()); !attached)
        return not_there(attached.error().message);
    told_.clear();
    come_back();
}

void TcpLink::not_there(const std::string& why) {
    socket_.reset();
    if (std::exchange(told_, why) != why) tell_closed(why);
}

void TcpLink::try_again() {
    if (connecting_ == 0) return connect();
    if (++tries_ < tries_max) return;
    stop_connecting();
    not_there(fmt::format("no answer within {} s", tries_max));
}

ssize_t TcpLink::write_some(int fd, ByteView bytes) {
    return send_some(fd, bytes);
}

TcpServerLink::TcpServerLink(io::Reactor& reactor, int port, Handler handler)
    : Link(reactor, fmt::format("127.0.0.1:{}", port), std::move(handler)), port_(port) {}

Result<> TcpServerLink::open() {
    listener_ = LD_TRY(
        io::TcpListener::create(reactor(), port_, [this](UniqueFd peer) { welcome(std::move(peer)); }));
    return {};
}

void TcpServerLink::welcome(UniqueFd peer) {
    // A line has two ends.
    if (is_open() || !attach(peer.get())) return;
    peer_ = std::move(peer);
    come_back();
}

ssize_t TcpServerLink::write_some(int fd, ByteView bytes) {
    return send_some(fd, bytes);
}

}  // namespace labdeck::bench_apps
