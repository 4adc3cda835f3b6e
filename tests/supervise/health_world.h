// health_world.h - what the tests of health checks stand on: a script's tree that listens, a small web
// server, and a probe with what it has said.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/io_world.h"
#include "io/kept_process.h"
#include "io/proc_text.h"
#include "supervise/health.h"

namespace labdeck::supervise::world {

using io::world::becomes;
using io::world::Loop;
using io::world::TempDir;

/// A variable that a tree inherits, however it forks: by it what is left of the tree is found.
class Mark {
public:
    Mark() : value_(std::to_string(::getpid()) + "-" + std::to_string(mono_now().ns)) {}

    void put_into(io::SpawnRequest& request) const { request.env["LABDECK_TEST_MARK"] = value_; }
    std::size_t bearers() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
            const std::string text = io::proc_text(entry.path() / "environ");
            if (text.find("LABDECK_TEST_MARK=" + value_) != std::string::npos) ++count;
        }
        return count;
    }

private:
    std::string value_;
};

/// A socket on 127.0.0.1 and a free port.
class Socket {
public:
    enum class Does : unsigned char { bind, listen };
    explicit Socket(Does what) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        bool good = ::bind(fd_.get(), any, size) == 0 && ::getsockname(fd_.get(), any, &size) == 0;
        if (what == Does::listen) good = good && ::listen(fd_.get(), 16) == 0;
        port_ = good ? ntohs(address.sin_port) : std::uint16_t{0};
    }
    int fd() const { return fd_.get(); }
    std::uint16_t port() const { return port_; }

private:
    UniqueFd fd_;
    std::uint16_t port_ = 0;
};

/// Gives each caller the same answer; an empty one is none, and the connection stays open.
class TinyServer {
public:
    explicit TinyServer(std::string answer)
        : answer_(std::move(answer)), socket_(Socket::Does::listen), thread_([this] { serve(); }) {}
    TinyServer(const TinyServer&) = delete;
    TinyServer& operator=(const TinyServer&) = delete;
    ~TinyServer() {
        over_ = true;
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(socket_.port()) + "/"; }
    int asked() const { return asked_; }

private:
    void serve() {
        std::vector<UniqueFd> kept;
        while (!over_) {
            if (!io::world::readable(socket_.fd(), 5)) continue;
            UniqueFd peer(::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!peer || !io::world::readable(peer.get())) continue;
            std::array<char, 4096> request;
            if (::recv(peer.get(), request.data(), request.size(), 0) <= 0) continue;
            ++asked_;
            if (answer_.empty()) {
                kept.push_back(std::move(peer));
                continue;
            }
            ::send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
            ::shutdown(peer.get(), SHUT_WR);
        }
    }

    const std::string answer_;
    Socket socket_;
    std::atomic<bool> over_{false};
    std::atomic<int> asked_{0};
    std::thread thread_;
};

/// A script's tree: a Python program that says the number of its port.
class Tree {
public:
    Tree(Loop& loop, const std::string& program) : loop_(loop) {
        loop_.on([&] {
            io::SpawnRequest request;
            request.argv = {"/usr/bin/python3", "-c", "import os, socket, time\n" + program};
            io::KeptProcess::Handler handler;
            handler.started = [](pid_t) {};
            handler.failed = [](const Error&) {};
            handler.leader_ended = [](const io::ExitStatus&) {};
            handler.survivor = [](pid_t, char, int) {};
            handler.empty = [](bool) {};
            process_ =
                io::KeptProcess::start(loop_.reactor(), std::move(request), std::move(handler)).value();
            return true;
        });
        const int out = process_->streams().stdout_fd.get();
        std::string said;
        becomes([&] {
            char byte = 0;
            while (::read(out, &byte, 1) == 1) said += byte;
            return said.ends_with('\n');
        });
        port_ = static_cast<std::uint16_t>(std::atoi(said.c_str()));
    }
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree() {
        loop_.on([this] { return process_.reset(), true; });
    }

    std::uint16_t port() const { return port_; }
    pid_t keeper() const { return process_->keeper_pid(); }

private:
    Loop& loop_;
    std::unique_ptr<io::KeptProcess> process_;
    std::uint16_t port_ = 0;
};

/// A probe on a loop, and its results as text: "good", or why not.
class Probe {
public:
    explicit Probe(Loop& loop_on) : loop(loop_on) {
        loop.on([this] {
            probe = std::make_unique<HealthProbe>(
                loop.reactor(),
                [this](bool good, const std::string& why) { results.push_back(good ? "good" : why); },
                [this] { ++idle_calls; });
            return true;
        });
    }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    ~Probe() {
        stop();
        becomes([this] { return loop.on([this] { return probe->idle(); }); });
        loop.on([this] { return probe.reset(), true; });
    }

    void start(const HealthCheck& check, pid_t keeper = 1, const EnvMap& env = {}) {
        HealthProbe::Patient patient{check, {}, env, keeper};
        mark.put_into(patient.shell);
        patient.shell.cwd = folder.path();
        loop.on([&] { return probe->start(std::move(patient)), true; });
    }
    void stop() {
        loop.on([this] { return probe->stop(), true; });
    }
    bool is(const std::function<bool()>& so) {
        return becomes([&] { return loop.on(so); });
    }
    std::size_t count() {
        return loop.on([this] { return results.size(); });
    }
    /// The first result; "nothing" when none comes for long.
    std::string first() {
        if (!is([this] { return !results.empty(); })) return "nothing";
        return loop.on([this] { return results.front(); });
    }
    bool idle() {
        return is([this] { return probe->idle(); });
    }

    Loop& loop;
    Mark mark;
    TempDir folder;
    std::unique_ptr<HealthProbe> probe;
    // The loop's.
    std::vector<std::string> results;
    int idle_calls = 0;
};

}  // namespace labdeck::supervise::world
