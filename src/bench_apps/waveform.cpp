#include "bench_apps/waveform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "bench_apps/seeded_stream.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::array<std::string_view, 5> wave_kind_names = {"constant", "sine", "ramp", "step", "noise"};
static_assert(static_cast<std::size_t>(WaveKind::noise) + 1 == wave_kind_names.size());

}  // namespace

std::string_view wave_kind_name(WaveKind kind) noexcept {
    return wave_kind_names[static_cast<std::size_t>(kind)];
}

bool wave_kind_of(std::string_view name, WaveKind& out) noexcept {
    const auto found = std::find(wave_kind_names.begin(), wave_kind_names.end(), name);
    if (found == wave_kind_names.end()) return false;
    out = static_cast<WaveKind>(found - wave_kind_names.begin());
    return true;
}

double Waveform::value(std::int64_t elapsed_ns, std::uint64_t seed) const noexcept {
    const std::int64_t period_ns = std::max<std::int64_t>(period_ms, 1) * 1'000'000;
    const std::int64_t elapsed = std::max<std::int64_t>(elapsed_ns, 0);
    const double phase = static_cast<double>(elapsed % period_ns) / static_cast<double>(period_ns);
    switch (kind) {
        case WaveKind::constant:
            return offset;
        case WaveKind::sine:
            return offset + amplitude * std::sin(2 * std::numbers::pi * phase);
        case WaveKind::ramp:
            return offset + amplitude * phase;
        case WaveKind::step:
            return phase < 0.5 ? offset : offset + amplitude;
        case WaveKind::noise: {
            const auto period = static_cast<std::uint64_t>(elapsed / period_ns);
            return offset + amplitude * (2 * unit_interval(mix64(mix64(seed) ^ period)) - 1);
        }
    }
    return offset;
}

}  // namespace labdeck::bench_apps
