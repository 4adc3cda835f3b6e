// row_text.h - turns a row's raw bytes into what a log view shows.
//
// Nothing is hidden silently: control characters become marks (^A), bytes that are no
// UTF-8 become U+FFFD, tabs go to the next multiple of eight. Only colour sequences
// (CSI ... m) and "erase to the end of the line" (CSI ... K) are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace labdeck::model {

enum class Level : unsigned char { none, debug, info, warn, error };

/// The level that a log row names in its first bytes: ERROR, [warn], level=info, "level":"debug".
Level level_of(std::string_view raw) noexcept;

/// Appends the columns [first, first + count) of a row to `out`, as UTF-8. Looks at no byte beyond them.
void append_columns(std::string_view raw, std::size_t first, std::size_t count, std::string& out);

/// The row without its colour sequences and otherwise untouched: what is copied and what is searched.
/// Returns `raw` itself where there is nothing to leave out, else a view of `scratch`.
std::string_view without_colours(std::string_view raw, std::string& scratch);

/// Whether a sample of a source's bytes is better read as hex: more than one in eight is no text.
bool looks_binary(std::string_view sample) noexcept;

inline constexpr std::size_t hex_row_bytes = 16;
/// Appends "00001a40  01 03 ...  |..|". `offset` is a multiple of 16; the first `missing` places are left
/// blank because their bytes are no longer there.
void append_hex_row(std::uint64_t offset, std::size_t missing, std::string_view bytes, std::string& out);

}  // namespace labdeck::model
