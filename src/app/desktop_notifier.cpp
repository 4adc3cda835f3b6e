#include "app/desktop_notifier.h"

#include <sdbus-c++/sdbus-c++.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "base/thread_role.h"

namespace labdeck::app {

namespace {

constexpr const char* service = "org.freedesktop.Notifications";
constexpr const char* object = "/org/freedesktop/Notifications";
constexpr std::chrono::seconds patience{2};
constexpr std::size_t shown_max = 256;
constexpr std::int32_t as_the_desktop_likes = -1;

std::string without_markup(const std::string& text) {
    std::string plain;
    for (const char c : text) {
        if (c == '&') {
            plain += "&amp;";
        } else if (c == '<') {
            plain += "&lt;";
        } else if (c == '>') {
            plain += "&gt;";
        } else {
            plain += c;
        }
    }
    return plain;
}

}  // namespace

struct DesktopNotifier::Bus {
    std::unique_ptr<sdbus::IConnection> connection = sdbus::createSessionBusConnection();
    std::unique_ptr<sdbus::IProxy> desktop = sdbus::createProxy(*connection, service, object);

    std::uint32_t notify(const DesktopNotice& notice, std::uint32_t in_place_of) const {
        const std::map<std::string, sdbus::Variant> hints{
            {"urgency", sdbus::Variant{static_cast<std::uint8_t>(notice.urgency)}},
            {"desktop-entry", sdbus::Variant{std::string("labdeck")}}};
        std::uint32_t id = 0;
        desktop->callMethod("Notify")
            .onInterface(service)
            .withTimeout(patience)
            .withArguments(std::string("Labdeck"), in_place_of, std::string(), notice.title,
                           without_markup(notice.body), std::vector<std::string>{}, hints,
                           as_the_desktop_likes)
            .storeResultsTo(id);
        return id;
    }
};

DesktopNotifier::DesktopNotifier(std::function<void(const std::string&)> on_trouble)
    : on_trouble_(std::move(on_trouble)) {}

DesktopNotifier::~DesktopNotifier() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void DesktopNotifier::show(DesktopNotice notice) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() == waiting_max) waiting_.pop_front();
    waiting_.push_back(std::move(notice));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    changed_.notify_one();
}

void DesktopNotifier::run() {
    name_this_thread("notify");
    for (;;) {
        DesktopNotice next;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (ending_) return;
            next = std::move(waiting_.front());
            waiting_.pop_front();
        }
        show_now(next);
    }
}

void DesktopNotifier::show_now(const DesktopNotice& notice) {
    try {
        if (!bus_) bus_ = std::make_unique<Bus>();
        const auto earlier = shown_.find(notice.key);
        const std::uint32_t id = bus_->notify(notice, earlier == shown_.end() ? 0 : earlier->second);
        // Numbers of notices that are long gone are harmless, but there is no end to them.
        if (shown_.size() >= shown_max) shown_.clear();
        if (!notice.key.empty()) shown_[notice.key] = id;
        troubled_ = false;
    } catch (const sdbus::Error& error) {
        // The next notice finds out whether there is a bus again.
        bus_.reset();
        shown_.clear();
        if (!std::exchange(troubled_, true) && on_trouble_) on_trouble_(error.getMessage());
    }
}

}  // namespace labdeck::app
