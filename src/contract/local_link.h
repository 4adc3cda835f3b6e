// local_link.h - the contract inside one process: a queue pair between window and hub.
//
// The window's thread asks, the hub's thread answers. Neither waits for the
// other. Requests have a lane of their own beside the data plane, so a click never
// queues behind bytes. Bound: 4,096 messages a direction; beyond it a request is
// refused with E_QUEUE_FULL and events are dropped and counted. Answers are never
// dropped: no more than 4,096 requests may be unanswered, so they have an end too.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "contract/client.h"
#include "contract/envelope.h"

namespace labdeck::contract {

class LocalLink {
public:
    struct ToHub {
        Request request;
        MonoTime asked;
    };
    using ToWindow = std::variant<Answer, Event>;

    LocalLink();
    ~LocalLink();
    LocalLink(const LocalLink&) = delete;
    LocalLink& operator=(const LocalLink&) = delete;

    /// Set before either side runs. Called from the other side's thread; must not block.
    void on_hub_wake(std::function<void()> wake);
    void on_window_wake(std::function<void()> wake);

    /// Messages a direction, and requests without an answer.
    static constexpr std::size_t messages_max = 4'096;

    // --- the window's thread ---------------------------------------------------
    /// `on_answer` is called by poll() and never from here, E_QUEUE_FULL for a refused request included:
    /// that one comes with the next poll(), for which the window is woken.
    void request(std::string_view method, const Json& params, ClientEnd::OnAnswer on_answer);
    /// A request that is never answered. False when the queue is full and it was not sent.
    bool notify(std::string_view method, const Json& params);
    void on_event(ClientEnd::OnEvent handler);
    /// Runs the callbacks for what has come. Returns how many.
    std::size_t poll();
    /// Requests whose on_answer is still to be called.
    std::size_t pending() const noexcept;

    // --- the hub's thread ------------------------------------------------------
    /// Takes the next request. False when there is none.
    bool take(ToHub& out);
    /// An Answer under the id of its request, or an Event. Wakes the window.
    void send(ToWindow message);
    /// Many events, without waking the window: for whoever wakes it right after.
    void put_all(std::vector<Event> events);

    /// Thread: any.
    std::uint64_t dropped_events() const noexcept;

    /// Thread: the hub's. A request went to its provider's pipe this long after the click that made it.
    void note_wire(std::int64_t ns) noexcept { click_to_wire_ns_.store(ns, std::memory_order_relaxed); }
    /// Thread: any. The last of those; -1 before the first.
    std::int64_t last_click_to_wire_ns() const noexcept {
        return click_to_wire_ns_.load(std::memory_order_relaxed);
    }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::atomic<std::int64_t> click_to_wire_ns_{-1};
};

}  // namespace labdeck::contract
