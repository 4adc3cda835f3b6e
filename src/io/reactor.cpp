#include "io/reactor.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <ctime>
#include <map>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "base/thread_role.h"
#include "base/unique_fd.h"
#include "io/waker.h"

namespace labdeck::io {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t nap_ns_max = 1'000'000;
constexpr std::size_t events_a_round = 256;
constexpr WatchId waker_id = 0;

timespec timespec_of(std::int64_t ns) noexcept {
    return {ns / ns_per_s, ns % ns_per_s};
}

struct Work {
    std::function<void()> call;
    Work* next = nullptr;
};

// Stands at the head of a mailbox that takes nothing any more.
Work closed_mark;

}  // namespace

// A stack that any thread pushes onto and the loop takes whole, so it needs no lock and no order is lost.
class Reactor::Mailbox {
public:
    explicit Mailbox(Waker waker) : waker_(std::move(waker)) {}
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;
    ~Mailbox() { close(); }

    void push(std::function<void()> call) {
        auto* const work = new Work{std::move(call), nullptr};
        Work* head = head_.load(std::memory_order_relaxed);
        do {
            if (head == &closed_mark) {
                delete work;
                return;
            }
            work->next = head;
        } while (!head_.compare_exchange_weak(head, work, std::memory_order_acq_rel));
        // Whoever pushed the first one has woken the loop for all.
        if (head == nullptr) waker_.wake();
    }

    void run_all() {
        Work* next = oldest_first(head_.exchange(nullptr, std::memory_order_acquire));
        while (next != nullptr) {
            const std::unique_ptr<Work> work(std::exchange(next, next->next));
            work->call();
        }
    }

    void close() noexcept {
        Work* next = head_.exchange(&closed_mark, std::memory_order_acquire);
        while (next != nullptr && next != &closed_mark) delete std::exchange(next, next->next);
    }

    bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }
    const Waker& waker() const noexcept { return waker_; }

private:
    static Work* oldest_first(Work* newest) noexcept {
        Work* first = nullptr;
        while (newest != nullptr) {
            Work* const older = std::exchange(newest->next, first);
            first = std::exchange(newest, older);
        }
        return first;
    }

    Waker waker_;
    std::atomic<Work*> head_{nullptr};
};

struct Reactor::Impl {
    struct Watch {
        int fd = -1;
        std::uint32_t events = 0;
        OnReady on_ready;
    };
    struct Timer {
        std::int64_t period_ns = 0;  // 0: once.
        std::function<void()> call;
    };
    using Due = std::pair<std::int64_t, TimerId>;

    Impl(std::string name_, UniqueFd epoll_, Waker waker)
        : name(std::move(name_)),
          epoll(std::move(epoll_)),
          mailbox(std::make_shared<Mailbox>(std::move(waker))) {}

    void check_thread() const {
        [[maybe_unused]] const std::thread::id owner = loop_thread.load(std::memory_order_relaxed);
        assert(owner == std::thread::id{} || owner == std::this_thread::get_id());
    }

    Result<> control(int operation, WatchId id, int fd, std::uint32_t events) const;
    TimerId add_timer(std::int64_t delay_ns, std::int64_t period_ns, std::function<void()> call);
    int wait(std::array<epoll_event, events_a_round>& events);
    void dispatch(const epoll_event& event);
    void fire_timers();
    std::int64_t until_next_timer() const;
    void run_round_end();
    void nap();
    void round();

    const std::string name;
    const UniqueFd epoll;
    const std::shared_ptr<Mailbox> mailbox;

    // The loop's own. A shared hold keeps a callback whole while it removes itself.
    std::unordered_map<WatchId, std::shared_ptr<Watch>> watches;
    std::map<Due, std::shared_ptr<Timer>> timers;
    std::unordered_map<TimerId, std::int64_t> due_of;
    std::vector<std::function<void()>> round_end;
    std::uint64_t last_id = waker_id;
    std::int64_t nap_ns = 0;
    bool stopped = false;

    // Written by the loop, read by any thread.
    std::atomic<std::thread::id> loop_thread{};
    std::atomic<std::uint64_t> rounds{0};
    std::atomic<clockid_t> cpu_clock{0};
    std::atomic<bool> running{false};
    std::atomic<std::int64_t> cpu_ns_before{0};
};

