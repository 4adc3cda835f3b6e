#include "data/newline_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace labdeck::data {

namespace {

std::size_t scan_portable(const char* text, std::size_t from, std::size_t size, std::uint32_t base,
                          std::uint16_t* out, std::size_t found, std::size_t room,
                          std::size_t& scanned) noexcept {
    for (std::size_t i = from; i < size; ++i) {
        if (text[i] != '\n') continue;
        if (found == room) {
            scanned = i;
            return found;
        }
        out[found++] = static_cast<std::uint16_t>(base + i);
    }
    scanned = size;
    return found;
}

#if defined(__x86_64__)

// Writes the positions of the mask's set bits. The caller has checked that there is room for all.
inline std::size_t emit(std::uint64_t mask, std::uint32_t at, std::uint16_t* out,
                        std::size_t found) noexcept {
    while (mask != 0) {
        out[found++] = static_cast<std::uint16_t>(at + static_cast<std::uint32_t>(__builtin_ctzll(mask)));
        mask &= mask - 1;
    }
    return found;
}

__attribute__((target("avx2"))) std::size_t scan_avx2(const char* text, std::size_t size, std::uint32_t base,
                                                      std::uint16_t* out, std::size_t room,
                                                      std::size_t& scanned) noexcept {
    const __m256i newline = _mm256_set1_epi8('\n');
    std::size_t found = 0;
    std::size_t i = 0;
    for (; i + 64 <= size && found + 64 <= room; i += 64) {
        const auto* p = reinterpret_cast<const __m256i*>(text + i);
        const auto low = static_cast<std::uint32_t>(
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(p), newline)));
        const auto high = static_cast<std::uint32_t>(
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(p + 1), newline)));
        const std::uint64_t mask = low | (static_cast<std::uint64_t>(high) << 32);
        found = emit(mask, base + static_cast<std::uint32_t>(i), out, found);
    }
    return scan_portable(text, i, size, base, out, found, room, scanned);
}

std::size_t scan_sse2(const char* text, std::size_t size, std::uint32_t base, std::uint16_t* out,
                      std::size_t room, std::size_t& scanned) noexcept {
    const __m128i newline = _mm_set1_epi8('\n');
    std::size_t found = 0;
    std::size_t i = 0;
    for (; i + 64 <= size && found + 64 <= room; i += 64) {
        const auto* p = reinterpret_cast<const __m128i*>(text + i);
        std::uint64_t mask = 0;
        for (int k = 3; k >= 0; --k) {
            const auto bits = static_cast<std::uint16_t>(
                _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(p + k), newline)));
            mask = (mask << 16) | bits;
        }
        found = emit(mask, base + static_cast<std::uint32_t>(i), out, found);
    }
    return scan_portable(text, i, size, base, out, found, room, scanned);
}

#endif

}  // namespace

ScanKind best_scan() noexcept {
#if defined(__x86_64__)
    static const ScanKind kind = __builtin_cpu_supports("avx2") ? ScanKind::avx2 : ScanKind::sse2;
    return kind;
#else
    return ScanKind::portable;
#endif
}

std::size_t find_newlines_by(ScanKind kind, const char* text, std::size_t size, std::uint32_t base,
                             std::uint16_t* out, std::size_t room, std::size_t& scanned) noexcept {
    switch (kind) {
#if defined(__x86_64__)
        case ScanKind::avx2:
            return scan_avx2(text, size, base, out, room, scanned);
        case ScanKind::sse2:
            return scan_sse2(text, size, base, out, room, scanned);
#else
        case ScanKind::avx2:
        case ScanKind::sse2:
#endif
        case ScanKind::portable:
            break;
    }
    return scan_portable(text, 0, size, base, out, 0, room, scanned);
}

std::size_t find_newlines(const char* text, std::size_t size, std::uint32_t base, std::uint16_t* out,
                          std::size_t room, std::size_t& scanned) noexcept {
    return find_newlines_by(best_scan(), text, size, base, out, room, scanned);
}

}  // namespace labdeck::data
