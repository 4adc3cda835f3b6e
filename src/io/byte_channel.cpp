#include "io/byte_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>

#include "base/assert.h"

namespace labdeck::io {

namespace {

constexpr std::size_t read_bytes = 64U << 10;

// Small against a pipe's 64 KiB: the peer reads the first half while we gather the second.
constexpr std::size_t gathered_bytes_max = 32U << 10;

// What a peer may still have said before it went, read after a write has failed.
constexpr std::size_t last_words_bytes_max = 4U << 20;

bool is_socket(int fd) noexcept {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

void make_non_blocking(int fd) noexcept {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

void ignore_sigpipe() noexcept {
    std::signal(SIGPIPE, SIG_IGN);
}

struct ByteChannel::Impl : std::enable_shared_from_this<Impl> {
    Impl(Reactor& reactor_, UniqueFd in_, UniqueFd out_, Handler handler_, Limits limits_)
        : reactor(reactor_),
          in(std::move(in_)),
          out(std::move(out_)),
          handler(std::move(handler_)),
          limits(limits_),
          one_fd(!out),
          socket(is_socket(out_fd())) {}

    int out_fd() const noexcept { return one_fd ? in.get() : out.get(); }
    std::size_t pending() const noexcept { return waiting.size() - sent; }

    void start();
    void on_events(std::uint32_t events);
    void read_some(std::size_t bytes_max);
    ssize_t write_once(const char* bytes, std::size_t size) const noexcept;
    std::size_t write_some(std::string_view bytes);
    void write_waiting();
    void write_at_round_end();
    void write_last() noexcept;
    void watch_for_room(bool wanted);
    void close_writing();
    void fail_later(Error why);
    void close(const Error& why);
    void release();

    Reactor& reactor;
    UniqueFd in;
    UniqueFd out;
    Handler handler;
    const Limits limits;
    const bool one_fd;
    const bool socket;
    std::string waiting;  // Bytes [sent, size) are not written yet.
    std::size_t sent = 0;
    WatchId in_watch = 0;
    WatchId out_watch = 0;
    bool watches_room = false;
    bool writes_at_round_end = false;
    bool finishing = false;
    bool writing_over = false;
    bool open = true;
};

void ByteChannel::Impl::start() {
    make_non_blocking(in.get());
    if (!one_fd) make_non_blocking(out.get());
    const auto watched = reactor.watch(in.get(), EPOLLIN, [weak = weak_from_this()](std::uint32_t events) {
        if (const auto self = weak.lock()) self->on_events(events);
    });
    if (!watched) {
        fail_later(watched.error());
        return;
    }
    in_watch = *watched;
}

void ByteChannel::Impl::on_events(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && open) write_waiting();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && open) read_some(limits.read_bytes_a_round);
}

void ByteChannel::Impl::read_some(std::size_t bytes_max) {
    std::array<char, read_bytes> buffer;
    std::size_t total = 0;
    while (open && total < bytes_max) {
        const ssize_t n = ::read(in.get(), buffer.data(), std::min(buffer.size(), bytes_max - total));
        if (n == 0) return close(Error{Code::io, "the peer closed", 0, {}});
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) return close(os_error_value("read from the peer"));
        const auto size = static_cast<std::size_t>(n);
        total += size;
        if (handler.received) handler.received({buffer.data(), size});
        // A short read has emptied it; asking again would only cost a call.
        if (size < buffer.size()) return;
    }
}

ssize_t ByteChannel::Impl::write_once(const char* bytes, std::size_t size) const noexcept {
    ssize_t n = -1;
    do n = socket ? ::send(out_fd(), bytes, size, MSG_NOSIGNAL) : ::write(out_fd(), bytes, size);
    while (n < 0 && errno == EINTR);
    return n;
}

// Returns how many bytes the peer took.
std::size_t ByteChannel::Impl::write_some(std::string_view bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = write_once(bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            fail_later(os_error_value("write to the peer"));
            break;
        }
        done += static_cast<std::size_t>(n);
    }
    return done;
}

void ByteChannel::Impl::write_waiting() {
    if (writing_over) return;
    sent += write_some(std::string_view(waiting).substr(sent));
    if (writing_over) return;
    watch_for_room(pending() > 0);
    if (pending() == 0) {
        waiting.clear();
        sent = 0;
        if (finishing) close_writing();
    } else if (sent > waiting.size() / 2) {
        waiting.erase(0, sent);
        sent = 0;
    }
}