Result<> Reactor::Impl::control(int operation, WatchId id, int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    if (::epoll_ctl(epoll.get(), operation, fd, &event) != 0) return os_error("watch a descriptor");
    return {};
}

TimerId Reactor::Impl::add_timer(std::int64_t delay_ns, std::int64_t period_ns, std::function<void()> call) {
    const TimerId id = ++last_id;
    const std::int64_t due = mono_now().ns + std::max<std::int64_t>(delay_ns, 0);
    timers.emplace(Due{due, id}, std::make_shared<Timer>(Timer{period_ns, std::move(call)}));
    due_of.emplace(id, due);
    return id;
}

std::int64_t Reactor::Impl::until_next_timer() const {
    return std::max<std::int64_t>(timers.begin()->first.first - mono_now().ns, 0);
}

int Reactor::Impl::wait(std::array<epoll_event, events_a_round>& events) {
    timespec timeout{};
    const bool timed = !timers.empty();
    if (timed) timeout = timespec_of(until_next_timer());
    const int count =
        ::epoll_pwait2(epoll.get(), events.data(), events_a_round, timed ? &timeout : nullptr, nullptr);
    LD_ASSERT(count >= 0 || errno == EINTR);
    return std::max(count, 0);
}

void Reactor::Impl::dispatch(const epoll_event& event) {
    if (event.data.u64 == waker_id) {
        mailbox->waker().drain();
        return;
    }
    // Ids are never used again, so an event of a descriptor that a callback has just unwatched finds nobody.
    const auto found = watches.find(event.data.u64);
    if (found == watches.end() || found->second->events == 0) return;
    const std::shared_ptr<Watch> watch = found->second;
    watch->on_ready(event.events);
}

void Reactor::Impl::fire_timers() {
    if (timers.empty()) return;
    const std::int64_t now = mono_now().ns;
    while (!timers.empty() && timers.begin()->first.first <= now) {
        const auto [due, id] = timers.begin()->first;
        const std::shared_ptr<Timer> timer = std::move(timers.begin()->second);
        timers.erase(timers.begin());
        if (timer->period_ns > 0) {
            const std::int64_t missed = (now - due) / timer->period_ns;
            const std::int64_t next = due + (missed + 1) * timer->period_ns;
            timers.emplace(Due{next, id}, timer);
            due_of[id] = next;
        } else {
            due_of.erase(id);
        }
        timer->call();
    }
}

void Reactor::Impl::run_round_end() {
    // By index: a call may ask for another one.
    for (std::size_t i = 0; i < round_end.size(); ++i) {
        const auto call = std::move(round_end[i]);
        call();
    }
    round_end.clear();
}

void Reactor::Impl::nap() {
    const std::int64_t ns = std::min(std::exchange(nap_ns, 0), nap_ns_max);
    if (stopped || !mailbox->empty()) return;
    const timespec length = timespec_of(timers.empty() ? ns : std::min(ns, until_next_timer()));
    // Sleeping on the waker instead of in a plain sleep keeps control work prompt.
    pollfd waker{mailbox->waker().fd(), POLLIN, 0};
    ::ppoll(&waker, 1, &length, nullptr);
}

void Reactor::Impl::round() {
    std::array<epoll_event, events_a_round> events;
    const int count = wait(events);
    for (int i = 0; i < count; ++i) dispatch(events[static_cast<std::size_t>(i)]);
    mailbox->run_all();
    fire_timers();
    run_round_end();
    rounds.store(rounds.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (nap_ns > 0) nap();
}

Result<std::unique_ptr<Reactor>> Reactor::create(std::string name) {
    UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) return os_error("epoll_create1");
    auto impl = std::make_unique<Impl>(std::move(name), std::move(epoll), LD_TRY(Waker::create()));
    LD_TRY(impl->control(EPOLL_CTL_ADD, waker_id, impl->mailbox->waker().fd(), EPOLLIN));
    return std::unique_ptr<Reactor>(new Reactor(std::move(impl)));
}

Reactor::Reactor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reactor::~Reactor() {
    impl_->mailbox->close();
}

