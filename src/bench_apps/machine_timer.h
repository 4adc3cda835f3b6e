// machine_timer.h - wakes an app when its machine has something to do next.
#pragma once

#include <functional>
#include <utility>

#include "io/reactor.h"

namespace labdeck::bench_apps {

class MachineTimer {
public:
    MachineTimer(io::Reactor& reactor, std::function<void()> call)
        : reactor_(reactor), call_(std::move(call)) {}
    ~MachineTimer() { cancel(); }
    MachineTimer(const MachineTimer&) = delete;
    MachineTimer& operator=(const MachineTimer&) = delete;

    /// Replaces what was set before. Cheap when it is the same time.
    void set(MonoTime due) {
        if (timer_ != 0 && due == due_) return;
        cancel();
        due_ = due;
        constexpr std::int64_t longest_ns = 3'600'000'000'000;
        const std::int64_t now_ns = mono_now().ns;
        const std::int64_t delay_ns = due.ns - now_ns > longest_ns ? longest_ns : due.ns - now_ns;
        timer_ = reactor_.after(delay_ns, [this] {
            timer_ = 0;
            call_();
        });
    }
    void cancel() {
        if (timer_ != 0) reactor_.cancel(std::exchange(timer_, 0));
    }

private:
    io::Reactor& reactor_;
    const std::function<void()> call_;
    MonoTime due_;
    io::TimerId timer_ = 0;
};

}  // namespace labdeck::bench_apps
