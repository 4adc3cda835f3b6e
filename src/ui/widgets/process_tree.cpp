#include "ui/widgets/process_tree.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/widgets/axis_ticks.h"
#include "ui/widgets/script_table.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t period_ns = 1'000'000'000;
constexpr double mib = 1'048'576;
constexpr int depth_max = 24;

const char* state_words(char state) {
    switch (state) {
        case 'R':
            return "running";
        case 'S':
            return "sleeping";
        case 'D':
            return "waits for a device";
        case 'T':
            return "stopped";
        case 't':
            return "traced";
        case 'Z':
            return "ended, not waited for";
        case 'I':
            return "idle";
        default:
            return "";
    }
}

std::int64_t whole_of(const Json& json, const char* key) {
    const auto number = number_member_of(json, key);
    return number && std::abs(*number) < 9e15 ? static_cast<std::int64_t>(*number) : 0;
}

/// Each above its figures, which end at the right.
void draw_titles() {
    ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
    for (int i = 0; i < ImGui::TableGetColumnCount(); ++i) {
        if (!ImGui::TableSetColumnIndex(i)) continue;
        const std::string title = ImGui::TableGetColumnName(i);
        const float spare = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(title.c_str()).x;
        if (title != "Process" && title != "State")
            ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, spare));
        ImGui::TableHeader(title.c_str());
    }
}

}  // namespace

void ProcessTree::take(State& state, const Json& answer) {
    state.known = true;
    state.trouble.clear();
    state.rows.clear();
    state.more = static_cast<std::size_t>(std::max<std::int64_t>(0, whole_of(answer, "more")));
    const Json& list = member_of(answer, "processes");
    if (!list.is_array()) return;
    std::map<std::int64_t, const Json*> processes;
    for (const Json& item : list) processes.emplace(whole_of(item, "pid"), &item);
    // Each below its parent, in the order of their numbers; who has none here is at the top.
    std::map<std::int64_t, std::vector<std::int64_t>> children;
    constexpr std::int64_t nobody = -1;
    for (const auto& [pid, item] : processes) {
        const std::int64_t parent = whole_of(*item, "parentPid");
        children[processes.contains(parent) && parent != pid ? parent : nobody].push_back(pid);
    }
    std::vector<std::pair<std::int64_t, int>> left;
    const auto push = [&](std::int64_t parent, int depth) {
        const auto own = children.find(parent);
        if (own == children.end()) return;
        for (auto pid = own->second.rbegin(); pid != own->second.rend(); ++pid)
            left.emplace_back(*pid, depth);
        children.erase(own);
    };
    push(nobody, 0);
    while (!left.empty()) {
        const auto [pid, depth] = left.back();
        left.pop_back();
        const Json& item = *processes.at(pid);
        Row row;
        row.pid = pid;
        row.depth = depth;
        row.name = text_member_of(item, "name");
        const std::string letter = text_member_of(item, "state");
        if (!letter.empty()) row.state = letter.front();
        row.cpu = fmt::format("{:.1f} %", number_member_of(item, "cpuPercent").value_or(0));
        row.memory = value_text(number_member_of(item, "memMB").value_or(0) * 1e6 / mib, Unit::mebibytes);
        row.memory_kind = text_member_of(item, "memKind");
        WallTime started;
        if (parse_rfc3339(text_member_of(item, "startTime"), started))
            row.started = clock_text(started).substr(0, 8);
        state.rows.push_back(std::move(row));
        push(pid, depth + 1);
    }
}

void ProcessTree::ask(PanelContext& context, const ScriptView& script) {
    asked_at_ = context.now;
    state_->asked = true;
    context.bench.request("process.tree", {{"id", script.id}},
                          [weak = std::weak_ptr(state_)](const Result<std::shared_ptr<const Json>>& answer) {
                              const auto state = weak.lock();
                              if (!state) return;
                              state->asked = false;
                              if (answer) return take(*state, **answer);
                              state->trouble = answer.error().code == Code::unsupported_method
                                                   ? std::string("This hub is too old to tell.")
                                                   : answer.error().message;
                          });
}

