// How much does a contract round trip cost over a bare pipe?
//
//   bare      a child that echoes each read over two pipes, 120 bytes each way
//   provider  `labdeck provider` over its stdin and stdout, one ping at a time
//
// usage: round_trip PATH-OF-LABDECK [ROUNDS]
// Prints the medians of alternating runs and their ratio; the limit is 2.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace {

using labdeck::mono_now;

struct Child {
    pid_t pid = -1;
    int to = -1;
    int from = -1;
};

Child start(const std::vector<std::string>& words) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::vector<char*> argv;
    for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    Child child;
    if (::posix_spawnp(&child.pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) {
        std::fprintf(stderr, "cannot start %s\n", argv[0]);
        std::exit(1);
    }
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    child.to = in[1];
    child.from = out[0];
    return child;
}

void end(const Child& child) {
    ::close(child.to);
    ::close(child.from);
    ::waitpid(child.pid, nullptr, 0);
}

/// One message out, one line back.
void round(const Child& child, std::string_view message) {
    if (::write(child.to, message.data(), message.size()) != static_cast<ssize_t>(message.size()))
        std::abort();
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = ::read(child.from, buffer.data(), buffer.size());
        if (n <= 0) std::abort();
        if (buffer[static_cast<std::size_t>(n) - 1] == '\n') return;
    }
}

struct Times {
    double p50_us = 0;
    double p99_us = 0;
};

Times measure(const Child& child, std::string_view message, int rounds) {
    for (int i = 0; i < rounds / 10; ++i) round(child, message);
    std::vector<std::int64_t> ns;
    ns.reserve(static_cast<std::size_t>(rounds));
    for (int i = 0; i < rounds; ++i) {
        const std::int64_t before = mono_now().ns;
        round(child, message);
        ns.push_back(mono_now().ns - before);
    }
    std::sort(ns.begin(), ns.end());
    return {static_cast<double>(ns[ns.size() / 2]) / 1e3,
            static_cast<double>(ns[ns.size() * 99 / 100]) / 1e3};
}

/// The bare side: this program again, echoing.
int echo() {
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t n = ::read(0, buffer.data(), buffer.size());
        if (n <= 0) return 0;
        if (::write(1, buffer.data(), static_cast<std::size_t>(n)) != n) return 1;
    }
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--echo") return echo();
    if (argc < 2) {
        std::fprintf(stderr, "usage: round_trip PATH-OF-LABDECK [ROUNDS]\n");
        return 2;
    }
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 20'000;
    std::string folder = (std::filesystem::temp_directory_path() / "labdeck-bench-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return 1;

    const Child bare = start({"/proc/self/exe", "--echo"});
    const Child provider = start({argv[1], "provider", "--apps", "plc-simulator", "--config", folder});
    std::string ping = R"({"id":1,"method":"ping","params":{},"padding":")";
    ping += std::string(120 - ping.size() - 3, 'x') + "\"}\n";

    std::vector<double> bare_p50, bare_p99, provider_p50, provider_p99, ratio;
    for (int run = 0; run < 7; ++run) {
        const Times b = measure(bare, ping, rounds);
        const Times p = measure(provider, ping, rounds);
        bare_p50.push_back(b.p50_us);
        bare_p99.push_back(b.p99_us);
        provider_p50.push_back(p.p50_us);
        provider_p99.push_back(p.p99_us);
        ratio.push_back(p.p50_us / b.p50_us);
    }
    end(bare);
    end(provider);
    std::filesystem::remove_all(folder);

    std::printf("bare pipe      p50 %7.1f us  p99 %7.1f us\n", median(bare_p50), median(bare_p99));
    std::printf("provider ping  p50 %7.1f us  p99 %7.1f us\n", median(provider_p50), median(provider_p99));
    std::printf("ratio of p50   %.2f  (limit 2)\n", median(ratio));
    return median(ratio) <= 2 ? 0 : 1;
}
