#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "ui/json_reading.h"
#include "ui/panel.h"
#include "ui/rects.h"
#include "ui/sections/app_section.h"
#include "ui/widgets/action_form.h"
#include "ui/widgets/config_tree.h"
#include "ui/widgets/job_table.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/status_facts.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t quiet_after_ns = 2 * second_ns;
// How often a page whose values no event tells of asks for them.
constexpr std::int64_t refresh_ns = second_ns / 2;
constexpr const char* start_action = "run_start";
constexpr const char* stop_action = "run_stop";

struct AppState {
    Mark mark = Mark::idle;
    std::string text;
};

AppState state_of(const AppView& app) {
    if (!app.provider_up) return {Mark::failed, "provider down"};
    if (app.status.is_null()) return {Mark::waiting, "no answer yet"};
    const auto error = app.status.find("error");
    if (error != app.status.end() && error->is_string() && !error->get_ref<const std::string&>().empty()) {
        return {Mark::warning, "error"};
    }
    const auto running = app.status.find("running");
    const bool runs = running != app.status.end() && running->is_boolean() && running->get<bool>();
    return runs ? AppState{Mark::running, "running"} : AppState{Mark::idle, "stopped"};
}

const std::string& title_of(const AppView& app) {
    return app.title.empty() ? app.id : app.title;
}

/// What the panel keeps for one app between frames.
struct AppPane {
    explicit AppPane(const std::string& app) : config(app) {
        live.push_back(make_run_section());
        live.push_back(make_radio_section());
        live.push_back(make_registers_section());
        faults = make_faults_section();
    }

    Json actions;  ///< That the forms were made from.
    std::vector<ActionForm> forms;
    bool can_start = true;
    bool can_stop = true;
    MonoTime status_time;
    std::int64_t status_age_ns = 0;  ///< How old the status was when it was first shown.
    std::vector<Fact> facts;
    JobTable jobs;
    ConfigTree config;
    std::vector<std::unique_ptr<AppSection>> live;  ///< Beside the status.
    std::unique_ptr<AppSection> faults;
};

class SimulatorsPanel final : public Panel {
public:
    std::string_view id() const override { return "simulators"; }
    std::string_view title() const override { return "Simulators"; }
    std::string_view icon() const override { return "\xEF\x8B\x9B"; }
    void draw(PanelContext& context) override;
    DataAge age(const PanelContext& context) const override;
    MonoTime wants_frame(const PanelContext& context) const override;

private:
    static AppView* picked(BenchState& bench);
    AppPane& pane_of(PanelContext& context, const AppView& app);
    void draw_list(PanelContext& context);
    void draw_combo(PanelContext& context, const AppView& app);
    void draw_app(PanelContext& context, AppView& app);
    void draw_header(PanelContext& context, const AppView& app, const AppPane& pane);
    void draw_big_button(PanelContext& context, const AppView& app, const char* action, const char* label,
                         ImU32 colour);
    void draw_banner(PanelContext& context, const AppView& app);
    void draw_section(PanelContext& context, const AppView& app, AppSection& section);
    void keep_fresh(PanelContext& context, AppView& app, const AppPane& pane);
    void draw_status(PanelContext& context, const AppView& app, AppPane& pane);
    void draw_actions(PanelContext& context, const AppView& app, AppPane& pane);
    void draw_section_jobs(PanelContext& context, const AppView& app, AppPane& pane);
    void draw_section_config(PanelContext& context, const AppView& app, AppPane& pane);
    std::string rect_of(const AppView& app) const { return "simulators/" + app.id; }

    std::map<std::string, AppPane, std::less<>> panes_;
    MonoTime next_refresh_;  ///< {0}: what is seen does not change by itself.
};

AppView* SimulatorsPanel::picked(BenchState& bench) {
    if (AppView* const app = bench.app(bench.selected_app)) return app;
    return bench.apps().empty() ? nullptr : bench.apps().front().get();
}

AppPane& SimulatorsPanel::pane_of(PanelContext& context, const AppView& app) {
    AppPane& pane = panes_.try_emplace(app.id, app.id).first->second;
    if (pane.actions != app.actions) {
        pane.actions = app.actions;
        pane.forms.clear();
        pane.can_start = pane.can_stop = !app.actions.is_array() || app.actions.empty();
        for (const Json& action : pane.actions) {
            if (!action.is_object()) continue;
            ActionForm form(action);
            if (form.name() == start_action) pane.can_start = true;
            if (form.name() == stop_action) pane.can_stop = true;
            const bool big =
                (form.name() == start_action || form.name() == stop_action) && !form.has_fields();
            // Faults have their switches.
            const bool switched = form.name() == "inject_fault" && pane.faults->there(app);
            if (!big && !switched) pane.forms.push_back(std::move(form));
        }
    }
    if (pane.status_time != app.status_time) {
        pane.status_time = app.status_time;
        pane.status_age_ns = std::max<std::int64_t>(0, context.now.ns - app.status_time.ns);
        std::vector<std::string_view> elsewhere = {"interfaceName", "interfaceVersion", "appId",
                                                   "appTitle",      "running",          "error"};
        const auto leave_out = [&](const AppSection& section) {
            if (section.there(app))
                elsewhere.insert(elsewhere.end(), section.keys().begin(), section.keys().end());
        };
        for (const auto& section : pane.live) leave_out(*section);
        leave_out(*pane.faults);
        pane.facts = facts_of(app.status, elsewhere);
    }
    return pane;
}

