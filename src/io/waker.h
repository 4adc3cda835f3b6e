// waker.h - wakes a thread that sleeps in epoll.
//
// Any number of threads call wake(); the one thread that polls fd() calls
// drain(). Wake-ups coalesce, so a producer may call wake() per batch without
// thinking about the consumer.
//
// Not for carrying data. Put the data in a queue first, then wake().
#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/unique_fd.h"

namespace labdeck::io {

class Waker {
public:
    /// Fails only when the process is out of file descriptors.
    [[nodiscard]] static Result<Waker> create();

    /// Thread: any. Never blocks and never fails: a full counter already means "awake".
    void wake() const noexcept;

    /// Thread: the poller. Returns how many wake() calls it swallowed, 0 if none.
    std::uint64_t drain() const noexcept;

    /// For epoll, EPOLLIN. Owned by the Waker.
    int fd() const noexcept { return fd_.get(); }

private:
    explicit Waker(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

}  // namespace labdeck::io
