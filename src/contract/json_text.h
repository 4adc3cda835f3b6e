// json_text.h - where each value of a JSON text stands, and where a text stops being JSON.
//
// For files that people write: an error is told with its line and column, and one value can be changed while
// everything around it stays as it was typed. Values themselves come from parse_json(); a text that read()
// takes is one that parse_json() takes too.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "contract/json.h"

namespace labdeck::contract {

/// A place in a text, both from 1. The column counts characters (code points), not bytes; a tab is one.
struct TextPlace {
    std::size_t line = 1;
    std::size_t column = 1;
    auto operator<=>(const TextPlace&) const = default;
};

/// Lines end at \n, \r\n or a lone \r. A byte beyond the end stands for the end.
TextPlace place_of(std::string_view text, std::size_t byte) noexcept;

/// Why a text is no JSON.
struct JsonFault {
    std::size_t byte = 0;  ///< Where, from the text's beginning.
    std::string message;   ///< What is wrong and what to do about it; without the place.
};

class JsonText {
public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// Where a value stands: bytes [begin, end); where its key does, with the quotes, if it is an object's
    /// member.
    struct Span {
        std::size_t begin = 0, end = 0;
        std::size_t key_begin = none, key_end = none;
    };
    /// A key that its object has already. Of two the first counts.
    struct Duplicate {
        std::string key;
        std::size_t byte = 0;        ///< Of the later key.
        std::size_t first_byte = 0;  ///< Of the one that counts.
    };

    /// Strict JSON, UTF-8 without a byte order mark, at most json_depth_max deep. Reads the text once; keeps
    /// no pointer into it. Thread: any.
    [[nodiscard]] static tl::expected<JsonText, JsonFault> read(std::string_view text);

    /// Where the value of a JSON pointer (RFC 6901) stands; "" is the whole. Null when there is none.
    const Span* find(std::string_view pointer) const;
    const std::vector<Duplicate>& duplicates() const noexcept { return duplicates_; }

    /// The text that this was read from, with the outermost object's `key` set to `value`: in the old value's
    /// place, or behind the last member in the same indentation. All else stays, to the byte. Requires that
    /// the outermost value is an object.
    std::string with_member(std::string_view text, std::string_view key, const Json& value) const;

private:
    friend class JsonTextReader;
    struct Node {
        Span span;
        std::string key;          ///< Of an object's member.
        std::size_t next = none;  ///< The following sibling.
        std::size_t first_child = none;
        std::size_t last_child = none;
        bool is_array = false;
    };
    std::size_t child(const Node& parent, std::string_view token) const;

    std::vector<Node> nodes_;  ///< The first is the whole.
    std::vector<Duplicate> duplicates_;
};

/// `token` as a step of a JSON pointer: "/" and "~" escaped, and the slash before it.
std::string pointer_step(std::string_view token);

}  // namespace labdeck::contract
