// waveform.h - what a simulated register does over time.
//
// A pure function of the time: whoever asks, and however often, sees the same curve.
#pragma once

#include <cstdint>
#include <string_view>

namespace labdeck::bench_apps {

enum class WaveKind : unsigned char { constant, sine, ramp, step, noise };
std::string_view wave_kind_name(WaveKind kind) noexcept;
/// False when it names none; `out` is then untouched.
bool wave_kind_of(std::string_view name, WaveKind& out) noexcept;

struct Waveform {
    WaveKind kind = WaveKind::constant;
    double amplitude = 0;
    double offset = 0;  ///< The constant's value, the sine's and the noise's middle, the others' start.
    std::int64_t period_ms = 1000;  ///< At least 1. Noise takes a new value as often.

    /// `elapsed_ns` since the curve began, `seed` tells one noise from another. Sine and noise go `amplitude`
    /// to both sides of the offset, a ramp climbs by it and starts again, a step adds it in the second half
    /// of each period.
    double value(std::int64_t elapsed_ns, std::uint64_t seed) const noexcept;
};

}  // namespace labdeck::bench_apps
