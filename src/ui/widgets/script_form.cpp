#include "ui/widgets/script_form.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <array>

#include "ui/json_reading.h"
#include "ui/rects.h"

namespace labdeck::ui {

namespace {

constexpr const char* what = "Script";
constexpr const char* restarts = "Restarts and stopping";
constexpr const char* health = "Health check";
constexpr const char* logs = "Log";

/// A row of the form. Limits stand in the contract's table alone: the hub refuses what is beyond them.
struct FieldRow {
    const char* section;
    const char* path;
    const char* label;
    FieldType type;
    const char* help;
    const char* usual = nullptr;  ///< JSON text of what holds when nothing is said; null: nothing is shown.
    const char* unit = "";        ///< And what holds for an empty field.
};

const std::array<FieldRow, 20>& field_rows() {
    using enum FieldType;
    static const std::array<FieldRow, 20> rows = {{
        {what, "name", "Name", string, "For people."},
        {what, "command", "Command", string, "A program, or what the interpreter gets as its last argument."},
        {what, "interpreter", "Interpreter", string, "Runs the command: bash -c"},
        {what, "cwd", "Folder", string, "Where it starts; the workspace when empty."},
        {what, "autoStart", "Start with the bench", boolean, "Started when the hub starts.", "false"},
        {restarts, "restartPolicy", "Restart", choice, "What happens when it ends unwanted.", "\"never\""},
        {restarts, "backoffMs", "First delay", integer, "Doubles with each exit in a row.", nullptr,
         "ms (1000 when empty)"},
        {restarts, "maxRetries", "Retries at most", integer, "-1 for no limit.", nullptr,
         "(5 when empty, -1: no limit)"},
        {restarts, "restartOnUnhealthy", "Restart when unhealthy", boolean,
         "Else an unhealthy script is only marked.", "false"},
        {restarts, "stopGraceMs", "Grace", integer, "From the stop signal to the sweep.", nullptr,
         "ms (10000 when empty)"},
        {restarts, "stopSignal", "Stop signal", string, "SIGTERM when empty."},
        {health, "healthCheck.port", "TCP port", integer, "Must take a connection, and be its own."},
        {health, "healthCheck.url", "URL", string, "Must answer GET with 2xx."},
        {health, "healthCheck.command", "Command", string, "Must exit with 0."},
        {health, "healthCheck.intervalMs", "Every", integer, "From one look to the next.", nullptr,
         "ms (5000 when empty)"},
        {health, "healthCheck.timeoutMs", "Time-out", integer, "Of one look.", nullptr,
         "ms (2000 when empty)"},
        {logs, "log.persist", "Write to disk", boolean, "Below the workspace's logs.", "true"},
        {logs, "log.rotate", "Begin new files", boolean, "When one is full.", "true"},
        {logs, "log.maxBytes", "File size at most", integer, "", nullptr, "bytes (10 MiB when empty)"},
        {logs, "log.maxFiles", "Files at most", integer, "The oldest goes first.", nullptr, "(5 when empty)"},
    }};
    return rows;
}

/// The member at "a.b"; null when there is none.
const Json& member_at(const Json& json, const std::string& path) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) return member_of(json, path.c_str());
    return member_of(member_of(json, path.substr(0, dot).c_str()), path.substr(dot + 1).c_str());
}

/// Sets the member at "a.b", or takes it away for null; a parent that is left empty goes with it.
void set_member_at(Json& json, const std::string& path, const Json& value) {
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) {
        if (value.is_null()) {
            json.erase(path);
        } else {
            json[path] = value;
        }
        return;
    }
    const std::string parent = path.substr(0, dot);
    Json inner = member_of(json, parent.c_str());
    if (!inner.is_object()) inner = Json::object();
    set_member_at(inner, path.substr(dot + 1), value);
    if (inner.empty()) {
        json.erase(parent);
    } else {
        json[parent] = inner;
    }
}