void SimulatorsPanel::draw(PanelContext& context) {
    AppView* const app = picked(context.bench);
    if (app == nullptr) {
        ImGui::Dummy({0, ImGui::GetContentRegionAvail().y * 0.35F});
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        ImGui::TextWrapped("%s",
                           context.bench.apps_known()
                               ? "No apps. The workspace's labdeck.json names the providers that bring them."
                               : "Asking which apps there are...");
        ImGui::PopStyleColor();
        return;
    }
    const float width = ImGui::GetContentRegionAvail().x;
    const bool wide = width >= 620 * context.scale;
    if (wide) {
        ImGui::BeginChild("list", {std::clamp(width * 0.24F, 170 * context.scale, 300 * context.scale), 0});
        draw_list(context);
        ImGui::EndChild();
        ImGui::SameLine();
    } else {
        draw_combo(context, *app);
    }
    ImGui::BeginChild("app", {0, 0});
    ImGui::PushID(app->id.c_str());
    draw_app(context, *app);
    ImGui::PopID();
    ImGui::EndChild();
}

void SimulatorsPanel::draw_list(PanelContext& context) {
    const AppView* const now = picked(context.bench);
    const float height = 2 * ImGui::GetTextLineHeight() + 10 * context.scale;
    for (const auto& app : context.bench.apps()) {
        ImGui::PushID(app->id.c_str());
        const ImVec2 at = ImGui::GetCursorPos();
        if (ImGui::Selectable("##app", app.get() == now, 0, {0, height}))
            context.bench.selected_app = app->id;
        note_rect("simulators/list/" + app->id);
        ImGui::SetItemTooltip("%s (%s)\nprovider %s", title_of(*app).c_str(), app->id.c_str(),
                              app->provider.c_str());
        const ImVec2 after = ImGui::GetCursorPos();
        ImGui::SetCursorPos({at.x + 6 * context.scale, at.y + 4 * context.scale});
        const AppState state = state_of(*app);
        draw_mark(context, state.mark);
        ImGui::BeginGroup();
        ImGui::TextUnformatted(title_of(*app).c_str());
        ImGui::PushStyleColor(ImGuiCol_Text, state.mark == Mark::idle
                                                 ? context.theme.text_dim
                                                 : mark_colour(context.theme, state.mark));
        ImGui::TextUnformatted(state.text.c_str());
        ImGui::PopStyleColor();
        ImGui::EndGroup();
        ImGui::SetCursorPos(after);
        ImGui::PopID();
    }
    // ImGui takes the window's extent from items, and the last move of the cursor was none.
    ImGui::Dummy({0, 0});
}

void SimulatorsPanel::draw_combo(PanelContext& context, const AppView& app) {
    ImGui::SetNextItemWidth(-FLT_MIN);
    const std::string shown = fmt::format("{}   {}", title_of(app), state_of(app).text);
    const bool open = ImGui::BeginCombo("##apps", shown.c_str(), ImGuiComboFlags_HeightLarge);
    if (!open) note_rect("simulators/list");
    if (!open) return;
    for (const auto& each : context.bench.apps()) {
        const AppState state = state_of(*each);
        draw_mark(context, state.mark);
        const std::string label = fmt::format("{}   {}##{}", title_of(*each), state.text, each->id);
        if (ImGui::Selectable(label.c_str(), each.get() == &app)) context.bench.selected_app = each->id;
    }
    ImGui::EndCombo();
}

void SimulatorsPanel::draw_app(PanelContext& context, AppView& app) {
    AppPane& pane = pane_of(context, app);
    draw_header(context, app, pane);
    draw_banner(context, app);
    keep_fresh(context, app, pane);
    const bool two = ImGui::GetContentRegionAvail().x >= 860 * context.scale;
    if (!two) {
        for (const auto& section : pane.live) draw_section(context, app, *section);
        draw_section(context, app, *pane.faults);
        draw_actions(context, app, pane);
        draw_section_jobs(context, app, pane);
        draw_status(context, app, pane);
        draw_section_config(context, app, pane);
        return;
    }
    if (!ImGui::BeginTable("columns", 2, ImGuiTableFlags_SizingStretchSame)) return;
    ImGui::TableNextColumn();
    draw_actions(context, app, pane);
    draw_section(context, app, *pane.faults);
    draw_section_config(context, app, pane);
    ImGui::TableNextColumn();
    for (const auto& section : pane.live) draw_section(context, app, *section);
    draw_section_jobs(context, app, pane);
    draw_status(context, app, pane);
    ImGui::EndTable();
}

