#include "app/stop_signals.h"

#include <pthread.h>

#include <csignal>
#include <utility>

#include "base/assert.h"
#include "base/thread_role.h"

namespace labdeck::app {

namespace {

// Ends the waiting thread; sent to it alone, by the destructor.
constexpr int end_signal = SIGUSR2;

sigset_t waited_for() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, end_signal}) sigaddset(&set, number);
    return set;
}

}  // namespace

StopSignals::StopSignals(std::function<void()> stop) : stop_(std::move(stop)) {
    const sigset_t set = waited_for();
    const int blocked = ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    LD_ASSERT(blocked == 0);
    thread_ = std::thread([this, set] {
        name_this_thread("signals");
        for (;;) {
            int number = 0;
            if (::sigwait(&set, &number) != 0 || number == end_signal) return;
            stop_();
        }
    });
}

StopSignals::~StopSignals() {
    ::pthread_kill(thread_.native_handle(), end_signal);
    thread_.join();
}

}  // namespace labdeck::app
