// log_level.h - how much a log line matters.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace labdeck::bench_apps {

enum class LogLevel : unsigned char { debug, info, warning, error };

/// As events spell it.
inline std::string_view log_level_name(LogLevel level) noexcept {
    constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
    return names[static_cast<std::size_t>(level)];
}
/// As lines of text spell it.
inline std::string_view log_level_word(LogLevel level) noexcept {
    constexpr std::array<std::string_view, 4> words = {"DEBUG", "INFO", "WARN", "ERROR"};
    return words[static_cast<std::size_t>(level)];
}

}  // namespace labdeck::bench_apps
