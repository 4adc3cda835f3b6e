#include "bench_apps/stdio_channel.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace labdeck::bench_apps {

namespace {

// Small against a pipe's 64 KiB: the reader takes the first half while we gather the second.
constexpr std::size_t gathered_bytes_max = 32U << 10;

/// Returns the flags as they were, -1 when there was nothing to change.
int make_non_blocking(int fd) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) != 0) return -1;
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    return flags;
}

bool can_be_watched(int fd) noexcept {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || ::isatty(fd) != 0;
}

}  // namespace

StdioChannel::StdioChannel(io::Reactor& reactor, int in, int out, Handler handler)
    : reactor_(reactor), in_(in), out_(out), handler_(std::move(handler)) {}

StdioChannel::~StdioChannel() {
    if (!over_) write_some();
    if (in_watch_ != 0) reactor_.unwatch(in_watch_);
    if (out_watch_ != 0) reactor_.unwatch(out_watch_);
    if (in_flags_ >= 0) ::fcntl(in_, F_SETFL, in_flags_);
    if (out_flags_ >= 0) ::fcntl(out_, F_SETFL, out_flags_);
}

Result<> StdioChannel::start() {
    if (can_be_watched(out_)) {
        out_flags_ = make_non_blocking(out_);
        out_watch_ = LD_TRY(reactor_.watch(out_, 0, [this](std::uint32_t) { write_pending(); }));
    }
    if (!can_be_watched(in_)) {
        reactor_.post([this] { read_plain(); });
        return {};
    }
    in_flags_ = make_non_blocking(in_);
    in_watch_ = LD_TRY(reactor_.watch(in_, EPOLLIN, [this](std::uint32_t) { on_readable(); }));
    return {};
}

void StdioChannel::on_readable() {
    std::array<char, 64 << 10> buffer;
    const ssize_t n = ::read(in_, buffer.data(), buffer.size());
    if (n > 0) return handler_.received({buffer.data(), static_cast<std::size_t>(n)});
    // A terminal that hung up gives EIO; every other error is an end as well.
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) handle_input_end();
}

void StdioChannel::read_plain() {
    std::array<char, 64 << 10> buffer;
    const ssize_t n = ::read(in_, buffer.data(), buffer.size());
    if (n <= 0) return handle_input_end();
    handler_.received({buffer.data(), static_cast<std::size_t>(n)});
    reactor_.post([this] { read_plain(); });
}

void StdioChannel::handle_input_end() {
    if (input_over_) return;
    input_over_ = true;
    if (in_watch_ != 0) reactor_.unwatch(std::exchange(in_watch_, 0));
    handler_.input_ended();
    // What the last lines have started comes before the end.
    reactor_.post([this] {
        if (pending_.empty()) over();
    });
}

void StdioChannel::send(std::string_view bytes) {
    if (over_) return;
    if (pending_.size() + bytes.size() > pending_bytes_max) return over();
    pending_ += bytes;
    if (reader_is_slow_) return;
    if (pending_.size() > gathered_bytes_max) return write_pending();
    write_at_round_end();
}

void StdioChannel::write_at_round_end() {
    if (asked_at_round_end_) return;
    asked_at_round_end_ = true;
    reactor_.at_round_end([this, alive = std::weak_ptr<void>(alive_)] {
        if (alive.expired()) return;
        asked_at_round_end_ = false;
        write_pending();
    });
}

/// Returns how many of the pending bytes the reader took; errno says why it took no more.
std::size_t StdioChannel::write_some() const noexcept {
    std::size_t done = 0;
    while (done < pending_.size()) {
        const ssize_t n = ::write(out_, pending_.data() + done, pending_.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

void StdioChannel::write_pending() {
    if (over_ || pending_.empty()) return;
    const std::size_t done = write_some();
    if (done < pending_.size() && errno != EAGAIN) {
        pending_.clear();
        return over();
    }
    pending_.erase(0, done);
    reader_is_slow_ = !pending_.empty();
    if (out_watch_ != 0) reactor_.change(out_watch_, reader_is_slow_ ? EPOLLOUT : 0U);
    if (pending_.empty() && input_over_ && done > 0) {
        reactor_.post([this] {
            if (pending_.empty()) over();
        });
    }
}

void StdioChannel::over() {
    if (std::exchange(over_, true)) return;
    handler_.end();
}

}  // namespace labdeck::bench_apps
