#include "base/error.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace labdeck;

TEST_SUITE("base/error") {
    TEST_CASE("every code's name is read back as that code") {
        for (std::size_t i = 0; i < code_count; ++i) {
            const auto code = static_cast<Code>(i);
            Code read = Code::internal;
            REQUIRE(code_name(code).starts_with("E_"));
            CHECK(code_from_name(code_name(code), read));
            CHECK(read == code);
        }
    }

    TEST_CASE("a name that is no code's leaves the value alone") {
        Code code = Code::busy;
        for (const char* name : {"", "E_", "e_busy", "BUSY", "E_BUSY "})
            CHECK_FALSE(code_from_name(name, code));
        CHECK(code == Code::busy);
    }

    TEST_CASE("what the system says becomes the code a caller can act on") {
        CHECK(os_error_value("open", ENOENT).code == Code::not_found);
        CHECK(os_error_value("open", EBUSY).code == Code::busy);
        CHECK(os_error_value("open", EACCES).code == Code::denied);
        CHECK(os_error_value("open", EPERM).code == Code::denied);
        CHECK(os_error_value("open", ETIMEDOUT).code == Code::timeout);
        CHECK(os_error_value("open", EIO).code == Code::io);
    }

    TEST_CASE("an error of the system says what failed, why, and keeps its errno") {
        errno = EACCES;
        const Error error = os_error_value("open /dev/ttyUSB0");
        CHECK(error.os == EACCES);
        CHECK(describe(error) == "E_DENIED: open /dev/ttyUSB0: Permission denied");
    }
}
