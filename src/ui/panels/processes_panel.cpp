#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "ui/json_reading.h"
#include "ui/panel.h"
#include "ui/rects.h"
#include "ui/supervisor_view.h"
#include "ui/widgets/data_exchange.h"
#include "ui/widgets/filter_box.h"
#include "ui/widgets/process_tree.h"
#include "ui/widgets/profile_form.h"
#include "ui/widgets/script_facts.h"
#include "ui/widgets/script_form.h"
#include "ui/widgets/script_rows.h"
#include "ui/widgets/script_table.h"
#include "ui/widgets/settings_form.h"
#include "ui/widgets/source_log.h"

namespace labdeck::ui {

namespace {

// A little more than the sampler's second: its batch normally comes first and takes the seconds with it.
constexpr std::int64_t count_ns = 1'200'000'000;
constexpr std::int64_t quiet_after_ns = 2'000'000'000;
constexpr float table_share_least = 0.2F;
constexpr const char* add_icon = "\xef\x81\xa7";
constexpr const char* file_icon = "\xef\x83\xac";
constexpr const char* profiles_icon = "\xef\x83\x8b";
constexpr const char* settings_icon = "\xef\x80\x93";

struct Command {
    const char* icon;
    const char* label;
    const char* method;
    const char* help;
};
constexpr Command commands[] = {
    {"\xef\x81\x8b", "Start", "process.start", "Starts what is selected. What runs goes on."},
    {"\xef\x81\x8d", "Stop", "process.stop",
     "Stops what is selected and all that it started: a signal first, then a grace. No restart follows."},
    {"\xef\x80\xa1", "Restart", "process.restart", "Stops what is selected and starts it again."},
    {"\xef\x83\xa7", "Kill tree", "process.killTree",
     "Ends what is selected and all that it started at once, without a grace."},
};

class ProcessesPanel final : public Panel {
public:
    std::string_view id() const override { return "processes"; }
    std::string_view title() const override { return "Processes"; }
    std::string_view icon() const override { return "\xef\x82\x85"; }
    void draw(PanelContext& context) override;
    DataAge age(const PanelContext& context) const override;
    void jump_to_live() override { log_.follow(); }
    MonoTime wants_frame(const PanelContext& context) const override {
        const MonoTime tree = tree_.wants_frame();
        if (!table_.counts()) return tree;
        const MonoTime count{context.now.ns + count_ns};
        return tree.ns == 0 ? count : std::min(tree, count);
    }

private:
    void draw_missing(PanelContext& context);
    void draw_empty(PanelContext& context);
    void draw_toolbar(PanelContext& context);
    void draw_commands(PanelContext& context);
    void draw_body(PanelContext& context);
    void draw_splitter(PanelContext& context, ImVec2 room, bool beside);
    void draw_details(PanelContext& context);
    void draw_log(PanelContext& context);
    void obey(PanelContext& context, const ScriptTableAsks& asks);
    void reveal(PanelContext& context);
    void edit(const Json& definition);
    void draw_form(PanelContext& context);
    void draw_removal(PanelContext& context);
    void draw_profiles(PanelContext& context);
    void draw_profile_form(PanelContext& context);
    void draw_profile_removal(PanelContext& context);
    void draw_exchange(PanelContext& context);
    void open_settings(PanelContext& context);
    void draw_settings(PanelContext& context);

