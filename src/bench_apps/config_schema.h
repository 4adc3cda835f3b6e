// config_schema.h - the JSON Schema of an app's settings file, made from the fields that the app names.
#pragma once

#include <span>
#include <string_view>

#include "bench_apps/field_spec.h"

namespace labdeck::bench_apps {

/// Draft 7: an object with one property for each field (title, description, type, default, minimum, maximum,
/// enum, and `unit` as the contract names it). A property is required when it must be there and has no
/// default; keys that are no field are let through.
Json config_schema(std::string_view app_id, std::span<const FieldSpec> fields);

}  // namespace labdeck::bench_apps
