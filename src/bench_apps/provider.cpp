#include "bench_apps/provider.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/unique_fd.h"
#include "bench_apps/provider_host.h"
#include "bench_apps/stderr_log.h"
#include "bench_apps/stdio_channel.h"

namespace labdeck::bench_apps {

namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

/// SIGTERM and SIGINT come as a descriptor while this lives; a closed pipe is an error and no signal.
class Signals {
public:
    Signals() {
        sigset_t ends{};
        ::sigemptyset(&ends);
        ::sigaddset(&ends, SIGTERM);
        ::sigaddset(&ends, SIGINT);
        ::pthread_sigmask(SIG_BLOCK, &ends, &before_);
        fd_ = UniqueFd(::signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC));
        pipe_before_ = std::signal(SIGPIPE, SIG_IGN);
    }
    ~Signals() {
        signalfd_siginfo taken{};
        // One that has come is not to come again when the mask is off.
        while (::read(fd_.get(), &taken, sizeof taken) > 0) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        std::signal(SIGPIPE, pipe_before_);
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    int fd() const noexcept { return fd_.get(); }

private:
    sigset_t before_{};
    void (*pipe_before_)(int) = SIG_DFL;
    UniqueFd fd_;
};

int complain(const Error& error) {
    fmt::print(stderr, "labdeck provider: {}\n", describe(error));
    return exit_failed;
}

bool all_known(const std::vector<std::string>& apps) {
    for (const std::string& app : apps) {
        const auto& known = provider_apps();
        if (std::find(known.begin(), known.end(), app) != known.end()) continue;
        fmt::print(stderr, "labdeck provider: there is no app {}; there are {}\n", app,
                   fmt::join(known, ", "));
        return false;
    }
    return true;
}

}  // namespace

int run_provider(const ProviderOptions& options) {
    if (!all_known(options.apps)) return exit_usage;
    const Signals signals;
    Result<std::unique_ptr<io::Reactor>> made = io::Reactor::create("provider");
    if (!made) return complain(made.error());
    io::Reactor& reactor = **made;
    StderrLog log(STDERR_FILENO);

    // Each of the two needs the other: lines go out through the one, bytes come in to the other.
    StdioChannel* out = nullptr;
    ProviderHost host(
        reactor, options, [&out](const std::string& lines) { out->send(lines); },
        [&log](LogLevel level, std::string_view app, const std::string& text) {
            log.write(wall_now(), level, app, text);
        });
    StdioChannel channel(reactor, STDIN_FILENO, STDOUT_FILENO,
                         {[&host](std::string_view bytes) { host.receive(bytes); },
                          [&host] { host.finish(); }, [&reactor] { reactor.stop(); }});
    out = &channel;
    const auto watched = reactor.watch(signals.fd(), EPOLLIN, [&reactor](std::uint32_t) { reactor.stop(); });
    if (!watched) return complain(watched.error());
    if (const Result<> started = channel.start(); !started) return complain(started.error());
    host.start_apps();
    reactor.run();
    host.stop_apps();
    return 0;
}

}  // namespace labdeck::bench_apps
