#include "ui/widgets/script_table.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/widgets/profile_menu.h"
#include "ui/widgets/script_facts.h"
#include "ui/widgets/sparkline.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t load_span_ns = 60'000'000'000;
constexpr const char* open_icon = "\xef\x83\x97";
constexpr const char* folded_icon = "\xef\x83\x9a";

bool is_of_figures(std::string_view title) {
    return title == "PID" || title == "CPU" || title == "Memory" || title == "Uptime" || title == "Retries";
}

void draw_right(const std::string& text, ImU32 colour) {
    const float room = ImGui::GetContentRegionAvail().x;
    const float width = ImGui::CalcTextSize(text.c_str()).x;
    if (width < room) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + room - width);
    draw_cell(text, colour);
}

}  // namespace

bool draw_cut(const std::string& text, ImU32 colour) {
    const float room = ImGui::GetContentRegionAvail().x;
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    ImGui::PushStyleColor(ImGuiCol_Text, colour);
    const bool cut = size.x > room;
    if (!cut) {
        ImGui::TextUnformatted(text.c_str());
    } else {
        const ImVec2 at = ImGui::GetCursorScreenPos();
        ImGui::RenderTextEllipsis(ImGui::GetWindowDrawList(), at, {at.x + room, at.y + size.y}, at.x + room,
                                  at.x + room, text.c_str(), nullptr, &size);
        ImGui::Dummy({std::max(1.0F, room), size.y});
    }
    ImGui::PopStyleColor();
    return cut;
}

void draw_cell(const std::string& text, ImU32 colour) {
    if (draw_cut(text, colour)) ImGui::SetItemTooltip("%s", text.c_str());
}

void ScriptTable::set_up_columns(float scale) const {
    const auto fixed = [&](const char* title, float px) {
        ImGui::TableSetupColumn(title, ImGuiTableColumnFlags_WidthFixed, std::round(px * scale));
    };
    fixed("Status", 104);
    ImGui::TableSetupColumn("Name", ImGuiTableColumnFlags_WidthStretch, 1);
    if (columns_.middle) fixed("PID", 62);
    fixed("CPU", columns_.wide ? 124 : 58);
    fixed("Memory", columns_.wide ? 140 : 72);
    fixed("Uptime", 92);
    if (columns_.middle) fixed("Retries", 56);
    if (columns_.health) fixed("Health", 96);
    if (columns_.wide) ImGui::TableSetupColumn("Note", ImGuiTableColumnFlags_WidthStretch, 0.9F);
}

ScriptTableAsks ScriptTable::draw(PanelContext& context, ScriptRows& rows, ImVec2 size, Keys keys) {
    ScriptTableAsks asks;
    counts_ = false;
    const float room = ImGui::GetContentRegionAvail().x / context.scale;
    columns_ = {.wide = room >= 960, .middle = room >= 660, .health = room >= 540};
    const int count = 5 + (columns_.middle ? 2 : 0) + (columns_.health ? 1 : 0) + (columns_.wide ? 1 : 0);
    constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_ScrollY |
                                      ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_PadOuterX |
                                      ImGuiTableFlags_NoSavedSettings;
    // Another table for another set of columns: ImGui keeps widths by position.
    ImGui::PushID(count);
    const bool open = ImGui::BeginTable("scripts", count, flags, size);
    if (!open) ImGui::PopID();
    if (!open) return asks;
    ImGui::TableSetupScrollFreeze(0, 1);
    set_up_columns(context.scale);
    row_height_ =
        std::round(ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y + 4 * context.scale);
    draw_titles(rows);
    has_keys_ = keys == Keys::here || ImGui::IsWindowFocused();
    take_keys(rows, asks);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(rows.rows().size()), row_height_);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const auto row = static_cast<std::size_t>(i);
            ImGui::PushID(i);
            ImGui::TableNextRow(ImGuiTableRowFlags_None, row_height_);
            if (rows.rows()[row].script == nullptr) {
                draw_group(context, rows, rows.rows()[row].group, asks);
            } else {
                draw_script(context, rows, row, asks);
            }
            ImGui::PopID();
        }
    }
    ImGui::EndTable();
    ImGui::PopID();
    return asks;
}

