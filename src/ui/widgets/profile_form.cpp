#include "ui/widgets/profile_form.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/widgets/script_table.h"
#include "ui/widgets/toggle.h"

namespace labdeck::ui {

namespace {

constexpr const char* up_icon = "\xef\x81\xa2";
constexpr const char* down_icon = "\xef\x81\xa3";
constexpr const char* remove_icon = "\xef\x80\x8d";
constexpr const char* add_icon = "\xef\x81\xa7";
constexpr std::size_t nothing = static_cast<std::size_t>(-1);

std::vector<std::string> ids_of(const Json& definition) {
    std::vector<std::string> ids;
    const Json& list = member_of(definition, "scriptIds");
    for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
        if (list[i].is_string()) ids.push_back(list[i].get<std::string>());
    }
    return ids;
}

bool starts_by_itself(const Json& definition) {
    const Json& said = member_of(definition, "autoStartOnLogin");
    return said.is_boolean() && said.get<bool>();
}

void draw_label(const char* text, float begin, float label_width) {
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(text);
    ImGui::SameLine(begin + label_width);
}

}  // namespace

ProfileForm::ProfileForm(const Json& definition, std::vector<std::string> ids)
    : original_(definition),
      name_(text_member_of(definition, "name")),
      auto_start_(starts_by_itself(definition)),
      ids_(definition.is_object() ? ids_of(definition) : std::move(ids)),
      ids_before_(ids_),
      gone_(nothing) {}

std::string ProfileForm::title() const {
    return is_new() ? std::string("Add a profile")
                    : fmt::format("Edit {}", text_member_of(original_, "name"));
}

bool ProfileForm::changed() const {
    return name_ != text_member_of(original_, "name") || ids_ != ids_before_ ||
           auto_start_ != starts_by_itself(original_);
}

Json ProfileForm::gather() const {
    Json definition = is_new() ? Json::object() : original_;
    definition["name"] = name_;
    definition["scriptIds"] = ids_;
    if (auto_start_ != starts_by_itself(original_)) definition["autoStartOnLogin"] = auto_start_;
    return definition;
}

void ProfileForm::save(PanelContext& context) {
    trouble_.clear();
    name_refusal_ = name_.empty() ? "needed" : "";
    if (name_.empty() || foot_.waiting()) return;
    context.bench.supervisor().change("profiles.upsert", gather(), foot_.on_answer());
}

bool ProfileForm::draw(PanelContext& context, const std::string& rect) {
    if (const auto refusal = foot_.take_refusal()) {
        const auto details = contract::parse_json(refusal->details.empty() ? "{}" : refusal->details);
        const bool of_name = details && text_member_of(*details, "key") == "name";
        (of_name ? name_refusal_ : trouble_) = refusal->message;
    }
    if (!trouble_.empty()) draw_refusal(context, trouble_, rect + "/trouble");
    const float label_width = std::min(170 * context.scale, ImGui::GetContentRegionAvail().x * 0.36F);
    draw_name(context, rect, label_width);
    const ImGuiStyle& style = ImGui::GetStyle();
    const float heads = 2 * (ImGui::GetTextLineHeight() + 3 * style.ItemSpacing.y) +
                        ImGui::GetFrameHeightWithSpacing() + FormFoot::height() + 2 * style.ItemSpacing.y;
    const float room = std::max(120 * context.scale, ImGui::GetContentRegionAvail().y - heads);
    draw_order(context, rect, std::floor(room * 0.58F));
    draw_others(context, rect, std::floor(room * 0.42F));
    const auto wish = foot_.draw(
        context, is_new() ? "Add" : "Save", [this] { return changed(); }, rect);
    if (wish == FormFoot::Wish::save) save(context);
    return wish != FormFoot::Wish::leave;
}

