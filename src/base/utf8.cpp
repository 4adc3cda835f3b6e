#include "base/utf8.h"

namespace labdeck {

namespace {

/// Of a lead byte: how many bytes its character takes, 0 for none.
std::size_t length_of(unsigned char lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// Whether `byte` may follow `lead` at place `at`.
bool follows(unsigned char lead, std::size_t at, unsigned char byte) noexcept {
    if (byte < 0x80 || byte > 0xBF) return false;
    if (at != 1) return true;
    if (lead == 0xE0) return byte >= 0xA0;
    if (lead == 0xED) return byte <= 0x9F;
    if (lead == 0xF0) return byte >= 0x90;
    if (lead == 0xF4) return byte <= 0x8F;
    return true;
}

}  // namespace

Utf8Head utf8_head(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = length_of(lead);
    if (length == 0) return {Utf8Head::Kind::foreign, 1};
    for (std::size_t at = 1; at < length; ++at) {
        if (at == text.size()) return {Utf8Head::Kind::begun, at};
        if (!follows(lead, at, static_cast<unsigned char>(text[at]))) return {Utf8Head::Kind::foreign, at};
    }
    return {Utf8Head::Kind::whole, length};
}

}  // namespace labdeck