void Reactor::run() {
    Impl& self = *impl_;
    name_this_thread(self.name.substr(0, 15).c_str());
    // The default slack of 50 us would make a nap a quarter longer and a paced cable late.
    ::prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
    clockid_t clock = 0;
    if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) {
        self.cpu_clock.store(clock, std::memory_order_relaxed);
        self.running.store(true, std::memory_order_release);
    }
    self.loop_thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
    self.run_round_end();
    while (!self.stopped) self.round();
    self.stopped = false;
    self.loop_thread.store(std::thread::id{}, std::memory_order_relaxed);
    self.cpu_ns_before.store(thread_cpu_ns(), std::memory_order_relaxed);
    self.running.store(false, std::memory_order_release);
}

void Reactor::post(std::function<void()> work) {
    impl_->mailbox->push(std::move(work));
}
void Reactor::Poster::post(std::function<void()> work) const {
    mailbox_->push(std::move(work));
}
Reactor::Poster Reactor::poster() const {
    return Poster(impl_->mailbox);
}

void Reactor::stop() {
    // Stopping is itself posted, so all that was posted before it comes first.
    post([self = impl_.get()] { self->stopped = true; });
}

Result<WatchId> Reactor::watch(int fd, std::uint32_t events, OnReady on_ready) {
    impl_->check_thread();
    const WatchId id = ++impl_->last_id;
    if (events != 0) LD_TRY(impl_->control(EPOLL_CTL_ADD, id, fd, events));
    impl_->watches.emplace(id, std::make_shared<Impl::Watch>(Impl::Watch{fd, events, std::move(on_ready)}));
    return id;
}

void Reactor::change(WatchId id, std::uint32_t events) {
    impl_->check_thread();
    const auto found = impl_->watches.find(id);
    LD_ASSERT(found != impl_->watches.end());
    Impl::Watch& watch = *found->second;
    if (watch.events == events) return;
    // epoll reports hang-ups even when asked for nothing, and a reader that waits would spin on them.
    const int operation = events == 0 ? EPOLL_CTL_DEL : watch.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    const Result<> done = impl_->control(operation, id, watch.fd, events);
    LD_ASSERT(done.has_value());
    watch.events = events;
}

void Reactor::unwatch(WatchId id) {
    impl_->check_thread();
    const auto found = impl_->watches.find(id);
    if (found == impl_->watches.end()) return;
    // The callback may own what unwatches it, so it goes only when the table is whole again.
    const std::shared_ptr<Impl::Watch> watch = std::move(found->second);
    impl_->watches.erase(found);
    if (watch->events == 0) return;
    const Result<> done = impl_->control(EPOLL_CTL_DEL, id, watch->fd, 0);
    LD_ASSERT(done.has_value());
}

TimerId Reactor::after(std::int64_t delay_ns, std::function<void()> call) {
    impl_->check_thread();
    return impl_->add_timer(delay_ns, 0, std::move(call));
}

TimerId Reactor::every(std::int64_t period_ns, std::function<void()> call) {
    impl_->check_thread();
    LD_ASSERT(period_ns > 0);
    return impl_->add_timer(period_ns, period_ns, std::move(call));
}

void Reactor::cancel(TimerId id) {
    impl_->check_thread();
    const auto found = impl_->due_of.find(id);
    if (found == impl_->due_of.end()) return;
    const auto timer = impl_->timers.find({found->second, id});
    LD_ASSERT(timer != impl_->timers.end());
    const std::shared_ptr<Impl::Timer> hold = std::move(timer->second);
    impl_->timers.erase(timer);
    impl_->due_of.erase(found);
}

void Reactor::at_round_end(std::function<void()> call) {
    impl_->check_thread();
    impl_->round_end.push_back(std::move(call));
}

void Reactor::nap_next_round(std::int64_t ns) noexcept {
    impl_->nap_ns = std::max(impl_->nap_ns, ns);
}

std::uint64_t Reactor::rounds() const noexcept {
    return impl_->rounds.load(std::memory_order_relaxed);
}

std::int64_t Reactor::cpu_ns() const noexcept {
    timespec used{};
    // The clock is the loop thread's and is read from here, so that a round pays nothing for it.
    if (impl_->running.load(std::memory_order_acquire) &&
        ::clock_gettime(impl_->cpu_clock.load(std::memory_order_relaxed), &used) == 0) {
        return used.tv_sec * ns_per_s + used.tv_nsec;
    }
    return impl_->cpu_ns_before.load(std::memory_order_relaxed);
}

}  // namespace labdeck::io