/// What the field shows for a script that says nothing of it.
Json usual_of(const FieldRow& row, const Json& definition) {
    const std::string_view path = row.path;
    if (path == "restartPolicy") {
        const Json& again = member_of(definition, "autoRestart");
        return again.is_boolean() && again.get<bool>() ? "always" : "never";
    }
    return row.usual != nullptr ? Json::parse(row.usual) : Json();
}

Json shown_of(const FieldRow& row, const Json& definition) {
    const Json& said = member_at(definition, row.path);
    if (said.is_null()) return usual_of(row, definition);
    return said == "on-crash" ? Json("on-failure") : said;
}

bool is_nothing(const Json& value) {
    return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

/// "healthCheck/port", "env.TOKEN" and "args[2]" begin with the field that they are in.
bool names(std::string_view key, std::string_view path) {
    if (!key.starts_with(path)) return false;
    return key.size() == path.size() || key[path.size()] == '.' || key[path.size()] == '/' ||
           key[path.size()] == '[';
}

}  // namespace

ScriptForm::ScriptForm(const Json& definition)
    : original_(definition), env_(member_of(definition, "env")), env_before_(member_of(definition, "env")) {
    for (const FieldRow& row : field_rows()) {
        FieldSpec spec;
        spec.name = row.path;
        spec.label = row.label;
        spec.type = row.type;
        spec.required = std::string_view(row.path) == "name" || std::string_view(row.path) == "command";
        spec.unit = row.unit;
        spec.help = row.help;
        if (row.type == FieldType::choice) spec.choices = {"never", "on-failure", "always"};
        const Json shown = shown_of(row, definition);
        fields_.push_back({row.path, row.section, ValueField(std::move(spec), shown), shown});
    }
    const Json& args = member_of(definition, "args");
    for (std::size_t i = 0; args.is_array() && i < args.size(); ++i) {
        const std::string text = args[i].is_string() ? args[i].get<std::string>() : args[i].dump();
        if (!args[i].is_string() || text.find('\n') != std::string::npos) args_editable_ = false;
        if (i > 0) args_ += '\n';
        args_ += text;
    }
    args_before_ = args_;
}

std::string ScriptForm::title() const {
    return is_new() ? std::string("Add a script") : fmt::format("Edit {}", text_member_of(original_, "name"));
}

bool ScriptForm::gather_args(Json& definition) {
    args_refusal_.clear();
    if (args_ == args_before_) return true;
    Json args = Json::array();
    for (std::size_t at = 0; at < args_.size();) {
        const std::size_t end = std::min(args_.find('\n', at), args_.size());
        args.push_back(args_.substr(at, end - at));
        at = end + 1;
    }
    set_member_at(definition, "args", args.empty() ? Json() : args);
    return true;
}

bool ScriptForm::gather_env(Json& definition) {
    env_refusal_.clear();
    const auto env = env_.value();
    if (!env) {
        env_refusal_ = env.error().message;
        return false;
    }
    const bool same = *env == env_before_ || (env->empty() && env_before_.is_null());
    if (!same) set_member_at(definition, "env", env->empty() ? Json() : *env);
    return true;
}

Result<Json> ScriptForm::gather() {
    Json definition = original_.is_object() ? original_ : Json::object();
    bool right = true;
    trouble_.clear();
    for (Field& field : fields_) {
        const auto value = field.field.value();
        if (!value) {
            field.field.refuse(value.error().message);
            right = false;
            continue;
        }
        const bool same = *value == field.before || (is_nothing(*value) && is_nothing(field.before));
        if (!same) set_member_at(definition, field.path, is_nothing(*value) ? Json() : *value);
    }
    right = gather_args(definition) && right;
    right = gather_env(definition) && right;
    if (!right) return fail(Code::bad_arg, "a field is wrong");
    return definition;
}

void ScriptForm::take_error(const Error& error) {
    const auto details = contract::parse_json(error.details.empty() ? "{}" : error.details);
    const std::string key = details ? text_member_of(*details, "key") : std::string();
    Field* best = nullptr;
    for (Field& field : fields_) {
        if (names(key, field.path)) best = &field;
    }
    if (best != nullptr) return best->field.refuse(error.message);
    if (names(key, "args")) {
        args_refusal_ = error.message;
    } else if (names(key, "env")) {
        env_refusal_ = error.message;
    } else {
        trouble_ = error.message;
    }
}

