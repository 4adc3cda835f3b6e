#include "bench_apps/plc_scenario.h"

namespace labdeck::bench_apps {

namespace {

using Curve = PlcScenario::Curve;
using enum WaveKind;

// Rails of 3.3, 5, 12, 1.8 and 24 V; then the limits of the three currents and the temperatures.
constexpr std::array<std::uint16_t, 10> nominal = {3300, 5000, 12'000, 1800, 24'000, 600, 300, 200, 800, 800};

// A curve is its kind, amplitude, offset and period in ms.
constexpr std::array<Curve, 10> idle = {{
    {0, {noise, 6, 3300, 20}},
    {1, {noise, 9, 5000, 20}},
    {2, {sine, 35, 12'000, 4000}},
    {3, {noise, 4, 1800, 20}},
    {4, {sine, 60, 24'000, 9000}},
    {10, {sine, 45, 420, 2500}},
    {11, {noise, 12, 155, 50}},
    {12, {step, 30, 80, 3000}},
    {20, {sine, 12, 312, 30'000}},
    {21, {sine, 9, 287, 45'000}},
}};
constexpr std::array<Curve, 10> ramp_up = {{
    {0, {ramp, 3300, 0, 10'000}},
    {1, {ramp, 5000, 0, 10'000}},
    {2, {ramp, 12'000, 0, 10'000}},
    {3, {ramp, 1800, 0, 10'000}},
    {4, {ramp, 24'000, 0, 10'000}},
    {10, {ramp, 420, 0, 10'000}},
    {11, {ramp, 155, 0, 10'000}},
    {12, {ramp, 80, 0, 10'000}},
    {20, {ramp, 60, 250, 10'000}},
    {21, {ramp, 40, 250, 10'000}},
}};
constexpr std::array<Curve, 10> brown_out = {{
    {0, {noise, 6, 3300, 20}},
    {1, {step, -700, 5000, 4000}},
    {2, {step, -3000, 12'000, 4000}},
    {3, {noise, 4, 1800, 20}},
    {4, {sine, 60, 24'000, 9000}},
    {10, {step, 240, 420, 4000}},
    {11, {step, 90, 155, 4000}},
    {12, {noise, 10, 80, 50}},
    {20, {sine, 12, 312, 30'000}},
    {21, {sine, 9, 287, 45'000}},
}};
constexpr std::array<Curve, 10> overheat = {{
    {0, {noise, 6, 3300, 20}},
    {1, {noise, 9, 5000, 20}},
    {2, {sine, 35, 12'000, 4000}},
    {3, {noise, 4, 1800, 20}},
    {4, {sine, 60, 24'000, 9000}},
    {10, {ramp, 150, 420, 60'000}},
    {11, {noise, 12, 155, 50}},
    {12, {step, 30, 80, 3000}},
    {20, {ramp, 650, 300, 60'000}},
    {21, {ramp, 480, 290, 60'000}},
}};

constexpr std::array<PlcScenario, 4> scenarios = {{
    {"idle", nominal, false, idle},
    {"ramp-up", nominal, true, ramp_up},
    {"brown-out", nominal, true, brown_out},
    {"overheat", nominal, true, overheat},
}};

}  // namespace

std::span<const PlcScenario> plc_scenarios() noexcept {
    return scenarios;
}

}  // namespace labdeck::bench_apps