void SimulatorsPanel::draw_section(PanelContext& context, const AppView& app, AppSection& section) {
    if (!section.there(app)) return;
    if (!ImGui::CollapsingHeader(section.title(), ImGuiTreeNodeFlags_DefaultOpen)) return;
    ImGui::PushID(section.title());
    // Old values are dimmed as a whole, so that nobody takes them for live ones.
    if (!app.provider_up) ImGui::PushStyleVar(ImGuiStyleVar_Alpha, ImGui::GetStyle().Alpha * 0.6F);
    section.draw(context, app, rect_of(app));
    if (!app.provider_up) ImGui::PopStyleVar();
    ImGui::PopID();
}

void SimulatorsPanel::keep_fresh(PanelContext& context, AppView& app, const AppPane& pane) {
    const auto moves = [&](const AppSection& section) { return section.live() && section.there(app); };
    const Json& running = member_of(app.status, "running");
    const bool runs = running.is_boolean() && running.get<bool>();
    const bool any = moves(*pane.faults) || std::any_of(pane.live.begin(), pane.live.end(),
                                                        [&](const auto& section) { return moves(*section); });
    next_refresh_ = runs && any ? context.bench.keep_fresh(app, context.now, refresh_ns) : MonoTime{};
}

void SimulatorsPanel::draw_header(PanelContext& context, const AppView& app, const AppPane& pane) {
    if (context.fonts.bold != nullptr) ImGui::PushFont(context.fonts.bold);
    ImGui::TextWrapped("%s", title_of(app).c_str());
    if (context.fonts.bold != nullptr) ImGui::PopFont();
    const AppState state = state_of(app);
    draw_mark(context, state.mark);
    ImGui::PushStyleColor(ImGuiCol_Text, mark_colour(context.theme, state.mark));
    ImGui::TextUnformatted(state.text.c_str());
    ImGui::PopStyleColor();
    ImGui::SameLine();
    ImGui::TextDisabled("%s", app.id.c_str());

    // Stop is never dimmed: a status may be old, and stopping twice does no harm.
    ImGui::BeginDisabled(state.mark == Mark::running);
    if (pane.can_start)
        draw_big_button(context, app, start_action, "\xEF\x81\x8B  Start", context.theme.good);
    ImGui::EndDisabled();
    if (pane.can_start && pane.can_stop) ImGui::SameLine();
    if (pane.can_stop) draw_big_button(context, app, stop_action, "\xEF\x81\x8D  Stop", context.theme.bad);
    const auto error = app.status.is_object() ? app.status.find("error") : app.status.end();
    if (state.mark != Mark::warning || error == app.status.end()) return;
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::TextWrapped("%s", error->get_ref<const std::string&>().c_str());
    ImGui::PopStyleColor();
}

void SimulatorsPanel::draw_big_button(PanelContext& context, const AppView& app, const char* action,
                                      const char* label, ImU32 colour) {
    ImGui::PushStyleColor(ImGuiCol_Button, with_alpha(colour, 0.2F));
    ImGui::PushStyleColor(ImGuiCol_ButtonHovered, with_alpha(colour, 0.35F));
    ImGui::PushStyleColor(ImGuiCol_ButtonActive, with_alpha(colour, 0.55F));
    ImGui::PushStyleColor(ImGuiCol_Border, with_alpha(colour, 0.8F));
    ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, std::max(1.0F, context.scale));
    ImGui::PushID(action);
    if (ImGui::Button(label, {130 * context.scale, 36 * context.scale}))
        context.bench.invoke(app.id, action, Json::object());
    ImGui::PopID();
    ImGui::PopStyleVar();
    ImGui::PopStyleColor(4);
    note_rect(rect_of(app) + "/" + action);
}

