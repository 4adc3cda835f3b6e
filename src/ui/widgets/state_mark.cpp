#include "ui/widgets/state_mark.h"

#include <imgui.h>

#include <algorithm>

namespace labdeck::ui {

Mark mark_of_job(std::string_view state) noexcept {
    if (state == "running") return Mark::running;
    if (state == "succeeded") return Mark::done;
    if (state == "failed") return Mark::failed;
    if (state == "timeout") return Mark::warning;
    if (state == "canceled" || state == "cancelled") return Mark::idle;
    return Mark::waiting;
}

ImU32 mark_colour(const Theme& theme, Mark mark) noexcept {
    switch (mark) {
        case Mark::running:
        case Mark::done:
            return theme.good;
        case Mark::waiting:
            return theme.info;
        case Mark::warning:
            return theme.warn;
        case Mark::failed:
            return theme.bad;
        case Mark::idle:
            break;
    }
    return theme.text_dim;
}

void draw_mark(const PanelContext& context, Mark mark) {
    const float size = ImGui::GetTextLineHeight();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 middle(at.x + size / 2, at.y + size / 2);
    const float r = size * 0.3F;
    const float line = std::max(1.5F, 1.6F * context.scale);
    const ImU32 colour = mark_colour(context.theme, mark);
    ImDrawList* const list = ImGui::GetWindowDrawList();
    switch (mark) {
        case Mark::running:
            list->AddCircleFilled(middle, r, colour);
            break;
        case Mark::idle:
            list->AddCircle(middle, r, colour, 0, line);
            break;
        case Mark::waiting:
            list->AddCircle(middle, r, colour, 0, line);
            list->PathArcTo(middle, r, -1.5708F, 1.5708F);
            list->PathFillConvex(colour);
            break;
        case Mark::done:
            list->PathLineTo({middle.x - r, middle.y});
            list->PathLineTo({middle.x - r * 0.25F, middle.y + r * 0.75F});
            list->PathLineTo({middle.x + r, middle.y - r * 0.75F});
            list->PathStroke(colour, 0, line);
            break;
        case Mark::warning:
            list->AddTriangleFilled({middle.x, middle.y - r}, {middle.x + r, middle.y + r},
                                    {middle.x - r, middle.y + r}, colour);
            break;
        case Mark::failed:
            list->AddLine({middle.x - r, middle.y - r}, {middle.x + r, middle.y + r}, colour, line);
            list->AddLine({middle.x - r, middle.y + r}, {middle.x + r, middle.y - r}, colour, line);
            break;
    }
    ImGui::Dummy({size, size});
    ImGui::SameLine(0, ImGui::GetStyle().ItemInnerSpacing.x);
}

}  // namespace labdeck::ui