/// A click on Name goes round: as kept, by name, by name from the end.
void ScriptTable::draw_titles(ScriptRows& rows) {
    using Order = ScriptRows::Order;
    ImGui::TableNextRow(ImGuiTableRowFlags_Headers);
    for (int i = 0; i < ImGui::TableGetColumnCount(); ++i) {
        if (!ImGui::TableSetColumnIndex(i)) continue;
        const std::string title = ImGui::TableGetColumnName(i);
        if (title != "Name") {
            // Above its figures, which end at the right.
            const float spare = ImGui::GetContentRegionAvail().x - ImGui::CalcTextSize(title.c_str()).x;
            if (is_of_figures(title)) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, spare));
            ImGui::TableHeader(title.c_str());
            continue;
        }
        const char* const arrow = rows.order() == Order::by_name        ? "  \xe2\x86\x93"
                                  : rows.order() == Order::by_name_down ? "  \xe2\x86\x91"
                                                                        : "";
        ImGui::TableHeader(fmt::format("Name{}###name", arrow).c_str());
        if (ImGui::IsItemClicked())
            rows.set_order(static_cast<Order>((static_cast<int>(rows.order()) + 1) % 3));
        ImGui::SetItemTooltip("Click to sort by name, again for the other way, again for the order as kept.");
        note_rect(name_ + "/sort");
    }
}

void ScriptTable::take_keys(ScriptRows& rows, ScriptTableAsks& asks) {
    using Click = ScriptRows::Click;
    const ImGuiIO& io = ImGui::GetIO();
    const std::size_t before = rows.focus();
    if (has_keys_ && !ImGui::IsAnyItemActive()) {
        const Click kind = io.KeyShift ? Click::extend : Click::only;
        const int page = std::max(1, static_cast<int>(ImGui::GetWindowHeight() / row_height_) - 2);
        if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) rows.move(1, kind);
        if (ImGui::IsKeyPressed(ImGuiKey_UpArrow)) rows.move(-1, kind);
        if (ImGui::IsKeyPressed(ImGuiKey_PageDown)) rows.move(page, kind);
        if (ImGui::IsKeyPressed(ImGuiKey_PageUp)) rows.move(-page, kind);
        if (ImGui::IsKeyPressed(ImGuiKey_Home)) rows.move(-static_cast<int>(rows.rows().size()), kind);
        if (ImGui::IsKeyPressed(ImGuiKey_End)) rows.move(static_cast<int>(rows.rows().size()), kind);
        if (ImGui::IsKeyPressed(ImGuiKey_Space, false)) rows.toggle_focused();
        if (io.KeyCtrl && ImGui::IsKeyPressed(ImGuiKey_A, false)) rows.select_all();
        const bool enter =
            ImGui::IsKeyPressed(ImGuiKey_Enter, false) || ImGui::IsKeyPressed(ImGuiKey_KeypadEnter, false);
        if (enter && rows.focused() != nullptr) asks.edit = rows.focused()->id;
        if (ImGui::IsKeyPressed(ImGuiKey_Delete, false) && rows.focused() != nullptr)
            asks.remove = rows.focused()->id;
    }
    const bool wished = std::exchange(scroll_wish_, false);
    if ((rows.focus() == before && !wished) || rows.focus() >= rows.rows().size()) return;
    // The titles stand still on top, one row high.
    const float top = static_cast<float>(rows.focus()) * row_height_;
    const float page = ImGui::GetWindowHeight() - 2 * row_height_;
    if (top < ImGui::GetScrollY()) ImGui::SetScrollY(top);
    if (top > ImGui::GetScrollY() + page) ImGui::SetScrollY(top - page);
}

