// provider.h - a process that hosts bench apps and speaks the contract on its stdin and stdout.
//
// What `labdeck provider` runs. stdout carries messages alone; the log goes to stderr, line by line:
// "2026-02-17T16:20:00.000Z INFO bridge: message key=value".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace labdeck::bench_apps {

struct ProviderOptions {
    std::vector<std::string> apps;      ///< Empty for all that there are: see provider_apps().
    std::string config_dir = "config";  ///< Relative to the workspace.
    std::string workspace = ".";        ///< Relative ports lie in it.
};

/// Ids of the apps that a provider can host.
const std::vector<std::string_view>& provider_apps();

/// Runs until stdin ends, or SIGTERM or SIGINT comes. Returns the exit code: 0, or 2 for an app that is not
/// known, said on stderr. Call it from main()'s thread, before there are others: it takes those signals for
/// the process.
int run_provider(const ProviderOptions& options);

}  // namespace labdeck::bench_apps