bool ScriptForm::changed() const {
    for (const Field& field : fields_) {
        const auto value = field.field.value();
        // What cannot be read as a value was typed by somebody; the empty name of a new script was not.
        if (!value && !(is_new() && field.field.spec().required)) return true;
        if (value && *value != field.before && !(is_nothing(*value) && is_nothing(field.before))) return true;
    }
    if (args_ != args_before_) return true;
    const auto env = env_.value();
    return !env || (*env != env_before_ && !(env->empty() && env_before_.is_null()));
}

void ScriptForm::save(PanelContext& context) {
    const auto definition = gather();
    if (!definition || foot_.waiting()) return;
    context.bench.supervisor().change(is_new() ? "scripts.create" : "scripts.upsert", *definition,
                                      foot_.on_answer());
}

bool ScriptForm::draw(PanelContext& context, const std::string& rect) {
    if (const auto refusal = foot_.take_refusal()) take_error(*refusal);
    const float label_width = std::min(170 * context.scale, ImGui::GetContentRegionAvail().x * 0.36F);
    ImGui::BeginChild("fields", {0, -FormFoot::height()});
    if (!trouble_.empty()) draw_refusal(context, trouble_, rect + "/trouble");
    draw_section(context, what, rect, label_width);
    draw_args(context, rect, label_width);
    draw_env(context, rect, label_width);
    for (const char* section : {restarts, health, logs}) {
        ImGui::Spacing();
        ImGui::SeparatorText(section);
        draw_section(context, section, rect, label_width);
    }
    ImGui::EndChild();
    const auto wish = foot_.draw(
        context, is_new() ? "Add" : "Save", [this] { return changed(); }, rect);
    if (wish == FormFoot::Wish::save) save(context);
    return wish != FormFoot::Wish::leave;
}

void ScriptForm::draw_section(PanelContext& context, const char* section, const std::string& rect,
                              float label_width) {
    for (Field& field : fields_) {
        if (field.section == section)
            field.field.draw(context, fmt::format("{}/{}", rect, field.path), label_width);
    }
}

void ScriptForm::draw_args(PanelContext& context, const std::string& rect, float label_width) {
    const float begin = ImGui::GetCursorPosX();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted("Arguments");
    ImGui::SetItemTooltip("One a line.");
    ImGui::SameLine(begin + label_width);
    const auto lines = static_cast<float>(std::count(args_.begin(), args_.end(), '\n') + 2);
    const float height =
        ImGui::GetTextLineHeight() * std::clamp(lines, 2.0F, 6.0F) + 2 * ImGui::GetStyle().FramePadding.y;
    ImGui::InputTextMultiline("##args", &args_, {ImGui::GetContentRegionAvail().x, height},
                              args_editable_ ? ImGuiInputTextFlags_None : ImGuiInputTextFlags_ReadOnly);
    note_rect(rect + "/args");
    ImGui::SetCursorPosX(begin + label_width);
    ImGui::TextDisabled("%s", args_editable_ ? "one a line" : "has line breaks; kept as it is");
    if (args_refusal_.empty()) return;
    ImGui::SetCursorPosX(begin + label_width);
    draw_refusal(context, args_refusal_, rect + "/args/refusal");
}

void ScriptForm::draw_env(PanelContext& context, const std::string& rect, float label_width) {
    const float begin = ImGui::GetCursorPosX();
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted("Environment");
    ImGui::SetItemTooltip("Added to the hub's own. Values with secret names are masked here and in the log.");
    ImGui::SameLine(begin + label_width);
    ImGui::BeginGroup();
    env_.draw(context, rect + "/env");
    if (!env_refusal_.empty()) draw_refusal(context, env_refusal_, rect + "/env/refusal");
    ImGui::EndGroup();
}

}  // namespace labdeck::ui
