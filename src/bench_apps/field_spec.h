// field_spec.h - one named value that a person fills in: an action's argument or a setting.
//
// Says enough to draw a form, and is what a value is checked against.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "contract/json.h"

namespace labdeck::bench_apps {

using contract::Json;

enum class FieldType : unsigned char { string, integer, number, boolean, choice };
/// As the contract spells it: string, int, number, bool, enum.
std::string_view field_type_name(FieldType type) noexcept;

struct FieldSpec {
    std::string_view name;
    std::string_view label;
    FieldType type = FieldType::string;
    bool required = false;
    std::string_view preset = {};  ///< The default as JSON text; empty for none.
    std::optional<double> min = {};
    std::optional<double> max = {};
    std::string_view choices = {};  ///< "idle|ramp-up", of a FieldType::choice.
    std::string_view unit = {};
    std::string_view help = {};
    bool path = false;  ///< A file's name; a relative one lies in the workspace.
};

/// name, label, type, required, default, min, max, choices, unit, help; what there is not is left out.
Json field_json(const FieldSpec& field);

/// The default, null when there is none.
Json preset_of(const FieldSpec& field);

/// What is wrong with the value, in words that name the field; empty when nothing is.
std::string fault_of(const FieldSpec& field, const Json& value);

}  // namespace labdeck::bench_apps
