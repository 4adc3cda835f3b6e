// seeded_stream.h - numbers that look random and are the same for the same seed, everywhere.
//
// SplitMix64. The standard library's distributions differ between implementations,
// and a fault that was seen once must be seen again.
#pragma once

#include <cstdint>

namespace labdeck::bench_apps {

/// Spreads one number over 64 bits; a pure function.
constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
    value = (value ^ value >> 27) * 0x94D049BB133111EBU;
    return value ^ value >> 31;
}

/// 0 <= x < 1.
constexpr double unit_interval(std::uint64_t bits) noexcept {
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

class SeededStream {
public:
    explicit SeededStream(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept { return mix64(state_ += 0x9E3779B97F4A7C15U); }
    double next_unit() noexcept { return unit_interval(next()); }
    /// 0 <= n < bound; 0 for a bound of 0. The bias is far below what a bench can see.
    std::uint64_t next_below(std::uint64_t bound) noexcept { return bound == 0 ? 0 : next() % bound; }
    /// True with this chance. A rate of 1 is always, of 0 never.
    bool chance(double rate) noexcept { return next_unit() < rate; }

private:
    std::uint64_t state_;
};

}  // namespace labdeck::bench_apps
