// texts.h - texts that are hard on a row index, and what their rows are, found one byte at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "data/block.h"

namespace labdeck::data {

using Random = std::mt19937_64;

inline std::size_t number_in(Random& random, std::size_t least, std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(least, most)(random);
}

enum class Text : unsigned char {
    log,
    crlf,
    newlines_only,
    no_newline,
    around_row_max,
    nuls,
    any_bytes,
    mixed
};
inline constexpr Text all_texts[] = {Text::log,        Text::crlf,           Text::newlines_only,
                                     Text::no_newline, Text::around_row_max, Text::nuls,
                                     Text::any_bytes,  Text::mixed};

inline std::string make_text(Text kind, std::size_t bytes, Random& random) {
    std::string text;
    while (text.size() < bytes) {
        Text now = kind;
        if (kind == Text::mixed) now = all_texts[number_in(random, 0, 6)];
        switch (now) {
            case Text::log:
                text.append(number_in(random, 0, 160), static_cast<char>('a' + number_in(random, 0, 25)));
                text += '\n';
                break;
            case Text::crlf:
                text.append(number_in(random, 0, 60), 'r');
                text += "\r\n";
                break;
            case Text::newlines_only:
                text.append(number_in(random, 1, 30'000), '\n');
                break;
            case Text::no_newline:
                text.append(number_in(random, 1, 40'000), 'n');
                break;
            case Text::around_row_max:
                text.append(Block::row_bytes_max - 3 + number_in(random, 0, 4), 'x');
                text += number_in(random, 0, 1) == 0 ? "\n" : "\r\n";
                break;
            case Text::nuls:
                text.append(number_in(random, 0, 300), '\0');
                if (number_in(random, 0, 2) == 0) text += '\n';
                break;
            case Text::any_bytes:
            case Text::mixed:
                for (int i = 0; i < 1000; ++i) text += static_cast<char>(number_in(random, 0, 255));
                break;
        }
    }
    text.resize(bytes);
    return text;
}

struct ExpectedRow {
    std::size_t from = 0;  ///< Its bytes are [from, to), newline and all.
    std::size_t to = 0;
    std::uint64_t line = 0;
    bool soft = false;
    bool open = false;
};

inline std::vector<ExpectedRow> rows_of(std::string_view text) {
    std::vector<ExpectedRow> rows;
    ExpectedRow row;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool hard = text[i] == '\n';
        row.to = i + 1;
        if (!hard && row.to - row.from < Block::row_bytes_max) continue;
        row.soft = !hard;
        rows.push_back(row);
        row.line += hard ? 1 : 0;
        row.from = i + 1;
    }
    if (row.from < text.size()) {
        row.open = true;
        row.soft = false;
        rows.push_back(row);
    }
    return rows;
}

/// What a view shows of a row.
inline std::string_view shown(std::string_view text, const ExpectedRow& row) {
    std::string_view shown = text.substr(row.from, row.to - row.from);
    if (row.soft || row.open) return shown;
    shown.remove_suffix(1);
    if (shown.ends_with('\r')) shown.remove_suffix(1);
    return shown;
}

}  // namespace labdeck::data
