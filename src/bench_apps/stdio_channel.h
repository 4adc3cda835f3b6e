// stdio_channel.h - a program's own stdin and stdout on a reactor.
//
// What is sent in one round of the reactor is written at its end, or when 32 KiB have gathered. Differs
// from a socket in what its end means: after the end of stdin everything that was still
// to be said is said, and then end() is called. Also reads a file or /dev/null, which epoll refuses. Leaves
// the descriptors as it found them, because a terminal's are shared with the shell. Thread: the reactor's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

class StdioChannel {
public:
    struct Handler {
        std::function<void(std::string_view bytes)> received;
        std::function<void()> input_ended;  ///< A last line without a newline may still be taken as one.
        /// Once: the input ended and all output is out, or the output is gone, or nobody reads it.
        std::function<void()> end;
    };

    /// The descriptors stay the caller's.
    StdioChannel(io::Reactor& reactor, int in, int out, Handler handler);
    ~StdioChannel();
    StdioChannel(const StdioChannel&) = delete;
    StdioChannel& operator=(const StdioChannel&) = delete;

    [[nodiscard]] Result<> start();
    /// What has gathered when the channel goes is written as far as the reader takes it.
    void send(std::string_view bytes);

private:
    void on_readable();
    void read_plain();
    void handle_input_end();
    void write_pending();
    void write_at_round_end();
    std::size_t write_some() const noexcept;
    void over();

    static constexpr std::size_t pending_bytes_max = 64U << 20;
    io::Reactor& reactor_;
    const int in_;
    const int out_;
    const Handler handler_;
    int in_flags_ = -1;
    int out_flags_ = -1;
    io::WatchId in_watch_ = 0;
    io::WatchId out_watch_ = 0;
    std::string pending_;
    bool reader_is_slow_ = false;  ///< Pending bytes wait for room.
    bool asked_at_round_end_ = false;
    std::shared_ptr<void> alive_ = std::make_shared<int>(0);
    bool input_over_ = false;
    bool over_ = false;
};

}  // namespace labdeck::bench_apps
