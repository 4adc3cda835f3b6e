#include "bench_apps/field_spec.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/assert.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::array<std::string_view, 5> field_type_names = {"string", "int", "number", "bool", "enum"};
static_assert(static_cast<std::size_t>(FieldType::choice) + 1 == field_type_names.size());

constexpr std::size_t text_bytes_max = 64U << 10;

Json choices_json(std::string_view choices) {
    Json list = Json::array();
    while (!choices.empty()) {
        const std::size_t bar = choices.find('|');
        list.push_back(choices.substr(0, bar));
        choices = bar == std::string_view::npos ? std::string_view{} : choices.substr(bar + 1);
    }
    return list;
}

bool is_whole(const Json& value) {
    if (value.is_number_integer()) return true;
    return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
}

bool has_type(FieldType type, const Json& value) {
    switch (type) {
        case FieldType::string:
        case FieldType::choice:
            return value.is_string();
        case FieldType::integer:
            return is_whole(value);
        case FieldType::number:
            return value.is_number() && std::isfinite(value.get<double>());
        case FieldType::boolean:
            return value.is_boolean();
    }
    return false;
}

/// 115200 and not 115200.000000.
Json number_json(double value, FieldType type) {
    if (type == FieldType::integer) return static_cast<std::int64_t>(value);
    return value;
}

}  // namespace

std::string_view field_type_name(FieldType type) noexcept {
    return field_type_names[static_cast<std::size_t>(type)];
}

Json preset_of(const FieldSpec& field) {
    if (field.preset.empty()) return nullptr;
    Result<Json> parsed = contract::parse_json(field.preset);
    LD_ASSERT(parsed.has_value());
    return std::move(*parsed);
}

Json field_json(const FieldSpec& field) {
    Json json = {{"name", field.name},
                 {"label", field.label},
                 {"type", field_type_name(field.type)},
                 {"required", field.required}};
    if (!field.preset.empty()) json["default"] = preset_of(field);
    if (field.min) json["min"] = number_json(*field.min, field.type);
    if (field.max) json["max"] = number_json(*field.max, field.type);
    if (!field.choices.empty()) json["choices"] = choices_json(field.choices);
    if (!field.unit.empty()) json["unit"] = field.unit;
    if (!field.help.empty()) json["help"] = field.help;
    return json;
}

std::string fault_of(const FieldSpec& field, const Json& value) {
    if (!has_type(field.type, value)) {
        return fmt::format("{} must be {} {}", field.name, field.type == FieldType::integer ? "an" : "a",
                           field.type == FieldType::choice ? "string" : field_type_name(field.type));
    }
    if (value.is_number()) {
        const double number = value.get<double>();
        if (field.min && number < *field.min)
            return fmt::format("{} must be at least {}", field.name, *field.min);
        if (field.max && number > *field.max)
            return fmt::format("{} must be at most {}", field.name, *field.max);
    }
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (text.size() > text_bytes_max)
            return fmt::format("{} is longer than {} bytes", field.name, text_bytes_max);
        if (text.find('\0') != std::string::npos) return fmt::format("{} has a NUL in it", field.name);
        if (field.required && text.empty()) return fmt::format("{} must not be empty", field.name);
    }
    if (field.type == FieldType::choice) {
        const Json choices = choices_json(field.choices);
        if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
            return fmt::format("{} must be one of {}", field.name, field.choices);
        }
    }
    return {};
}

}  // namespace labdeck::bench_apps
