#include "base/id.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>

#include "base/assert.h"

namespace labdeck {

std::string new_uuid() {
    std::array<unsigned char, 16> b{};
    ssize_t n = -1;
    do n = ::getrandom(b.data(), b.size(), 0);
    while (n < 0 && errno == EINTR);
    LD_ASSERT(n == static_cast<ssize_t>(b.size()));
    b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
    b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < b.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += fmt::format("{:02x}", b[i]);
    }
    return text;
}

}  // namespace labdeck
