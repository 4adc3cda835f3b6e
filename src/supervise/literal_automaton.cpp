#include "supervise/literal_automaton.h"

#include <algorithm>

namespace labdeck::supervise {

LiteralAutomaton::LiteralAutomaton() : nodes_(1) {}

int LiteralAutomaton::child(int node, unsigned char byte) const noexcept {
    if (node == 0) return root_[byte];
    int next = nodes_[static_cast<std::size_t>(node)].first_child;
    while (next != 0 && nodes_[static_cast<std::size_t>(next)].byte != byte)
        next = nodes_[static_cast<std::size_t>(next)].sibling;
    return next;
}

int LiteralAutomaton::add_child(int node, unsigned char byte) {
    const int made = static_cast<int>(nodes_.size());
    Node& parent = nodes_[static_cast<std::size_t>(node)];
    Node fresh;
    fresh.byte = byte;
    fresh.depth = parent.depth + 1;
    fresh.sibling = parent.first_child;
    parent.first_child = made;
    if (node == 0) root_[byte] = made;
    nodes_.push_back(fresh);
    return made;
}

void LiteralAutomaton::build(std::span<const std::string> texts) {
    for (const std::string& text : texts) {
        int node = 0;
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            const int known = child(node, byte);
            node = known != 0 ? known : add_child(node, byte);
        }
        nodes_[static_cast<std::size_t>(node)].match = static_cast<std::uint32_t>(text.size());
        length_max_ = std::max(length_max_, text.size());
    }
    link();
}

/// By breadth, so that what a node falls back to is linked before it.
void LiteralAutomaton::link() {
    std::vector<int> level = {0};
    while (!level.empty()) {
        std::vector<int> below;
        for (const int node : level) {
            for (int next = nodes_[static_cast<std::size_t>(node)].first_child; next != 0;
                 next = nodes_[static_cast<std::size_t>(next)].sibling) {
                Node& to = nodes_[static_cast<std::size_t>(next)];
                if (node != 0) to.fail = step(nodes_[static_cast<std::size_t>(node)].fail, to.byte);
                to.match = std::max(to.match, nodes_[static_cast<std::size_t>(to.fail)].match);
                below.push_back(next);
            }
        }
        level = std::move(below);
    }
}

int LiteralAutomaton::step(int state, unsigned char byte) const noexcept {
    while (state != 0) {
        if (const int next = child(state, byte)) return next;
        state = nodes_[static_cast<std::size_t>(state)].fail;
    }
    return root_[byte];
}

}  // namespace labdeck::supervise
