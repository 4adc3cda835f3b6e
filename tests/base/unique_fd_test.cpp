#include "base/unique_fd.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <utility>

using labdeck::UniqueFd;

namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}
int open_null() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

TEST_SUITE("base/unique_fd") {
    TEST_CASE("the descriptor is closed once its owner goes") {
        int raw = -1;
        {
            const UniqueFd fd(open_null());
            raw = fd.get();
            CHECK(is_open(raw));
        }
        CHECK_FALSE(is_open(raw));
    }

    TEST_CASE("moving hands the descriptor over, and closes what the target had") {
        UniqueFd first(open_null());
        UniqueFd second(open_null());
        const int kept = first.get();
        const int closed = second.get();
        second = std::move(first);
        CHECK(second.get() == kept);
        CHECK(is_open(kept));
        CHECK_FALSE(is_open(closed));
    }

    TEST_CASE("a released descriptor is the caller's to close") {
        UniqueFd fd(open_null());
        const int raw = fd.release();
        CHECK_FALSE(static_cast<bool>(fd));
        fd.reset();
        CHECK(is_open(raw));
        ::close(raw);
    }

    TEST_CASE("a descriptor moved to itself stays open") {
        UniqueFd fd(open_null());
        UniqueFd& same = fd;
        fd = std::move(same);
        CHECK(is_open(fd.get()));
    }
}
