#include "ui/widgets/updates_box.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>

#include "ui/rects.h"
#include "ui/updates_view.h"
#include "ui/widgets/axis_ticks.h"
#include "ui/widgets/form_foot.h"

namespace labdeck::ui {

namespace {

bool button(const char* label, const std::string& rect) {
    const bool clicked = ImGui::Button(label);
    note_rect(rect);
    return clicked;
}

void draw_progress(const PanelContext& context, const UpdatesView& updates) {
    const double whole = std::max(updates.size_mib(), 1e-9);
    const auto part = static_cast<float>(std::clamp(updates.bytes_mib() / whole, 0.0, 1.0));
    const std::string text = fmt::format("{} of {}, {}", value_text(updates.bytes_mib(), Unit::mebibytes),
                                         value_text(updates.size_mib(), Unit::mebibytes),
                                         value_text(updates.bytes_per_second(), Unit::bytes_per_second));
    ImGui::ProgressBar(part, {-1, 0}, "");
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
    ImGui::TextUnformatted(text.c_str());
    ImGui::PopStyleColor();
}

std::string sentence_of(const UpdatesView& updates) {
    if (updates.busy() == "check") return "Looking for a newer one ...";
    if (updates.busy() == "download") return fmt::format("Fetching {} ...", updates.version());
    if (updates.busy() == "install") return fmt::format("Putting {} in place ...", updates.version());
    if (updates.state() == "available") {
        return fmt::format("{} is there, {}.", updates.version(),
                           value_text(updates.size_mib(), Unit::mebibytes));
    }
    if (updates.state() == "downloaded")
        return fmt::format("{} is downloaded and checked.", updates.version());
    if (updates.state() == "installed") return "The newer one is in place and starts now.";
    if (updates.state() == "none") return "There is nothing newer.";
    return {};
}

}  // namespace

void UpdatesBox::draw(PanelContext& context, bool saved, const std::string& rect) {
    UpdatesView& updates = context.bench.updates();
    updates.ask_once();
    if (updates.current().empty()) return;
    ImGui::AlignTextToFramePadding();
    ImGui::TextWrapped("This is version %s. %s", updates.current().c_str(), sentence_of(updates).c_str());
    if (updates.busy() == "download") draw_progress(context, updates);
    if (updates.busy().empty() && updates.state() == "error" && !updates.why().empty())
        draw_refusal(context, updates.why(), rect + "/trouble");
    const bool newer = updates.state() == "available" || updates.state() == "downloaded";
    if (newer && !updates.notes().empty()) {
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        ImGui::TextWrapped("%s", updates.notes().c_str());
        ImGui::PopStyleColor();
    }
    if (!updates.busy().empty() || updates.state() == "installed") {
        asks_ = false;
        return;
    }
    if (asks_) {
        ImGui::TextWrapped("Stop the bench, put %s in place and start again?", updates.version().c_str());
        if (button("Stop and install", rect + "/yes")) updates.install();
        ImGui::SameLine();
        if (button("Not now", rect + "/no")) asks_ = false;
        return;
    }
    ImGui::BeginDisabled(!saved);
    if (button("Check for updates", rect + "/check")) updates.check();
    if (updates.state() == "available") {
        ImGui::SameLine();
        if (button("Download", rect + "/download")) updates.download();
    }
    if (updates.state() == "downloaded") {
        ImGui::SameLine();
        asks_ = button("Install ...", rect + "/install");
    }
    ImGui::EndDisabled();
    if (!saved && ImGui::IsItemHovered(ImGuiHoveredFlags_AllowWhenDisabled))
        ImGui::SetTooltip("Save the settings first: what is looked for depends on them.");
}

}  // namespace labdeck::ui
