// How many requests a second go through the hub, and what of a provider's own rate is left?
//
//   direct   `labdeck provider` over its stdin and stdout, status.get pipelined
//   hub      the same requests to `labdeck serve` over its Unix socket, which asks a provider of its own
//
// usage: hub_throughput PATH-OF-LABDECK [REQUESTS]
// Prints the medians of alternating runs and their ratio; the limits are a ratio of 0.25 and 50,000 a second.
// The processor time that the hub and the direct provider spent a request is printed too: it hardly changes
// with what else the machine does, the rates do.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace {

namespace fs = std::filesystem;
using labdeck::mono_now;

constexpr double ratio_min = 0.25;
constexpr double rate_min = 50'000;
constexpr int runs = 5;

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "hub_throughput: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

/// A child whose stdin and stdout are ours, or /dev/null with `quiet`.
struct Child {
    pid_t pid = -1;
    int to = -1;
    int from = -1;

    static Child start(const std::vector<std::string>& words, bool quiet) {
        std::array<int, 2> in{-1, -1};
        std::array<int, 2> out{-1, -1};
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        if (!quiet) {
            if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) give_up("pipe");
            ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
            ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        }
        std::vector<char*> argv;
        for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
        argv.push_back(nullptr);
        Child child;
        errno = ::posix_spawn(&child.pid, argv[0], &actions, nullptr, argv.data(), environ);
        if (errno != 0) give_up(argv[0]);
        ::posix_spawn_file_actions_destroy(&actions);
        if (!quiet) {
            ::close(in[0]);
            ::close(out[1]);
        }
        child.to = in[1];
        child.from = out[0];
        return child;
    }

    void end() const {
        if (to >= 0) ::close(to);
        if (from >= 0) ::close(from);
        ::kill(pid, SIGTERM);
        ::waitpid(pid, nullptr, 0);
    }
};

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    for (int i = 0; i < 1000; ++i) {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
        ::close(fd);
        ::usleep(10'000);
    }
    give_up("connect to the hub");
}

/// Writes all requests and reads as many lines, both as fast as the other side takes and gives. Requests a
/// second; `good` is how many of the answers were no error.
double exchange(int to, int from, const std::string& requests, std::size_t count, std::size_t& good) {
    for (const int fd : {to, from}) ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    std::string answers;
    answers.reserve(count * 1200);
    std::size_t sent = 0, lines = 0;
    std::vector<char> buffer(256 << 10);
    const std::int64_t before = mono_now().ns;
    while (lines < count) {
        std::array<pollfd, 2> watched{{{from, POLLIN, 0}, {sent < requests.size() ? to : -1, POLLOUT, 0}}};
        if (::poll(watched.data(), watched.size(), 30'000) <= 0) give_up("no answer");
        if (watched[1].revents != 0) {
            const ssize_t n =
                ::write(to, requests.data() + sent, std::min<std::size_t>(requests.size() - sent, 64 << 10));
            if (n > 0) sent += static_cast<std::size_t>(n);
        }
        if (watched[0].revents == 0) continue;
        const ssize_t n = ::read(from, buffer.data(), buffer.size());
        if (n == 0) give_up("the end of the connection");
        if (n < 0) continue;
        lines += static_cast<std::size_t>(std::count(buffer.data(), buffer.data() + n, '\n'));
        answers.append(buffer.data(), static_cast<std::size_t>(n));
    }
    const double seconds = static_cast<double>(mono_now().ns - before) / 1e9;
    good = 0;
    for (std::size_t at = 0; (at = answers.find("\"ok\":true", at)) != std::string::npos; ++at) ++good;
    return static_cast<double>(count) / seconds;
}

/// Processor time that a process has used, all its threads together.
double cpu_seconds(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
    // The program's name, in brackets, may hold blanks; the times are fields 14 and 15.
    std::istringstream rest(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int field = 3; field < 14; ++field) rest >> skipped;
    double user = 0, system = 0;
    rest >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

std::string requests_of(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += R"({"id":)" + std::to_string(i) +
                R"(,"method":"status.get","params":{"appId":"plc-simulator"}})"
                "\n";
    }
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: hub_throughput PATH-OF-LABDECK [REQUESTS]\n");
        return 2;
    }
    const std::size_t count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 50'000;
    std::string folder = (fs::temp_directory_path() / "labdeck-bench-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) give_up("mkdtemp");
    std::ofstream(folder + "/labdeck.json") << R"({"providers":[{"name":"plc","apps":["plc-simulator"]}]})";

    const Child direct =
        Child::start({argv[1], "provider", "--apps", "plc-simulator", "--config", folder}, false);
    const Child serve = Child::start({argv[1], "serve", "--workspace", folder}, true);
    const int socket = connect_to(folder + "/.labdeck/labdeck.sock");

    const std::string requests = requests_of(count);
    const std::string few = requests_of(100);
    std::size_t good = 0;
    exchange(direct.to, direct.from, few, 100, good);
    // The hub says ok even while its provider starts; give that its time.
    ::usleep(1'000'000);
    exchange(socket, socket, few, 100, good);

    std::vector<double> direct_rates, hub_rates, ratios;
    bool all_good = true;
    const double direct_before = cpu_seconds(direct.pid), hub_before = cpu_seconds(serve.pid);
    for (int run = 0; run < runs; ++run) {
        const double d = exchange(direct.to, direct.from, requests, count, good);
        all_good = all_good && good == count;
        const double h = exchange(socket, socket, requests, count, good);
        all_good = all_good && good == count;
        direct_rates.push_back(d);
        hub_rates.push_back(h);
        ratios.push_back(h / d);
    }
    const double us_each = 1e6 / static_cast<double>(count * runs);
    const double direct_us = (cpu_seconds(direct.pid) - direct_before) * us_each;
    const double hub_us = (cpu_seconds(serve.pid) - hub_before) * us_each;
    ::close(socket);
    direct.end();
    serve.end();
    fs::remove_all(folder);

    std::printf("provider, direct   %8.0f requests/s\n", median(direct_rates));
    std::printf("through the hub    %8.0f requests/s  (limit %.0f)\n", median(hub_rates), rate_min);
    std::printf("ratio              %8.2f             (limit %.2f)\n", median(ratios), ratio_min);
    std::printf("processor time     %8.1f us a request in the provider, %.1f us more in the hub\n", direct_us,
                hub_us);
    if (!all_good) std::printf("some answers were errors\n");
    return all_good && median(ratios) >= ratio_min && median(hub_rates) >= rate_min ? 0 : 1;
}
