#include "ui/console.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "ui/console_report.h"
#include "ui/frame_costs.h"
#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/status_line.h"
#include "ui/supervisor_view.h"
#include "ui/widgets/age_badge.h"
#include "ui/widgets/pane_grid.h"
#include "ui/widgets/tile.h"
#include "ui/widgets/toast_stack.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t drain_budget_ns = 4 * ns_per_ms;
constexpr std::int64_t report_period_ns = 1'000 * ns_per_ms;
// Hover, then open, then lay out: ImGui needs a few frames after an event until nothing changes any more.
constexpr int settle_frames = 3;
constexpr float header_px = 28;
constexpr float toast_margin_px = 14;

constexpr std::array<std::string_view, 2> theme_names = {"dark", "light"};
static_assert(theme_names.size() == static_cast<std::size_t>(ThemeName::light) + 1);

/// None for a name of another program's.
std::optional<ThemeName> theme_named(std::string_view name) {
    const auto at = std::find(theme_names.begin(), theme_names.end(), name);
    if (at == theme_names.end()) return std::nullopt;
    return static_cast<ThemeName>(at - theme_names.begin());
}

MonoTime earlier(MonoTime a, MonoTime b) {
    if (a.ns == 0 || b.ns == 0) return a.ns == 0 ? b : a;
    return std::min(a, b);
}

using MakePanel = std::unique_ptr<Panel> (*)();
// The order of a fresh bench's panes, and of the menu.
constexpr std::array<MakePanel, 6> panel_makers = {make_overview_panel,  make_charts_panel,
                                                   make_logs_panel,      make_simulators_panel,
                                                   make_processes_panel, make_self_panel};
// A seventh pane shows the logs once more: two sources side by side is what people do with it.
constexpr std::array<std::size_t, 7> default_panels = {0, 1, 2, 3, 4, 5, 2};

/// One pane keeps each panel it has shown, with its filters and its place.
struct Pane {
    std::array<std::unique_ptr<Panel>, panel_makers.size()> panels;
    std::size_t shown = 0;

    Panel& panel() {
        if (!panels[shown]) panels[shown] = panel_makers[shown]();
        return *panels[shown];
    }
};

struct PanelName {
    std::string id, title, icon;
};

/// What the panels are called, asked of the panels themselves.
const std::vector<PanelName>& panel_names() {
    static const std::vector<PanelName> names = [] {
        std::vector<PanelName> all;
        for (const MakePanel make : panel_makers) {
            const auto panel = make();
            all.push_back(
                {std::string(panel->id()), std::string(panel->title()), std::string(panel->icon())});
        }
        return all;
    }();
    return names;
}

}  // namespace

struct Console::Impl {
    PaneGrid grid{*find_grid_preset("1x4")};
    std::vector<Pane> panes;
    FrameCosts frame_costs;
    FrameCosts whole_frame_costs;
    std::vector<PanelAge> ages;
    MonoTime last_report;
    MonoTime rates_wish;
    MonoTime panel_wish;  ///< The earliest that a shown panel asked for.
    ToastStack toasts;
    std::uint64_t settings_revision = 0;  ///< That was followed last.
    std::string kept_theme;               ///< What those settings said.
    int focus_wish = -1;
    int settle = settle_frames;
    bool news = true;
    bool quit = false;

    void set_grid(const GridPreset& preset) {
        grid.set_preset(preset);
        const auto count = static_cast<std::size_t>(grid.panes());
        while (panes.size() < count) {
            Pane pane;
            pane.shown = default_panels[panes.size() % default_panels.size()];
            panes.push_back(std::move(pane));
        }
    }
    void draw_pane(PanelContext& context, std::size_t index, ImVec2 min, ImVec2 size);
    void draw_header(PanelContext& context, Pane& pane, ImVec2 min, float width, float height);
    void draw_title_menu(PanelContext& context, Pane& pane, ImVec2 min, float height);
    void take_keys(ConsoleOptions& options);
    void show_panel(std::string_view id);
    void open_notice(BenchState& bench, const Notice& notice);
};

