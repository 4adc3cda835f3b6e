// json.h - the JSON tree of the control plane.
//
// Keys keep the order in which they came, so that a person's file and a log line
// stay readable. Never used on the data plane. Headers include only the forward
// declaration; sources that build or take apart a tree include <nlohmann/json.hpp>.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace labdeck::contract {

using Json = nlohmann::ordered_json;

/// Arrays and objects may stand in each other this deep; what is deeper is refused, not parsed.
inline constexpr int json_depth_max = 256;

/// Reads one JSON text (simdjson). The error is E_BAD_ARG and says what is wrong and, where that can be
/// told, at which byte. Whole numbers stay whole up to 64 bits and become doubles beyond. Of keys that
/// stand twice in one object the first counts.
/// Thread: any. Each thread keeps a parser and a buffer of its own.
Result<Json> parse_json(std::string_view text);

/// A member of the top level's object, and its value as it is spelled in the text, escapes and all.
struct Spelled {
    std::string_view key;
    std::string_view value;    ///< Empty when there is no such key.
    bool repeats_key = false;  ///< In the value, a key stands twice in an object: the tree says less than it.
};

/// The same, and finds how some members are spelled.
Result<Json> parse_json(std::string_view text, std::span<Spelled> members);

/// One line, UTF-8, no newline in it. Invalid UTF-8 in strings becomes U+FFFD; what is no finite number
/// becomes null.
std::string dump_line(const Json& json);
/// The same, put behind what `out` has already.
void append_line(std::string& out, const Json& json);
void append_string(std::string& out, std::string_view text);

/// An error about one param: E_BAD_ARG with {"key": KEY} as its details.
Error bad_arg(std::string_view key, std::string message);

}  // namespace labdeck::contract
