#include "contract/event_stream.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/assert.h"
#include "contract/envelope.h"
#include "contract/event_line.h"
#include "contract/json.h"

namespace labdeck::contract {

namespace {

// How much is indexed at a time: enough to make simdjson's start cheap, little enough that the index of
// tokens stays in the cache until it has been read.
constexpr std::size_t batch_bytes = 256U << 10;
constexpr std::size_t kept_tail_bytes = 256U << 10;
constexpr std::size_t shown_of_long_line = 64;

bool blank(std::string_view line) noexcept {
    return line.empty() || line == "\r";
}

/// Bytes up to and with the last newline in text[0..limit), 0 when there is none.
std::size_t whole_lines(std::string_view text, std::size_t limit) noexcept {
    if (text.empty()) return 0;
    const void* last = ::memrchr(text.data(), '\n', std::min(limit, text.size()));
    return last == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(last) - text.data()) + 1;
}

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
        return std::hash<std::string_view>{}(name);
    }
};

}  // namespace

struct EventStream::Impl {
    explicit Impl(OnOther given) : other(std::move(given)) { set_capacity(batch_bytes); }

    void feed(std::string_view bytes);
    void finish();
    const OnEvent* handler_of(std::string_view name);

    void complete_tail(std::string_view& bytes);
    void keep_tail(std::string_view bytes);
    void drop_tail();
    void read_lines(std::string_view lines);
    void read_batch(std::string_view lines);
    void read_indexed(std::string_view lines);
    void read_long_line(std::string_view line);
    void bad_line(std::string_view line);
    void too_long(std::string_view beginning);
    void set_capacity(std::size_t bytes);

    OnOther other;
    std::unordered_map<std::string, OnEvent, NameHash, std::equal_to<>> handlers;
    std::string_view last_name;
    const OnEvent* last_handler = nullptr;

    // Only the first of simdjson's two stages: where the tokens are, and that the text is UTF-8.
    std::unique_ptr<simdjson::internal::dom_parser_implementation> indexer;
    EventLine line;
    std::string tail;
    bool skipping = false;
    std::uint64_t events = 0;
    std::uint64_t bad_lines = 0;
};

void EventStream::Impl::feed(std::string_view bytes) {
    if (skipping || !tail.empty()) complete_tail(bytes);
    const std::size_t whole = whole_lines(bytes, bytes.size());
    read_lines(bytes.substr(0, whole));
    keep_tail(bytes.substr(whole));
}

void EventStream::Impl::finish() {
    skipping = false;
    if (!tail.empty()) read_lines(tail);
    drop_tail();
}

/// Takes from `bytes` what belongs to the line that an earlier feed began.
void EventStream::Impl::complete_tail(std::string_view& bytes) {
    const std::size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    keep_tail(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
    finish();
}

void EventStream::Impl::keep_tail(std::string_view bytes) {
    if (skipping || bytes.empty()) return;
    if (tail.size() + bytes.size() > line_bytes_max) {
        tail += bytes.substr(0, shown_of_long_line);
        too_long(tail);
        drop_tail();
        skipping = true;
        return;
    }
    tail += bytes;
}

void EventStream::Impl::drop_tail() {
    tail.clear();
    if (tail.capacity() > kept_tail_bytes) tail.shrink_to_fit();
}

void EventStream::Impl::read_lines(std::string_view lines) {
    while (!lines.empty()) {
        std::size_t size = lines.size() <= batch_bytes ? lines.size() : whole_lines(lines, batch_bytes);
        if (size > 0) {
            read_batch(lines.substr(0, size));
        } else {
            const std::size_t end = std::min(lines.find('\n'), lines.size());
            read_long_line(lines.substr(0, end));
            size = std::min(end + 1, lines.size());
        }
        lines.remove_prefix(size);
    }
}

void EventStream::Impl::read_long_line(std::string_view text) {
    if (text.size() > line_bytes_max) return too_long(text);
    set_capacity(text.size());
    read_batch(text);
    set_capacity(batch_bytes);
}

/// One bad line spoils the index of its batch: halved until it stands alone, the others are read as ever.
void EventStream::Impl::read_batch(std::string_view lines) {
    const auto* text = reinterpret_cast<const std::uint8_t*>(lines.data());
    // Reads no byte beyond the text: the last partial block is taken from a copy.
    const auto code = indexer->stage1(text, lines.size(), simdjson::stage1_mode::regular);
    if (code == simdjson::SUCCESS) return read_indexed(lines);
    const std::size_t inner = lines.size() - (lines.back() == '\n' ? 1 : 0);
    std::size_t cut = whole_lines(lines, lines.size() / 2);
    if (cut == 0) cut = std::min(lines.substr(0, inner).find('\n'), inner) + 1;
    if (cut > inner) return bad_line(lines.substr(0, inner));
    read_batch(lines.substr(0, cut));
    read_batch(lines.substr(cut));
}

void EventStream::Impl::read_indexed(std::string_view lines) {
    const std::uint32_t* token = indexer->structural_indexes.get();
    line.start(lines.data(), token + indexer->n_structural_indexes);
    for (std::size_t from = 0; from < lines.size();) {
        const void* newline = std::memchr(lines.data() + from, '\n', lines.size() - from);
        const std::size_t to =
            newline == nullptr ? lines.size()
                               : static_cast<std::size_t>(static_cast<const char*>(newline) - lines.data());
        const std::string_view text = lines.substr(from, to - from);
        if (!blank(text)) {
            const auto kind =
                line.read(static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to), token);
            const OnEvent* handler = kind == EventLine::Kind::event ? handler_of(line.name()) : nullptr;
            if (handler != nullptr) {
                ++events;
                (*handler)(line);
            } else if (kind == EventLine::Kind::bad) {
                bad_line(text);
            } else {
                other(text);
            }
        }
        from = to + 1;
    }
}

const EventStream::OnEvent* EventStream::Impl::handler_of(std::string_view name) {
    if (last_handler != nullptr && name == last_name) return last_handler;
    const auto it = handlers.find(name);
    if (it == handlers.end()) return nullptr;
    last_name = it->first;
    last_handler = &it->second;
    return last_handler;
}

void EventStream::Impl::bad_line(std::string_view text) {
    if (blank(text)) return;
    ++bad_lines;
    other(text);
}

void EventStream::Impl::too_long(std::string_view beginning) {
    ++bad_lines;
    other(beginning.substr(0, shown_of_long_line));
}

void EventStream::Impl::set_capacity(std::size_t bytes) {
    const auto code = indexer ? indexer->set_capacity(bytes)
                              : simdjson::get_active_implementation()->create_dom_parser_implementation(
                                    bytes, json_depth_max, indexer);
    LD_ASSERT(code == simdjson::SUCCESS);
}

EventStream::EventStream(OnOther other) : impl_(std::make_unique<Impl>(std::move(other))) {}
EventStream::~EventStream() = default;

void EventStream::on(std::string_view event, OnEvent handler) {
    impl_->handlers[std::string(event)] = std::move(handler);
}

void EventStream::feed(std::string_view bytes) {
    impl_->feed(bytes);
}
void EventStream::finish() {
    impl_->finish();
}
std::uint64_t EventStream::events() const noexcept {
    return impl_->events;
}
std::uint64_t EventStream::bad_lines() const noexcept {
    return impl_->bad_lines;
}

}  // namespace labdeck::contract
