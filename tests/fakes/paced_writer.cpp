// paced_writer - writes lines of 64 bytes to stdout at a rate, at little cost of its own.
//
// usage: paced_writer BYTES_PER_SECOND SECONDS COUNT_FILE
// A piece each 10 ms, late ones at once. At the end it writes into COUNT_FILE how many bytes were taken from
// it, and lives on.
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    constexpr std::size_t line_bytes = 64;
    constexpr std::size_t piece_bytes_max = 1U << 20;
    constexpr std::int64_t pieces_a_second = 100;
    static char lines[piece_bytes_max];
    std::memset(lines, 'x', sizeof lines);
    for (std::size_t end = line_bytes; end <= sizeof lines; end += line_bytes) lines[end - 1] = '\n';
    std::size_t piece = std::strtoull(argv[1], nullptr, 10) / pieces_a_second / line_bytes * line_bytes;
    if (piece > sizeof lines) piece = sizeof lines;
    const std::int64_t pieces = std::strtoll(argv[2], nullptr, 10) * pieces_a_second;

    timespec due{};
    ::clock_gettime(CLOCK_MONOTONIC, &due);
    std::uint64_t taken = 0;
    for (std::int64_t i = 0; i < pieces; ++i) {
        for (std::size_t at = 0; at < piece;) {
            const ssize_t n = ::write(STDOUT_FILENO, lines + at, piece - at);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return 1;
            at += static_cast<std::size_t>(n);
            taken += static_cast<std::uint64_t>(n);
        }
        due.tv_nsec += 1'000'000'000 / pieces_a_second;
        if (due.tv_nsec >= 1'000'000'000) {
            due.tv_nsec -= 1'000'000'000;
            ++due.tv_sec;
        }
        ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
    }
    std::FILE* const count = std::fopen(argv[3], "w");
    if (count == nullptr) return 1;
    std::fprintf(count, "%llu\n", static_cast<unsigned long long>(taken));
    std::fclose(count);
    for (;;) ::pause();
}
