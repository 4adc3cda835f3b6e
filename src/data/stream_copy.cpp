#include "data/stream_copy.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace labdeck::data {

namespace {

#if defined(__x86_64__)

constexpr std::size_t line_bytes = 64;

// Both want `to` at the start of a cache line and a size of whole lines.
__attribute__((target("avx512f"))) void stream_lines_avx512(char* to, const char* from,
                                                            std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; i += line_bytes) {
        _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), _mm512_loadu_si512(from + i));
    }
}

__attribute__((target("avx2"))) void stream_lines_avx2(char* to, const char* from,
                                                       std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; i += line_bytes) {
        const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
        const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i + line_bytes / 2));
        _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i), low);
        _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i + line_bytes / 2), high);
    }
}

using StreamLines = void (*)(char*, const char*, std::size_t) noexcept;

StreamLines best_stream() noexcept {
    if (__builtin_cpu_supports("avx512f")) return stream_lines_avx512;
    if (__builtin_cpu_supports("avx2")) return stream_lines_avx2;
    return nullptr;
}

#endif

}  // namespace

void stream_copy(char* to, const char* from, std::size_t size) noexcept {
#if defined(__x86_64__)
    static const StreamLines stream = best_stream();
    const std::size_t head = (line_bytes - reinterpret_cast<std::uintptr_t>(to) % line_bytes) % line_bytes;
    if (stream != nullptr && size >= head + line_bytes) {
        const std::size_t whole = (size - head) / line_bytes * line_bytes;
        std::memcpy(to, from, head);
        stream(to + head, from + head, whole);
        // Streaming stores are weakly ordered; a later release would not cover them.
        _mm_sfence();
        std::memcpy(to + head + whole, from + head + whole, size - head - whole);
        return;
    }
#endif
    std::memcpy(to, from, size);
}

}  // namespace labdeck::data