void ProfileForm::draw_name(PanelContext& context, const std::string& rect, float label_width) {
    const float begin = ImGui::GetCursorPosX();
    draw_label("Name", begin, label_width);
    ImGui::SetNextItemWidth(std::min(ImGui::GetContentRegionAvail().x, 320 * context.scale));
    if (ImGui::InputText("##name", &name_)) name_refusal_.clear();
    note_rect(rect + "/name");
    if (!name_refusal_.empty()) {
        ImGui::SameLine();
        draw_refusal(context, name_refusal_, rect + "/name/refusal");
    }
    draw_label("Start on login", begin, label_width);
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + ImGui::GetStyle().FramePadding.y);
    if (draw_toggle(context, "##login", auto_start_, context.theme.accent)) auto_start_ = !auto_start_;
    ImGui::SetItemTooltip("Its scripts start with your session.");
    note_rect(rect + "/autoStartOnLogin");
}

void ProfileForm::draw_order(PanelContext& context, const std::string& rect, float height) {
    ImGui::SeparatorText("Started in this order, stopped the other way round");
    constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_ScrollY |
                                      ImGuiTableFlags_BordersOuter | ImGuiTableFlags_NoSavedSettings;
    if (!ImGui::BeginTable("order", 3, flags, {0, height})) return;
    const ImGuiStyle& style = ImGui::GetStyle();
    const float button = ImGui::CalcTextSize(up_icon).x + 2 * style.FramePadding.x;
    const float number = ImGui::CalcTextSize("0000").x;
    ImGui::TableSetupColumn("number", ImGuiTableColumnFlags_WidthFixed, number);
    ImGui::TableSetupColumn("name", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetupColumn("buttons", ImGuiTableColumnFlags_WidthFixed,
                            3 * button + 2 * style.ItemInnerSpacing.x);
    take_keys();
    show_focus();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(ids_.size()));
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i)
            draw_row(context, static_cast<std::size_t>(i), rect);
    }
    if (ids_.empty()) {
        ImGui::TableNextColumn();
        ImGui::TableNextColumn();
        ImGui::TextDisabled("No script yet. Click one below to add it.");
    }
    ImGui::EndTable();
    if (moved_by_ != 0) move(moved_, std::exchange(moved_by_, 0));
    if (gone_ < ids_.size()) take_away(gone_);
    gone_ = nothing;
}

void ProfileForm::draw_row(PanelContext& context, std::size_t index, const std::string& rect) {
    const std::string& id = ids_[index];
    const ScriptView* const script = context.bench.supervisor().script(id);
    // By its id, so that a row that is dragged stays in the hand.
    ImGui::PushID(id.c_str());
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    constexpr ImGuiSelectableFlags flags =
        ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap;
    const ImVec2 at = ImGui::GetCursorPos();
    if (ImGui::Selectable("##row", focus_ == index, flags, {0, ImGui::GetTextLineHeight()})) focus_ = index;
    note_rect(fmt::format("{}/script/{}", rect, id));
    if (ImGui::IsItemActive() && !ImGui::IsItemHovered() && ImGui::IsMouseDragging(ImGuiMouseButton_Left)) {
        moved_ = index;
        moved_by_ = ImGui::GetMouseDragDelta().y < 0 ? -1 : 1;
        ImGui::ResetMouseDragDelta();
    }
    ImGui::SetCursorPos(at);
    ImGui::TextDisabled("%zu", index + 1);
    ImGui::TableNextColumn();
    if (script != nullptr) {
        draw_cell(script->name, context.theme.text);
    } else {
        draw_cell(fmt::format("{} (is not there any more)", id), context.theme.text_dim);
    }
    ImGui::TableNextColumn();
    draw_row_buttons(index, fmt::format("{}/script/{}", rect, id));
    ImGui::PopID();
}

