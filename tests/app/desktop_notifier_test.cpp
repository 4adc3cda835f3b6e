#include "app/desktop_notifier.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sdbus-c++/sdbus-c++.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include "io/child_process.h"

using namespace labdeck;
using namespace labdeck::app;

namespace {

constexpr std::chrono::seconds patience{20};

/// A session bus of our own, and this process's idea of where it is.
class SessionBus {
public:
    SessionBus() {
        io::SpawnRequest request;
        request.argv = {"dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"};
        daemon_ = std::make_unique<io::ChildProcess>(io::ChildProcess::spawn(request).value());
        std::string address;
        while (address.find('\n') == std::string::npos) {
            pollfd said{daemon_->stdout_fd.get(), POLLIN, 0};
            REQUIRE(::poll(&said, 1, 20'000) == 1);
            std::array<char, 512> piece{};
            const ssize_t got = ::read(said.fd, piece.data(), piece.size());
            REQUIRE(got > 0);
            address.append(piece.data(), static_cast<std::size_t>(got));
        }
        address.resize(address.find('\n'));
        ::setenv("DBUS_SESSION_BUS_ADDRESS", address.c_str(), 1);
    }
    ~SessionBus() { ::unsetenv("DBUS_SESSION_BUS_ADDRESS"); }

private:
    std::unique_ptr<io::ChildProcess> daemon_;
};

struct Shown {
    std::string program;
    std::uint32_t in_place_of;
    std::string title;
    std::string body;
    std::uint8_t urgency;
};

/// The desktop's side, which numbers what it shows from 1.
class Desktop {
public:
    Desktop() {
        connection_->requestName("org.freedesktop.Notifications");
        object_->registerMethod("Notify")
            .onInterface("org.freedesktop.Notifications")
            .implementedAs([this](const std::string& program, std::uint32_t in_place_of, const std::string&,
                                  const std::string& title, const std::string& body,
                                  const std::vector<std::string>&,
                                  const std::map<std::string, sdbus::Variant>& hints, std::int32_t) {
                const std::lock_guard lock(mutex_);
                shown_.push_back(
                    {program, in_place_of, title, body, hints.at("urgency").get<std::uint8_t>()});
                changed_.notify_all();
                return static_cast<std::uint32_t>(shown_.size());
            });
        object_->finishRegistration();
        connection_->enterEventLoopAsync();
    }
    std::vector<Shown> wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, patience, [&] { return shown_.size() >= count; });
        return shown_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Shown> shown_;
    std::unique_ptr<sdbus::IConnection> connection_ = sdbus::createSessionBusConnection();
    std::unique_ptr<sdbus::IObject> object_ =
        sdbus::createObject(*connection_, "/org/freedesktop/Notifications");
};

class Troubles {
public:
    auto hook() {
        return [this](const std::string& why) {
            const std::lock_guard lock(mutex_);
            all_.push_back(why);
            changed_.notify_all();
        };
    }
    std::vector<std::string> wait(std::size_t count, std::chrono::milliseconds patience_ms = patience) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, patience_ms, [&] { return all_.size() >= count; });
        return all_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> all_;
};

}  // namespace

TEST_SUITE("app/desktop_notifier") {
    TEST_CASE("a notice reaches the desktop, in plain text, and one of the same key takes its place") {
        const SessionBus bus;
        Desktop desktop;
        Troubles troubles;
        DesktopNotifier notifier(troubles.hook());
        notifier.show({"script/a", "Bridge failed", "exit 1 <b>&amp;", Urgency::critical});
        notifier.show({"script/b", "Fixture is unhealthy", "", Urgency::normal});
        notifier.show({"script/a", "Bridge runs again", "", Urgency::low});
        notifier.show({"", "An update is there", "", Urgency::low});
        const auto shown = desktop.wait(4);
        REQUIRE(shown.size() == 4);
        CHECK(shown[0].program == "Labdeck");
        CHECK(shown[0].title == "Bridge failed");
        CHECK(shown[0].body == "exit 1 &lt;b&gt;&amp;amp;");
        CHECK(shown[0].urgency == 2);
        CHECK(shown[0].in_place_of == 0);
        CHECK(shown[1].in_place_of == 0);
        CHECK(shown[2].in_place_of == 1);
        CHECK(shown[2].urgency == 0);
        CHECK(shown[3].in_place_of == 0);
        CHECK(troubles.wait(1, std::chrono::milliseconds(1)).empty());
    }

    TEST_CASE("without a bus, and without a desktop on it, that is told once and nothing waits") {
        ::setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
        Troubles troubles;
        DesktopNotifier notifier(troubles.hook());
        for (int i = 0; i < 3; ++i) notifier.show({"", "Nobody sees this", "", Urgency::normal});
        CHECK(troubles.wait(1).size() == 1);

        const SessionBus bus;
        Troubles alone;
        DesktopNotifier other(alone.hook());
        other.show({"", "Nobody sees this", "", Urgency::normal});
        REQUIRE(alone.wait(1).size() == 1);
        // Once there is a desktop, the next one is seen.
        Desktop desktop;
        other.show({"", "Somebody sees this", "", Urgency::normal});
        CHECK(desktop.wait(1).at(0).title == "Somebody sees this");
    }

    TEST_CASE("a notifier that never had a notice ends at once") {
        const DesktopNotifier notifier(nullptr);
    }
}
