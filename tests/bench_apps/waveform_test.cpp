#include "bench_apps/waveform.h"

#include <doctest/doctest.h>

using namespace labdeck::bench_apps;

namespace {
constexpr std::int64_t ms = 1'000'000;
}

TEST_SUITE("bench_apps/waveform") {
    TEST_CASE("each kind goes where its definition says") {
        const Waveform constant{WaveKind::constant, 50, 100, 1000};
        CHECK(constant.value(123 * ms, 1) == 100);
        const Waveform sine{WaveKind::sine, 50, 100, 1000};
        CHECK(sine.value(0, 1) == doctest::Approx(100));
        CHECK(sine.value(250 * ms, 1) == doctest::Approx(150));
        CHECK(sine.value(1750 * ms, 1) == doctest::Approx(50));
        const Waveform ramp{WaveKind::ramp, 50, 100, 1000};
        CHECK(ramp.value(500 * ms, 1) == doctest::Approx(125));
        CHECK(ramp.value(1000 * ms, 1) == doctest::Approx(100));
        const Waveform step{WaveKind::step, -50, 100, 1000};
        CHECK(step.value(499 * ms, 1) == 100);
        CHECK(step.value(500 * ms, 1) == 50);
        CHECK(step.value(1000 * ms, 1) == 100);
    }

    TEST_CASE("noise stays within its amplitude, follows its seed and holds for a period") {
        const Waveform noise{WaveKind::noise, 10, 100, 20};
        bool differs = false;
        for (int i = 0; i < 1000; ++i) {
            const double value = noise.value(i * 20 * ms, 5);
            CHECK(value >= 90);
            CHECK(value <= 110);
            CHECK(value == noise.value(i * 20 * ms + 19 * ms, 5));
            differs = differs || value != noise.value(i * 20 * ms, 6);
        }
        CHECK(differs);
    }

    TEST_CASE("names and kinds go both ways") {
        for (const auto kind :
             {WaveKind::constant, WaveKind::sine, WaveKind::ramp, WaveKind::step, WaveKind::noise}) {
            WaveKind back{};
            CHECK(wave_kind_of(wave_kind_name(kind), back));
            CHECK(back == kind);
        }
        WaveKind untouched = WaveKind::ramp;
        CHECK_FALSE(wave_kind_of("square", untouched));
        CHECK(untouched == WaveKind::ramp);
    }
}
