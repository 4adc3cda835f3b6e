// json_reading.h - members of what an app said, which may have any shape: a wrong one reads as an absent one.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "contract/json.h"

namespace labdeck::ui {

using contract::Json;

/// Null when there is no such member, or `json` is no object. Lives as long as `json` does.
inline const Json& member_of(const Json& json, const char* key) {
    static const Json nothing;
    if (!json.is_object()) return nothing;
    const auto found = json.find(key);
    return found == json.end() ? nothing : *found;
}

inline std::string text_member_of(const Json& json, const char* key) {
    const Json& value = member_of(json, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

inline std::optional<double> number_member_of(const Json& json, const char* key) {
    const Json& value = member_of(json, key);
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

/// The action of that name in action.list's answer; null when there is none.
inline const Json& action_named(const Json& actions, std::string_view name) {
    static const Json nothing;
    if (!actions.is_array()) return nothing;
    for (const Json& action : actions) {
        if (text_member_of(action, "name") == name) return action;
    }
    return nothing;
}

/// The argument of that name in an action's row; null when there is none.
inline const Json& arg_named(const Json& action, std::string_view name) {
    return action_named(member_of(action, "args"), name);
}

}  // namespace labdeck::ui
