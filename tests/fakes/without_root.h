// without_root.h - permissions count for root too, while one of these lives.
//
// Tests in containers run as root, whom no permission stops. Does nothing for anybody else.
#pragma once

#include <unistd.h>

namespace labdeck::fakes {

class WithoutRoot {
public:
    WithoutRoot() : was_root_(::geteuid() == 0) {
        constexpr uid_t nobody = 65534;
        if (was_root_ && ::seteuid(nobody) != 0) ::_exit(125);
    }
    ~WithoutRoot() {
        if (was_root_ && ::seteuid(0) != 0) ::_exit(125);
    }
    WithoutRoot(const WithoutRoot&) = delete;
    WithoutRoot& operator=(const WithoutRoot&) = delete;

private:
    const bool was_root_;
};

}  // namespace labdeck::fakes
