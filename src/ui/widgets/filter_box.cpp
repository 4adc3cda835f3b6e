#include "ui/widgets/filter_box.h"

#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>

#include "ui/rects.h"

namespace labdeck::ui {

namespace {

/// A small button that stays pressed.
bool switch_button(const Theme& theme, const char* label, bool& on, const char* help) {
    const bool was_on = on;
    if (was_on) ImGui::PushStyleColor(ImGuiCol_Button, theme.accent);
    if (was_on) ImGui::PushStyleColor(ImGuiCol_Text, theme.background);
    const bool clicked = ImGui::Button(label);
    if (was_on) ImGui::PopStyleColor(2);
    ImGui::SetItemTooltip("%s", help);
    if (clicked) on = !on;
    return clicked;
}

}  // namespace

void FilterBox::clear() {
    pattern_.clear();
    compile();
}

bool FilterBox::compile() {
    error_.clear();
    if (pattern_.empty()) {
        matcher_.reset();
        return true;
    }
    auto made =
        model::RowMatcher::create(pattern_, regex_ ? model::PatternKind::regex : model::PatternKind::words,
                                  exact_case_ ? model::CaseRule::exact : model::CaseRule::ignore);
    if (!made) {
        error_ = made.error().message;
        return false;
    }
    matcher_ = std::move(*made);
    return true;
}

bool FilterBox::draw(PanelContext& context, std::string_view name, float width) {
    const Theme& theme = context.theme;
    const ImGuiStyle& style = ImGui::GetStyle();
    const float switches = ImGui::CalcTextSize("Aa").x + ImGui::CalcTextSize(".*").x +
                           4 * style.FramePadding.x + 2 * style.ItemInnerSpacing.x;
    bool changed = false;
    const bool wrong = !error_.empty();
    if (wrong) ImGui::PushStyleColor(ImGuiCol_Border, theme.bad);
    if (wrong) ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, std::max(1.0F, context.scale));
    ImGui::SetNextItemWidth(std::max(60 * context.scale, width - switches));
    const bool here = ImGui::IsWindowFocused(ImGuiFocusedFlags_ChildWindows);
    if (here && ImGui::GetIO().KeyCtrl && ImGui::IsKeyPressed(ImGuiKey_F, false))
        ImGui::SetKeyboardFocusHere();
    if (ImGui::InputTextWithHint("##filter", "Filter rows (Ctrl+F)", &pattern_)) changed = true;
    if (wrong) ImGui::PopStyleVar();
    if (wrong) ImGui::PopStyleColor();
    note_rect(std::string(name) + "/filter");
    ImGui::SameLine(0, style.ItemInnerSpacing.x);
    if (switch_button(theme, "Aa", exact_case_, "Upper and lower case must agree")) changed = true;
    note_rect(std::string(name) + "/case");
    ImGui::SameLine(0, style.ItemInnerSpacing.x);
    if (switch_button(theme, ".*", regex_, "The pattern is a regular expression (RE2)")) changed = true;
    note_rect(std::string(name) + "/regex");
    return changed && compile();
}

}  // namespace labdeck::ui