Console::Console(contract::LocalLink& link, data::WindowInbox& inbox, ConsoleOptions options)
    : options_(std::move(options)),
      bench_(std::make_unique<BenchState>(link, inbox)),
      impl_(std::make_unique<Impl>()) {
    const GridPreset* preset = find_grid_preset(options_.layout);
    if (preset == nullptr) {
        bench_->note("there is no layout " + options_.layout + "; this is 1x4", true);
        preset = find_grid_preset("1x4");
    }
    if (options_.panel.empty()) {
        impl_->set_grid(*preset);
        return;
    }
    impl_->set_grid(*find_grid_preset("1x1"));
    const auto& names = panel_names();
    const auto at =
        std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.id == options_.panel; });
    if (at == names.end()) {
        bench_->note("there is no panel " + options_.panel, true);
    } else {
        impl_->panes[0].shown = static_cast<std::size_t>(at - names.begin());
    }
}

Console::~Console() {
    if (!options_.report_path.empty()) write_report(options_.report_path, report());
}

bool Console::drain() {
    const bool changed = bench_->drain(drain_budget_ns);
    const MonoTime now = mono_now();
    // Rates that fall without news are news themselves.
    const bool rates_due = impl_->rates_wish.ns != 0 && impl_->rates_wish <= now;
    impl_->rates_wish = bench_->sample_rates(now);
    follow_settings();
    const bool told = take_notices(now);
    impl_->news = impl_->news || changed || rates_due || told;
    if (!options_.report_path.empty() && now.ns - impl_->last_report.ns >= report_period_ns) {
        impl_->last_report = now;
        write_report(options_.report_path, report());
    }
    return impl_->news;
}

// Once they are known, and whenever somebody has changed them, here or elsewhere.
void Console::follow_settings() {
    const SupervisorView& supervisor = bench_->supervisor();
    if (impl_->settings_revision == supervisor.settings_revision()) return;
    const bool first = impl_->settings_revision == 0;
    impl_->settings_revision = supervisor.settings_revision();
    const std::string kept = std::exchange(impl_->kept_theme, text_member_of(supervisor.settings(), "theme"));
    if ((first && options_.theme_given) || kept == impl_->kept_theme) return;
    if (const auto theme = theme_named(impl_->kept_theme)) options_.theme = *theme;
}

// The button's; what it chose is there the next time too.
void Console::change_theme() {
    options_.theme = options_.theme == ThemeName::dark ? ThemeName::light : ThemeName::dark;
    SupervisorView& supervisor = bench_->supervisor();
    if (supervisor.settings_revision() == 0) return;
    impl_->kept_theme = theme_names[static_cast<std::size_t>(options_.theme)];
    supervisor.change_settings({{"theme", impl_->kept_theme}}, {});
}

// True when there is another one to be seen.
bool Console::take_notices(MonoTime now) {
    const SupervisorView& supervisor = bench_->supervisor();
    const bool toasts = supervisor.setting("notificationsToastEnabled", true);
    const bool desktop = supervisor.setting("notificationsNativeEnabled", false);
    bool told = false;
    for (Notice& notice : bench_->news().take(now)) {
        if (desktop && options_.notify_desktop) options_.notify_desktop(notice);
        if (toasts) impl_->toasts.add(std::move(notice), now);
        told = told || toasts;
    }
    return told;
}

void Console::input() {
    impl_->settle = settle_frames;
}

bool Console::quit_wanted() const {
    return impl_->quit;
}

MonoTime Console::next_frame(MonoTime now) {
    if (wants_frame(now) || bench_->backlog()) return now;
    const MonoTime drawn = earlier(impl_->panel_wish, impl_->toasts.wants_frame());
    return earlier(earlier(impl_->rates_wish, bench_->news().due()), drawn);
}

