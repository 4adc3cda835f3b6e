#include "bench_apps/port_link.h"

#include <unistd.h>

#include <utility>

namespace labdeck::bench_apps {

namespace {

constexpr int drain_ms = 20;

}  // namespace

PortLink::PortLink(io::Reactor& reactor, std::string name, std::string path, std::uint32_t baud,
                   Handler handler)
    : Link(reactor, std::move(name), std::move(handler)), path_(std::move(path)), baud_(baud) {}

PortLink::~PortLink() {
    if (!port_) return;
    // A port that fails now is closed anyway.
    (void)flush();
    // What was written just before the port closes may be lost otherwise.
    port_->drain(drain_ms);
    detach();
}

Result<> PortLink::open() {
    io::SerialSettings settings;
    settings.baud = baud_;
    auto port = std::make_unique<io::SerialPort>(LD_TRY(io::SerialPort::open(path_, settings)));
    LD_TRY(attach(port->fd()));
    port_ = std::move(port);
    return {};
}

void PortLink::try_again() {
    // Why it cannot be opened yet is what `changed` has already told: it is gone.
    if (open()) come_back();
}

ssize_t PortLink::write_some(int fd, ByteView bytes) {
    return ::write(fd, bytes.data(), bytes.size());
}

}  // namespace labdeck::bench_apps
