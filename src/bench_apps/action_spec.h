// action_spec.h - what an app can be told to do, and with what.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bench_apps/field_spec.h"

namespace labdeck::bench_apps {

struct ActionSpec {
    std::string_view name;
    std::string_view label;
    std::span<const FieldSpec> args = {};
    std::int64_t timeout_ms = 10'000;  ///< Then the job's state is `timeout`.
    std::string_view help = {};
};

/// name, label, args, timeoutMs, help.
Json action_json(const ActionSpec& action);

/// Gives the arguments back with the defaults filled in. E_BAD_ARG with {"key":"args.NAME"} for the first one
/// that is missing, mistyped, out of range, not among the choices, or not known.
[[nodiscard]] Result<Json> check_args(const ActionSpec& action, const Json& args);

}  // namespace labdeck::bench_apps
