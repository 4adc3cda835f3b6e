#include "ui/widgets/profile_menu.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>

#include "ui/rects.h"

namespace labdeck::ui {

namespace {

bool has(const ProfileView& profile, const std::string& id) {
    return std::find(profile.script_ids.begin(), profile.script_ids.end(), id) != profile.script_ids.end();
}

/// What else the profile holds, and in which order it starts, stays.
Json with_scripts(const ProfileView& profile, const std::vector<std::string>& ids, bool in) {
    std::vector<std::string> now = profile.script_ids;
    for (const std::string& id : ids) {
        if (in && !has(profile, id)) now.push_back(id);
        if (!in) std::erase(now, id);
    }
    Json definition = profile.definition;
    definition["scriptIds"] = now;
    return definition;
}

}  // namespace

void draw_profile_menu(PanelContext& context, const std::vector<std::string>& ids, std::string& new_name,
                       const std::string& rect) {
    SupervisorView& supervisor = context.bench.supervisor();
    for (const ProfileView& profile : supervisor.profiles()) {
        const bool all =
            std::all_of(ids.begin(), ids.end(), [&](const auto& id) { return has(profile, id); });
        const bool clicked =
            ImGui::MenuItem(fmt::format("{}##{}", profile.name, profile.id).c_str(), nullptr, all);
        note_rect(fmt::format("{}/{}", rect, profile.id));
        if (clicked) supervisor.change("profiles.upsert", with_scripts(profile, ids, !all), {});
    }
    if (!supervisor.profiles().empty()) ImGui::Separator();
    ImGui::SetNextItemWidth(180 * context.scale);
    const bool entered = ImGui::InputTextWithHint("##new", "New profile, Enter", &new_name,
                                                  ImGuiInputTextFlags_EnterReturnsTrue);
    note_rect(rect + "/new");
    if (!entered || new_name.empty()) return;
    supervisor.change("profiles.upsert", {{"name", new_name}, {"scriptIds", ids}}, {});
    new_name.clear();
    ImGui::CloseCurrentPopup();
}

}  // namespace labdeck::ui
