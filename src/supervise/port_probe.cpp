#include "supervise/port_probe.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/tcp_socket.h"

namespace labdeck::supervise {

void PortProbe::start(std::uint16_t port, pid_t keeper, Done done) {
    port_ = port;
    keeper_ = keeper;
    done_ = std::move(done);
    why_.clear();
    connect(Loopback::four);
}

void PortProbe::cancel() {
    if (watch_ != 0) reactor_.unwatch(std::exchange(watch_, 0));
    fd_.reset();
    done_ = nullptr;
}

void PortProbe::connect(Loopback address) {
    const auto where = io::tcp_address(address == Loopback::four ? "127.0.0.1" : "::1", port_);
    if (!where) return connected(address, fail(where.error()));
    auto fd = io::begin_tcp_connect(*where);
    if (!fd) return connected(address, fail(fd.error()));
    fd_ = std::move(*fd);
    const auto watch = reactor_.watch(fd_.get(), EPOLLOUT, [this, address](std::uint32_t) {
        reactor_.unwatch(std::exchange(watch_, 0));
        connected(address, io::tcp_connected(fd_.get()));
    });
    if (!watch) return connected(address, fail(watch.error()));
    watch_ = *watch;
}

void PortProbe::connected(Loopback address, const Result<>& result) {
    std::string why;
    if (result) {
        why = holder_.why_not(port_, address, keeper_);
    } else if (result.error().os == ECONNREFUSED) {
        why = fmt::format("nothing listens on port {}", port_);
    } else {
        why = fmt::format("port {}: {}", port_, result.error().message);
    }
    fd_.reset();
    if (why.empty()) return finish({});
    if (address == Loopback::four) {
        why_ = std::move(why);
        return connect(Loopback::six);
    }
    // Somebody else behind ::1 tells more than a refusal at 127.0.0.1.
    const bool refused = why_ == fmt::format("nothing listens on port {}", port_);
    finish(refused && result ? std::move(why) : std::move(why_));
}

void PortProbe::finish(std::string why) {
    const Done done = std::exchange(done_, nullptr);
    done(std::move(why));
}

}  // namespace labdeck::supervise
