// byte_channel.h - a two-way byte stream on a reactor: a socket, or a child's stdin and stdout.
//
// Sends without blocking. What is sent in one round of the reactor is written at its end, or
// when 32 KiB have gathered, so that a burst of small messages is one write; what the peer does not take yet
// waits here, at most `pending_bytes_max`. A peer that does not read and passes the bound is cut off, with a
// word. A per-round read budget keeps one flooding peer from starving the others.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "io/reactor.h"

namespace labdeck::io {

/// Makes a write to a closed pipe an error instead of the program's end. First thing in a main() that uses
/// channels; children start with the default again.
void ignore_sigpipe() noexcept;

class ByteChannel {
public:
    struct Handler {
        std::function<void(std::string_view bytes)> received;
        /// Once, never from within send(): the peer closed (os 0) or an error or our own cut-off happened;
        /// `why` says which. Both directions are closed by then. The channel may be destroyed from within.
        std::function<void(const Error& why)> closed;
    };
    struct Limits {
        std::size_t pending_bytes_max = 64U << 20;
        std::size_t read_bytes_a_round = 256U << 10;
    };

    /// For a socket pass the same descriptor once, as `in`, and an empty `out`. Both are made non-blocking.
    /// Thread: the reactor's, for everything.
    ByteChannel(Reactor& reactor, UniqueFd in, UniqueFd out, Handler handler, Limits limits);
    ~ByteChannel();
    ByteChannel(const ByteChannel&) = delete;
    ByteChannel& operator=(const ByteChannel&) = delete;

    /// Nothing after closed(). What has gathered when the channel goes is written as far as the peer takes
    /// it.
    void send(std::string_view bytes);
    /// Closes our writing direction once all is sent (a child reads end of file on its stdin).
    void finish();
    std::size_t pending() const noexcept;
    bool open() const noexcept;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace labdeck::io
