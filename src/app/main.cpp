// The command line: which subcommand, with which options.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/restart.h"
#include "io/byte_channel.h"
#include "ui/widgets/pane_grid.h"

namespace {

using namespace labdeck::app;

void add_bench_options(CLI::App& command, BenchArgs& args) {
    command.add_option("--workspace", args.workspace, "The bench's folder")->type_name("DIR");
    command.add_flag("--demo", args.demo, "The demo bench: two simulators and a bridge over virtual cables");
}

void add_console_options(CLI::App& command, ConsoleArgs& args) {
    add_bench_options(command, args.bench);
    std::vector<std::string> layouts;
    for (const auto& preset : labdeck::ui::grid_presets()) layouts.emplace_back(preset.id);
    command.add_option("--layout", args.layout, "Rows and panes in all")->check(CLI::IsMember(layouts));
    command.add_option("--theme", args.theme, "dark or light")->check(CLI::IsMember({"dark", "light"}));
    command.add_option("--scale", args.scale, "Size of everything; the monitor's by default")
        ->check(CLI::Range(0.5, 4.0));
    command.add_option("--panel", args.panel,
                       "Only this panel: overview charts logs simulators processes self");
}

void add_peer_options(CLI::App& command, PeerArgs& args) {
    command.add_option("--workspace", args.workspace, "The bench's folder")->type_name("DIR");
    command.add_option("--socket", args.socket, "A hub's socket")->type_name("PATH");
}

int run(std::span<char*> words) {
    // What follows "--" is somebody else's command line.
    std::vector<char*> own;
    std::vector<std::string> rest;
    bool after_dashes = false;
    for (char* word : words) {
        if (after_dashes) {
            rest.emplace_back(word);
        } else if (std::string_view(word) == "--") {
            after_dashes = true;
        } else {
            own.push_back(word);
        }
    }

    CLI::App app{"Labdeck, the console for the test bench"};
    app.set_version_flag("--version", LABDECK_VERSION);
    app.require_subcommand(0, 1);
    int code = exit_fine;

    ConsoleArgs console;
    const auto console_options = [&console](CLI::App& command) {
        add_console_options(command, console);
        command.add_option("--attach", console.attach, "Another process's hub, by its socket")
            ->type_name("SOCKET");
        command.add_flag("--fullscreen", console.fullscreen, "Fill the monitor");
        command.add_option("--report", console.report, "Write frame statistics to this file each second")
            ->type_name("FILE");
    };
    console_options(app);
    CLI::App* const console_command = app.add_subcommand("console", "The window (the default)");
    console_options(*console_command);

    BenchArgs serve;
    CLI::App* const serve_command = app.add_subcommand("serve", "The hub without a window, until SIGTERM");
    add_bench_options(*serve_command, serve);
    serve_command->callback([&] { code = run_serve(serve); });

    ProviderArgs provider;
    CLI::App* const provider_command =
        app.add_subcommand("provider", "Hosts apps, speaking the contract on stdio");
    provider_command->add_option("--apps", provider.apps, "Comma-separated; all by default")
        ->type_name("A,B");
    provider_command->add_option("--config", provider.config, "Folder of the apps' settings")
        ->type_name("DIR");
    provider_command->callback([&] { code = run_provider_command(provider); });

    CallArgs call;
    CLI::App* const call_command = app.add_subcommand("call", "One call: METHOD [JSON | key=value …]");
    call_command->add_flag("--list", call.list, "Print the methods");
    call_command->add_flag("--markdown", call.markdown, "With --list: as the documentation has it");
    add_peer_options(*call_command, call.peer);
    call_command->add_option("--timeout", call.timeout_s,
                             "Seconds to wait for the answer; as long as it takes by default, 30 after --");
    call_command->add_option("method", call.method, "As docs/contract.md has it")->type_name("METHOD");
    call_command->add_option("params", call.params, "One JSON object, or key=value words");
    call_command->callback([&] {
        call.peer.command = rest;
        code = run_call(call);
    });

    EventsArgs events;
    CLI::App* const events_command =
        app.add_subcommand("events", "Prints events as NDJSON until interrupted");
    add_peer_options(*events_command, events.peer);
    events_command->add_option("--count", events.count, "End after so many; 0 for never");
    events_command->add_option("topics", events.topics, "As docs/contract.md has them; all by default");
    events_command->callback([&] {
        events.peer.command = rest;
        code = run_events(events);
    });

    ConformArgs conform;
    CLI::App* const conform_command =
        app.add_subcommand("conform", "Checks a provider against the contract: conform -- CMD …; prints TAP");
    conform_command->add_option("--timeout", conform.timeout_s, "Seconds to wait for one answer")
        ->check(CLI::Range(0.1, 600.0));
    conform_command->add_option("--app", conform.app, "Only this app")->type_name("ID");
    conform_command
        ->add_option("--slow", conform.slow, "An action that outlasts its timeoutMs; wait by default")
        ->type_name("ACTION");
    conform_command->callback([&] {
        conform.command = rest;
        code = run_conform(conform);
    });

    ShotArgs shot;
    CLI::App* const shot_command =
        app.add_subcommand("shot", "Renders the console to a PNG, without a display");
    shot_command->add_option("out", shot.out, "The picture")->required()->type_name("OUT.png");
    add_console_options(*shot_command, shot.console);
    shot_command->add_option("--size", shot.size, "WIDTHxHEIGHT in pixels");
    shot_command->add_option("--after", shot.after_s, "Seconds that the bench runs before the picture")
        ->check(CLI::Range(0.0, 3600.0));
    shot_command->callback([&] { code = run_shot(shot); });

    try {
        app.parse(static_cast<int>(own.size()), own.data());
    } catch (const CLI::ParseError& error) {
        const int said = app.exit(error);
        return said == 0 ? exit_fine : exit_usage;
    }
    if (app.get_subcommands().empty() || console_command->parsed()) return run_console(console);
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    const RestartPoint restart_point(argv);
    labdeck::io::ignore_sigpipe();
    // A log at the limit on file sizes is told of, and no reason to end. Children have the signal again.
    std::signal(SIGXFSZ, SIG_IGN);
    const int code = run({argv, static_cast<std::size_t>(argc)});
    return restart_point.restart_if_asked(code);
}
