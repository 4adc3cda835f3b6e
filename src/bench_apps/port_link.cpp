#include "bench_apps/port_link.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace labdeck::bench_apps {

namespace {

constexpr std::int64_t retry_ns = 1'000'000'000;
constexpr int drain_ms = 20;
/// Of one round, so that a flood on one port does not starve the other.
constexpr int reads_max = 16;

}  // namespace

PortLink::PortLink(io::Reactor& reactor, std::string name, std::string path, std::uint32_t baud,
                   Handler handler)
    : reactor_(reactor),
      name_(std::move(name)),
      path_(std::move(path)),
      baud_(baud),
      handler_(std::move(handler)) {}

PortLink::~PortLink() {
    if (retry_ != 0) reactor_.cancel(retry_);
    if (!port_) return;
    // A port that fails now is closed anyway.
    (void)flush();
    // What was written just before the port closes may be lost otherwise.
    port_->drain(drain_ms);
    reactor_.unwatch(watch_);
}

Result<> PortLink::open() {
    return try_open();
}

Result<> PortLink::try_open() {
    io::SerialSettings settings;
    settings.baud = baud_;
    auto port = std::make_unique<io::SerialPort>(LD_TRY(io::SerialPort::open(path_, settings)));
    watch_ = LD_TRY(reactor_.watch(port->fd(), EPOLLIN, [this](std::uint32_t events) { on_ready(events); }));
    port_ = std::move(port);
    return {};
}

void PortLink::on_ready(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) write_pending();
    if (port_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_all();
}

void PortLink::read_all() {
    std::array<std::uint8_t, 4096> buffer;
    for (int reads = 0; port_ && reads < reads_max; ++reads) {
        const ssize_t n = ::read(port_->fd(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n == 0) return lose("hung up");
        if (n < 0) return lose(os_error_value("read").message);
        const auto size = static_cast<std::size_t>(n);
        counters_.rx_bytes += size;
        handler_.received(ByteView(buffer.data(), size), mono_now());
        if (size < buffer.size()) return;
    }
}

void PortLink::send(ByteView bytes) {
    if (!port_ || bytes.empty()) return;
    const std::size_t room = pending_bytes_max - pending_.size();
    const std::size_t taken = std::min(bytes.size(), room);
    append(pending_, bytes.first(taken));
    counters_.tx_dropped_bytes += bytes.size() - taken;
    write_pending();
}

/// Writes what the port takes. False when it takes nothing any more; errno says why.
bool PortLink::flush() {
    std::size_t done = 0;
    bool sound = true;
    while (sound && done < pending_.size()) {
        const ssize_t n = ::write(port_->fd(), pending_.data() + done, pending_.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        sound = n >= 0;
        done += sound ? static_cast<std::size_t>(n) : 0;
    }
    counters_.tx_bytes += done;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
    return sound;
}

void PortLink::write_pending() {
    if (!flush()) return lose(os_error_value("write").message);
    reactor_.change(watch_, pending_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void PortLink::lose(const std::string& why) {
    reactor_.unwatch(std::exchange(watch_, 0));
    port_.reset();
    counters_.tx_dropped_bytes += pending_.size();
    pending_.clear();
    ++counters_.losses;
    retry_ = reactor_.every(retry_ns, [this] { try_again(); });
    handler_.changed(false, why);
}

void PortLink::try_again() {
    // Why it cannot be opened yet is what `changed` has already told: it is gone.
    if (!try_open()) return;
    reactor_.cancel(std::exchange(retry_, 0));
    handler_.changed(true, {});
}

}  // namespace labdeck::bench_apps
