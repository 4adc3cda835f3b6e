// unix_socket.h - the workspace's socket: a listener of mode 0600, and connecting to one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "io/reactor.h"

namespace labdeck::io {

class UnixListener {
public:
    /// A socket file nobody listens on any more is replaced; one that answers is Code::busy. Peers
    /// of another uid but root are refused (SO_PEERCRED). Paths beyond 107 bytes are reached through the
    /// folder's /proc/self/fd link. Thread: the reactor's.
    [[nodiscard]] static Result<std::unique_ptr<UnixListener>> create(Reactor& reactor,
                                                                      const std::string& path,
                                                                      std::function<void(UniqueFd)> on_peer);
    ~UnixListener();  ///< Removes the socket file.
    UnixListener(const UnixListener&) = delete;
    UnixListener& operator=(const UnixListener&) = delete;

private:
    struct Impl;
    explicit UnixListener(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

/// A blocking-connect, then non-blocking socket. not_found when there is no file or nobody listens.
Result<UniqueFd> connect_unix(const std::string& path);

}  // namespace labdeck::io