void SimulatorsPanel::draw_banner(PanelContext& context, const AppView& app) {
    if (app.banner.empty()) return;
    const auto since = [&](MonoTime then) {
        return age_text(std::max<std::int64_t>(0, context.now.ns - then.ns));
    };
    std::string text = fmt::format("since {}: {}", since(app.banner_since), app.banner);
    if (!app.status.is_null())
        text += fmt::format("\nBelow is what the app said last, {} ago.", since(app.status_time));
    const float pad = 6 * context.scale;
    const float width = ImGui::GetContentRegionAvail().x;
    const ImVec2 size = ImGui::CalcTextSize(text.c_str(), nullptr, false, width - 3 * pad);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 end(at.x + width, at.y + size.y + 2 * pad);
    ImDrawList* const list = ImGui::GetWindowDrawList();
    list->AddRectFilled(at, end, with_alpha(context.theme.bad, 0.2F), 3 * context.scale);
    list->AddRectFilled(at, {at.x + 4 * context.scale, end.y}, context.theme.bad);
    list->AddText(ImGui::GetFont(), ImGui::GetFontSize(), {at.x + 2 * pad, at.y + pad}, context.theme.text,
                  text.c_str(), nullptr, width - 3 * pad);
    ImGui::Dummy({width, end.y - at.y});
    note_rect(rect_of(app) + "/banner");
}

void SimulatorsPanel::draw_status(PanelContext& context, const AppView& app, AppPane& pane) {
    if (!ImGui::CollapsingHeader("Status", ImGuiTreeNodeFlags_DefaultOpen)) return;
    if (app.status.is_null()) {
        ImGui::TextDisabled("No status yet.");
        return;
    }
    // Old facts are dimmed as a whole, so that nobody takes them for live ones.
    if (!app.provider_up) ImGui::PushStyleVar(ImGuiStyleVar_Alpha, ImGui::GetStyle().Alpha * 0.6F);
    draw_facts(context, pane.facts);
    if (!app.provider_up) ImGui::PopStyleVar();
    note_rect(rect_of(app) + "/status");
}

void SimulatorsPanel::draw_actions(PanelContext& context, const AppView& app, AppPane& pane) {
    if (!ImGui::CollapsingHeader("Actions", ImGuiTreeNodeFlags_DefaultOpen)) return;
    if (pane.forms.empty()) ImGui::TextDisabled("No further actions.");
    for (ActionForm& form : pane.forms) {
        ImGui::PushID(form.name().c_str());
        const std::string rect = rect_of(app) + "/" + form.name();
        // What is wrong is not left behind a closed node.
        if (form.take_refusal(app)) ImGui::SetNextItemOpen(true);
        const bool open =
            ImGui::TreeNodeEx("##form", ImGuiTreeNodeFlags_SpanAvailWidth, "%s", form.label().c_str());
        note_rect(rect);
        if (open) {
            if (const auto args = form.draw(context, rect)) context.bench.invoke(app.id, form.name(), *args);
            ImGui::TreePop();
        }
        ImGui::PopID();
    }
}

void SimulatorsPanel::draw_section_jobs(PanelContext& context, const AppView& app, AppPane& pane) {
    const std::string title = fmt::format("Jobs ({})###jobs", app.jobs.size());
    if (ImGui::CollapsingHeader(title.c_str(), ImGuiTreeNodeFlags_DefaultOpen))
        pane.jobs.draw(context, app, rect_of(app));
}

void SimulatorsPanel::draw_section_config(PanelContext& context, const AppView& app, AppPane& pane) {
    if (!ImGui::CollapsingHeader("Configuration", ImGuiTreeNodeFlags_DefaultOpen)) return;
    if (app.config.is_null()) {
        ImGui::TextDisabled("Not read yet.");
        return;
    }
    pane.config.draw(context, app.config, rect_of(app) + "/config");
    // No event tells of an edit by hand.
    if (ImGui::SmallButton("Read again")) context.bench.refresh_app(app.id);
    note_rect(rect_of(app) + "/config/read");
}

DataAge SimulatorsPanel::age(const PanelContext& context) const {
    const AppView* const app = picked(context.bench);
    if (app == nullptr || app->status.is_null()) return {};
    const std::int64_t since_ns = std::max<std::int64_t>(0, context.now.ns - app->status_time.ns);
    if (!app->provider_up) return {DataAge::Kind::behind, since_ns};
    if (since_ns > quiet_after_ns) return {DataAge::Kind::quiet, since_ns};
    const auto pane = panes_.find(app->id);
    return {DataAge::Kind::live, pane == panes_.end() ? 0 : pane->second.status_age_ns};
}

MonoTime SimulatorsPanel::wants_frame(const PanelContext& context) const {
    const AppView* const app = picked(context.bench);
    // The seconds of a banner and of a running job count up on screen.
    const bool counts = app != nullptr && (!app->banner.empty() || JobTable::any_running(*app));
    if (!counts) return app == nullptr ? MonoTime{} : next_refresh_;
    const MonoTime next{context.now.ns + second_ns};
    return next_refresh_.ns != 0 ? std::min(next, next_refresh_) : next;
}

}  // namespace

std::unique_ptr<Panel> make_simulators_panel() {
    return std::make_unique<SimulatorsPanel>();
}

}  // namespace labdeck::ui
