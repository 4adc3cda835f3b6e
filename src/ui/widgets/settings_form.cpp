#include "ui/widgets/settings_form.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "ui/json_reading.h"
#include "ui/rects.h"

namespace labdeck::ui {

namespace {

constexpr const char* window = "Window";
constexpr const char* notifications = "Notifications";
constexpr const char* logs = "Logs";
constexpr const char* crashes = "Crashes";
constexpr const char* updates = "Updates";
constexpr const char* logs_path = "logsPath";

struct FieldRow {
    const char* section;
    const char* key;
    const char* label;
    FieldType type;
    const char* help;
    const char* usual;  ///< JSON text of what holds when nothing is said.
    const char* choices = "";
};

const std::array<FieldRow, 9>& field_rows() {
    using enum FieldType;
    static const std::array<FieldRow, 9> rows = {{
        {window, "theme", "Theme", choice, "Of this window, and of the next ones.", "\"dark\"",
         R"(["dark", "light"])"},
        {window, "startMinimized", "Start minimized", boolean, "The window opens as an icon.", "false"},
        {notifications, "notificationsToastEnabled", "In this window", boolean,
         "At the lower right, when a script fails or does not answer.", "true"},
        {notifications, "notificationsNativeEnabled", "On the desktop", boolean,
         "The same, told by the desktop while this window is not looked at.", "false"},
        {logs, logs_path, "Folder of logs", string,
         "Absolute. A script writes there from its next start on; older logs stay where they are.", "\"\""},
        {crashes, "crashReportingEnabled", "Write crash reports", boolean,
         "To the disk of this machine; they are sent nowhere.", "false"},
        {updates, "updateFeed", "Feed", string,
         "Where newer versions are: https://…, or file:///… of a share. Nothing is looked for unasked.",
         "\"\""},
        {updates, "updatePublicKey", "Public key", string,
         "Of whoever signs the feed: 44 characters. What is signed with another is refused.", "\"\""},
        {updates, "updateChannel", "Channel", string, "Which versions are offered: stable, beta ...",
         "\"stable\""},
    }};
    return rows;
}

FieldSpec spec_of(const FieldRow& row, const Json& shown) {
    FieldSpec spec;
    spec.name = row.key;
    spec.label = row.label;
    spec.type = row.type;
    spec.help = row.help;
    if (row.type != FieldType::choice) return spec;
    spec.choices = Json::parse(row.choices).get<std::vector<Json>>();
    // What another client set and this one does not know can be kept.
    if (std::find(spec.choices.begin(), spec.choices.end(), shown) == spec.choices.end())
        spec.choices.push_back(shown);
    return spec;
}

}  // namespace

SettingsForm::SettingsForm(const Json& settings) {
    for (const FieldRow& row : field_rows()) {
        const Json& said = member_of(settings, row.key);
        const Json shown = said.is_null() ? Json::parse(row.usual) : said;
        fields_.push_back({row.section, ValueField(spec_of(row, shown), shown), shown});
    }
}

bool SettingsForm::changed() const {
    return std::any_of(fields_.begin(), fields_.end(), [](const Field& field) {
        const auto value = field.field.value();
        return !value || *value != field.before;
    });
}

Result<Json> SettingsForm::gather() {
    Json patch = Json::object();
    bool right = true;
    trouble_.clear();
    for (Field& field : fields_) {
        const auto value = field.field.value();
        if (!value) {
            field.field.refuse(value.error().message);
            right = false;
            continue;
        }
        if (*value == field.before) continue;
        const std::string& key = field.field.spec().name;
        const std::string text = value->is_string() ? value->get<std::string>() : std::string();
        if (key == logs_path && !text.empty() && text.front() != '/') {
            field.field.refuse("an absolute path, please: one that begins with /");
            right = false;
        }
        // Emptied: nothing again, and not an empty text.
        patch[key] = value->is_string() && text.empty() ? Json() : *value;
    }
    if (!right) return fail(Code::bad_arg, "a field is wrong");
    return patch;
}

void SettingsForm::take_error(const Error& error) {
    const auto details = contract::parse_json(error.details.empty() ? "{}" : error.details);
    const std::string key = details ? text_member_of(*details, "key") : std::string();
    const auto at = std::find_if(fields_.begin(), fields_.end(),
                                 [&](const Field& field) { return field.field.spec().name == key; });
    if (at != fields_.end()) return at->field.refuse(error.message);
    trouble_ = error.message;
}

bool SettingsForm::draw(PanelContext& context, const std::string& rect) {
    if (const auto refusal = foot_.take_refusal()) take_error(*refusal);
    if (!trouble_.empty()) draw_refusal(context, trouble_, rect + "/trouble");
    const float label_width = std::min(170 * context.scale, ImGui::GetContentRegionAvail().x * 0.36F);
    const char* section = nullptr;
    for (Field& field : fields_) {
        if (section != field.section) {
            section = field.section;
            ImGui::SeparatorText(section);
        }
        const std::string& key = field.field.spec().name;
        field.field.draw(context, fmt::format("{}/{}", rect, key), label_width);
        if (key != logs_path) continue;
        ImGui::Indent(label_width);
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        ImGui::TextWrapped(
            "The workspace's .labdeck/logs when empty. Holds for new logs: from a script's next start on.");
        ImGui::PopStyleColor();
        ImGui::Unindent(label_width);
    }
    updates_.draw(context, !changed(), rect + "/updates");
    ImGui::Spacing();
    const auto wish = foot_.draw(
        context, "Save", [this] { return changed(); }, rect);
    if (wish == FormFoot::Wish::save && !changed()) return false;
    if (wish == FormFoot::Wish::save && !foot_.waiting()) {
        if (const auto patch = gather())
            context.bench.supervisor().change_settings(*patch, foot_.on_answer());
    }
    return wish != FormFoot::Wish::leave;
}

}  // namespace labdeck::ui
