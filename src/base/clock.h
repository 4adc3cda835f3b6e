// clock.h - the two clocks, and how times are spelled on the wire.
//
// Intervals and stamps use the monotonic clock (CLOCK_MONOTONIC, nanoseconds);
// wall time is only for people and for the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace labdeck {

/// Nanoseconds of CLOCK_MONOTONIC.
struct MonoTime {
    std::int64_t ns = 0;
    friend auto operator<=>(const MonoTime&, const MonoTime&) = default;
};

/// Nanoseconds since the Unix epoch, CLOCK_REALTIME.
struct WallTime {
    std::int64_t ns = 0;
    friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

MonoTime mono_now() noexcept;
WallTime wall_now() noexcept;

/// CPU time that the calling thread has used, in nanoseconds.
std::int64_t thread_cpu_ns() noexcept;
/// The same of the whole process, all threads.
std::int64_t process_cpu_ns() noexcept;

/// Places a monotonic stamp on the wall clock as the two clocks stand to each other now.
WallTime wall_of(MonoTime stamp) noexcept;

/// RFC 3339 UTC with milliseconds: "2026-02-17T16:20:00.000Z".
std::string rfc3339(WallTime time);

/// Reads what rfc3339() writes, with or without the milliseconds. False for anything else; `out` is then
/// untouched.
bool parse_rfc3339(std::string_view text, WallTime& out) noexcept;

/// "16:20:00.000" of the local day.
std::string clock_text(WallTime time);

/// 950 ms, 12.4 s, 3 min 20 s, 5 h 02 min, 3 d 4 h. Never negative.
std::string age_text(std::int64_t ns);

}  // namespace labdeck
