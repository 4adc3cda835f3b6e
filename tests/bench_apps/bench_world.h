// bench_world.h - what the tests of the provider stand on: a workspace with virtual cables, and the provider
// as a child that is spoken to over its stdin and stdout.
//
// Nothing here sleeps to be in step: conditions are asked again until they hold or their deadline is over.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "contract/json.h"
#include "fakes/temp_folder.h"
#include "io/child_process.h"
#include "io/null_modem.h"
#include "io/reactor.h"
#include "io/tcp_socket.h"

namespace labdeck::bench_apps::world {

using contract::Json;

inline constexpr std::chrono::seconds patience{20};

inline bool becomes(const std::function<bool()>& so) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!so()) {
        if (std::chrono::steady_clock::now() > until) return false;
        ::poll(nullptr, 0, 2);
    }
    return true;
}

/// The same for what the given loop does: runs it, here, until it is so.
inline bool becomes(io::Reactor& reactor, const std::function<bool()>& so) {
    const auto until = std::chrono::steady_clock::now() + patience;
    bool is_so = false;
    bool stopped = false;
    const io::TimerId look = reactor.every(1'000'000, [&] {
        // Once: a second stop would be waiting for the loop's next run.
        if (stopped) return;
        is_so = so();
        stopped = is_so || std::chrono::steady_clock::now() > until;
        if (stopped) reactor.stop();
    });
    reactor.run();
    reactor.cancel(look);
    return is_so;
}

/// A TCP port of this machine that nobody has.
inline int free_port() {
    const std::unique_ptr<io::Reactor> reactor = io::Reactor::create("port").value();
    return io::TcpListener::create(*reactor, 0, [](UniqueFd) {}).value()->port();
}

/// A workspace whose cables run on a thread of their own.
class Workspace {
public:
    Workspace() : reactor_(io::Reactor::create("cables").value()), thread_([this] { reactor_->run(); }) {
        std::filesystem::create_directories(path() + "/.labdeck/dev");
    }
    ~Workspace() {
        on_loop([this] { cables_.clear(); });
        reactor_->stop();
        thread_.join();
    }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    const std::string& path() const { return folder_.path(); }
    std::string device(const std::string& name) const { return path() + "/.labdeck/dev/" + name; }

    /// Plugs a cable in; its ends are links called so.
    void plug(const std::string& a, const std::string& b) {
        on_loop([&] {
            io::NullModemRequest request;
            request.link_a = device(a);
            request.link_b = device(b);
            request.a_to_b.name = a;
            request.b_to_a.name = b;
            cables_.emplace_back(a, io::NullModem::create(*reactor_, std::move(request)).value());
        });
    }
    void unplug(const std::string& a) {
        on_loop([&] { std::erase_if(cables_, [&](const auto& cable) { return cable.first == a; }); });
    }
    void plug_all() {
        plug("plc-sim", "plc-bridge");
        plug("ble-sim", "ble-bridge");
    }

private:
    void on_loop(const std::function<void()>& call) {
        std::packaged_task<void()> task(call);
        auto done = task.get_future();
        reactor_->post([&task] { task(); });
        done.get();
    }

    fakes::TempFolder folder_;
    std::unique_ptr<io::Reactor> reactor_;
    std::vector<std::pair<std::string, std::unique_ptr<io::NullModem>>> cables_;
    std::thread thread_;
};

class ProviderChild {
public:
    explicit ProviderChild(const Workspace& workspace, const std::vector<std::string>& apps = {})
        : child_(spawn(workspace, apps)) {}

    /// Sends a line as it is.
    void say(std::string line) {
        line += '\n';
        std::string_view rest = line;
        while (!rest.empty()) {
            pollfd room{child_.stdin_fd.get(), POLLOUT, 0};
            REQUIRE(::poll(&room, 1, 20'000) == 1);
            const ssize_t n = ::write(child_.stdin_fd.get(), rest.data(), rest.size());
            REQUIRE(n > 0);
            rest.remove_prefix(static_cast<std::size_t>(n));
        }
    }

    /// The next line that is no event. Events are kept.
    Json hear() {
        while (true) {
            Json line = next_line();
            if (!line.contains("event")) return line;
            events.push_back(std::move(line));
        }
    }
    Json hear_event() {
        if (events.empty()) return next_line();
        Json event = std::move(events.front());
        events.pop_front();
        return event;
    }

    /// The whole answer.
    Json ask(const std::string& method, const Json& params = Json::object()) {
        const int id = ++last_id_;
        say(Json{{"id", id}, {"method", method}, {"params", params}}.dump());
        Json answer = hear();
        REQUIRE(answer.at("id") == id);
        return answer;
    }
    /// The response; the test ends when there is an error.
    Json get(const std::string& method, const Json& params = Json::object()) {
        Json answer = ask(method, params);
        INFO(answer.dump());
        REQUIRE(answer.at("ok") == true);
        return answer.at("response");
    }
    std::string error_code(const std::string& method, const Json& params = Json::object()) {
        const Json answer = ask(method, params);
        INFO(answer.dump());
        REQUIRE(answer.at("ok") == false);
        return answer.at("error").at("code").get<std::string>();
    }
    Json status(const std::string& app) { return get("status.get", {{"appId", app}}); }
    /// Runs an action to its end and gives the job.
    Json run(const std::string& app, const std::string& action, const Json& args = Json::object()) {
        return get("action.run", {{"appId", app}, {"actionName", action}, {"args", args}});
    }
    void start(const std::string& app) {
        const Json job = run(app, "run_start");
        INFO(job.dump());
        REQUIRE(job.at("state") == "succeeded");
    }

    void close_stdin() { child_.stdin_fd.reset(); }
    void signal(int number) { child_.signal(number); }
    io::ExitStatus wait() {
        io::ExitStatus status;
        REQUIRE(becomes([&] { return child_.reap(status); }));
        return status;
    }
    pid_t pid() const { return child_.pid(); }
    std::string log() {
        std::string text;
        char buffer[4096];
        ssize_t n = 0;
        while ((n = ::read(child_.stderr_fd.get(), buffer, sizeof buffer)) > 0)
            text.append(buffer, static_cast<std::size_t>(n));
        return text;
    }

    std::deque<Json> events;

private:
    static io::ChildProcess spawn(const Workspace& workspace, const std::vector<std::string>& apps) {
        io::SpawnRequest request;
        request.argv = {std::string(LABDECK_BUILD_ROOT) + "/tests/bench_apps_provider", workspace.path()};
        request.argv.insert(request.argv.end(), apps.begin(), apps.end());
        return io::ChildProcess::spawn(request).value();
    }

    Json next_line() {
        std::size_t end = 0;
        while ((end = buffer_.find('\n')) == std::string::npos) {
            pollfd bytes{child_.stdout_fd.get(), POLLIN, 0};
            REQUIRE(::poll(&bytes, 1, 20'000) == 1);
            char chunk[4096];
            const ssize_t n = ::read(child_.stdout_fd.get(), chunk, sizeof chunk);
            REQUIRE(n > 0);
            buffer_.append(chunk, static_cast<std::size_t>(n));
        }
        const Json line = Json::parse(buffer_.substr(0, end));
        buffer_.erase(0, end + 1);
        return line;
    }

    io::ChildProcess child_;
    std::string buffer_;
    int last_id_ = 0;
};

}  // namespace labdeck::bench_apps::world