void ScriptTable::draw_group(PanelContext& context, ScriptRows& rows, std::size_t index,
                             ScriptTableAsks& asks) {
    const ScriptGroup& group = rows.groups()[index];
    const std::string rect = fmt::format("{}/group/{}", name_, group.profile ? group.profile->id : "");
    ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg0, with_alpha(context.theme.text_dim, 0.12F));
    ImGui::TableNextColumn();
    const float inner = row_height_ - 2 * ImGui::GetStyle().CellPadding.y;
    constexpr ImGuiSelectableFlags flags =
        ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap;
    const ImVec2 at = ImGui::GetCursorPos();
    const bool turned = ImGui::Selectable("##fold", false, flags, {0, inner});
    note_rect(rect);
    if (group.profile != nullptr && ImGui::BeginPopupContextItem("menu")) {
        draw_group_menu(*group.profile, rect, asks);
        ImGui::EndPopup();
    }
    ImGui::SetCursorPos({at.x, at.y + 2 * context.scale});
    const auto up = std::count_if(group.scripts.begin(), group.scripts.end(),
                                  [](const ScriptView* script) { return script->up(); });
    draw_cell(
        fmt::format("{}  {} of {} up", group.folded ? folded_icon : open_icon, up, group.scripts.size()),
        context.theme.text_dim);
    ImGui::TableNextColumn();
    ImGui::SetCursorPosY(at.y + 2 * context.scale);
    if (context.fonts.bold != nullptr) ImGui::PushFont(context.fonts.bold);
    draw_cell(std::string(group.name()), context.theme.text);
    if (context.fonts.bold != nullptr) ImGui::PopFont();
    if (turned) rows.turn_fold(index);
    if (group.profile == nullptr) return;
    // At the right end, over the columns of numbers, which a head has none for.
    ImGui::TableNextColumn();
    ImGui::SetCursorPosY(at.y + 2 * context.scale);
    const ImRect clip = ImGui::GetCurrentTable()->BgClipRect;
    ImGui::PushClipRect(clip.Min, clip.Max, false);
    if (ImGui::SmallButton("Start all")) asks.profile_method = "profiles.startAll";
    note_rect(rect + "/start");
    ImGui::SameLine();
    if (ImGui::SmallButton("Stop all")) asks.profile_method = "profiles.stopAll";
    note_rect(rect + "/stop");
    ImGui::SameLine();
    if (ImGui::SmallButton("Edit...")) asks.profile_edit = group.profile->id;
    note_rect(rect + "/edit");
    ImGui::PopClipRect();
    if (!asks.profile_method.empty() && asks.profile.empty()) asks.profile = group.profile->id;
}

void ScriptTable::draw_group_menu(const ProfileView& profile, const std::string& rect,
                                  ScriptTableAsks& asks) {
    const auto item = [&](const char* label, const char* name) {
        const bool clicked = ImGui::MenuItem(label);
        note_rect(fmt::format("{}/menu/{}", rect, name));
        return clicked;
    };
    if (item("Start all", "start")) asks.profile_method = "profiles.startAll";
    if (item("Stop all", "stop")) asks.profile_method = "profiles.stopAll";
    if (!asks.profile_method.empty()) asks.profile = profile.id;
    ImGui::Separator();
    if (item("Edit profile...", "edit")) asks.profile_edit = profile.id;
    if (item("Delete profile...", "delete")) asks.profile_remove = profile.id;
}

void ScriptTable::draw_select(PanelContext& context, ScriptRows& rows, std::size_t row,
                              ScriptTableAsks& asks) {
    using Click = ScriptRows::Click;
    const ScriptView& script = *rows.rows()[row].script;
    constexpr ImGuiSelectableFlags flags = ImGuiSelectableFlags_SpanAllColumns |
                                           ImGuiSelectableFlags_AllowDoubleClick |
                                           ImGuiSelectableFlags_AllowOverlap;
    const float inner = row_height_ - 2 * ImGui::GetStyle().CellPadding.y;
    const ImVec2 at = ImGui::GetCursorPos();
    if (ImGui::Selectable("##row", rows.selected(script), flags, {0, inner})) {
        const ImGuiIO& io = ImGui::GetIO();
        rows.click(row, io.KeyShift ? Click::extend : io.KeyCtrl ? Click::toggle : Click::only);
        if (ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) asks.edit = script.id;
    }
    note_rect(fmt::format("{}/script/{}", name_, script.id));
    if (ImGui::IsItemClicked(ImGuiMouseButton_Right) && !rows.selected(script)) rows.click(row, Click::only);
    draw_menu(context, rows, script, asks);
    if (has_keys_ && rows.focus() == row)
        ImGui::GetWindowDrawList()->AddRect(ImGui::GetItemRectMin(), ImGui::GetItemRectMax(),
                                            with_alpha(context.theme.accent, 0.7F));
    ImGui::SetCursorPos({at.x, at.y + 2 * context.scale});
}