    ScriptRows rows_;
    ScriptTable table_{"processes"};
    FilterBox filter_;
    SourceLog log_{"processes/log"};
    ProcessTree tree_{"processes/tree"};
    std::optional<ScriptForm> form_;
    std::optional<Json> next_edit_;  ///< What is edited once the form is left.
    std::optional<ProfileForm> profile_form_;
    std::string profile_removal_;  ///< Id of the profile that is asked about.
    std::optional<SettingsForm> settings_;
    std::optional<std::uint64_t> settings_asked_;  ///< The revision that was known when they were asked for.
    std::optional<DataExchange> exchange_;
    std::vector<std::string> removal_;  ///< Ids of the scripts that are asked about.
    float table_share_ = 0.58F;
};

void draw_lines(PanelContext& context, const char* heading, std::initializer_list<const char*> lines) {
    const float width = ImGui::GetContentRegionAvail().x;
    const auto line = [&](const char* text, ImU32 colour) {
        const float text_width = ImGui::CalcTextSize(text, nullptr, false, width).x;
        ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, (width - text_width) / 2));
        ImGui::PushStyleColor(ImGuiCol_Text, colour);
        ImGui::TextWrapped("%s", text);
        ImGui::PopStyleColor();
    };
    ImGui::Dummy({1, std::max(0.0F, ImGui::GetContentRegionAvail().y * 0.4F - 70 * context.scale)});
    if (context.fonts.bold != nullptr) ImGui::PushFont(context.fonts.bold);
    line(heading, context.theme.text);
    if (context.fonts.bold != nullptr) ImGui::PopFont();
    ImGui::Spacing();
    for (const char* text : lines) line(text, context.theme.text_dim);
    ImGui::Spacing();
}

void ProcessesPanel::draw(PanelContext& context) {
    const SupervisorView& supervisor = context.bench.supervisor();
    reveal(context);
    rows_.update(supervisor, filter_.matcher());
    tree_.rest();
    if (supervisor.service() != SupervisorView::Service::there) {
        draw_missing(context);
    } else if (supervisor.scripts().empty() && supervisor.profiles().empty()) {
        draw_empty(context);
    } else {
        draw_toolbar(context);
        draw_body(context);
    }
    draw_form(context);
    draw_removal(context);
    draw_profile_form(context);
    draw_profile_removal(context);
    draw_exchange(context);
    draw_settings(context);
}

// Takes what a click elsewhere wants shown, as soon as it is known.
void ProcessesPanel::reveal(PanelContext& context) {
    const SupervisorView& supervisor = context.bench.supervisor();
    const std::string wanted = context.bench.wanted_script;
    if (wanted.empty() || supervisor.service() == SupervisorView::Service::asked) return;
    context.bench.wanted_script.clear();
    if (supervisor.script(wanted) == nullptr) return;
    if (!rows_.reveal(wanted, supervisor, filter_.matcher())) {
        filter_.clear();
        rows_.reveal(wanted, supervisor, filter_.matcher());
    }
    table_.show_focus();
}

void ProcessesPanel::draw_missing(PanelContext& context) {
    SupervisorView& supervisor = context.bench.supervisor();
    if (supervisor.service() == SupervisorView::Service::asked)
        return draw_lines(context, "Asking which scripts there are...", {});
    const std::string trouble = supervisor.trouble();
    if (trouble.empty()) {
        draw_lines(context, "No supervisor here",
                   {"The hub that this window talks to keeps no scripts: it is older than this window.",
                    "Start it anew with this version to have scripts started, watched and restarted."});
    } else {
        draw_lines(context, "The supervisor does not answer", {trouble.c_str()});
    }
    const float width = 110 * context.scale;
    ImGui::SetCursorPosX((ImGui::GetWindowWidth() - width) / 2);
    if (ImGui::Button("Ask again", {width, 0})) supervisor.ask_scripts();
    note_rect("processes/ask");
}

