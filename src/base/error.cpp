#include "base/error.h"

#include <array>
#include <cerrno>
#include <system_error>

namespace labdeck {

namespace {

constexpr std::array<std::string_view, code_count> code_names = {"E_BAD_ARG",
                                                                 "E_UNSUPPORTED_METHOD",
                                                                 "E_UNSUPPORTED_APP",
                                                                 "E_NOT_FOUND",
                                                                 "E_ACTION_FAILED",
                                                                 "E_ACTION_TIMEOUT",
                                                                 "E_CONFIG_INVALID",
                                                                 "E_INTERNAL",
                                                                 "E_BUSY",
                                                                 "E_DENIED",
                                                                 "E_QUEUE_FULL",
                                                                 "E_IO",
                                                                 "E_CANCELED",
                                                                 "E_TIMEOUT"};
static_assert(static_cast<std::size_t>(Code::timeout) + 1 == code_names.size());

Code code_of_errno(int os) {
    switch (os) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
            return Code::not_found;
        case EBUSY:
            return Code::busy;
        case EACCES:
        case EPERM:
            return Code::denied;
        case ETIMEDOUT:
            return Code::timeout;
        default:
            return Code::io;
    }
}

}  // namespace

std::string_view code_name(Code code) noexcept {
    return code_names[static_cast<std::size_t>(code)];
}

bool code_from_name(std::string_view name, Code& out) noexcept {
    for (std::size_t i = 0; i < code_names.size(); ++i) {
        if (code_names[i] == name) {
            out = static_cast<Code>(i);
            return true;
        }
    }
    return false;
}

std::string describe(const Error& error) {
    return std::string(code_name(error.code)) + ": " + error.message;
}

Error os_error_value(std::string_view what, int os) {
    Error error;
    error.code = code_of_errno(os);
    error.os = os;
    error.message = std::string(what) + ": " + std::system_category().message(os);
    return error;
}

Error os_error_value(std::string_view what) {
    return os_error_value(what, errno);
}

}  // namespace labdeck
