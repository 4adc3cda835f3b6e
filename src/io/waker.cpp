#include "io/waker.h"

#include <sys/eventfd.h>

#include <cassert>
#include <cerrno>

namespace labdeck::io {

Result<Waker> Waker::create() {
    UniqueFd fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!fd) return os_error("eventfd");
    return Waker(std::move(fd));
}

void Waker::wake() const noexcept {
    const std::uint64_t one = 1;
    ssize_t n = -1;
    do n = ::write(fd_.get(), &one, sizeof one);
    while (n < 0 && errno == EINTR);
    // EAGAIN: the counter is full of wake-ups that the poller has yet to see.
    assert(n == sizeof one || errno == EAGAIN);
}

std::uint64_t Waker::drain() const noexcept {
    std::uint64_t count = 0;
    const ssize_t n = ::read(fd_.get(), &count, sizeof count);
    assert(n == sizeof count || errno == EAGAIN || errno == EINTR);
    return n == sizeof count ? count : 0;
}

}  // namespace labdeck::io