void ProcessesPanel::draw_empty(PanelContext& context) {
    draw_lines(context, "No scripts yet",
               {"A script is a command that the bench keeps: it is started with a click or with the bench,",
                "watched, restarted when it fails, and stopped with all that it started.",
                "Its output, load and health are shown here."});
    const float gap = ImGui::GetStyle().ItemSpacing.x;
    const float room = ImGui::GetContentRegionAvail().x;
    const float width = std::min(150 * context.scale, (room - 2 * gap) / 3);
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, (room - 3 * width - 2 * gap) / 2));
    if (ImGui::Button(fmt::format("{}  Add a script", add_icon).c_str(), {width, 0})) edit(Json());
    note_rect("processes/add");
    ImGui::SameLine();
    if (ImGui::Button(fmt::format("{}  Import...", file_icon).c_str(), {width, 0})) exchange_.emplace();
    note_rect("processes/exchange");
    ImGui::SameLine();
    if (ImGui::Button(fmt::format("{}  Settings...", settings_icon).c_str(), {width, 0}))
        open_settings(context);
    note_rect("processes/settings");
}

void ProcessesPanel::draw_toolbar(PanelContext& context) {
    draw_commands(context);
    const ImGuiStyle& style = ImGui::GetStyle();
    ImGui::SameLine();
    if (ImGui::Button(fmt::format("{}  Add", add_icon).c_str())) edit(Json());
    ImGui::SetItemTooltip("Add a script");
    note_rect("processes/add");
    ImGui::SameLine(0, style.ItemInnerSpacing.x);
    draw_profiles(context);
    ImGui::SameLine(0, style.ItemInnerSpacing.x);
    if (ImGui::Button(file_icon)) exchange_.emplace();
    ImGui::SetItemTooltip("Export all of it to a file, or import one");
    note_rect("processes/exchange");
    ImGui::SameLine(0, style.ItemInnerSpacing.x);
    if (ImGui::Button(settings_icon)) open_settings(context);
    ImGui::SetItemTooltip("Settings: theme, notifications, folder of logs");
    note_rect("processes/settings");
    ImGui::SameLine();
    const float least = 180 * context.scale;
    if (ImGui::GetContentRegionAvail().x < least) ImGui::NewLine();
    const float box = std::min(ImGui::GetContentRegionAvail().x, 360 * context.scale);
    filter_.draw(context, id(), box);
    if (filter_.error().empty()) return;
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::TextWrapped("Not a valid expression, %s", filter_.error().c_str());
    ImGui::PopStyleColor();
    ImGui::Dummy({0, style.ItemSpacing.y});
}

void ProcessesPanel::draw_profiles(PanelContext& context) {
    if (ImGui::Button(profiles_icon)) ImGui::OpenPopup("profiles");
    ImGui::SetItemTooltip("Profiles: scripts that start and stop as one");
    note_rect("processes/profiles");
    if (!ImGui::BeginPopup("profiles")) return;
    const std::vector<std::string> selection = rows_.selection();
    const std::string add = selection.empty()
                                ? std::string("New profile...")
                                : fmt::format("New profile of the {} selected...", selection.size());
    if (ImGui::MenuItem(add.c_str())) profile_form_.emplace(Json(), selection);
    note_rect("processes/profiles/add");
    const std::vector<ProfileView>& profiles = context.bench.supervisor().profiles();
    if (!profiles.empty()) ImGui::Separator();
    for (const ProfileView& profile : profiles) {
        const std::string label = fmt::format("Edit {}...###{}", profile.name, profile.id);
        if (ImGui::MenuItem(label.c_str())) profile_form_.emplace(profile.definition);
        note_rect(fmt::format("processes/profiles/{}", profile.id));
    }
    ImGui::EndPopup();
}

void ProcessesPanel::draw_commands(PanelContext& context) {
    const std::size_t count = rows_.selected_count();
    // Words where there is room for them, else the sign alone.
    const bool words = ImGui::GetContentRegionAvail().x >= 760 * context.scale;
    const float gap = ImGui::GetStyle().ItemInnerSpacing.x;
    ImGui::BeginDisabled(count == 0);
    for (const Command& command : commands) {
        if (&command != &commands[0]) ImGui::SameLine(0, gap);
        std::string label = words ? fmt::format("{}  {}", command.icon, command.label) : command.icon;
        if (count > 1 && words) label = fmt::format("{} {}", label, count);
        if (ImGui::Button(fmt::format("{}###{}", label, command.method).c_str()))
            context.bench.supervisor().command(command.method, rows_.selection());
        note_rect(fmt::format("processes/{}", command.method));
        if (ImGui::IsItemHovered(ImGuiHoveredFlags_ForTooltip | ImGuiHoveredFlags_AllowWhenDisabled))
            ImGui::SetTooltip("%s\n%s", command.label, count == 0 ? "Select a script first." : command.help);
    }
    ImGui::EndDisabled();
}

