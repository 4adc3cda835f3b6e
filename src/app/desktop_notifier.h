// desktop_notifier.h - shows notices on the user's desktop: org.freedesktop.Notifications on the session bus.
//
// Desktop Notifications Specification 1.2. Owns a thread from the first notice on, since a bus may let its
// callers wait; without a notice it costs nothing.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace labdeck::app {

enum class Urgency : unsigned char { low, normal, critical };

struct DesktopNotice {
    std::string key;    ///< A notice takes the place of an earlier one with the same key; empty for none.
    std::string title;  ///< One line.
    std::string body;   ///< Plain text; what looks like markup is shown as it is.
    Urgency urgency = Urgency::normal;
};

class DesktopNotifier {
public:
    static constexpr std::size_t waiting_max = 16;

    /// `on_trouble` hears why nothing can be shown, once until something was; on the notifier's thread.
    explicit DesktopNotifier(std::function<void(const std::string& why)> on_trouble);
    /// Drops what has not been shown; waits two seconds at most.
    ~DesktopNotifier();
    DesktopNotifier(const DesktopNotifier&) = delete;
    DesktopNotifier& operator=(const DesktopNotifier&) = delete;

    /// Thread: any. Never waits for the bus. When more than waiting_max wait, the oldest is dropped.
    void show(DesktopNotice notice);

private:
    struct Bus;
    void run();
    void show_now(const DesktopNotice& notice);

    const std::function<void(const std::string&)> on_trouble_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<DesktopNotice> waiting_;
    bool ending_ = false;
    std::thread thread_;

    // The thread's own.
    std::unique_ptr<Bus> bus_;
    std::map<std::string, std::uint32_t> shown_;  ///< By key.
    bool troubled_ = false;
};

}  // namespace labdeck::app
