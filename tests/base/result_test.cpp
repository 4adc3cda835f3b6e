#include "base/result.h"

#include <doctest/doctest.h>

#include <memory>

using namespace labdeck;

namespace {

Result<std::unique_ptr<int>> make(bool well) {
    if (!well) return fail(Code::busy, "held by somebody");
    return std::make_unique<int>(42);
}

Result<int> use(bool well) {
    const std::unique_ptr<int> made = LD_TRY(make(well));
    return *made;
}

Result<> act(bool well) {
    if (!well) return fail(Code::io, "no");
    return {};
}

Result<int> act_twice(bool first, bool second) {
    LD_TRY(act(first));
    LD_TRY(act(second));
    return 2;
}

}  // namespace

TEST_SUITE("base/result") {
    TEST_CASE("LD_TRY gives the value, even one that can only be moved") {
        CHECK(use(true).value() == 42);
    }

    TEST_CASE("LD_TRY returns the error unchanged, whatever the value's type was") {
        const Result<int> result = use(false);
        REQUIRE_FALSE(result);
        CHECK(result.error().code == Code::busy);
        CHECK(result.error().message == "held by somebody");
    }

    TEST_CASE("LD_TRY goes on after a success without a value, and stops at the first failure") {
        CHECK(act_twice(true, true).value() == 2);
        CHECK_FALSE(act_twice(false, true));
        CHECK_FALSE(act_twice(true, false));
    }
}
