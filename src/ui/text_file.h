// text_file.h - a small file that a person names in the window: read or written whole.
//
// On the window's thread and with a bound, for what a click asks for. Only plain files: a pipe or a device
// could hold the window up.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace labdeck::ui {

inline constexpr std::size_t text_file_bytes_max = 16U << 20U;

[[nodiscard]] Result<std::string> read_text_file(const std::string& path);

/// Replaces the file as a whole, or leaves it as it was.
[[nodiscard]] Result<> write_text_file(const std::string& path, std::string_view text);

}  // namespace labdeck::ui
