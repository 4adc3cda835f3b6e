#include "ui/widgets/config_tree.h"

#include <imgui.h>

#include <algorithm>

#include "ui/rects.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

namespace {

const Json& member(const Json& json, const char* key) {
    static const Json nothing;
    if (!json.is_object()) return nothing;
    const auto found = json.find(key);
    return found == json.end() ? nothing : *found;
}

std::string text_member(const Json& json, const char* key) {
    const Json& value = member(json, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

/// Whether an object describes a node instead of being a group of settings itself.
bool is_described(const Json& json) {
    return json.is_object() && (member(json, "children").is_array() ||
                                (json.contains("value") && (json.contains("key") || json.contains("name"))));
}

}  // namespace

Json ConfigTree::description_of(const std::string& key) const {
    for (const Json& entry : member(read_, "entries")) {
        if (text_member(entry, "key") == key) return entry;
    }
    return Json::object();
}

ConfigTree::Node ConfigTree::make_leaf(const Json& value, const Json& description, const std::string& label,
                                       const std::string& key) {
    FieldSpec spec = FieldSpec::of(description, value);
    spec.name = key;
    const std::string given = text_member(description, "label");
    spec.label = given.empty() ? label : given;
    Node leaf{spec.label, key, {}, std::make_unique<ValueField>(std::move(spec), value), {}};
    const Json& line = member(description, "line");
    const Json& column = member(description, "column");
    if (line.is_number_integer() && column.is_number_integer())
        leaf.place =
            std::to_string(line.get<std::int64_t>()) + ":" + std::to_string(column.get<std::int64_t>());
    leaf.fault = text_member(description, "error");
    leaf.field->mark(!leaf.fault.empty());
    return leaf;
}

ConfigTree::Node ConfigTree::make_node(const Json& json, const std::string& label, const std::string& path) {
    if (is_described(json)) {
        std::string key = text_member(json, "key");
        if (key.empty()) key = text_member(json, "name");
        std::string shown = text_member(json, "label");
        if (shown.empty()) shown = key.empty() ? label : key;
        if (!member(json, "children").is_array()) {
            Json description = description_of(key);
            description.update(json);
            return make_leaf(member(json, "value"), description, shown, key);
        }
        Node group{shown, key, {}, nullptr, {}};
        for (const Json& child : member(json, "children"))
            group.children.push_back(make_node(child, shown, path));
        return group;
    }
    if (!json.is_object()) return make_leaf(json, description_of(path), label, path);
    Node group{label, path, {}, nullptr, {}};
    for (const auto& [name, child] : json.items()) {
        group.children.push_back(make_node(child, name, path.empty() ? name : path + "." + name));
    }
    return group;
}

void ConfigTree::read(const Json& config) {
    read_ = config;
    nodes_.clear();
    const Json& tree = member(config, "configTree");
    const Json& entries = member(config, "entries");
    const bool described = !tree.empty() && std::all_of(tree.begin(), tree.end(), is_described);
    if (described) {
        for (const Json& node : tree) nodes_.push_back(make_node(node, "", ""));
    } else if (!entries.empty()) {
        for (const Json& entry : entries) {
            const std::string key = text_member(entry, "key");
            if (!key.empty()) nodes_.push_back(make_leaf(member(entry, "value"), entry, key, key));
        }
        add_unknown(tree);
    } else if (tree.is_object()) {
        nodes_ = std::move(make_node(tree, "", "").children);
    }
}

void ConfigTree::add_unknown(const Json& tree) {
    if (!tree.is_object()) return;
    Node others{"Other keys in the file", "", {}, nullptr, {}};
    for (const auto& [key, value] : tree.items()) {
        if (description_of(key).empty())
            others.children.push_back({key, key, {}, nullptr, shown_value(value)});
    }
    if (!others.children.empty()) nodes_.push_back(std::move(others));
}

void ConfigTree::draw_paths() const {
    for (const Json& path : member(read_, "paths")) {
        const std::string text = path.is_string() ? path.get<std::string>() : text_member(path, "path");
        if (text.empty()) continue;
        const Json& exists = member(path, "exists");
        const bool missing = exists.is_boolean() && !exists.get<bool>();
        ImGui::PushStyleVar(ImGuiStyleVar_Alpha, ImGui::GetStyle().Alpha * 0.6F);
        ImGui::TextWrapped("%s%s", text.c_str(), missing ? " (not there)" : "");
        ImGui::PopStyleVar();
    }
}

bool ConfigTree::any_active(const std::vector<Node>& nodes) {
    return std::any_of(nodes.begin(), nodes.end(), [](const Node& node) {
        return (node.field && node.field->active()) || any_active(node.children);
    });
}

/// The fault of a setting stands beside it, so that it need not be looked for.
bool ConfigTree::is_shown_beside(const Json& fault) const {
    const std::string key = text_member(fault, "key");
    return !key.empty() && std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
        return node.key == key && !node.fault.empty();
    });
}

