// panel.h - one pane's content.
//
// A panel draws what it is handed and asks for things through BenchState::request(); it
// opens no file, no socket and takes no lock. One pair of files a panel, in panels/.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ui/bench_state.h"
#include "ui/theme.h"

namespace labdeck::gfx {
class SeriesRenderer;
}

namespace labdeck::ui {

/// How old what a panel shows is; drawn as a badge in the pane's header.
struct DataAge {
    enum class Kind : unsigned char {
        none,    ///< Nothing to be old: no data yet.
        live,    ///< All that was read is shown; age_ns is read-to-frame of the newest.
        behind,  ///< Newer data exists than what is shown; age_ns is how old the newest shown is.
        quiet,   ///< Live, and nothing came for age_ns.
    };
    Kind kind = Kind::none;
    std::int64_t age_ns = 0;
};

struct PanelContext {
    BenchState& bench;
    const Theme& theme;
    const Fonts& fonts;
    float scale = 1;
    MonoTime now;
    gfx::SeriesRenderer* series =
        nullptr;  ///< Null in tests without a renderer: charts then draw frames and text only.
    /// Shows a folder in the desktop's file manager; null or empty where there is no desktop. Does not wait.
    const std::function<void(const std::string& folder)>* open_folder = nullptr;
};

class Panel {
public:
    virtual ~Panel() = default;
    virtual std::string_view id() const = 0;  ///< "overview", as for --panel and ui.open.
    virtual std::string_view title() const = 0;
    virtual std::string_view icon() const = 0;  ///< A Font Awesome code point as UTF-8.
    /// Draws into the current ImGui child window.
    virtual void draw(PanelContext& context) = 0;
    virtual DataAge age(const PanelContext& context) const = 0;
    /// "Jump to live" of the age badge.
    virtual void jump_to_live() {}
    /// When the panel wants a frame although nothing comes in (a blink, a count-down); {0} never.
    virtual MonoTime wants_frame(const PanelContext&) const { return {}; }
};

std::unique_ptr<Panel> make_overview_panel();
std::unique_ptr<Panel> make_charts_panel();
std::unique_ptr<Panel> make_logs_panel();
std::unique_ptr<Panel> make_simulators_panel();
std::unique_ptr<Panel> make_processes_panel();
std::unique_ptr<Panel> make_self_panel();

}  // namespace labdeck::ui
