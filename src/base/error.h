// error.h - what went wrong, in the contract's own words.
//
// An Error travels unchanged from the deepest service to the wire and to the
// toast in the window, so its code is one of the contract's codes and nothing is
// translated on the way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace labdeck {

/// The contract's error codes, in its order. The spelling on the wire is code_name().
enum class Code : unsigned char {
    bad_arg,             ///< A param or a line is missing, mistyped or out of range.
    unsupported_method,  ///< No such method.
    unsupported_app,     ///< Nobody hosts this app.
    not_found,           ///< An id of anything that does not exist.
    action_failed,       ///< An action ran and did not succeed.
    action_timeout,      ///< An action outran its time.
    config_invalid,      ///< A configuration value its schema refuses.
    internal,            ///< Our own bug. A correct program never says it.
    busy,                ///< Held by somebody else; the message says by whom.
    denied,              ///< Not allowed by policy.
    queue_full,          ///< A bounded queue refuses more.
    io,                  ///< The operating system said no; `os` has its errno.
    canceled,            ///< Given up on request.
    timeout,             ///< No answer in time.
};
inline constexpr std::size_t code_count = 14;

/// "E_BAD_ARG" and so on.
std::string_view code_name(Code code) noexcept;

/// Reads a code's wire spelling. False when it is none of ours; `out` is then untouched.
bool code_from_name(std::string_view name, Code& out) noexcept;

struct Error {
    Code code = Code::internal;
    std::string message;  ///< Says what, where and what to do.
    int os = 0;           ///< errno, 0 when the system was not asked.
    std::string details;  ///< A JSON object as text, or empty for {}.
};

/// "E_IO: open /dev/ttyUSB0: Permission denied".
std::string describe(const Error& error);

/// An Error of Code::io for the current errno: "WHAT: strerror".
/// ENOENT and ENODEV become not_found, EBUSY busy, EACCES and EPERM denied.
Error os_error_value(std::string_view what);
Error os_error_value(std::string_view what, int os);

}  // namespace labdeck