void ProcessesPanel::draw_body(PanelContext& context) {
    const bool here = ImGui::IsWindowFocused();
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float gap = std::round(6 * context.scale);
    const bool beside = room.x > 2.4F * room.y && room.x > 1000 * context.scale;
    const ImVec2 table = beside ? ImVec2(std::floor((room.x - gap) * table_share_), room.y)
                                : ImVec2(room.x, std::floor((room.y - gap) * table_share_));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::BeginChild("table", table);
    if (rows_.rows().empty()) {
        draw_lines(context, "No script matches the filter", {});
    } else {
        obey(context,
             table_.draw(context, rows_, {0, 0}, here ? ScriptTable::Keys::here : ScriptTable::Keys::own));
    }
    ImGui::EndChild();
    ImGui::SetCursorScreenPos(beside ? ImVec2(at.x + table.x, at.y) : ImVec2(at.x, at.y + table.y));
    draw_splitter(context, room, beside);
    ImGui::SetCursorScreenPos(beside ? ImVec2(at.x + table.x + gap, at.y)
                                     : ImVec2(at.x, at.y + table.y + gap));
    ImGui::BeginChild("log");
    draw_details(context);
    ImGui::EndChild();
}

void ProcessesPanel::draw_splitter(PanelContext& context, ImVec2 room, bool beside) {
    const float gap = std::round(6 * context.scale);
    const ImVec2 size = beside ? ImVec2(gap, std::max(1.0F, room.y)) : ImVec2(std::max(1.0F, room.x), gap);
    ImGui::InvisibleButton("splitter", size);
    note_rect("processes/splitter");
    const bool lit = ImGui::IsItemHovered() || ImGui::IsItemActive();
    if (lit) ImGui::SetMouseCursor(beside ? ImGuiMouseCursor_ResizeEW : ImGuiMouseCursor_ResizeNS);
    if (ImGui::IsItemActive()) {
        const ImVec2 by = ImGui::GetIO().MouseDelta;
        const float moved = beside ? by.x / std::max(1.0F, room.x) : by.y / std::max(1.0F, room.y);
        table_share_ = std::clamp(table_share_ + moved, table_share_least, 1 - table_share_least);
    }
    const ImVec2 min = ImGui::GetItemRectMin(), max = ImGui::GetItemRectMax();
    const ImVec2 middle((min.x + max.x) / 2, (min.y + max.y) / 2);
    const float line = std::max(1.0F, std::floor(context.scale));
    ImGui::GetWindowDrawList()->AddRectFilled(
        beside ? ImVec2(middle.x, min.y) : ImVec2(min.x, middle.y),
        beside ? ImVec2(middle.x + line, max.y) : ImVec2(max.x, middle.y + line),
        lit ? context.theme.accent : context.theme.border);
}

void ProcessesPanel::draw_details(PanelContext& context) {
    const ScriptView* const script = rows_.focused();
    if (script == nullptr) return draw_log(context);
    if (!ImGui::BeginTabBar("details")) return;
    const bool output = ImGui::BeginTabItem("Output");
    note_rect("processes/details/output");
    if (output) {
        draw_log(context);
        ImGui::EndTabItem();
    }
    const bool tree = ImGui::BeginTabItem("Processes");
    note_rect("processes/details/tree");
    if (tree) {
        tree_.draw(context, *script);
        ImGui::EndTabItem();
    }
    ImGui::EndTabBar();
}