void ProfileForm::draw_row_buttons(std::size_t index, const std::string& rect) {
    const float gap = ImGui::GetStyle().ItemInnerSpacing.x;
    const auto arrow = [&](const char* icon, const char* name, int by, bool possible) {
        ImGui::BeginDisabled(!possible);
        if (ImGui::SmallButton(icon)) {
            moved_ = index;
            moved_by_ = by;
        }
        ImGui::EndDisabled();
        note_rect(fmt::format("{}/{}", rect, name));
        ImGui::SameLine(0, gap);
    };
    arrow(up_icon, "up", -1, index > 0);
    arrow(down_icon, "down", 1, index + 1 < ids_.size());
    if (ImGui::SmallButton(remove_icon)) gone_ = index;
    ImGui::SetItemTooltip("Take it out of the profile; the script stays");
    note_rect(rect + "/remove");
}

// Of the list's own window.
void ProfileForm::show_focus() {
    if (!std::exchange(scroll_wish_, false)) return;
    const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
    const float top = row * static_cast<float>(focus_);
    const float below = top + row - ImGui::GetWindowHeight();
    if (top < ImGui::GetScrollY()) ImGui::SetScrollY(top);
    if (below > ImGui::GetScrollY()) ImGui::SetScrollY(below);
}

void ProfileForm::take_keys() {
    if (!ImGui::IsWindowFocused() || ids_.empty()) return;
    const bool moves = ImGui::GetIO().KeyCtrl;
    for (const auto& [key, by] : {std::pair{ImGuiKey_UpArrow, -1}, std::pair{ImGuiKey_DownArrow, 1}}) {
        if (!ImGui::IsKeyPressed(key)) continue;
        const auto to = static_cast<std::ptrdiff_t>(focus_) + by;
        if (to < 0 || to >= static_cast<std::ptrdiff_t>(ids_.size())) continue;
        if (moves) {
            move(focus_, by);
        } else {
            focus_ = static_cast<std::size_t>(to);
        }
        scroll_wish_ = true;
    }
    if (ImGui::IsKeyPressed(ImGuiKey_Delete, false)) gone_ = focus_;
}

void ProfileForm::move(std::size_t index, int by) {
    const auto to = static_cast<std::ptrdiff_t>(index) + by;
    if (index >= ids_.size() || to < 0 || to >= static_cast<std::ptrdiff_t>(ids_.size())) return;
    std::swap(ids_[index], ids_[static_cast<std::size_t>(to)]);
    focus_ = static_cast<std::size_t>(to);
}

void ProfileForm::take_away(std::size_t index) {
    ids_.erase(ids_.begin() + static_cast<std::ptrdiff_t>(index));
    focus_ = std::min(focus_, ids_.empty() ? 0 : ids_.size() - 1);
}

void ProfileForm::draw_others(PanelContext& context, const std::string& rect, float height) {
    ImGui::SeparatorText("Other scripts: click to add");
    filter_.draw(context, rect, std::min(ImGui::GetContentRegionAvail().x, 360 * context.scale));
    const std::set<std::string_view> in(ids_.begin(), ids_.end());
    std::vector<const ScriptView*> others;
    for (const auto& script : context.bench.supervisor().scripts()) {
        if (in.contains(script->id)) continue;
        if (filter_.matcher() == nullptr || filter_.matcher()->matches(script->name))
            others.push_back(script.get());
    }
    ImGui::BeginChild("others", {0, height}, ImGuiChildFlags_Border);
    const ScriptView* added = nullptr;
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(others.size()));
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const ScriptView& script = *others[static_cast<std::size_t>(i)];
            ImGui::PushID(script.id.c_str());
            if (ImGui::Selectable("##add", false, ImGuiSelectableFlags_AllowOverlap)) added = &script;
            note_rect(fmt::format("{}/add/{}", rect, script.id));
            ImGui::SameLine(0, 0);
            draw_cell(fmt::format("{}  {}", add_icon, script.name), context.theme.text);
            ImGui::PopID();
        }
    }
    if (others.empty())
        ImGui::TextDisabled(
            "%s", filter_.matcher() ? "No other script has such a name." : "All scripts are in it.");
    ImGui::EndChild();
    if (added == nullptr) return;
    ids_.push_back(added->id);
    focus_ = ids_.size() - 1;
    scroll_wish_ = true;
}

}  // namespace labdeck::ui
