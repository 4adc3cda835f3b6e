#include "ui/widgets/action_form.h"

#include <imgui.h>

#include <algorithm>

#include "ui/json_reading.h"
#include "ui/rects.h"

namespace labdeck::ui {

ActionForm::ActionForm(const Json& action, std::string_view without)
    : name_(text_member_of(action, "name")),
      label_(text_member_of(action, "label")),
      help_(text_member_of(action, "help")) {
    if (label_.empty()) label_ = name_;
    const auto args = action.find("args");
    if (args == action.end() || !args->is_array()) return;
    for (const Json& arg : *args) {
        if (!arg.is_object() || (!without.empty() && text_member_of(arg, "name") == without)) continue;
        const auto found = arg.find("default");
        const Json value = found == arg.end() ? Json() : *found;
        fields_.emplace_back(FieldSpec::of(arg, value), value);
    }
}

std::optional<Json> ActionForm::gather() {
    Json args = Json::object();
    bool right = true;
    for (ValueField& field : fields_) {
        auto value = field.value();
        if (!value) {
            field.refuse(value.error().message);
            right = false;
        } else if (!value->is_null()) {
            args[field.spec().name] = std::move(*value);
        }
    }
    if (!right) return std::nullopt;
    return args;
}

bool ActionForm::take_refusal(const AppView& app) {
    const auto job = std::find_if(app.jobs.begin(), app.jobs.end(),
                                  [this](const JobView& each) { return each.action == name_; });
    if (job == app.jobs.end() || job->refused_key.empty() || job->job_id == refused_job_) return false;
    const auto field = std::find_if(fields_.begin(), fields_.end(), [&](const ValueField& each) {
        return each.spec().name == job->refused_key;
    });
    if (field == fields_.end()) return false;
    refused_job_ = job->job_id;
    field->refuse(job->refused_why);
    return true;
}

void ActionForm::draw_fields(PanelContext& context, const std::string& rect) {
    float label_width = 0;
    for (const ValueField& field : fields_) {
        label_width = std::max(label_width, ImGui::CalcTextSize(field.spec().label.c_str()).x);
    }
    const float room = ImGui::GetContentRegionAvail().x;
    label_width = std::min(label_width + 16 * context.scale, room * 0.4F);
    for (ValueField& field : fields_) field.draw(context, rect + "/" + field.spec().name, label_width);
}

std::optional<Json> ActionForm::draw(PanelContext& context, const std::string& rect) {
    if (!help_.empty()) {
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        ImGui::TextWrapped("%s", help_.c_str());
        ImGui::PopStyleColor();
    }
    draw_fields(context, rect);
    const bool run = ImGui::Button("Run", {90 * context.scale, 0});
    note_rect(rect + "/run");
    return run ? gather() : std::nullopt;
}

}  // namespace labdeck::ui
