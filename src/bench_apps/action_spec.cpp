#include "bench_apps/action_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace labdeck::bench_apps {

namespace {

Error bad_argument(std::string_view name, std::string message) {
    return contract::bad_arg("args." + std::string(name), std::move(message));
}

}  // namespace

Json action_json(const ActionSpec& action) {
    Json args = Json::array();
    for (const FieldSpec& field : action.args) args.push_back(field_json(field));
    return {{"name", action.name},
            {"label", action.label},
            {"args", std::move(args)},
            {"timeoutMs", action.timeout_ms},
            {"help", action.help}};
}

Result<Json> check_args(const ActionSpec& action, const Json& args) {
    Json checked = Json::object();
    for (const FieldSpec& field : action.args) {
        const auto given = args.find(field.name);
        if (given == args.end() || (given->is_null() && !field.required)) {
            if (field.required) {
                return fail(
                    bad_argument(field.name, "missing required argument: " + std::string(field.name)));
            }
            if (!field.preset.empty()) checked[std::string(field.name)] = preset_of(field);
            continue;
        }
        if (std::string fault = fault_of(field, *given); !fault.empty()) {
            return fail(bad_argument(field.name, std::move(fault)));
        }
        checked[std::string(field.name)] = *given;
    }
    for (const auto& [name, value] : args.items()) {
        const bool known = std::any_of(action.args.begin(), action.args.end(),
                                       [&name = name](const FieldSpec& field) { return field.name == name; });
        if (!known) {
            return fail(bad_argument(name, std::string(action.name) + " has no argument " + name));
        }
    }
    return checked;
}

}  // namespace labdeck::bench_apps