void ScriptTable::draw_menu(PanelContext& context, ScriptRows& rows, const ScriptView& script,
                            ScriptTableAsks& asks) {
    if (!ImGui::BeginPopupContextItem("menu")) return;
    const std::size_t count = rows.selected_count();
    const std::string of = count > 1 ? fmt::format(" {} scripts", count) : std::string();
    const auto item = [&](const char* label, const char* method) {
        if (ImGui::MenuItem(fmt::format("{}{}", label, of).c_str())) asks.method = method;
        note_rect(fmt::format("{}/menu/{}", name_, method));
    };
    item("Start", "process.start");
    item("Stop", "process.stop");
    item("Restart", "process.restart");
    item("Kill tree", "process.killTree");
    ImGui::Separator();
    if (ImGui::MenuItem("Edit...", "Enter")) asks.edit = script.id;
    note_rect(name_ + "/menu/edit");
    const bool profiles = ImGui::BeginMenu("Profiles");
    note_rect(name_ + "/menu/profiles");
    if (profiles) {
        draw_profile_menu(context, rows.selection(), new_profile_, name_ + "/menu/profiles");
        ImGui::EndMenu();
    }
    if (ImGui::MenuItem("Copy command"))
        ImGui::SetClipboardText(text_member_of(script.definition, "command").c_str());
    if (ImGui::MenuItem("Delete...", "Del")) asks.remove = script.id;
    note_rect(name_ + "/menu/delete");
    ImGui::EndPopup();
}

void ScriptTable::draw_status(PanelContext& context, const ScriptView& script) {
    draw_mark(context, mark_of_script(script));
    std::string text(script_status_name(script.status));
    // Where there is no column for it, the count-down stands beside the word.
    const auto left = script.restart_in_ms_at(context.now);
    if (left && !columns_.wide) text = fmt::format("{} {}", text, countdown_text(*left));
    const bool dim = script.status == ScriptStatus::stopped;
    draw_cell(text, dim ? context.theme.text_dim : mark_colour(context.theme, mark_of_script(script)));
    note_rect(fmt::format("{}/script/{}/status", name_, script.id));
}

void ScriptTable::draw_load(PanelContext& context, const ScriptView& script, const model::Series& series,
                            const std::string& text, double top_min) const {
    const float width = std::round(60 * context.scale);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (columns_.wide && series.count() > 0) {
        const SparklineStyle style{.colour = context.theme.accent,
                                   .fill = with_alpha(context.theme.accent, 0.18F),
                                   .line_px = std::max(1.0F, context.scale),
                                   .top_min = top_min};
        draw_sparkline(*ImGui::GetWindowDrawList(), series, context.now, load_span_ns, at,
                       {at.x + width, at.y + ImGui::GetTextLineHeight()}, style);
    }
    if (columns_.wide) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + width);
    draw_right(text, script.up() ? context.theme.text : context.theme.text_dim);
}

void ScriptTable::draw_health(PanelContext& context, const ScriptView& script) const {
    if (!script.healthy || !script.up()) return ImGui::TextUnformatted("");
    const Mark mark = *script.healthy ? Mark::done : Mark::failed;
    ImGui::BeginGroup();
    draw_mark(context, mark);
    draw_cell(*script.healthy ? "healthy" : "unhealthy", mark_colour(context.theme, mark));
    ImGui::EndGroup();
    if (!script.health_reason.empty()) ImGui::SetItemTooltip("%s", script.health_reason.c_str());
    note_rect(fmt::format("{}/script/{}/health", name_, script.id));
}

void ScriptTable::draw_script(PanelContext& context, ScriptRows& rows, std::size_t row,
                              ScriptTableAsks& asks) {
    const ScriptView& script = *rows.rows()[row].script;
    const Theme& theme = context.theme;
    const float y = 2 * context.scale;
    const auto next = [&] {
        ImGui::TableNextColumn();
        ImGui::SetCursorPosY(ImGui::GetCursorPosY() + y);
    };
    ImGui::TableNextColumn();
    draw_select(context, rows, row, asks);
    draw_status(context, script);
    next();
    draw_cut(script.name, theme.text);
    if (ImGui::IsItemHovered(ImGuiHoveredFlags_ForTooltip)) draw_script_tooltip(context, script);
    if (columns_.middle) next();
    if (columns_.middle) draw_right(script.pid != 0 ? std::to_string(script.pid) : "", theme.text_dim);
    next();
    draw_load(context, script, script.cpu_percent, cpu_text(script), 10);
    next();
    draw_load(context, script, script.memory_mb, memory_text(script), 1);
    next();
    const auto uptime = script.uptime_ms_at(context.now);
    draw_right(uptime ? seconds_text(*uptime) : std::string(), theme.text);
    counts_ = counts_ || uptime || script.restart_in_ms_at(context.now);
    if (columns_.middle) next();
    if (columns_.middle)
        draw_right(script.retries > 0 ? std::to_string(script.retries) : std::string(), theme.warn);
    if (columns_.health) next();
    if (columns_.health) draw_health(context, script);
    if (!columns_.wide) return;
    next();
    draw_cell(note_of_script(script, context.now), theme.text_dim);
}

}  // namespace labdeck::ui
