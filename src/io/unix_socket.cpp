#include "io/unix_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace labdeck::io {

namespace {

constexpr int backlog = 64;
constexpr int peers_a_round_max = 16;
constexpr std::int64_t out_of_descriptors_pause_ns = 100'000'000;
constexpr timeval connect_time_max = {5, 0};

struct Place {
    UniqueFd folder;
    std::string name;
};

Result<Place> place_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    Place place;
    place.name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (place.name.empty()) return fail(Code::bad_arg, "socket " + path + ": it names a folder");
    place.folder = UniqueFd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!place.folder) return os_error("socket " + path);
    return place;
}

Result<sockaddr_un> address_of(const std::string& path, const Place& place) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string reached = path;
    if (reached.size() >= sizeof address.sun_path) {
        reached = fmt::format("/proc/self/fd/{}/{}", place.folder.get(), place.name);
    }
    if (reached.size() >= sizeof address.sun_path) {
        return fail(Code::bad_arg, "socket " + path + ": its file name is too long");
    }
    std::memcpy(address.sun_path, reached.data(), reached.size());
    return address;
}

const sockaddr* general(const sockaddr_un& address) noexcept {
    return reinterpret_cast<const sockaddr*>(&address);
}

// Somebody answers, or is at least there to: a full backlog is an answer too.
bool is_listened_to(const sockaddr_un& address) noexcept {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), general(address), sizeof address) == 0) return true;
    return errno == EAGAIN || errno == EPROTOTYPE;
}

Result<> remove_stale(const std::string& path, const Place& place, const sockaddr_un& address) {
    struct stat status {};
    if (::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return {};
        return os_error("socket " + path);
    }
    if (!S_ISSOCK(status.st_mode))
        return fail(Code::busy, "socket " + path + ": a file that is no socket is there");
    if (is_listened_to(address))
        return fail(Code::busy, "socket " + path + ": another program listens on it");
    if (::unlinkat(place.folder.get(), place.name.c_str(), 0) != 0 && errno != ENOENT) {
        return os_error("socket " + path);
    }
    return {};
}

Result<UniqueFd> listen_at(const std::string& path, const Place& place) {
    const sockaddr_un address = LD_TRY(address_of(path, place));
    // Two that start at once must not take each other's socket for a stale one.
    if (::flock(place.folder.get(), LOCK_EX) != 0) return os_error("socket " + path);
    LD_TRY(remove_stale(path, place, address));
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return os_error("socket " + path);
    // The file takes its mode from the socket, so that it is never open to others, not even for a moment.
    if (::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0) return os_error("socket " + path);
    if (::bind(fd.get(), general(address), sizeof address) != 0) return os_error("socket " + path);
    if (::listen(fd.get(), backlog) != 0) return os_error("socket " + path);
    ::flock(place.folder.get(), LOCK_UN);
    return fd;
}

bool may_talk(int peer) noexcept {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;
    return credentials.uid == ::geteuid() || credentials.uid == 0;
}

}  // namespace

struct UnixListener::Impl : std::enable_shared_from_this<Impl> {
    Impl(Reactor& reactor_, Place place_, UniqueFd fd_, std::function<void(UniqueFd)> on_peer_)
        : reactor(reactor_), place(std::move(place_)), fd(std::move(fd_)), on_peer(std::move(on_peer_)) {}

    Result<> start();
    void accept_some();
    void pause();
    void close();

    Reactor& reactor;
    const Place place;
    UniqueFd fd;
    const std::function<void(UniqueFd)> on_peer;
    WatchId watch = 0;
    TimerId resume_timer = 0;
    struct stat file {};
};

Result<> UnixListener::Impl::start() {
    if (::fstatat(place.folder.get(), place.name.c_str(), &file, AT_SYMLINK_NOFOLLOW) != 0) {
        return os_error("socket " + place.name);
    }
    watch = LD_TRY(reactor.watch(fd.get(), EPOLLIN, [this](std::uint32_t) { accept_some(); }));
    return {};
}

void UnixListener::Impl::accept_some() {
    // The listener may go while it hands over a peer.
    const std::shared_ptr<Impl> self = shared_from_this();
    for (int i = 0; i < peers_a_round_max && fd; ++i) {
        UniqueFd peer(::accept4(fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!peer) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) pause();
            if (errno == EINTR || errno == ECONNABORTED) continue;
            return;
        }
        if (may_talk(peer.get())) on_peer(std::move(peer));
    }
}

// The waiting peer would be reported again and again while there is no descriptor for it.
void UnixListener::Impl::pause() {
    reactor.change(watch, 0);
    resume_timer = reactor.after(out_of_descriptors_pause_ns, [this] {
        resume_timer = 0;
        reactor.change(watch, EPOLLIN);
    });
}

void UnixListener::Impl::close() {
    if (resume_timer != 0) reactor.cancel(resume_timer);
    if (watch != 0) reactor.unwatch(watch);
    fd.reset();
    struct stat now {};
    const bool there = ::fstatat(place.folder.get(), place.name.c_str(), &now, AT_SYMLINK_NOFOLLOW) == 0;
    // Somebody may have put another file there meanwhile.
    if (there && now.st_ino == file.st_ino && now.st_dev == file.st_dev) {
        ::unlinkat(place.folder.get(), place.name.c_str(), 0);
    }
}

Result<std::unique_ptr<UnixListener>> UnixListener::create(Reactor& reactor, const std::string& path,
                                                           std::function<void(UniqueFd)> on_peer) {
    Place place = LD_TRY(place_of(path));
    UniqueFd fd = LD_TRY(listen_at(path, place));
    auto impl = std::make_shared<Impl>(reactor, std::move(place), std::move(fd), std::move(on_peer));
    LD_TRY(impl->start());
    return std::unique_ptr<UnixListener>(new UnixListener(std::move(impl)));
}

UnixListener::UnixListener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
UnixListener::~UnixListener() {
    impl_->close();
}

Result<UniqueFd> connect_unix(const std::string& path) {
    const Place place = LD_TRY(place_of(path));
    const sockaddr_un address = LD_TRY(address_of(path, place));
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return os_error("connect to " + path);
    // A listener that is stopped and has a full backlog would hold us for ever.
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &connect_time_max, sizeof connect_time_max);
    if (::connect(fd.get(), general(address), sizeof address) != 0) {
        if (errno == ECONNREFUSED)
            return fail(Code::not_found, "connect to " + path + ": nobody listens there");
        if (errno == EAGAIN) return fail(os_error_value("connect to " + path, ETIMEDOUT));
        return os_error("connect to " + path);
    }
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    return fd;
}

}  // namespace labdeck::io
