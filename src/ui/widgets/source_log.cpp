#include "ui/widgets/source_log.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>

#include "model/merged_rows.h"
#include "ui/rects.h"
#include "ui/widgets/grouped.h"

namespace labdeck::ui {

void SourceLog::draw(PanelContext& context, SourceId id, const std::string& title, const std::string& empty) {
    const SourceView* const source = context.bench.source(id);
    if (id != source_) view_.reset();
    source_ = id;
    draw_title(context, title, source);
    if (source == nullptr || source->tail->rows() == 0) {
        rows_.reset();
        const ImVec2 room = ImGui::GetContentRegionAvail();
        ImGui::Dummy({1, std::max(0.0F, room.y * 0.35F)});
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        const float width = ImGui::CalcTextSize(empty.c_str(), nullptr, false, room.x * 0.9F).x;
        ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, (room.x - width) / 2));
        ImGui::TextWrapped("%s", empty.c_str());
        ImGui::PopStyleColor();
        return;
    }
    rows_.emplace(*source->tail, model::RowsAs::text);
    model::MergedRows rows({model::RowLane{id.value, &*rows_, nullptr}});
    view_.draw(context, rows, {}, nullptr);
}

void SourceLog::draw_title(PanelContext& context, const std::string& title, const SourceView* source) {
    ImGui::AlignTextToFramePadding();
    const bool live = source == nullptr || view_.following() || !view_.rows_below();
    const char* const label = "Jump to live";
    const std::string count =
        source == nullptr ? std::string() : fmt::format("{} rows", grouped(source->tail->rows()));
    const ImGuiStyle& style = ImGui::GetStyle();
    const float button =
        live ? 0 : ImGui::CalcTextSize(label).x + 2 * style.FramePadding.x + style.ItemSpacing.x;
    const float end = ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x;
    const float right = end - button - ImGui::CalcTextSize(count.c_str()).x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushClipRect(
        at, {at.x + right - ImGui::GetCursorPosX() - style.ItemSpacing.x, at.y + ImGui::GetFrameHeight()},
        true);
    ImGui::TextUnformatted(title.c_str());
    ImGui::PopClipRect();
    ImGui::SetItemTooltip("%s", title.c_str());
    ImGui::SameLine(right);
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
    ImGui::TextUnformatted(count.c_str());
    ImGui::PopStyleColor();
    if (live) return;
    ImGui::SameLine();
    if (ImGui::Button(label)) view_.follow();
    note_rect(name_ + "/live");
}

}  // namespace labdeck::ui
