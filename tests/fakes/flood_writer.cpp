// flood_writer - writes lines of 64 bytes to stdout as fast as they are taken.
//
// usage: flood_writer BYTES [newline|none]
// Each line is "NUMBER STAMP text…\n": its number from 0, and CLOCK_MONOTONIC in nanoseconds at the moment
// when its 64 KiB were put together. With `none` the newlines are blanks.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

namespace {

constexpr std::size_t number_digits = 12;
constexpr std::size_t stamp_digits = 18;

void put_number(char* to, std::size_t digits, std::uint64_t value) {
    for (std::size_t i = digits; i-- > 0; value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const std::uint64_t bytes = std::strtoull(argv[1], nullptr, 10);
    const char end = argc > 2 && std::string_view(argv[2]) == "none" ? ' ' : '\n';
    constexpr std::size_t line_bytes = 64;
    constexpr std::size_t chunk_bytes = 64 * 1024;
    static char chunk[chunk_bytes];
    std::memset(chunk, 'x', chunk_bytes);
    for (std::size_t at = 0; at < chunk_bytes; at += line_bytes) {
        chunk[at + number_digits] = chunk[at + number_digits + 1 + stamp_digits] = ' ';
    }
    std::uint64_t line = 0;
    for (std::uint64_t done = 0; done < bytes;) {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        const std::int64_t stamp = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
        for (std::size_t at = 0; at < chunk_bytes; at += line_bytes) {
            char* const to = chunk + at;
            put_number(to, number_digits, line++);
            put_number(to + number_digits + 1, stamp_digits, static_cast<std::uint64_t>(stamp));
            to[line_bytes - 1] = end;
        }
        std::size_t want = chunk_bytes < bytes - done ? chunk_bytes : static_cast<std::size_t>(bytes - done);
        const char* from = chunk;
        while (want > 0) {
            const ssize_t n = ::write(STDOUT_FILENO, from, want);
            if (n < 0) return 1;
            from += n;
            want -= static_cast<std::size_t>(n);
            done += static_cast<std::uint64_t>(n);
        }
    }
    return 0;
}
