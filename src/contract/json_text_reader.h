// json_text_reader.h - walks over a JSON text once and notes where everything stands.
//
// A part of JsonText; nobody else includes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "contract/json_text.h"

namespace labdeck::contract {

class JsonTextReader {
public:
    /// The text outlives the reader.
    explicit JsonTextReader(std::string_view text) : text_(text) {}

    tl::expected<JsonText, JsonFault> read();

private:
    using Node = JsonText::Node;

    bool check_encoding();
    void skip_space();
    bool at_end() const { return at_ >= text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    /// Notes the fault and gives false; the first one counts.
    bool fail_at(std::size_t byte, std::string message);
    bool fail_at_value(std::string_view wanted);
    bool comment_here();
    std::string place_text(std::size_t byte) const;

    bool read_value(std::size_t node, int depth);
    bool read_object(std::size_t node, int depth);
    bool read_array(std::size_t node, int depth);
    bool read_member_key(std::size_t parent, Node& member);
    bool after_element(std::size_t opened, char close, bool& more);
    bool read_string(std::string& out);
    bool read_escape(std::string& out);
    bool read_hex(std::uint32_t& out);
    bool read_number();
    bool read_word();
    std::size_t add(std::size_t parent, Node node);

    const std::string_view text_;
    std::size_t at_ = 0;
    JsonText map_;
    JsonFault fault_;
};

}  // namespace labdeck::contract
