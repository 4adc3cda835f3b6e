// bell.h - lets a test's thread wait for a wake function to be called.
//
// A ring that nobody waits for is kept, so none can be missed: a thread that waits for ever was not woken.
#pragma once

#include <condition_variable>
#include <mutex>

namespace labdeck::data {

class Bell {
public:
    void ring() {
        const std::lock_guard lock(mutex_);
        rung_ = true;
        changed_.notify_one();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return rung_; });
        rung_ = false;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool rung_ = false;
};

}  // namespace labdeck::data