void ByteChannel::Impl::write_at_round_end() {
    if (writes_at_round_end || watches_room) return;
    writes_at_round_end = true;
    reactor.at_round_end([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || !self->open) return;
        self->writes_at_round_end = false;
        self->write_waiting();
    });
}

// For a peer that only closed its own direction, and for what was said just before the channel went.
void ByteChannel::Impl::write_last() noexcept {
    while (!writing_over && pending() > 0) {
        const ssize_t n = write_once(waiting.data() + sent, pending());
        if (n <= 0) return;
        sent += static_cast<std::size_t>(n);
    }
}

void ByteChannel::Impl::watch_for_room(bool wanted) {
    if (wanted == watches_room) return;
    watches_room = wanted;
    if (one_fd) {
        if (in_watch != 0) reactor.change(in_watch, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
        return;
    }
    if (out_watch != 0) return reactor.change(out_watch, wanted ? EPOLLOUT : 0U);
    const auto watched = reactor.watch(out.get(), EPOLLOUT, [weak = weak_from_this()](std::uint32_t) {
        if (const auto self = weak.lock(); self && self->open) self->write_waiting();
    });
    if (!watched) return fail_later(watched.error());
    out_watch = *watched;
}

void ByteChannel::Impl::close_writing() {
    writing_over = true;
    if (one_fd) {
        ::shutdown(in.get(), SHUT_WR);
        return;
    }
    if (out_watch != 0) reactor.unwatch(std::exchange(out_watch, 0));
    out.reset();
}

// From a later round, so that a caller of send() never finds its channel gone under its hands.
void ByteChannel::Impl::fail_later(Error why) {
    if (writing_over && !finishing) return;
    finishing = false;
    writing_over = true;
    waiting = {};
    sent = 0;
    if (watches_room) watch_for_room(false);
    reactor.post([weak = weak_from_this(), why = std::move(why)] {
        const auto self = weak.lock();
        if (!self || !self->open) return;
        // A peer that answered and left has its answer heard.
        if (why.code != Code::queue_full) self->read_some(last_words_bytes_max);
        if (self->open) self->close(why);
    });
}

void ByteChannel::Impl::close(const Error& why) {
    release();
    const auto closed = std::move(handler.closed);
    if (closed) closed(why);
}

void ByteChannel::Impl::release() {
    write_last();
    open = false;
    writing_over = true;
    waiting = {};
    sent = 0;
    if (out_watch != 0) reactor.unwatch(std::exchange(out_watch, 0));
    if (in_watch != 0) reactor.unwatch(std::exchange(in_watch, 0));
    in.reset();
    out.reset();
}

ByteChannel::ByteChannel(Reactor& reactor, UniqueFd in, UniqueFd out, Handler handler, Limits limits)
    : impl_(std::make_shared<Impl>(reactor, std::move(in), std::move(out), std::move(handler), limits)) {
    impl_->start();
}

ByteChannel::~ByteChannel() {
    if (impl_->open) impl_->release();
}

void ByteChannel::send(std::string_view bytes) {
    const std::shared_ptr<Impl> self = impl_;
    if (!self->open || self->finishing || self->writing_over || bytes.empty()) return;
    if (!self->watches_room && self->pending() + bytes.size() > gathered_bytes_max) {
        self->write_waiting();
        if (self->pending() == 0 && !self->writing_over) bytes.remove_prefix(self->write_some(bytes));
        if (bytes.empty() || self->writing_over) return;
    }
    if (self->pending() + bytes.size() > self->limits.pending_bytes_max) {
        self->fail_later(Error{Code::queue_full,
                               fmt::format("cut off: the peer left {} bytes unread, the bound is {}",
                                           self->pending() + bytes.size(), self->limits.pending_bytes_max),
                               0,
                               {}});
        return;
    }
    self->waiting.append(bytes);
    self->write_at_round_end();
}

void ByteChannel::finish() {
    if (!impl_->open || impl_->finishing || impl_->writing_over) return;
    impl_->finishing = true;
    if (impl_->pending() == 0) impl_->close_writing();
}

std::size_t ByteChannel::pending() const noexcept {
    return impl_->pending();
}
bool ByteChannel::open() const noexcept {
    return impl_->open && (impl_->finishing || !impl_->writing_over);
}

}  // namespace labdeck::io
