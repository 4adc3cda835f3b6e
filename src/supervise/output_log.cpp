#include "supervise/output_log.h"

#include <array>
#include <utility>

namespace labdeck::supervise {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

/// Of a lead byte: how many bytes its code point takes, 0 for none.
std::size_t length_of(unsigned char lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

/// Whether `byte` may follow `lead` at place `at` (Unicode 15, table 3-7).
bool follows(unsigned char lead, std::size_t at, unsigned char byte) noexcept {
    if (byte < 0x80 || byte > 0xBF) return false;
    if (at != 1) return true;
    if (lead == 0xE0) return byte >= 0xA0;
    if (lead == 0xED) return byte <= 0x9F;
    if (lead == 0xF0) return byte >= 0x90;
    if (lead == 0xF4) return byte <= 0x8F;
    return true;
}

}  // namespace

std::string whole_utf8(std::string& cut, std::string_view bytes) {
    const std::string text = std::exchange(cut, {}).append(bytes);
    std::string whole;
    whole.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = length_of(lead);
        std::size_t have = 1;
        while (have < length && at + have < text.size() &&
               follows(lead, have, static_cast<unsigned char>(text[at + have]))) {
            ++have;
        }
        if (have == length) {
            whole.append(text, at, length);
        } else if (length > 0 && at + have == text.size()) {
            cut = text.substr(at);
        } else {
            whole += replacement;
        }
        at += have;
    }
    return whole;
}

OutputLog::OutputLog(io::Reactor& store, std::shared_ptr<store::RotatingLog> log, OnText on_text)
    : poster_(store.poster()), log_(std::move(log)), on_text_(std::move(on_text)) {}

std::shared_ptr<OutputLog> OutputLog::make(io::Reactor& store, std::size_t blocks_max,
                                           std::shared_ptr<store::RotatingLog> log, OnText on_text) {
    const std::shared_ptr<OutputLog> made(new OutputLog(store, std::move(log), std::move(on_text)));
    made->feed_ = std::make_shared<data::Feed>(blocks_max, [weak = std::weak_ptr<OutputLog>(made)] {
        if (const auto self = weak.lock()) self->drain_soon();
    });
    return made;
}

void OutputLog::drain_soon() {
    poster_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->drain();
    });
}

void OutputLog::taken(std::size_t bytes) {
    const std::size_t before = text_bytes_.fetch_sub(bytes);
    if (before >= text_bytes_max && before - bytes < text_bytes_max) drain_soon();
}

void OutputLog::drain() {
    feed_->rest();
    while (text_bytes_.load() < text_bytes_max && show_newest()) {
        std::array<data::BlockRef, 1> next;
        if (feed_->take(next) == 0) return;
        newest_ = std::move(next[0]);
        seen_ = 0;
    }
}

// False when the Block still grows, so that it is too early for the next one.
bool OutputLog::show_newest() {
    if (!newest_) return true;
    const data::Block::Published published = newest_->published();
    if (published.bytes > seen_) show(newest_->view(seen_, published.bytes));
    seen_ = published.bytes;
    if (!published.sealed) return false;
    newest_ = {};
    return true;
}

void OutputLog::show(std::string_view bytes) {
    if (log_) log_->append(bytes);
    if (wanted_.load(std::memory_order_relaxed)) {
        std::string text = whole_utf8(cut_, bytes);
        if (text.empty()) return;
        text_bytes_.fetch_add(text.size());
        on_text_(weak_from_this(), std::move(text));
    } else {
        cut_.clear();
    }
}

}  // namespace labdeck::supervise
