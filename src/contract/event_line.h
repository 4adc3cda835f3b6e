// event_line.h - one line of NDJSON, read as an event from simdjson's index of its tokens.
//
// The inside of EventStream. Walks over the tokens of a line once, checks that they
// make one JSON object, and notes where the fields of `params` lie; values are
// converted when they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "contract/event_stream.h"

namespace labdeck::contract {

class EventLine final : public EventFields {
public:
    enum class Kind : unsigned char {
        event,
        other,  ///< An object, but a request, an answer, or an event without a proper name or params.
        bad,
    };

    /// Begins a text. `tokens_end` is the end of the index that says where in it each token begins.
    void start(const char* text, const std::uint32_t* tokens_end) noexcept;

    /// Reads the line [from, to) of the text, whose first token is *at, and leaves `at` at the first one
    /// behind the line.
    Kind read(std::uint32_t from, std::uint32_t to, const std::uint32_t*& at);

    /// After Kind::event. Valid until the next read().
    std::string_view name() const noexcept { return name_; }

    bool get(std::string_view key, double& out) override;
    bool get(std::string_view key, std::uint64_t& out) override;
    bool get(std::string_view key, std::string_view& out) override;

    struct Field {
        std::uint32_t key = 0;  ///< Its first byte, behind the quote.
        std::uint32_t key_end = 0;
        std::uint32_t value = 0;
        std::uint32_t next = 0;  ///< The token behind the value.
    };

private:
    // Where the reading went on to, nullptr for a bad line. Handed on by value: in memory, each step would
    // wait for the one before to be stored.
    const std::uint32_t* read_message(const std::uint32_t* at, Kind& kind);
    const std::uint32_t* read_params(const std::uint32_t* at);
    bool read_name(const Field& field);
    const Field* find(std::string_view key) noexcept;
    const Field* find_escaped(std::string_view key);
    bool unescape(std::string_view quoted, std::string_view& out);

    const char* text_ = nullptr;
    const std::uint32_t* end_ = nullptr;
    std::string_view name_;
    std::vector<Field> fields_;  ///< Grows only; the first field_count_ are this line's.
    std::size_t field_count_ = 0;
    std::size_t next_field_ = 0;  ///< Where the key that is asked for next probably stands.
    std::list<std::string> unescaped_;
};

}  // namespace labdeck::contract
