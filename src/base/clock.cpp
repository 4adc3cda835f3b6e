#include "base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace labdeck {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t ns_per_ms = 1'000'000;

std::int64_t read_clock(clockid_t id) noexcept {
    timespec now{};
    ::clock_gettime(id, &now);
    return static_cast<std::int64_t>(now.tv_sec) * ns_per_s + now.tv_nsec;
}

}  // namespace

MonoTime mono_now() noexcept {
    return {read_clock(CLOCK_MONOTONIC)};
}
WallTime wall_now() noexcept {
    return {read_clock(CLOCK_REALTIME)};
}
std::int64_t thread_cpu_ns() noexcept {
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}
std::int64_t process_cpu_ns() noexcept {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

WallTime wall_of(MonoTime stamp) noexcept {
    return {wall_now().ns - (mono_now().ns - stamp.ns)};
}

std::string rfc3339(WallTime time) {
    const std::time_t seconds = time.ns / ns_per_s;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (time.ns % ns_per_s) / ns_per_ms);
}

bool parse_rfc3339(std::string_view text, WallTime& out) noexcept {
    // "2026-02-17T16:20:00Z", and ".000" before the Z.
    constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:dd";
    constexpr std::size_t whole = pattern.size() + 1;
    constexpr std::size_t with_ms = whole + 4;
    if ((text.size() != whole && text.size() != with_ms) || text.back() != 'Z') return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == 'd' ? !is_digit(text[i]) : text[i] != pattern[i]) return false;
    }
    const auto number = [text](std::size_t from, std::size_t digits) {
        int value = 0;
        for (std::size_t i = from; i < from + digits; ++i) value = value * 10 + (text[i] - '0');
        return value;
    };
    int ms = 0;
    if (text.size() == with_ms) {
        if (text[19] != '.' || !is_digit(text[20]) || !is_digit(text[21]) || !is_digit(text[22]))
            return false;
        ms = number(20, 3);
    }
    std::tm utc{};
    utc.tm_year = number(0, 4) - 1900;
    utc.tm_mon = number(5, 2) - 1;
    utc.tm_mday = number(8, 2);
    utc.tm_hour = number(11, 2);
    utc.tm_min = number(14, 2);
    utc.tm_sec = number(17, 2);
    if (utc.tm_mon > 11 || utc.tm_mday < 1 || utc.tm_mday > 31 || utc.tm_hour > 23 || utc.tm_min > 59 ||
        utc.tm_sec > 60) {
        return false;
    }
    out.ns = static_cast<std::int64_t>(::timegm(&utc)) * ns_per_s + ms * ns_per_ms;
    return true;
}

std::string clock_text(WallTime time) {
    const std::time_t seconds = time.ns / ns_per_s;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", local.tm_hour, local.tm_min, local.tm_sec,
                       (time.ns % ns_per_s) / ns_per_ms);
}

std::string age_text(std::int64_t ns) {
    const std::int64_t ms = std::max<std::int64_t>(ns, 0) / ns_per_ms;
    if (ms < 1000) return fmt::format("{} ms", ms);
    const std::int64_t s = ms / 1000;
    if (s < 60) return fmt::format("{}.{} s", s, ms % 1000 / 100);
    if (s < 3600) return fmt::format("{} min {:02} s", s / 60, s % 60);
    if (s < 86'400) return fmt::format("{} h {:02} min", s / 3600, s % 3600 / 60);
    return fmt::format("{} d {} h", s / 86'400, s % 86'400 / 3600);
}

}  // namespace labdeck
