#include "ui/widgets/form_foot.h"

#include <imgui_internal.h>

#include <utility>

#include "ui/rects.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

namespace {

constexpr float button_px = 110;

ImGuiID escape_owner() {
    static const ImGuiID id = ImHashStr("labdeck/escape");
    return id;
}

}  // namespace

void own_escape() {
    ImGui::SetKeyOwner(ImGuiKey_Escape, escape_owner(), ImGuiInputFlags_LockThisFrame);
}

bool escape_pressed() {
    return ImGui::IsKeyPressed(ImGuiKey_Escape, escape_owner()) &&
           ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows);
}

void draw_refusal(const PanelContext& context, const std::string& text, const std::string& rect) {
    draw_mark(context, Mark::failed);
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::TextWrapped("%s", text.c_str());
    ImGui::PopStyleColor();
    note_rect(rect);
}

float FormFoot::height() {
    return ImGui::GetFrameHeightWithSpacing() + 2 * ImGui::GetStyle().ItemSpacing.y;
}

contract::ClientEnd::OnAnswer FormFoot::on_answer() {
    state_->waiting = true;
    return [weak = std::weak_ptr(state_)](const Result<std::shared_ptr<const contract::Json>>& answer) {
        const auto state = weak.lock();
        if (!state) return;
        state->waiting = false;
        state->done = answer.has_value();
        if (!answer) state->refusal = answer.error();
    };
}

std::optional<Error> FormFoot::take_refusal() {
    return std::exchange(state_->refusal, std::nullopt);
}

void FormFoot::leave(bool changed) {
    asks_ = changed;
    left_ = !changed;
}

FormFoot::Wish FormFoot::draw(PanelContext& context, const char* save, const std::function<bool()>& changed,
                              const std::string& rect) {
    ImGui::Separator();
    if (state_->done || left_) return Wish::leave;
    if (asks_) return draw_question(context, rect);
    const float width = button_px * context.scale;
    ImGui::BeginDisabled(state_->waiting);
    const bool saved = ImGui::Button(save, {width, 0});
    ImGui::EndDisabled();
    note_rect(rect + "/save");
    ImGui::SameLine();
    const bool away = ImGui::Button("Cancel", {width, 0}) || escape_pressed();
    note_rect(rect + "/cancel");
    if (state_->waiting) {
        ImGui::SameLine();
        ImGui::TextDisabled("Saving...");
    }
    if (saved) return Wish::save;
    if (away) leave(changed());
    return left_ ? Wish::leave : Wish::none;
}

FormFoot::Wish FormFoot::draw_question(PanelContext& context, const std::string& rect) {
    const float width = button_px * context.scale;
    ImGui::PushStyleColor(ImGuiCol_Button, with_alpha(context.theme.bad, 0.3F));
    const bool discard = ImGui::Button("Discard", {width, 0});
    ImGui::PopStyleColor();
    note_rect(rect + "/discard");
    ImGui::SameLine();
    const bool stay = ImGui::Button("Keep editing", {width, 0}) || escape_pressed();
    note_rect(rect + "/stay");
    ImGui::SameLine();
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + ImGui::GetStyle().FramePadding.y);
    draw_mark(context, Mark::warning);
    ImGui::TextUnformatted("What you changed is not saved. Discard it?");
    if (stay) asks_ = false;
    return discard ? Wish::leave : Wish::none;
}

}  // namespace labdeck::ui
