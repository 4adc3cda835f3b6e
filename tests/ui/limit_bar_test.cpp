#include "ui/widgets/limit_bar.h"

#include <doctest/doctest.h>

using labdeck::ui::LimitBar;

TEST_SUITE("ui/limit_bar") {
    TEST_CASE("the span between two limits is the middle half, and what is beyond the bar is clamped") {
        const LimitBar bar{{}, 10, 20};
        CHECK(bar.share_of(10) == doctest::Approx(0.25));
        CHECK(bar.share_of(15) == doctest::Approx(0.5));
        CHECK(bar.share_of(20) == doctest::Approx(0.75));
        CHECK(bar.share_of(-1000) == 0);
        CHECK(bar.share_of(1000) == 1);
    }

    TEST_CASE("one limit stands a quarter from its end") {
        CHECK(LimitBar{{}, 12, {}}.share_of(12) == doctest::Approx(0.25));
        CHECK(LimitBar{{}, {}, 50}.share_of(50) == doctest::Approx(0.75));
        CHECK(LimitBar{{}, {}, 50}.share_of(0) == 0);
    }

    TEST_CASE("a limit itself is within, and no value is not") {
        CHECK(LimitBar{10.0, 10, 20}.within());
        CHECK(LimitBar{20.0, 10, 20}.within());
        CHECK_FALSE(LimitBar{20.1, 10, 20}.within());
        CHECK_FALSE(LimitBar{9.9, 10, {}}.within());
        CHECK(LimitBar{1e9, 10, {}}.within());
        CHECK_FALSE(LimitBar{{}, 10, 20}.within());
    }

    TEST_CASE("limits that are equal or zero still have a place") {
        CHECK(LimitBar{{}, 5, 5}.share_of(5) == doctest::Approx(0.5));
        CHECK(LimitBar{{}, 0, {}}.share_of(1) == 1);
        CHECK(LimitBar{{}, {}, 0}.share_of(-1) == 0);
    }
}
