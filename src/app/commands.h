// commands.h - the subcommands of the command line.
//
// Each returns the process's exit code: 0 fine, 1 the contract answered an error (or the command
// failed, said on stderr), 2 usage, 3 nobody to talk to.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace labdeck::app {

inline constexpr int exit_fine = 0;
inline constexpr int exit_error = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_nobody = 3;

struct BenchArgs {
    std::string workspace;  ///< Empty: default_workspace().
    bool demo = false;
};

struct ConsoleArgs {
    BenchArgs bench;
    std::string attach;
    std::string layout = "1x4";
    std::string panel;
    std::string theme;   ///< "dark" or "light"; empty: what the settings say.
    std::string report;  ///< Frame statistics go there, each second and at the end.
    double scale = 0;
    bool fullscreen = false;
};
int run_console(const ConsoleArgs& args);

struct ShotArgs {
    ConsoleArgs console;
    std::string out;
    std::string size = "1920x1080";
    double after_s = 3;
};
int run_shot(const ShotArgs& args);

int run_serve(const BenchArgs& args);

/// Where a call goes: a provider's command, else a socket, else the workspace's socket.
struct PeerArgs {
    std::string workspace;
    std::string socket;
    std::vector<std::string> command;
};

struct CallArgs {
    PeerArgs peer;
    bool list = false;
    bool markdown = false;  ///< With list: as docs/contract.md has it.
    std::string method;
    std::vector<std::string> params;  ///< One JSON object, or key=value words.
    std::optional<double> timeout_s;  ///< Not given: as long as it takes, and 30 for a program of our own.
};
int run_call(const CallArgs& args);

struct EventsArgs {
    PeerArgs peer;
    std::vector<std::string> topics;
    long count = 0;  ///< 0: until interrupted.
};
int run_events(const EventsArgs& args);

struct ConformArgs {
    std::vector<std::string> command;
    std::string app;       ///< Empty: all that the provider hosts.
    std::string slow;      ///< An action that outlasts its timeoutMs.
    double timeout_s = 5;  ///< For one answer.
};
int run_conform(const ConformArgs& args);

struct ProviderArgs {
    std::string apps;
    std::string config = "config";
};
int run_provider_command(const ProviderArgs& args);

}  // namespace labdeck::app
