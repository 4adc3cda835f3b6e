#include "ui/widgets/file_actions.h"

#include <imgui.h>

#include "ui/rects.h"

namespace labdeck::ui {

void draw_file_actions(PanelContext& context, const std::string& label, const std::string& path,
                       const std::string& rect) {
    ImGui::PushID(rect.c_str());
    if (!label.empty()) {
        ImGui::TextUnformatted(label.c_str());
        ImGui::SetItemTooltip("%s", path.c_str());
        ImGui::SameLine();
    }
    if (ImGui::SmallButton("Copy path")) {
        ImGui::SetClipboardText(path.c_str());
        context.bench.note("copied " + path, false);
    }
    note_rect(rect + "/copy");
    ImGui::SetItemTooltip("%s", path.c_str());
    const std::size_t slash = path.rfind('/');
    if (context.open_folder != nullptr && *context.open_folder && slash != std::string::npos) {
        ImGui::SameLine();
        if (ImGui::SmallButton("Open folder"))
            (*context.open_folder)(path.substr(0, std::max<std::size_t>(slash, 1)));
        note_rect(rect + "/open");
    }
    ImGui::PopID();
}

}  // namespace labdeck::ui
