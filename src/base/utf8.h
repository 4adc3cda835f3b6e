// utf8.h - where characters begin and end in bytes that may be anything.
#pragma once

#include <cstddef>
#include <string_view>

namespace labdeck {

/// What a text begins with (Unicode 15, table 3-7).
struct Utf8Head {
    enum class Kind : unsigned char {
        whole,    ///< A character.
        begun,    ///< The beginning of one; the text ends there.
        foreign,  ///< No character: as many bytes as become one U+FFFD.
    };
    Kind kind;
    std::size_t bytes;  ///< At least 1.
};

/// `text` is not empty.
Utf8Head utf8_head(std::string_view text) noexcept;

/// What stands for bytes that are no character.
inline constexpr std::string_view utf8_replacement = "\xEF\xBF\xBD";

}  // namespace labdeck
