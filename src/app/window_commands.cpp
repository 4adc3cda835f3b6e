// console and shot: the bench and its window in one process.
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/bench_session.h"
#include "app/commands.h"
#include "app/desktop_notifier.h"
#include "app/restart.h"
#include "app/stop_signals.h"
#include "base/thread_role.h"
#include "contract/local_link.h"
#include "data/window_inbox.h"
#include "ui/console.h"
#include "ui/notices.h"
#include "ui/shot.h"
#include "ui/window.h"

namespace labdeck::app {

namespace {

int complain(const Error& error) {
    std::fprintf(stderr, "labdeck: %s\n", error.message.c_str());
    return exit_error;
}

ui::ConsoleOptions console_options(const ConsoleArgs& args) {
    ui::ConsoleOptions options;
    options.theme = args.theme == "light" ? ui::ThemeName::light : ui::ThemeName::dark;
    options.theme_given = !args.theme.empty();
    options.scale = static_cast<float>(args.scale);
    options.layout = args.layout;
    options.panel = args.panel;
    options.fullscreen = args.fullscreen;
    options.report_path = args.report;
    return options;
}

DesktopNotice desktop_notice(const ui::Notice& notice) {
    const bool bad = notice.level() == ui::Notice::Level::error;
    const bool warns = notice.level() == ui::Notice::Level::warning;
    DesktopNotice shown{{}, notice.title, notice.text, Urgency::low};
    if (bad || warns) shown.urgency = bad ? Urgency::critical : Urgency::normal;
    // What comes of one script or provider takes the place of what it came to before.
    if (notice.count == 1 && !notice.script.empty()) shown.key = "script " + notice.script;
    if (notice.count == 1 && !notice.app.empty()) shown.key = "app " + notice.app;
    return shown;
}

/// "1920x1080".
bool parse_size(const std::string& text, int& width, int& height) {
    const char* const end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, width);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != 'x') return false;
    const auto second = std::from_chars(first.ptr + 1, end, height);
    return second.ec == std::errc{} && second.ptr == end && width >= 320 && height >= 240 &&
           width <= 16'384 && height <= 16'384;
}

/// What lives between a window and its hub, in the order in which it must be taken down.
template <typename Run>
int with_bench(const ConsoleArgs& args, DemoHome home, std::function<void()> restart, Run run) {
    contract::LocalLink link;
    data::WindowInbox inbox([] { ui::wake_window(); });
    link.on_window_wake([] { ui::wake_window(); });
    hub::HubOptions options;
    options.link = &link;
    options.inbox = &inbox;
    options.restart = std::move(restart);
    auto session = BenchSession::start(args.bench, home, options);
    if (!session) return complain(session.error());
    ui::ConsoleOptions console = console_options(args);
    console.workspace_name = (*session)->hub().workspace().bench().name;
    // Whoever asks for the whole screen wants to see it.
    console.minimized = !console.fullscreen && (*session)->hub().settings().value("startMinimized", false);
    const Result<> done = run(link, inbox, std::move(console));
    return done ? exit_fine : complain(done.error());
}

}  // namespace

int run_console(const ConsoleArgs& args) {
    if (!args.attach.empty()) {
        return complain({Code::unsupported_method, "--attach is not available in this version", 0, {}});
    }
    ui_thread.bind();
    const StopSignals signals([] { ui::close_window(); });
    const auto restart = [] {
        ask_for_restart();
        ui::close_window();
    };
    DesktopNotifier desktop([](const std::string& why) {
        std::fprintf(stderr, "labdeck: no desktop notices: %s\n", why.c_str());
    });
    return with_bench(
        args, DemoHome::kept, restart, [&](auto& link, auto& inbox, ui::ConsoleOptions options) -> Result<> {
            options.notify_desktop = [&](const ui::Notice& notice) { desktop.show(desktop_notice(notice)); };
            ui::Console console(link, inbox, std::move(options));
            return ui::run_window(console);
        });
}

int run_shot(const ShotArgs& args) {
    ui::ShotRequest request;
    request.path = args.out;
    request.after_seconds = args.after_s;
    if (!parse_size(args.size, request.width, request.height)) {
        std::fprintf(stderr, "labdeck: --size wants WIDTHxHEIGHT, such as 1920x1080\n");
        return exit_usage;
    }
    ui_thread.bind();
    const StopSignals signals([] { ui::close_window(); });
    return with_bench(args.console, DemoHome::temporary, nullptr,
                      [&](auto& link, auto& inbox, ui::ConsoleOptions options) -> Result<> {
                          ui::Console console(link, inbox, std::move(options));
                          return ui::take_shot(console, request);
                      });
}

}  // namespace labdeck::app
