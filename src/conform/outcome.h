// outcome.h - what a check comes to: a value, or the fault that it found.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace labdeck::conform {

/// Why a check does not hold: what was expected, and what came instead.
struct Fault {
    std::string expected;
    std::string came;      ///< Empty: what was received tells it.
    bool skipped = false;  ///< The check does not apply; `expected` says why.
};

template <typename T = void>
using Outcome = tl::expected<T, Fault>;

[[nodiscard]] inline tl::unexpected<Fault> fault(std::string expected, std::string came = {}) {
    return tl::unexpected<Fault>(Fault{std::move(expected), std::move(came)});
}
[[nodiscard]] inline tl::unexpected<Fault> skip(std::string why) {
    return tl::unexpected<Fault>(Fault{std::move(why), {}, true});
}

namespace detail {
template <typename T>
T unwrap(tl::expected<T, Fault>&& outcome) {
    return std::move(*outcome);
}
inline void unwrap(tl::expected<void, Fault>&&) {}
}  // namespace detail

}  // namespace labdeck::conform

/// Unwraps an Outcome or ends the enclosing check with its fault.
#define LD_STEP(expression)                                                        \
    __extension__({                                                                \
        auto ld_outcome_ = (expression);                                           \
        if (!ld_outcome_) return ::tl::unexpected(std::move(ld_outcome_).error()); \
        ::labdeck::conform::detail::unwrap(std::move(ld_outcome_));                \
    })
