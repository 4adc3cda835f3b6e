#include "model/row_text.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/utf8.h"

namespace labdeck::model {

namespace {

constexpr std::size_t tab_columns = 8;
constexpr std::size_t level_bytes_max = 80;
constexpr char escape = '\x1b';

struct LevelWord {
    std::string_view word;
    Level level;
};
constexpr std::array<LevelWord, 17> level_words = {{{"ERROR", Level::error},
                                                    {"ERR", Level::error},
                                                    {"FATAL", Level::error},
                                                    {"CRITICAL", Level::error},
                                                    {"CRIT", Level::error},
                                                    {"PANIC", Level::error},
                                                    {"FAIL", Level::error},
                                                    {"FAILED", Level::error},
                                                    {"WARN", Level::warn},
                                                    {"WARNING", Level::warn},
                                                    {"WRN", Level::warn},
                                                    {"INFO", Level::info},
                                                    {"INF", Level::info},
                                                    {"NOTICE", Level::info},
                                                    {"DEBUG", Level::debug},
                                                    {"DBG", Level::debug},
                                                    {"TRACE", Level::debug}}};

bool is_letter(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_word(char c) noexcept {
    return is_letter(c) || c == '_' || (c >= '0' && c <= '9');
}

/// Length of the sequence that begins with the ESC at text[0] when it is one that is left out, else 0.
std::size_t colour_length(std::string_view text) noexcept {
    if (text.size() < 3 || text[1] != '[') return 0;
    for (std::size_t i = 2; i < text.size() && i < 64; ++i) {
        const char c = text[i];
        if (c == 'm' || c == 'K') return i + 1;
        const bool parameter = (c >= '0' && c <= '9') || c == ';' || c == ':';
        if (!parameter) return 0;
    }
    return 0;
}

/// Length of the character at text[0], 0 when there is none.
std::size_t character_length(std::string_view text) noexcept {
    const Utf8Head head = utf8_head(text);
    return head.kind == Utf8Head::Kind::whole ? head.bytes : 0;
}

/// Upper case always counts; lower case only where it stands as a label, so that "no error found" is no
/// error.
bool stands_as_level(std::string_view text, std::size_t begin, std::size_t end) noexcept {
    const bool upper = text[begin] <= 'Z' && text[end - 1] <= 'Z';
    if (upper) return true;
    const char before = begin > 0 ? text[begin - 1] : '\n';
    const char after = end < text.size() ? text[end] : '\n';
    if (before == '[' || before == '<' || before == '=' || before == '(') return true;
    if (before == '"' && after == '"') return true;
    return after == ':' && (before == ' ' || before == '\n');
}

Level level_of_word(std::string_view text, std::size_t begin, std::size_t end) noexcept {
    const std::size_t length = end - begin;
    if (length < 3 || length > 8) return Level::none;
    for (const LevelWord& candidate : level_words) {
        if (candidate.word.size() != length) continue;
        bool same = true;
        for (std::size_t i = 0; i < length && same; ++i)
            same = (text[begin + i] & ~0x20) == candidate.word[i];
        if (same && stands_as_level(text, begin, end)) return candidate.level;
    }
    return Level::none;
}

/// What one place of a row shows, and how many bytes and columns it takes.
struct Piece {
    std::size_t bytes = 1;
    std::size_t columns = 1;
    std::string_view text;
};

Piece piece_at(std::string_view rest, std::size_t column, std::array<char, 2>& mark) noexcept {
    static constexpr std::string_view blanks = "        ";
    const auto c = static_cast<unsigned char>(rest[0]);
    if (c == '\t') {
        const std::size_t width = tab_columns - column % tab_columns;
        return {1, width, blanks.substr(0, width)};
    }
    if (c == static_cast<unsigned char>(escape)) {
        if (const std::size_t length = colour_length(rest)) return {length, 0, {}};
    }
    if (c < 0x20 || c == 0x7f) {
        mark = {'^', static_cast<char>(c ^ 0x40)};
        return {1, 2, {mark.data(), mark.size()}};
    }
    const std::size_t length = character_length(rest);
    if (length == 0) return {1, 1, utf8_replacement};
    return {length, 1, rest.substr(0, length)};
}

}  // namespace

Level level_of(std::string_view raw) noexcept {
    const std::string_view text = raw.substr(0, level_bytes_max);
    std::size_t i = 0;
    while (i < text.size()) {
        if (text[i] == escape) {
            i += std::max<std::size_t>(1, colour_length(text.substr(i)));
            continue;
        }
        if (!is_word(text[i])) {
            ++i;
            continue;
        }
        const std::size_t begin = i;
        bool letters = true;
        for (; i < text.size() && is_word(text[i]); ++i) letters = letters && is_letter(text[i]);
        // A word that the limit cuts in two is not known.
        if (i == text.size() && i < raw.size()) break;
        if (!letters) continue;
        if (const Level level = level_of_word(text, begin, i); level != Level::none) return level;
    }
    return Level::none;
}

void append_columns(std::string_view raw, std::size_t first, std::size_t count, std::string& out) {
    const std::size_t last = first + count;
    std::array<char, 2> mark{};
    std::size_t column = 0;
    std::size_t i = 0;
    while (i < raw.size() && column < last) {
        const Piece piece = piece_at(raw.substr(i), column, mark);
        i += piece.bytes;
        const std::size_t end = column + piece.columns;
        if (end > first && piece.columns > 0) {
            // Tabs and marks may stick out of the window on either side; those are single-byte text.
            std::string_view text = piece.text;
            if (piece.columns > 1) {
                if (end > last) text.remove_suffix(end - last);
                if (column < first) text.remove_prefix(first - column);
            }
            out.append(text);
        }
        column = end;
    }
}

std::string_view without_colours(std::string_view raw, std::string& scratch) {
    if (raw.empty() || std::memchr(raw.data(), escape, raw.size()) == nullptr) return raw;
    scratch.clear();
    for (std::size_t i = 0; i < raw.size();) {
        const std::size_t length = raw[i] == escape ? colour_length(raw.substr(i)) : 0;
        if (length == 0) scratch.push_back(raw[i]);
        i += std::max<std::size_t>(length, 1);
    }
    return scratch;
}

bool looks_binary(std::string_view sample) noexcept {
    std::size_t foreign = 0;
    for (std::size_t i = 0; i < sample.size();) {
        const auto c = static_cast<unsigned char>(sample[i]);
        const std::size_t length = character_length(sample.substr(i));
        const bool plain_control =
            c == '\t' || c == '\n' || c == '\r' || c == '\b' || c == '\x1b' || c == '\a';
        if (length == 0 || c == 0x7f || (c < 0x20 && !plain_control)) ++foreign;
        i += std::max<std::size_t>(length, 1);
    }
    return foreign * 8 > sample.size();
}

void append_hex_row(std::uint64_t offset, std::size_t missing, std::string_view bytes, std::string& out) {
    static constexpr char digits[] = "0123456789abcdef";
    int places = 8;
    while (places < 16 && (offset >> (4 * places)) != 0) ++places;
    for (int shift = 4 * (places - 1); shift >= 0; shift -= 4) out.push_back(digits[(offset >> shift) & 15]);
    const auto byte_at = [&](std::size_t place, unsigned char& byte) {
        if (place < missing || place - missing >= bytes.size()) return false;
        byte = static_cast<unsigned char>(bytes[place - missing]);
        return true;
    };
    unsigned char byte = 0;
    for (std::size_t place = 0; place < hex_row_bytes; ++place) {
        out.append(place % 8 == 0 ? "  " : " ");
        if (byte_at(place, byte)) {
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 15]);
        } else {
            out.append("  ");
        }
    }
    out.append("  |");
    for (std::size_t place = 0; place < hex_row_bytes; ++place) {
        const bool there = byte_at(place, byte);
        out.push_back(!there ? ' ' : byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.');
    }
    out.push_back('|');
}

}  // namespace labdeck::model
