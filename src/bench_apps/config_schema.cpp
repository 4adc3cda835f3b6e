#include "bench_apps/config_schema.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace labdeck::bench_apps {

namespace {

/// A choice is a string among others.
std::string_view schema_type(FieldType type) noexcept {
    constexpr std::array<std::string_view, 5> names = {"string", "integer", "number", "boolean", "string"};
    static_assert(static_cast<std::size_t>(FieldType::choice) + 1 == names.size());
    return names[static_cast<std::size_t>(type)];
}

Json property(const FieldSpec& field) {
    constexpr std::array<std::pair<const char*, const char*>, 5> renamed = {{{"default", "default"},
                                                                             {"min", "minimum"},
                                                                             {"max", "maximum"},
                                                                             {"choices", "enum"},
                                                                             {"unit", "unit"}}};
    Json out = {{"title", field.label}};
    if (!field.help.empty()) out["description"] = field.help;
    out["type"] = schema_type(field.type);
    const Json described = field_json(field);
    for (const auto& [ours, theirs] : renamed) {
        if (const auto found = described.find(ours); found != described.end()) out[theirs] = *found;
    }
    const bool is_text = field.type == FieldType::string || field.type == FieldType::choice;
    if (is_text && field.required) out["minLength"] = 1;
    return out;
}

}  // namespace

Json config_schema(std::string_view app_id, std::span<const FieldSpec> fields) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const FieldSpec& one : fields) {
        properties[std::string(one.name)] = property(one);
        if (one.required && one.preset.empty()) required.push_back(one.name);
    }
    Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                   {"title", fmt::format("Settings of {}", app_id)},
                   {"type", "object"},
                   {"properties", std::move(properties)},
                   {"additionalProperties", true}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
}

}  // namespace labdeck::bench_apps
