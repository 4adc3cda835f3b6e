#include "io/null_modem.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): posix_openpt and its kin are POSIX, not C++.
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <optional>

#include "base/assert.h"
#include "io/serial_port.h"

namespace labdeck::io {

namespace {

// A pseudo-terminal gives at most 4 KiB a read.
constexpr std::size_t read_bytes = 4096;
constexpr int reads_a_round_max = 16;

// Room for a tail that holds all it may while as much again is on its way to it.
constexpr std::size_t blocks_on_the_way = 16;

// What a paced cable takes from a sender ahead of the wire.
constexpr std::size_t wire_bytes_max = 4096;
constexpr std::int64_t pace_step_ns = 1'000'000;

struct Terminal {
    UniqueFd master;
    UniqueFd slave;  // Held open so that the pair outlives its openers.
    std::string device;
};

Result<Terminal> open_terminal(std::uint32_t baud) {
    Terminal made;
    made.master = UniqueFd(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    std::array<char, 64> name{};
    if (!made.master || ::grantpt(made.master.get()) != 0 || ::unlockpt(made.master.get()) != 0 ||
        ::ptsname_r(made.master.get(), name.data(), name.size()) != 0) {
        return fail(pseudo_terminal_error("make a pseudo-terminal", errno));
    }
    made.device = name.data();
    made.slave = UniqueFd(::open(name.data(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!made.slave) return fail(pseudo_terminal_error("open " + made.device, errno));
    SerialSettings settings;
    settings.baud = baud;
    LD_TRY(apply_serial_settings(made.slave.get(), settings));
    return made;
}

// A symbolic link that goes with its owner, if it still is what its owner made it.
class DeviceLink {
public:
    DeviceLink(std::string path, std::string device) : path_(std::move(path)), device_(std::move(device)) {}
    DeviceLink(const DeviceLink&) = delete;
    DeviceLink& operator=(const DeviceLink&) = delete;
    ~DeviceLink() {
        std::array<char, PATH_MAX> target{};
        const ssize_t size = ::readlink(path_.c_str(), target.data(), target.size());
        if (size >= 0 && device_ == std::string_view(target.data(), static_cast<std::size_t>(size))) {
            ::unlink(path_.c_str());
        }
    }

    Result<> place() const {
        struct stat status {};
        const bool there = ::lstat(path_.c_str(), &status) == 0;
        if (there && !S_ISLNK(status.st_mode)) {
            return fail(Code::busy, "link " + path_ + ": something that is no link is there and stays");
        }
        // By way of another name, so that the link is there at every moment.
        const std::string making = fmt::format("{}.{}.new", path_, ::getpid());
        ::unlink(making.c_str());
        if (::symlink(device_.c_str(), making.c_str()) != 0) return os_error("link " + path_);
        const unsigned int how = there ? 0U : RENAME_NOREPLACE;
        if (::renameat2(AT_FDCWD, making.c_str(), AT_FDCWD, path_.c_str(), how) == 0) return {};
        const int why = errno;
        ::unlink(making.c_str());
        return fail(os_error_value("link " + path_, why == EEXIST ? EBUSY : why));
    }

private:
    const std::string path_;
    const std::string device_;
};

// Bytes in the order in which they came, of which the first ones go.
class ByteQueue {
public:
    std::string_view bytes() const noexcept { return std::string_view(text_).substr(gone_); }
    std::size_t size() const noexcept { return text_.size() - gone_; }
    void push(std::string_view more) { text_.append(more); }
    void pop(std::size_t count) {
        gone_ += count;
        if (gone_ * 2 < text_.size()) return;
        text_.erase(0, gone_);
        gone_ = 0;
    }

private:
    std::string text_;
    std::size_t gone_ = 0;
};

// One end: what its opener writes is read here, and what it is to read waits here.
struct End {
    explicit End(Terminal terminal_) : terminal(std::move(terminal_)) {}

    std::size_t write_some(std::string_view bytes) const noexcept {
        ssize_t n = -1;
        do n = ::write(terminal.master.get(), bytes.data(), bytes.size());
        while (n < 0 && errno == EINTR);
        return n < 0 ? 0 : static_cast<std::size_t>(n);
    }
    std::uint32_t events() const noexcept {
        return (held_back ? 0U : EPOLLIN) | (unread.size() > 0 ? EPOLLOUT : 0U);
    }

    const Terminal terminal;
    std::optional<DeviceLink> link;
    WatchId watch = 0;
    ByteQueue unread;
    bool held_back = false;
};

struct Direction {
    Direction(End& from_, End& to_, data::SourceInfo info, std::size_t blocks_max)
        : from(from_), to(to_), tap(std::move(info), blocks_max, data::SourceWriter::WhenFull::count, {}) {}

    End& from;
    End& to;
    data::SourceWriter tap;
    ByteQueue wire;                 // Only of a paced cable.
    std::int64_t wire_free_ns = 0;  // When the wire is through with what it has released.
    TimerId timer = 0;
};

}  // namespace

struct NullModem::Impl {
    Impl(Reactor& reactor_, NullModemRequest request_, Terminal terminal_a, Terminal terminal_b)
        : reactor(reactor_),
          request(std::move(request_)),
          a(std::move(terminal_a)),
          b(std::move(terminal_b)),
          a_to_b(a, b, request.a_to_b, blocks_max()),
          b_to_a(b, a, request.b_to_a, blocks_max()) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        for (const Direction* direction : {&a_to_b, &b_to_a}) {
            if (direction->timer != 0) reactor.cancel(direction->timer);
        }
        for (const End* end : {&a, &b}) {
            if (end->watch != 0) reactor.unwatch(end->watch);
        }
    }

    std::size_t blocks_max() const noexcept {
        return request.retained_bytes / data::Block::bytes_max * 2 + blocks_on_the_way;
    }
    std::int64_t byte_ns() const noexcept {
        SerialSettings settings;
        return std::int64_t{bits_per_character(settings)} * 1'000'000'000 / request.baud;
    }

    Result<> start();
    Result<> watch(End& end, Direction& sends, Direction& receives);
    void read_from(Direction& direction);
    void deliver(Direction& direction, std::string_view bytes);
    void flush(Direction& direction);
    void put_on_wire(Direction& direction, std::string_view bytes);
    void release_from_wire(Direction& direction);
    void rewatch(const End& end) { reactor.change(end.watch, end.events()); }

    Reactor& reactor;
    const NullModemRequest request;
    End a;
    End b;
    Direction a_to_b;
    Direction b_to_a;
};

Result<> NullModem::Impl::start() {
    a.link.emplace(request.link_a, a.terminal.device);
    LD_TRY(a.link->place());
    b.link.emplace(request.link_b, b.terminal.device);
    LD_TRY(b.link->place());
    LD_TRY(watch(a, a_to_b, b_to_a));
    return watch(b, b_to_a, a_to_b);
}

Result<> NullModem::Impl::watch(End& end, Direction& sends, Direction& receives) {
    end.watch = LD_TRY(reactor.watch(end.terminal.master.get(), end.events(),
                                     [this, &sends, &receives](std::uint32_t events) {
                                         if ((events & EPOLLOUT) != 0) flush(receives);
                                         if ((events & EPOLLIN) != 0) read_from(sends);
                                     }));
    return {};
}

void NullModem::Impl::read_from(Direction& direction) {
    std::array<char, read_bytes> buffer;
    bool any = false;
    for (int i = 0; i < reads_a_round_max && !direction.from.held_back; ++i) {
        const ssize_t n = ::read(direction.from.terminal.master.get(), buffer.data(), buffer.size());
        if (n <= 0) break;
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
        // The tap first: nobody may see an answer before the question.
        direction.tap.write(bytes, mono_now());
        any = true;
        if (request.paced) {
            put_on_wire(direction, bytes);
        } else {
            deliver(direction, bytes);
        }
    }
    if (any) direction.tap.notify();
}

void NullModem::Impl::deliver(Direction& direction, std::string_view bytes) {
    End& to = direction.to;
    if (to.unread.size() == 0) bytes.remove_prefix(to.write_some(bytes));
    if (bytes.empty()) return;
    const std::size_t room =
        request.pending_bytes_max - std::min(to.unread.size(), request.pending_bytes_max);
    const std::size_t kept = std::min(room, bytes.size());
    to.unread.push(bytes.substr(0, kept));
    if (kept < bytes.size()) {
        auto& lost =
            direction.tap.counters()->lost[static_cast<std::size_t>(data::LossStage::peer_not_reading)];
        lost.fetch_add(bytes.size() - kept, std::memory_order_relaxed);
    }
    rewatch(to);
}

void NullModem::Impl::flush(Direction& direction) {
    End& to = direction.to;
    while (to.unread.size() > 0) {
        const std::size_t taken = to.write_some(to.unread.bytes());
        if (taken == 0) break;
        to.unread.pop(taken);
    }
    rewatch(to);
}

void NullModem::Impl::put_on_wire(Direction& direction, std::string_view bytes) {
    if (direction.wire.size() == 0) {
        direction.wire_free_ns = std::max(direction.wire_free_ns, mono_now().ns);
    }
    direction.wire.push(bytes);
    direction.from.held_back = direction.wire.size() >= wire_bytes_max;
    if (direction.from.held_back) rewatch(direction.from);
    if (direction.timer == 0) release_from_wire(direction);
}

void NullModem::Impl::release_from_wire(Direction& direction) {
    direction.timer = 0;
    const std::int64_t through = (mono_now().ns - direction.wire_free_ns) / byte_ns();
    const auto count =
        std::min(static_cast<std::size_t>(std::max<std::int64_t>(through, 0)), direction.wire.size());
    deliver(direction, direction.wire.bytes().substr(0, count));
    direction.wire.pop(count);
    direction.wire_free_ns += static_cast<std::int64_t>(count) * byte_ns();
    if (direction.wire.size() > 0) {
        direction.timer = reactor.after(std::max(byte_ns(), pace_step_ns),
                                        [this, &direction] { release_from_wire(direction); });
    }
    if (!direction.from.held_back || direction.wire.size() >= wire_bytes_max) return;
    direction.from.held_back = false;
    rewatch(direction.from);
}

Error pseudo_terminal_error(std::string_view what, int os) {
    Error error = os_error_value(what, os);
    // ENODEV: /dev/ptmx is there and nothing is mounted beside it. ENOENT: /dev/ptmx or /dev/pts is missing.
    if (os == ENODEV || os == ENOENT) {
        error.message +=
            "; mount the pseudo-terminals, as root: mkdir -p /dev/pts && mount -t devpts -o "
            "mode=620,ptmxmode=666 "
            "devpts /dev/pts && ln -sf pts/ptmx /dev/ptmx";
    }
    return error;
}

Result<std::unique_ptr<NullModem>> NullModem::create(Reactor& reactor, NullModemRequest request) {
    if (request.link_a == request.link_b)
        return fail(Code::bad_arg, "both ends would be linked at " + request.link_a);
    Terminal terminal_a = LD_TRY(open_terminal(request.baud));
    Terminal terminal_b = LD_TRY(open_terminal(request.baud));
    auto impl =
        std::make_unique<Impl>(reactor, std::move(request), std::move(terminal_a), std::move(terminal_b));
    LD_TRY(impl->start());
    return std::unique_ptr<NullModem>(new NullModem(std::move(impl)));
}

NullModem::NullModem(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NullModem::~NullModem() = default;

data::SourceWriter& NullModem::a_to_b() noexcept {
    return impl_->a_to_b.tap;
}
data::SourceWriter& NullModem::b_to_a() noexcept {
    return impl_->b_to_a.tap;
}
const std::string& NullModem::device_a() const noexcept {
    return impl_->a.terminal.device;
}
const std::string& NullModem::device_b() const noexcept {
    return impl_->b.terminal.device;
}

}  // namespace labdeck::io
