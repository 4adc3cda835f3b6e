#include "contract/local_link.h"

#include <concurrentqueue.h>

#include <atomic>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <vector>

namespace labdeck::contract {

namespace {

/// One direction: one thread puts, another takes. Full means the caller decides what is lost.
template <typename T>
class Lane {
public:
    std::size_t size() const noexcept { return count_.load(std::memory_order_acquire); }

    void put(T message) {
        count_.fetch_add(1, std::memory_order_acq_rel);
        queue_.enqueue(producer_, std::move(message));
    }

    bool take(T& out) {
        if (!queue_.try_dequeue(consumer_, out)) return false;
        count_.fetch_sub(1, std::memory_order_acq_rel);
        return true;
    }

private:
    moodycamel::ConcurrentQueue<T> queue_;
    moodycamel::ProducerToken producer_{queue_};
    moodycamel::ConsumerToken consumer_{queue_};
    std::atomic<std::size_t> count_{0};
};

Request make_request(std::string_view method, const Json& params) {
    return {std::nullopt, std::string(method),
            std::make_shared<const Json>(params.is_null() ? Json::object() : params)};
}

}  // namespace

struct LocalLink::Impl {
    Lane<ToHub> to_hub;  // Window puts, hub takes, messages_max; a request beyond is refused.
    Lane<ToWindow>
        to_window;  // Hub puts, window takes, messages_max events; one beyond is dropped and counted.
    std::function<void()> wake_hub;
    std::function<void()> wake_window;
    std::atomic<std::uint64_t> dropped_events{0};

    // The window's.
    std::uint64_t next_id = 1;
    std::unordered_map<std::uint64_t, ClientEnd::OnAnswer> pending;
    std::vector<ClientEnd::OnAnswer> refused;
    ClientEnd::OnEvent on_event;

    void put(Request request) {
        to_hub.put({std::move(request), mono_now()});
        if (wake_hub) wake_hub();
    }

    /// False when it was dropped.
    bool put(ToWindow message) {
        if (std::holds_alternative<Event>(message) && to_window.size() >= messages_max) {
            dropped_events.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
        to_window.put(std::move(message));
        return true;
    }

    std::size_t refuse() {
        const auto refusals = std::exchange(refused, {});
        for (const auto& on_answer : refusals) {
            on_answer(
                fail(Code::queue_full, "too many requests are waiting: " + std::to_string(messages_max)));
        }
        return refusals.size();
    }

    void handle(ToWindow& message) {
        if (const auto* event = std::get_if<Event>(&message)) {
            if (on_event) on_event(*event);
            return;
        }
        auto& answer = std::get<Answer>(message);
        std::uint64_t id = 0;
        const std::string& text = answer.id.text;
        std::from_chars(text.data(), text.data() + text.size(), id);
        const auto node = pending.extract(id);
        if (node) node.mapped()(std::move(answer.response));
    }
};

LocalLink::LocalLink() : impl_(std::make_unique<Impl>()) {}
LocalLink::~LocalLink() = default;

void LocalLink::on_hub_wake(std::function<void()> wake) {
    impl_->wake_hub = std::move(wake);
}
void LocalLink::on_window_wake(std::function<void()> wake) {
    impl_->wake_window = std::move(wake);
}
void LocalLink::on_event(ClientEnd::OnEvent handler) {
    impl_->on_event = std::move(handler);
}

void LocalLink::request(std::string_view method, const Json& params, ClientEnd::OnAnswer on_answer) {
    if (impl_->pending.size() >= messages_max || impl_->to_hub.size() >= messages_max) {
        impl_->refused.push_back(std::move(on_answer));
        if (impl_->wake_window) impl_->wake_window();
        return;
    }
    const std::uint64_t id = impl_->next_id++;
    impl_->pending.emplace(id, std::move(on_answer));
    Request request = make_request(method, params);
    request.id = RequestId{std::to_string(id)};
    impl_->put(std::move(request));
}

bool LocalLink::notify(std::string_view method, const Json& params) {
    if (impl_->to_hub.size() >= messages_max) return false;
    impl_->put(make_request(method, params));
    return true;
}

std::size_t LocalLink::poll() {
    std::size_t count = impl_->refuse();
    // What comes while this runs is left for the next time, so that a flood cannot hold the window.
    std::size_t there = impl_->to_window.size();
    for (ToWindow message; there > 0 && impl_->to_window.take(message); --there) {
        impl_->handle(message);
        ++count;
    }
    return count;
}

std::size_t LocalLink::pending() const noexcept {
    return impl_->pending.size() + impl_->refused.size();
}

bool LocalLink::take(ToHub& out) {
    return impl_->to_hub.take(out);
}

void LocalLink::send(ToWindow message) {
    if (impl_->put(std::move(message)) && impl_->wake_window) impl_->wake_window();
}

void LocalLink::put_all(std::vector<Event> events) {
    for (Event& event : events) impl_->put(ToWindow(std::move(event)));
}

std::uint64_t LocalLink::dropped_events() const noexcept {
    return impl_->dropped_events.load(std::memory_order_relaxed);
}

}  // namespace labdeck::contract
