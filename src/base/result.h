// result.h - a value or an Error.
//
// Expected failures are returned, not thrown. A function that returns a Result is
// [[nodiscard]]; whoever drops one says why in a comment.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace labdeck {

template <typename T = void>
using Result = tl::expected<T, Error>;

/// `return fail(Code::bad_arg, "…");` in any function that returns a Result.
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}
[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message, std::string details = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), 0, std::move(details)});
}

/// `if (fd < 0) return os_error("open " + path);` reads errno.
[[nodiscard]] inline tl::unexpected<Error> os_error(std::string_view what) {
    return tl::unexpected<Error>(os_error_value(what));
}

}  // namespace labdeck

/// Unwraps a Result or returns its error from the enclosing function:
/// `auto port = LD_TRY(SerialPort::open(path));`
#define LD_TRY(expression)                                                      \
    __extension__({                                                             \
        auto ld_result_ = (expression);                                         \
        if (!ld_result_) return ::labdeck::fail(std::move(ld_result_).error()); \
        ::labdeck::detail::unwrap(std::move(ld_result_));                       \
    })

namespace labdeck::detail {
template <typename T>
T unwrap(tl::expected<T, Error>&& result) {
    return std::move(*result);
}
inline void unwrap(tl::expected<void, Error>&&) {}
}  // namespace labdeck::detail
