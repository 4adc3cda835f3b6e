#include "bench_apps/bounded_text.h"

#include <fmt/format.h>

namespace labdeck::bench_apps {

namespace {

/// True for the second and later bytes of a UTF-8 character.
bool continues_character(char byte) noexcept {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

void BoundedText::append(std::string_view text) {
    kept_ += text;
    if (kept_.size() <= bytes_max_) return;
    // A quarter more than needed, so that a flood does not move everything with each line.
    std::size_t drop = kept_.size() - bytes_max_ + bytes_max_ / 4;
    if (drop > kept_.size()) drop = kept_.size() - bytes_max_;
    while (drop < kept_.size() && continues_character(kept_[drop])) ++drop;
    kept_.erase(0, drop);
    dropped_ += drop;
}

std::string BoundedText::text() const {
    if (dropped_ == 0) return kept_;
    return fmt::format("[{} bytes dropped]\n", dropped_) + kept_;
}

}  // namespace labdeck::bench_apps
