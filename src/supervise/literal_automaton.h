// literal_automaton.h - finds every occurrence of many texts in one walk over bytes (Aho and Corasick).
//
// A state is an int, 0 before anything has matched; the caller keeps it, so one automaton serves many
// streams. Memory grows with the texts' bytes alone; the time of a walk with the walk, whatever the texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace labdeck::supervise {

class LiteralAutomaton {
public:
    LiteralAutomaton();

    /// Once. No text is empty.
    void build(std::span<const std::string> texts);

    /// The state after one more byte. Amortised O(1).
    int step(int state, unsigned char byte) const noexcept;

    /// How many of the last bytes may be the beginning of a text.
    std::size_t depth(int state) const noexcept { return nodes_[static_cast<std::size_t>(state)].depth; }

    /// The length of the longest text that ends with the last byte; 0 for none.
    std::size_t match_length(int state) const noexcept {
        return nodes_[static_cast<std::size_t>(state)].match;
    }

    std::size_t length_max() const noexcept { return length_max_; }

private:
    struct Node {
        std::int32_t fail = 0;         ///< The longest end of this that is also a beginning.
        std::int32_t first_child = 0;  ///< 0 for none.
        std::int32_t sibling = 0;
        std::uint32_t depth = 0;
        std::uint32_t match = 0;
        unsigned char byte = 0;
    };
    int child(int node, unsigned char byte) const noexcept;
    int add_child(int node, unsigned char byte);
    void link();

    std::vector<Node> nodes_;
    std::array<std::int32_t, 256> root_{};  ///< The root's children.
    std::size_t length_max_ = 0;
};

}  // namespace labdeck::supervise
