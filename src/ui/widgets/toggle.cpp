#include "ui/widgets/toggle.h"

#include <imgui.h>

#include <algorithm>

namespace labdeck::ui {

bool draw_toggle(const PanelContext& context, const char* id, bool on, ImU32 on_colour) {
    const float height = ImGui::GetTextLineHeight();
    const char* const word = on ? "on" : "off";
    const float track = height * 1.9F;
    const float gap = ImGui::GetStyle().ItemInnerSpacing.x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool clicked = ImGui::InvisibleButton(id, {track + gap + ImGui::CalcTextSize("off").x, height});
    const bool hovered = ImGui::IsItemHovered();
    const float alpha = ImGui::GetStyle().Alpha;
    ImDrawList* const list = ImGui::GetWindowDrawList();
    const ImVec2 end(at.x + track, at.y + height);
    const float radius = height / 2;
    const ImU32 colour = with_alpha(on ? on_colour : context.theme.text_dim, alpha);
    if (on) {
        list->AddRectFilled(at, end, with_alpha(colour, hovered ? 0.9F : 0.7F), radius);
    } else {
        list->AddRect(at, end, with_alpha(colour, hovered ? 1.0F : 0.8F), radius, 0,
                      std::max(1.0F, context.scale));
    }
    const ImVec2 knob(on ? end.x - radius : at.x + radius, at.y + radius);
    list->AddCircleFilled(knob, radius * 0.68F,
                          with_alpha(on ? context.theme.panel : context.theme.text_dim, alpha));
    list->AddText({end.x + gap, at.y}, with_alpha(on ? context.theme.text : context.theme.text_dim, alpha),
                  word);
    // What the knob says, for a reader of words.
    ImGui::LogText("%s ", word);
    return clicked;
}

}  // namespace labdeck::ui