void ProcessesPanel::draw_log(PanelContext& context) {
    const ScriptView* const script = rows_.focused();
    if (script == nullptr) return log_.draw(context, {}, "Output", "Select a script to see what it says.");
    const std::string empty = script->up()
                                  ? fmt::format("{} has said nothing yet.", script->name)
                                  : fmt::format("{} does not run and has left nothing here.", script->name);
    log_.draw(context, script->source, fmt::format("Output of {}", script->name), empty);
}

void ProcessesPanel::obey(PanelContext& context, const ScriptTableAsks& asks) {
    SupervisorView& supervisor = context.bench.supervisor();
    if (!asks.method.empty()) supervisor.command(asks.method, rows_.selection());
    if (!asks.profile_method.empty()) supervisor.command_profile(asks.profile_method, asks.profile);
    if (const ScriptView* const script = supervisor.script(asks.edit)) edit(script->definition);
    if (!asks.remove.empty()) removal_ = rows_.selection();
    if (!asks.profile_remove.empty()) profile_removal_ = asks.profile_remove;
    for (const ProfileView& profile : supervisor.profiles()) {
        if (profile.id == asks.profile_edit) profile_form_.emplace(profile.definition);
    }
}

void ProcessesPanel::edit(const Json& definition) {
    if (!form_) return static_cast<void>(form_.emplace(definition));
    form_->leave();
    next_edit_ = definition;
}

// What somebody else has set meanwhile is shown too: the form opens with the hub's answer.
void ProcessesPanel::open_settings(PanelContext& context) {
    SupervisorView& supervisor = context.bench.supervisor();
    settings_asked_ = supervisor.settings_revision();
    supervisor.ask_settings();
}

/// A window in the middle of the console, which a pane would be too small for.
bool begin_dialog(PanelContext& context, const std::string& title, ImVec2 size) {
    const ImVec2 display = ImGui::GetIO().DisplaySize;
    if (!ImGui::IsPopupOpen(title.c_str())) ImGui::OpenPopup(title.c_str());
    ImGui::SetNextWindowPos({display.x / 2, display.y / 2}, ImGuiCond_Always, {0.5F, 0.5F});
    ImGui::SetNextWindowSize({std::min(size.x * context.scale, display.x * 0.96F),
                              size.y > 0 ? std::min(size.y * context.scale, display.y * 0.94F) : 0});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, std::max(1.0F, std::floor(context.scale)));
    const bool open = ImGui::BeginPopupModal(title.c_str(), nullptr,
                                             ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoResize |
                                                 ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoCollapse);
    ImGui::PopStyleVar();
    if (open) own_escape();
    return open;
}

void ProcessesPanel::draw_form(PanelContext& context) {
    if (!form_) return;
    if (!begin_dialog(context, fmt::format("{}###form", form_->title()), {680, 720})) return;
    if (!form_->draw(context, "processes/form")) {
        form_.reset();
        ImGui::CloseCurrentPopup();
        if (const auto next = std::exchange(next_edit_, std::nullopt)) form_.emplace(*next);
    } else if (!form_->asks()) {
        next_edit_.reset();
    }
    ImGui::EndPopup();
}

void ProcessesPanel::draw_settings(PanelContext& context) {
    const SupervisorView& supervisor = context.bench.supervisor();
    if (settings_asked_ && *settings_asked_ != supervisor.settings_revision()) {
        settings_asked_.reset();
        settings_.emplace(supervisor.settings());
    }
    if (!settings_) return;
    if (!begin_dialog(context, "Settings###settings", {600, 0})) return;
    if (!settings_->draw(context, "processes/settings")) {
        settings_.reset();
        ImGui::CloseCurrentPopup();
    }
    ImGui::EndPopup();
}

