// console.h - the console's whole window content: grid of panes, status line, and when to draw.
//
// Knows ImGui, not GLFW or EGL: the frame loop (window.h), the off-screen picture (shot.h) and the
// tests drive the same Console.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contract/local_link.h"
#include "data/window_inbox.h"
#include "ui/bench_state.h"
#include "ui/notices.h"
#include "ui/panel.h"
#include "ui/theme.h"

namespace labdeck::ui {

struct ConsoleOptions {
    ThemeName theme = ThemeName::dark;
    bool theme_given = false;    ///< Then what the settings say of it at the start does not count.
    float scale = 0;             ///< 0: the monitor's.
    std::string layout = "1x4";  ///< Rows and panes in all, the contract's preset ids.
    std::string panel;           ///< Not empty: this panel alone.
    bool fullscreen = false;
    bool minimized = false;  ///< To begin with.
    std::string workspace_name;
    std::function<void(const std::string& folder)> open_folder = {};  ///< See PanelContext.
    /// Gets each notice for the desktop while the settings want them there (notificationsNativeEnabled).
    /// Called on the ui thread, also while the window is an icon; must not wait.
    std::function<void(const Notice& notice)> notify_desktop = {};
    std::string report_path;  ///< Not empty: frame statistics are written there as JSON on exit.
};

class Console {
public:
    Console(contract::LocalLink& link, data::WindowInbox& inbox, ConsoleOptions options);
    ~Console();

    BenchState& bench() { return *bench_; }
    ConsoleOptions& options() { return options_; }

    /// Takes news. True when a frame should be drawn for it.
    bool drain();
    /// The next time at which drain() or a frame is wanted without news; {0} for never. At or before `now`:
    /// at once.
    MonoTime next_frame(MonoTime now);
    /// The frame at which next_frame() aimed is due, or news came since the last one.
    bool wants_frame(MonoTime now) const;
    /// The user did something: draws this frame and a few more, in which ImGui settles.
    void input();
    /// Between ImGui::NewFrame() and ImGui::Render().
    void draw(const Fonts& fonts, gfx::SeriesRenderer* series, MonoTime now);
    /// After the picture is on the screen. `frame_cpu_ns`: window thread's CPU from NewFrame to Render;
    /// `whole_frame_cpu_ns` has the drawing with GL in it, 0 where it is not known.
    void presented(MonoTime when, std::int64_t frame_cpu_ns, std::int64_t whole_frame_cpu_ns = 0);
    /// Ctrl+Q, or the window's own way to leave.
    bool quit_wanted() const;

    /// p50, p99, max of frame CPU, frames, and each panel's shown age, as JSON text.
    std::string report() const;

private:
    struct Impl;
    bool take_notices(MonoTime now);
    void follow_settings();
    void change_theme();
    ConsoleOptions options_;
    std::unique_ptr<BenchState> bench_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::ui