bool Console::wants_frame(MonoTime now) const {
    const MonoTime wish = earlier(impl_->panel_wish, impl_->toasts.wants_frame());
    const bool due = wish.ns != 0 && wish <= now;
    return impl_->news || impl_->settle > 0 || due;
}

void Console::presented(MonoTime when, std::int64_t frame_cpu_ns, std::int64_t whole_frame_cpu_ns) {
    using Witness = BenchState::Witness;
    bench_->presented(when, options_.report_path.empty() ? Witness::none : Witness::rows);
    SelfView& self = bench_->self();
    if (++self.frames == 1) self.first_frame_process_cpu_ns = process_cpu_ns();
    self.frame_cpu_ms.push(when, static_cast<double>(frame_cpu_ns) / 1e6);
    impl_->frame_costs.add(frame_cpu_ns);
    if (whole_frame_cpu_ns > 0) impl_->whole_frame_costs.add(whole_frame_cpu_ns);
}

std::string Console::report() const {
    return report_text(*bench_, impl_->frame_costs, impl_->whole_frame_costs, impl_->ages);
}

void Console::Impl::take_keys(ConsoleOptions& options) {
    const ImGuiIO& io = ImGui::GetIO();
    if (ImGui::IsKeyPressed(ImGuiKey_F11, false)) options.fullscreen = !options.fullscreen;
    if (!io.KeyCtrl) return;
    if (ImGui::IsKeyPressed(ImGuiKey_Q, false)) quit = true;
    for (int i = 0; i < std::min(grid.panes(), 9); ++i) {
        if (ImGui::IsKeyPressed(static_cast<ImGuiKey>(ImGuiKey_1 + i), false)) focus_wish = i;
    }
}

void Console::draw(const Fonts& fonts, gfx::SeriesRenderer* series, MonoTime now) {
    impl_->news = false;
    // ImGui hands out a burst of input over several frames; what it still holds must not wait for the next
    // event.
    const bool more_input = ImGui::GetCurrentContext()->InputEventsQueue.Size > 0;
    impl_->settle = std::max(more_input ? 1 : 0, impl_->settle - 1);
    impl_->take_keys(options_);
    impl_->ages.clear();
    impl_->panel_wish = {};

    const float scale = options_.scale > 0 ? options_.scale : 1.0F;
    PanelContext context{*bench_, theme(options_.theme), fonts, scale, now, series, &options_.open_folder};
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    const float status_height = std::round(status_line_px * scale);
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(size);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {0, 0});
    constexpr ImGuiWindowFlags flags = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                       ImGuiWindowFlags_NoSavedSettings |
                                       ImGuiWindowFlags_NoBringToFrontOnFocus |
                                       ImGuiWindowFlags_NoScrollWithMouse | ImGuiWindowFlags_NoBackground;
    ImGui::Begin("console", nullptr, flags);
    ImGui::PopStyleVar();
    ImGui::PushFont(fonts.text);
    impl_->grid.draw({0, 0}, {size.x, size.y - status_height}, context.theme, scale,
                     [&](int index, ImVec2 min, ImVec2 pane) {
                         impl_->draw_pane(context, static_cast<std::size_t>(index), min, pane);
                     });
    const StatusLineAsks asks = draw_status_line(context, options_, impl_->grid.preset().id,
                                                 {0, size.y - status_height}, {size.x, status_height});
    ImGui::PopFont();
    ImGui::End();
    const float margin = std::round(toast_margin_px * scale);
    ImGui::PushFont(fonts.text);
    const auto opened = impl_->toasts.draw(context, {size.x - margin, size.y - status_height - margin});
    ImGui::PopFont();
    impl_->focus_wish = -1;
    if (opened) impl_->open_notice(*bench_, *opened);
    if (asks.toggle_theme) change_theme();
    if (!asks.layout.empty()) impl_->set_grid(*find_grid_preset(asks.layout));
}

