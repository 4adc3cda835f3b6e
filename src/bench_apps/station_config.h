// station_config.h - the settings of the acceptance station, and its sequence's limits made of them.
#pragma once

#include <span>

#include "bench_apps/app_config.h"
#include "bench_apps/station_machine.h"

namespace labdeck::bench_apps {

std::span<const FieldSpec> station_fields() noexcept;

/// E_CONFIG_INVALID, with the key, where a lower limit is above its upper one.
[[nodiscard]] Result<StationMachine::Settings> station_settings(const AppConfig::Values& values);

}  // namespace labdeck::bench_apps
