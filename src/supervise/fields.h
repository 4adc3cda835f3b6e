// fields.h - takes the members of a JSON object one by one, and remembers the first that is wrong.
//
// After a wrong one the others are still asked for, but their values count no more: done() is to be called
// before anything is used. Errors are E_BAD_ARG and name the place. For the from_json() functions of this
// folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/json.h"

namespace labdeck::supervise {

using contract::Json;

/// What a string must be, beside free of NUL.
struct TextRule {
    std::size_t bytes_min = 0;
    std::size_t bytes_max = 128U << 10;
    bool control_characters = true;  ///< Whether they are let through.
};

class Fields {
public:
    /// Arrays and objects that we do not know may be this deep, so that a document of them can be read again.
    static constexpr int extra_depth_max = 64;
    /// Members that we do not know: how many, and how long their text may be.
    static constexpr std::size_t extra_members_max = 1000;
    static constexpr std::size_t extra_bytes_max = 64U << 10;

    /// `json` outlives this. `place` is where it stands, "" for the params of a call.
    Fields(const Json& json, std::string place);

    /// Empty when it is missing, which is then what is wrong.
    std::string required_text(std::string_view key, const TextRule& rule = {});
    std::optional<std::string> text(std::string_view key, const TextRule& rule = {});
    std::optional<bool> boolean(std::string_view key);
    std::optional<std::int64_t> whole(std::string_view key, std::int64_t min, std::int64_t max);
    std::optional<std::vector<std::string>> texts(std::string_view key, std::size_t count_max,
                                                  const TextRule& rule = {});
    /// Null when it is missing or wrong.
    const Json* object(std::string_view key);
    const Json* array(std::string_view key, std::size_t count_max);

    /// Any value as a string with a rule; for members that are not asked for by a key.
    std::string checked_text(const Json& value, const std::string& place, const TextRule& rule);

    void require(std::string_view key);
    void refuse(const std::string& place, std::string_view why);
    void refuse(Error error);
    std::string place_of(std::string_view key) const;

    /// What no getter asked for, as the text of an object; empty for nothing.
    std::string extra(std::size_t bytes_max = extra_bytes_max);

    Result<> done() const;

private:
    const Json* take(std::string_view key);

    const Json& json_;
    const std::string place_;
    std::vector<std::string_view> taken_;
    std::optional<Error> error_;
};

}  // namespace labdeck::supervise
