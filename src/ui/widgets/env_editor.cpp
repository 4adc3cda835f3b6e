#include "ui/widgets/env_editor.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>

#include "contract/secret_names.h"
#include "ui/rects.h"
#include "ui/widgets/script_facts.h"

namespace labdeck::ui {

namespace {

constexpr const char* eye_icon = "\xef\x81\xae";
constexpr const char* eye_closed_icon = "\xef\x81\xb0";
constexpr const char* remove_icon = "\xef\x80\x8d";
constexpr const char* add_icon = "\xef\x81\xa7";

}  // namespace

EnvEditor::EnvEditor(const Json& env) {
    if (!env.is_object()) return;
    for (const auto& [name, value] : env.items()) {
        Row row{.name = name, .text = {}, .kept = {}};
        if (value.is_string()) {
            row.text = value.get<std::string>();
        } else {
            row.kept = value;
        }
        rows_.push_back(std::move(row));
    }
}

Result<Json> EnvEditor::value() const {
    Json env = Json::object();
    for (const Row& row : rows_) {
        if (row.name.empty() && row.text.empty() && row.kept.is_null()) continue;
        if (row.name.empty()) return fail(Code::bad_arg, "a value has no name");
        if (row.name.find('=') != std::string::npos)
            return fail(Code::bad_arg, fmt::format("{} has a = in its name", row.name));
        if (env.contains(row.name)) return fail(Code::bad_arg, fmt::format("{} stands twice", row.name));
        env[row.name] = row.kept.is_null() ? Json(row.text) : row.kept;
    }
    return env;
}

void EnvEditor::draw(PanelContext& context, const std::string& rect) {
    std::size_t gone = rows_.size();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        ImGui::PushID(static_cast<int>(i));
        if (!draw_row(context, rows_[i], fmt::format("{}/{}", rect, i))) gone = i;
        ImGui::PopID();
    }
    if (gone < rows_.size()) rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(gone));
    if (ImGui::SmallButton(fmt::format("{}  Add a variable", add_icon).c_str())) rows_.emplace_back();
    note_rect(rect + "/add");
}

bool EnvEditor::draw_row(PanelContext& context, Row& row, const std::string& rect) {
    const float gap = ImGui::GetStyle().ItemInnerSpacing.x;
    const float button = std::max(ImGui::GetFrameHeight(), 28 * context.scale);
    const float room = ImGui::GetContentRegionAvail().x - 2 * (button + gap) - gap;
    ImGui::SetNextItemWidth(room * 0.4F);
    ImGui::InputTextWithHint("##name", "NAME", &row.name);
    note_rect(rect + "/name");
    ImGui::SameLine(0, gap);
    ImGui::SetNextItemWidth(room * 0.6F);
    const bool secret = contract::looks_secret(row.name) || !row.kept.is_null();
    const ImGuiInputTextFlags flags =
        secret && !row.shown ? ImGuiInputTextFlags_Password : ImGuiInputTextFlags_None;
    const char* const hint = row.kept.is_null() ? "value" : "kept as it is; type to replace it";
    if (ImGui::InputTextWithHint("##value", hint, &row.text, flags)) row.kept = Json();
    note_rect(rect + "/value");
    ImGui::SameLine(0, gap);
    if (secret) {
        draw_eye(row, button, rect);
    } else {
        ImGui::Dummy({button, ImGui::GetFrameHeight()});
    }
    ImGui::SameLine(0, gap);
    const bool stays = !ImGui::Button(fmt::format("{}##remove", remove_icon).c_str(), {button, 0});
    ImGui::SetItemTooltip("Take it away");
    note_rect(rect + "/remove");
    return stays;
}

void EnvEditor::draw_eye(Row& row, float width, const std::string& rect) {
    const char* const icon = row.shown ? eye_icon : eye_closed_icon;
    if (ImGui::Button(fmt::format("{}##eye", icon).c_str(), {width, 0})) row.shown = !row.shown;
    ImGui::SetItemTooltip(row.shown ? "Shown. Click to mask it." : "Masked. Click to show it.");
    note_rect(rect + "/eye");
}

}  // namespace labdeck::ui