void ConfigTree::draw_faults(PanelContext& context, const std::string& rect) const {
    const Json& valid = member(read_, "valid");
    const bool invalid = valid.is_boolean() && !valid.get<bool>();
    if (!invalid && member(read_, "errors").empty()) return;
    const auto line = [&](const std::string& text) {
        draw_mark(context, Mark::failed);
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
        ImGui::TextWrapped("%s", text.c_str());
        ImGui::PopStyleColor();
    };
    if (invalid) line("The file is not valid; the app does not start with it.");
    note_rect(rect + "/invalid");
    const Json& faults = member(read_, "faults");
    const Json& errors = member(read_, "errors");
    for (std::size_t i = 0; i < errors.size(); ++i) {
        if (i < faults.size() && is_shown_beside(faults[i])) continue;
        const std::string message = text_member(errors[i], "message");
        line(message.empty() ? shown_value(errors[i]) : text_member(errors[i], "key") + ": " + message);
    }
}

void ConfigTree::draw(PanelContext& context, const Json& config, const std::string& rect) {
    // What somebody is typing is not taken away by news.
    if (!any_active(nodes_) && config != read_) read(config);
    draw_faults(context, rect);
    if (nodes_.empty()) ImGui::TextDisabled("No settings.");
    const float label_width =
        std::clamp(ImGui::GetContentRegionAvail().x * 0.38F, 110 * context.scale, 220 * context.scale);
    for (Node& node : nodes_) draw_node(context, node, rect, label_width);
    draw_paths();
}

void ConfigTree::draw_node(PanelContext& context, Node& node, const std::string& rect, float label_width) {
    if (node.field) return draw_leaf(context, node, rect, label_width);
    if (node.children.empty()) return ImGui::TextDisabled("%s: %s", node.label.c_str(), node.fixed.c_str());
    ImGui::PushID(node.label.c_str());
    const bool open = ImGui::TreeNodeEx("##group", ImGuiTreeNodeFlags_DefaultOpen, "%s", node.label.c_str());
    if (open) {
        for (Node& child : node.children) draw_node(context, child, rect, label_width);
        ImGui::TreePop();
    }
    ImGui::PopID();
}

void ConfigTree::draw_leaf(PanelContext& context, Node& node, const std::string& rect, float label_width) {
    ValueField& field = *node.field;
    Outcome& outcome = (*outcomes_)[node.key];
    if (outcome.fresh && outcome.error) field.refuse(outcome.message);
    outcome.fresh = false;
    const float left = ImGui::GetCursorPosX() + label_width;
    const auto event = field.draw(context, rect + "/" + node.key, label_width);
    if (!node.fault.empty()) draw_fault(context, node, rect, left);
    if (event == ValueField::Event::edited) outcome.message.clear();
    if (event == ValueField::Event::committed) {
        if (const auto value = field.value()) send(context.bench, node.key, *value);
    }
    if (outcome.error || (!outcome.waiting && outcome.message.empty())) return;
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + label_width);
    ImGui::PushStyleColor(ImGuiCol_Text, outcome.waiting ? context.theme.text_dim : context.theme.good);
    ImGui::TextWrapped("%s", outcome.waiting ? "saving..." : outcome.message.c_str());
    ImGui::PopStyleColor();
    note_rect(rect + "/" + node.key + "/answer");
}

void ConfigTree::draw_fault(PanelContext& context, const Node& node, const std::string& rect,
                            float left) const {
    ImGui::SetCursorPosX(left);
    draw_mark(context, Mark::failed);
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::TextWrapped("%s%s%s", node.place.c_str(), node.place.empty() ? "" : "  ", node.fault.c_str());
    ImGui::PopStyleColor();
    note_rect(rect + "/" + node.key + "/fault");
}

void ConfigTree::send(BenchState& bench, const std::string& key, const Json& value) {
    (*outcomes_)[key] = {true, false, false, {}};
    Json params = {{"appId", app_}, {"key", key}, {"value", value}};
    bench.request("config.set", params,
                  [weak = std::weak_ptr(outcomes_), key, app = app_,
                   &bench](const Result<std::shared_ptr<const Json>>& answer) {
                      if (answer) bench.refresh_app(app);
                      const auto outcomes = weak.lock();
                      if (!outcomes) return;
                      Outcome outcome{false, !answer, true, {}};
                      if (!answer) {
                          outcome.message = answer.error().message;
                      } else {
                          outcome.message = text_member(**answer, "message");
                          if (outcome.message.empty()) outcome.message = "saved";
                          const Json& restart = member(**answer, "restartRequired");
                          const bool needed = restart.is_boolean() && restart.get<bool>();
                          if (needed && outcome.message.find("restart") == std::string::npos) {
                              outcome.message += " (takes effect after a restart)";
                          }
                      }
                      (*outcomes)[key] = std::move(outcome);
                  });
}

}  // namespace labdeck::ui
