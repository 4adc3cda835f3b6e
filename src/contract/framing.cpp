#include "contract/framing.h"

#include <cstring>

namespace labdeck::contract {

namespace {

// What is kept allocated between two lines.
constexpr std::size_t kept_bytes_max = 256U << 10;

bool blank(std::string_view line) {
    return line.empty() || line == "\r";
}

}  // namespace

LineSplitter::LineSplitter(std::size_t bytes_max) : bytes_max_(bytes_max) {}

void LineSplitter::feed(std::string_view bytes, const Handler& handler) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const bool whole = end != std::string_view::npos;
        const std::string_view piece = bytes.substr(0, end);
        bytes.remove_prefix(whole ? end + 1 : bytes.size());
        if (!skipping_ && held_.size() + piece.size() > bytes_max_) {
            skipping_ = true;
            drop_held();
            handler.too_long();
        }
        if (skipping_) {
            if (whole) skipping_ = false;
        } else if (!whole) {
            held_ += piece;
        } else if (held_.empty()) {
            if (!blank(piece)) handler.line(piece);
        } else {
            held_ += piece;
            give_held(handler);
        }
    }
}

void LineSplitter::finish(const Handler& handler) {
    skipping_ = false;
    give_held(handler);
}

void LineSplitter::give_held(const Handler& handler) {
    if (!blank(held_)) handler.line(held_);
    drop_held();
}

void LineSplitter::drop_held() {
    held_.clear();
    if (held_.capacity() > kept_bytes_max) held_.shrink_to_fit();
}

}  // namespace labdeck::contract
