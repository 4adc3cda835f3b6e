// reactor.h - one thread's epoll loop: descriptors, timers, and work from other threads.
//
// Everything but post(), wake() and stop() belongs to the thread that runs the loop (or that
// sets it up before run()). Callbacks run one after the other on that thread and must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/result.h"

namespace labdeck::io {

/// Names one registered descriptor or timer.
using WatchId = std::uint64_t;
using TimerId = std::uint64_t;

class Reactor {
    class Mailbox;

public:
    /// `events` is EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR as epoll reported them.
    using OnReady = std::function<void(std::uint32_t events)>;

    [[nodiscard]] static Result<std::unique_ptr<Reactor>> create(std::string name);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    /// Runs until stop(). Work posted before stop() is still done.
    void run();

    /// Thread: any. Never blocks. Work runs on the loop's thread, in the order in which it was posted.
    /// Unbounded: the caller posts a message, never a byte. What is left when the Reactor goes is dropped.
    void post(std::function<void()> work);

    /// Posts like post(), and may outlive the Reactor: what comes after its end is dropped.
    class Poster {
    public:
        /// Thread: any.
        void post(std::function<void()> work) const;

    private:
        friend class Reactor;
        explicit Poster(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
        std::shared_ptr<Mailbox> mailbox_;
    };
    /// Thread: any.
    Poster poster() const;

    /// Thread: any.
    void stop();

    /// `fd` stays the caller's and must be unwatched before it is closed. Level-triggered.
    Result<WatchId> watch(int fd, std::uint32_t events, OnReady on_ready);
    /// With 0 nothing at all is reported, not even a hang-up, until the next change().
    void change(WatchId id, std::uint32_t events);
    /// Safe from within any callback, its own included; on_ready is not called after it.
    void unwatch(WatchId id);

    /// Delays are kept to the microsecond. A periodic timer that was late skips what it missed.
    TimerId after(std::int64_t delay_ns, std::function<void()> call);
    TimerId every(std::int64_t period_ns, std::function<void()> call);
    /// Safe from within any callback, the timer's own included.
    void cancel(TimerId id);

    /// Runs `call` once, behind this round's callbacks and before the loop waits again: for what is better
    /// done once a round than for each callback, as writing is. Before run(): first thing there. Never costs
    /// a system call, as post() may. What is left when the Reactor goes is dropped.
    void at_round_end(std::function<void()> call);

    /// After this round of callbacks the loop sleeps this long (the longest that was asked, at most 1 ms)
    /// before it polls again: many small reads become one. Posted work and timers end the nap. Asked by
    /// readers of flooding pipes, never for PTYs.
    void nap_next_round(std::int64_t ns) noexcept;

    /// Thread: any. Rounds of the loop so far, and CPU nanoseconds that its thread has used.
    std::uint64_t rounds() const noexcept;
    std::int64_t cpu_ns() const noexcept;

private:
    struct Impl;
    explicit Reactor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::io
