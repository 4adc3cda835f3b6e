// plc_scenario.h - the built-in situations of the simulated PLC.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "bench_apps/waveform.h"

namespace labdeck::bench_apps {

struct PlcScenario {
    struct Curve {
        std::size_t address = 0;
        Waveform waveform;
    };
    std::string_view name;
    std::array<std::uint16_t, 10> set_points;  ///< Holding registers 0-9.
    bool testing = false;                      ///< Coil 1.
    std::span<const Curve> curves;             ///< Of the input registers 0-4, 10-12, 20 and 21.
};

/// idle, ramp-up, brown-out, overheat; the first is what a PLC starts with.
std::span<const PlcScenario> plc_scenarios() noexcept;

}  // namespace labdeck::bench_apps
