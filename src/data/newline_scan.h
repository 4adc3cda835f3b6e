// newline_scan.h - finds every newline of a piece of text.
//
// Vector code where the processor has it (AVX2, else SSE2), a portable loop
// elsewhere; which one is chosen once, at the first call.
#pragma once

#include <cstddef>
#include <cstdint>

namespace labdeck::data {

enum class ScanKind : unsigned char { portable, sse2, avx2 };

/// The fastest kind that this processor runs.
ScanKind best_scan() noexcept;

/// Writes the offset of each '\n' in text[0..size), plus `base`, to `out`, which has room for
/// `room` of them. Stops when the room is used up. Returns how many were written; `scanned` gets
/// how many bytes were looked at: size, unless the room ran out; then the offset of the first newline
/// that found none.
/// REQUIRES: base + size <= 65536.
std::size_t find_newlines(const char* text, std::size_t size, std::uint32_t base, std::uint16_t* out,
                          std::size_t room, std::size_t& scanned) noexcept;

/// The same by a given kind, for tests and benches. REQUIRES: the processor runs it.
std::size_t find_newlines_by(ScanKind kind, const char* text, std::size_t size, std::uint32_t base,
                             std::uint16_t* out, std::size_t room, std::size_t& scanned) noexcept;

}  // namespace labdeck::data
