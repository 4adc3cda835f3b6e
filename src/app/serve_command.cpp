// serve and provider: the program without a window.
#include <fmt/format.h>

#include <cstdio>
#include <latch>

#include "app/bench_session.h"
#include "app/commands.h"
#include "app/restart.h"
#include "app/stop_signals.h"
#include "bench_apps/provider.h"

namespace labdeck::app {

int run_serve(const BenchArgs& args) {
    std::latch stopped(1);
    std::atomic<bool> told{false};
    const StopSignals signals([&] {
        if (!told.exchange(true)) stopped.count_down();
    });
    hub::HubOptions options;
    options.log_to_stderr = true;
    options.restart = [&] {
        ask_for_restart();
        if (!told.exchange(true)) stopped.count_down();
    };
    auto session = BenchSession::start(args, DemoHome::kept, options);
    if (!session) {
        std::fprintf(stderr, "labdeck: %s\n", session.error().message.c_str());
        return exit_error;
    }
    std::fprintf(stderr, "labdeck: serving %s\n", (*session)->hub().workspace().socket_path().c_str());
    stopped.wait();
    return exit_fine;
}

int run_provider_command(const ProviderArgs& args) {
    bench_apps::ProviderOptions options;
    options.config_dir = args.config;
    std::string rest = args.apps;
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        options.apps.push_back(rest.substr(0, comma));
        rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    }
    return bench_apps::run_provider(options);
}

}  // namespace labdeck::app