void ProcessesPanel::draw_exchange(PanelContext& context) {
    if (!exchange_) return;
    if (!begin_dialog(context, "Import and export###exchange", {620, 0})) return;
    if (!exchange_->draw(context, "processes/exchange") || escape_pressed()) {
        exchange_.reset();
        ImGui::CloseCurrentPopup();
    }
    ImGui::EndPopup();
}

enum class Verdict : unsigned char { waiting, yes, no };

/// Asks before something is deleted, in the dialog that is open.
Verdict ask_removal(PanelContext& context, const std::string& question, const std::string& rect) {
    ImGui::TextWrapped("%s", question.c_str());
    ImGui::Spacing();
    const float width = 110 * context.scale;
    ImGui::PushStyleColor(ImGuiCol_Button, with_alpha(context.theme.bad, 0.3F));
    const bool yes = ImGui::Button("Delete", {width, 0});
    ImGui::PopStyleColor();
    note_rect(rect + "/delete");
    ImGui::SameLine();
    const bool no = ImGui::Button("Keep", {width, 0}) || escape_pressed();
    note_rect(rect + "/keep");
    if (yes || no) ImGui::CloseCurrentPopup();
    return yes ? Verdict::yes : no ? Verdict::no : Verdict::waiting;
}

void ProcessesPanel::draw_removal(PanelContext& context) {
    if (removal_.empty()) return;
    if (!begin_dialog(context, "Delete###removal", {440, 0})) return;
    SupervisorView& supervisor = context.bench.supervisor();
    const ScriptView* const first = supervisor.script(removal_.front());
    const std::string which =
        removal_.size() == 1 && first != nullptr ? first->name : fmt::format("{} scripts", removal_.size());
    const Verdict verdict = ask_removal(
        context,
        fmt::format("Delete {}? What runs of it is stopped first. This cannot be taken back.", which),
        "processes/removal");
    if (verdict == Verdict::yes) {
        for (const std::string& id : removal_) supervisor.change("scripts.delete", {{"id", id}}, {});
    }
    if (verdict != Verdict::waiting) removal_.clear();
    ImGui::EndPopup();
}

void ProcessesPanel::draw_profile_removal(PanelContext& context) {
    if (profile_removal_.empty()) return;
    if (!begin_dialog(context, "Delete###profile-removal", {440, 0})) return;
    SupervisorView& supervisor = context.bench.supervisor();
    std::string name = profile_removal_;
    for (const ProfileView& profile : supervisor.profiles()) {
        if (profile.id == profile_removal_) name = profile.name;
    }
    const Verdict verdict = ask_removal(
        context, fmt::format("Delete the profile {}? Its scripts stay, and what runs goes on.", name),
        "processes/profile-removal");
    if (verdict == Verdict::yes) supervisor.change("profiles.delete", {{"id", profile_removal_}}, {});
    if (verdict != Verdict::waiting) profile_removal_.clear();
    ImGui::EndPopup();
}

void ProcessesPanel::draw_profile_form(PanelContext& context) {
    if (!profile_form_) return;
    if (!begin_dialog(context, fmt::format("{}###profile", profile_form_->title()), {620, 680})) return;
    if (!profile_form_->draw(context, "processes/profile")) {
        profile_form_.reset();
        ImGui::CloseCurrentPopup();
    }
    ImGui::EndPopup();
}

DataAge ProcessesPanel::age(const PanelContext& context) const {
    if (log_.behind() && log_.newest_shown())
        return {DataAge::Kind::behind, std::max<std::int64_t>(0, context.now.ns - log_.newest_shown()->ns)};
    const MonoTime heard = context.bench.supervisor().heard();
    if (heard.ns == 0) return {};
    const std::int64_t since_ns = std::max<std::int64_t>(0, context.now.ns - heard.ns);
    return {since_ns > quiet_after_ns ? DataAge::Kind::quiet : DataAge::Kind::live, since_ns};
}

}  // namespace

std::unique_ptr<Panel> make_processes_panel() {
    return std::make_unique<ProcessesPanel>();
}

}  // namespace labdeck::ui
