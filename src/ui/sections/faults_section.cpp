#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <optional>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/sections/app_section.h"
#include "ui/widgets/action_form.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/toggle.h"

namespace labdeck::ui {

namespace {

constexpr std::array<std::string_view, 1> shown_keys = {"faults"};
constexpr const char* action_name = "inject_fault";
constexpr const char* kind_arg = "kind";
constexpr const char* duration_arg = "seconds";

/// A fault of one kind as the status has it.
struct Ongoing {
    double seconds_left = 0;
    std::optional<double> rate;
    std::optional<double> applied;
};

std::optional<Ongoing> ongoing_of(const AppView& app, const Json& kind, MonoTime now) {
    const Json& faults = member_of(app.status, "faults");
    if (!faults.is_array()) return std::nullopt;
    const double passed = static_cast<double>(std::max<std::int64_t>(0, now.ns - app.status_time.ns)) / 1e9;
    for (const Json& fault : faults) {
        if (member_of(fault, "kind") != kind) continue;
        const double left = number_member_of(fault, "secondsLeft").value_or(0) - passed;
        if (left <= 0) return std::nullopt;
        return Ongoing{left, number_member_of(fault, "rate"), number_member_of(fault, "applied")};
    }
    return std::nullopt;
}

std::string spoken(std::string text) {
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

std::string left_text(double seconds) {
    if (seconds < 60) return fmt::format("{:.1f} s left", seconds);
    return fmt::format("{}:{:02} min left", static_cast<int>(seconds) / 60, static_cast<int>(seconds) % 60);
}

class FaultsSection final : public AppSection {
public:
    const char* title() const override { return "Faults"; }
    bool there(const AppView& app) const override {
        return member_of(arg_named(action_named(app.actions, action_name), kind_arg), "choices").is_array();
    }
    std::span<const std::string_view> keys() const override { return shown_keys; }
    void draw(PanelContext& context, const AppView& app, const std::string& rect) override;

private:
    void draw_kind(PanelContext& context, const AppView& app, const Json& kind, bool runs,
                   const std::string& rect);
    void turn(PanelContext& context, const AppView& app, const Json& kind, bool on);

    Json action_;  ///< That the form was made from.
    std::optional<ActionForm> form_;
};

void FaultsSection::draw(PanelContext& context, const AppView& app, const std::string& rect) {
    const Json& action = action_named(app.actions, action_name);
    if (!form_ || action != action_) {
        action_ = action;
        form_.emplace(action, kind_arg);
    }
    const Json& running = member_of(app.status, "running");
    const bool runs = app.provider_up && running.is_boolean() && running.get<bool>();
    if (!form_->help().empty()) ImGui::TextDisabled("%s", form_->help().c_str());
    if (!runs) ImGui::TextDisabled("The app does not run; faults can be switched on while it does.");
    if (ImGui::BeginTable("kinds", 3, ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingFixedFit)) {
        ImGui::TableSetupColumn("switch", ImGuiTableColumnFlags_WidthFixed);
        ImGui::TableSetupColumn("kind", ImGuiTableColumnFlags_WidthFixed, 110 * context.scale);
        ImGui::TableSetupColumn("state", ImGuiTableColumnFlags_WidthStretch);
        for (const Json& kind : arg_named(action_, kind_arg)["choices"])
            draw_kind(context, app, kind, runs, rect);
        ImGui::EndTable();
    }
    (void)form_->take_refusal(app);
    if (!form_->has_fields()) return;
    ImGui::TextDisabled("For the next one that is switched on:");
    form_->draw_fields(context, rect + "/faults");
}

void FaultsSection::draw_kind(PanelContext& context, const AppView& app, const Json& kind, bool runs,
                              const std::string& rect) {
    const std::string name = kind.is_string() ? kind.get<std::string>() : kind.dump();
    const auto ongoing = ongoing_of(app, kind, context.now);
    ImGui::PushID(name.c_str());
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::BeginDisabled(!runs);
    const bool clicked = draw_toggle(context, "##on", ongoing.has_value(), context.theme.warn);
    ImGui::EndDisabled();
    note_rect(rect + "/faults/" + name);
    if (clicked) turn(context, app, kind, !ongoing);
    ImGui::TableNextColumn();
    ImGui::TextUnformatted(spoken(name).c_str());
    ImGui::TableNextColumn();
    if (ongoing) {
        std::string text = left_text(ongoing->seconds_left);
        if (ongoing->rate) text += fmt::format(", rate {:.3g}", *ongoing->rate);
        if (ongoing->applied) text += fmt::format(", {:.0f} applied", *ongoing->applied);
        draw_mark(context, Mark::warning);
        ImGui::TextUnformatted(text.c_str());
        note_rect(rect + "/faults/" + name + "/left");
    }
    ImGui::PopID();
}

void FaultsSection::turn(PanelContext& context, const AppView& app, const Json& kind, bool on) {
    auto args = form_->gather();
    if (!args && on) return;
    if (!args) args = Json::object();
    (*args)[kind_arg] = kind;
    if (!on) (*args)[duration_arg] = 0;
    context.bench.invoke(app.id, action_name, *args);
}

}  // namespace

std::unique_ptr<AppSection> make_faults_section() {
    return std::make_unique<FaultsSection>();
}

}  // namespace labdeck::ui