void ProcessTree::draw(PanelContext& context, const ScriptView& script) {
    if (script_ != script.id) {
        script_ = script.id;
        state_ = std::make_shared<State>();
        asked_at_ = {};
    }
    next_ = {};
    if (!script.up()) {
        // What was there is there no more.
        state_ = std::make_shared<State>();
        asked_at_ = {};
        return ImGui::TextDisabled("%s does not run.", script.name.c_str());
    }
    if (!state_->asked && context.now.ns - asked_at_.ns >= period_ns) ask(context, script);
    // An answer is a frame of its own.
    if (!state_->asked) next_ = {asked_at_.ns + period_ns};
    if (!state_->trouble.empty()) return ImGui::TextWrapped("%s", state_->trouble.c_str());
    if (!state_->known) return ImGui::TextDisabled("Asking...");
    draw_rows(context);
}

void ProcessTree::draw_rows(PanelContext& context) const {
    if (state_->rows.empty()) return ImGui::TextDisabled("Nothing of it is left.");
    const bool wide = ImGui::GetContentRegionAvail().x >= 560 * context.scale;
    constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_ScrollY |
                                      ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_PadOuterX |
                                      ImGuiTableFlags_NoSavedSettings;
    ImGui::PushID(wide ? 1 : 0);
    if (ImGui::BeginTable("tree", wide ? 6 : 4, flags)) {
        const auto fixed = [&](const char* title, float px) {
            ImGui::TableSetupColumn(title, ImGuiTableColumnFlags_WidthFixed, std::round(px * context.scale));
        };
        ImGui::TableSetupScrollFreeze(0, 1);
        ImGui::TableSetupColumn("Process", ImGuiTableColumnFlags_WidthStretch);
        fixed("PID", 76);
        if (wide) fixed("State", 160);
        fixed("CPU", 70);
        fixed("Memory", 90);
        if (wide) fixed("Started", 80);
        draw_titles();
        ImGuiListClipper clipper;
        clipper.Begin(static_cast<int>(state_->rows.size()));
        while (clipper.Step()) {
            for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
                draw_row(context, state_->rows[static_cast<std::size_t>(i)]);
        }
        if (state_->more > 0) {
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            ImGui::TextDisabled("and %zu more", state_->more);
        }
        ImGui::EndTable();
    }
    ImGui::PopID();
}

void ProcessTree::draw_row(PanelContext& context, const Row& row) const {
    const Theme& theme = context.theme;
    const bool wide = ImGui::TableGetColumnCount() == 6;
    const auto right = [](const std::string& text, ImU32 colour) {
        ImGui::TableNextColumn();
        const float room = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(text.c_str()).x;
        ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, room));
        draw_cell(text, colour);
    };
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    const float indent = 18 * context.scale * static_cast<float>(std::min(row.depth, depth_max));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (row.depth > 0) {
        // The elbow of a line from its parent.
        const float line = ImGui::GetTextLineHeight();
        const float x = at.x + indent - 10 * context.scale;
        ImDrawList& list = *ImGui::GetWindowDrawList();
        const float width = std::max(1.0F, std::floor(context.scale));
        const ImU32 colour = with_alpha(theme.text_dim, 0.7F);
        list.AddLine({x, at.y - ImGui::GetStyle().CellPadding.y}, {x, at.y + line / 2}, colour, width);
        list.AddLine({x, at.y + line / 2}, {x + 7 * context.scale, at.y + line / 2}, colour, width);
        ImGui::SetCursorPosX(ImGui::GetCursorPosX() + indent);
    }
    draw_cell(row.name, row.state == 'Z' ? theme.text_dim : theme.text);
    note_rect(fmt::format("{}/{}", name_, row.pid));
    right(fmt::format("{}", row.pid), theme.text_dim);
    if (wide) ImGui::TableNextColumn();
    if (wide) draw_cell(fmt::format("{}  {}", row.state, state_words(row.state)), theme.text_dim);
    right(row.cpu, theme.text);
    right(row.memory, theme.text);
    if (!row.memory_kind.empty()) ImGui::SetItemTooltip("measured as %s", row.memory_kind.c_str());
    if (wide) right(row.started, theme.text_dim);
}

}  // namespace labdeck::ui