/// Where it is shown already, else in the last pane.
void Console::Impl::show_panel(std::string_view id) {
    const auto& names = panel_names();
    const auto at = std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.id == id; });
    if (at == names.end()) return;
    const auto wanted = static_cast<std::size_t>(at - names.begin());
    const auto count = static_cast<std::size_t>(grid.panes());
    std::size_t pane = 0;
    while (pane < count && panes[pane].shown != wanted) ++pane;
    if (pane == count) panes[--pane].shown = wanted;
    focus_wish = static_cast<int>(pane);
}

void Console::Impl::open_notice(BenchState& bench, const Notice& notice) {
    if (!notice.script.empty()) {
        bench.wanted_script = notice.script;
        show_panel("processes");
    } else if (!notice.app.empty()) {
        bench.selected_app = notice.app;
        show_panel("simulators");
    }
    settle = settle_frames;
}

void Console::Impl::draw_pane(PanelContext& context, std::size_t index, ImVec2 min, ImVec2 size) {
    Pane& pane = panes[index];
    const float header = std::round(header_px * context.scale);
    ImGui::PushID(static_cast<int>(index));
    draw_header(context, pane, min, size.x, header);
    ImGui::SetCursorScreenPos({min.x, min.y + header});
    if (focus_wish == static_cast<int>(index)) ImGui::SetNextWindowFocus();
    // The panel's identity is part of the window's, so that each keeps its own scroll position.
    const std::string id = fmt::format("{}/{}", index, pane.panel().id());
    ImGui::BeginChild(id.c_str(), {size.x, std::max(1.0F, size.y - header)},
                      ImGuiChildFlags_AlwaysUseWindowPadding, ImGuiWindowFlags_None);
    pane.panel().draw(context);
    ImGui::EndChild();
    ImGui::PopID();
    const MonoTime wish = pane.panel().wants_frame(context);
    if (wish.ns != 0 && (panel_wish.ns == 0 || wish < panel_wish)) panel_wish = wish;
}

void Console::Impl::draw_header(PanelContext& context, Pane& pane, ImVec2 min, float width, float height) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 max{min.x + width, min.y + height};
    list.AddRectFilled(min, max, context.theme.panel_header);
    list.AddRectFilled({min.x, max.y - std::max(1.0F, std::floor(context.scale))}, max, context.theme.border);
    draw_title_menu(context, pane, min, height);
    const DataAge age = pane.panel().age(context);
    ages.push_back({std::string(pane.panel().id()), age});
    if (age_badge(age, context, max.x - 10 * context.scale, min.y, height)) pane.panel().jump_to_live();
}

void Console::Impl::draw_title_menu(PanelContext& context, Pane& pane, ImVec2 min, float height) {
    constexpr const char* icon_down = "\xef\x83\x97";
    const float s = context.scale;
    const PanelName& name = panel_names()[pane.shown];
    const std::string label = fmt::format("{}  {}  {}##title", name.icon, name.title, icon_down);
    ImGui::SetCursorScreenPos({min.x + 3 * s, min.y + 3 * s});
    ImGui::PushFont(context.fonts.bold);
    ImGui::PushStyleColor(ImGuiCol_Button, 0);
    if (ImGui::Button(label.c_str(), {0, height - 6 * s})) ImGui::OpenPopup("panels");
    note_rect(fmt::format("pane/{}/title", &pane - panes.data()));
    ImGui::PopStyleColor();
    ImGui::PopFont();
    if (!ImGui::BeginPopup("panels")) return;
    for (std::size_t i = 0; i < panel_names().size(); ++i) {
        const PanelName& choice = panel_names()[i];
        const std::string words = fmt::format("{}  {}", choice.icon, choice.title);
        if (ImGui::MenuItem(words.c_str(), nullptr, i == pane.shown)) pane.shown = i;
        note_rect(fmt::format("pane/{}/show/{}", &pane - panes.data(), choice.id));
    }
    ImGui::EndPopup();
}

}  // namespace labdeck::ui
