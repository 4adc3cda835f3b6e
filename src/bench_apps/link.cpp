#include "bench_apps/link.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace labdeck::bench_apps {

namespace {

constexpr std::int64_t retry_ns = 1'000'000'000;
/// Of one round, so that a flood on one line does not starve the other.
constexpr int reads_max = 16;

}  // namespace

Link::Link(io::Reactor& reactor, std::string name, Handler handler)
    : reactor_(reactor), name_(std::move(name)), handler_(std::move(handler)) {}

Link::~Link() {
    if (retry_ != 0) reactor_.cancel(retry_);
}

Result<> Link::attach(int fd) {
    watch_ = LD_TRY(reactor_.watch(fd, EPOLLIN, [this](std::uint32_t events) { on_ready(events); }));
    fd_ = fd;
    return {};
}

void Link::detach() {
    if (fd_ < 0) return;
    reactor_.unwatch(std::exchange(watch_, 0));
    fd_ = -1;
}

void Link::on_ready(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) write_pending();
    if (is_open() && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_all();
}

void Link::read_all() {
    std::array<std::uint8_t, 4096> buffer;
    for (int reads = 0; is_open() && reads < reads_max; ++reads) {
        const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
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

void Link::send(ByteView bytes) {
    if (!is_open() || bytes.empty()) return;
    const std::size_t room = pending_bytes_max - pending_.size();
    const std::size_t taken = std::min(bytes.size(), room);
    append(pending_, bytes.first(taken));
    counters_.tx_dropped_bytes += bytes.size() - taken;
    write_pending();
}

bool Link::flush() {
    std::size_t done = 0;
    bool sound = true;
    while (sound && done < pending_.size()) {
        const ssize_t n = write_some(fd_, ByteView(pending_).subspan(done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        sound = n >= 0;
        done += sound ? static_cast<std::size_t>(n) : 0;
    }
    counters_.tx_bytes += done;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
    return sound;
}

void Link::write_pending() {
    if (!flush()) return lose(os_error_value("write").message);
    reactor_.change(watch_, pending_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void Link::lose(const std::string& why) {
    detach();
    close();
    counters_.tx_dropped_bytes += pending_.size();
    pending_.clear();
    ++counters_.losses;
    keep_trying();
    handler_.changed(false, why);
}

void Link::keep_trying() {
    if (retry_ == 0) retry_ = reactor_.every(retry_ns, [this] { try_again(); });
}

void Link::come_back() {
    if (retry_ != 0) reactor_.cancel(std::exchange(retry_, 0));
    handler_.changed(true, {});
}

}  // namespace labdeck::bench_apps
