#include "contract/json_text.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "contract/json_text_reader.h"

namespace labdeck::contract {

namespace {

/// Takes one step off a pointer and unescapes it.
std::string take_token(std::string_view& pointer) {
    pointer.remove_prefix(1);
    const std::size_t slash = std::min(pointer.find('/'), pointer.size());
    std::string token;
    for (std::size_t i = 0; i < slash; ++i) {
        const bool escaped = pointer[i] == '~' && i + 1 < slash;
        token.push_back(!escaped ? pointer[i] : pointer[++i] == '1' ? '/' : '~');
    }
    pointer.remove_prefix(slash);
    return token;
}

}  // namespace

TextPlace place_of(std::string_view text, std::size_t byte) noexcept {
    TextPlace place;
    const std::size_t end = std::min(byte, text.size());
    for (std::size_t i = 0; i < end; ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool first_of_two = c == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
        if (c == '\n' || (c == '\r' && !first_of_two)) {
            ++place.line;
            place.column = 1;
        } else if ((c & 0xc0U) != 0x80U) {
            ++place.column;
        }
    }
    return place;
}

tl::expected<JsonText, JsonFault> JsonText::read(std::string_view text) {
    return JsonTextReader(text).read();
}

std::size_t JsonText::child(const Node& parent, std::string_view token) const {
    std::size_t wanted = 0;
    if (parent.is_array) {
        const auto read = std::from_chars(token.data(), token.data() + token.size(), wanted);
        const bool plain = token == "0" || !token.starts_with('0');
        if (read.ec != std::errc() || read.ptr != token.data() + token.size() || !plain) return none;
    }
    std::size_t index = 0;
    for (std::size_t at = parent.first_child; at != none; at = nodes_[at].next, ++index) {
        if (parent.is_array ? index == wanted : nodes_[at].key == token) return at;
    }
    return none;
}

const JsonText::Span* JsonText::find(std::string_view pointer) const {
    std::size_t at = 0;
    while (!pointer.empty()) {
        if (pointer.front() != '/') return nullptr;
        at = child(nodes_[at], take_token(pointer));
        if (at == none) return nullptr;
    }
    return &nodes_[at].span;
}

std::string JsonText::with_member(std::string_view text, std::string_view key, const Json& value) const {
    const Node& whole = nodes_.front();
    LD_ASSERT(text.size() >= whole.span.end && text[whole.span.begin] == '{');
    std::string out(text);
    std::string written = dump_line(value);
    if (const std::size_t there = child(whole, key); there != none) {
        const Span& span = nodes_[there].span;
        return out.replace(span.begin, span.end - span.begin, written);
    }
    std::string name;
    append_string(name, key);
    if (whole.last_child == none) {
        const std::string newline = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
        std::string member = "{";
        member.append(newline)
            .append("    ")
            .append(name)
            .append(": ")
            .append(written)
            .append(newline)
            .append("}");
        return out.replace(whole.span.begin, whole.span.end - whole.span.begin, member);
    }
    const Span& last = nodes_[whole.last_child].span;
    std::size_t space = last.key_begin;
    while (space > 0 && text[space - 1] != ',' && text[space - 1] != '{') --space;
    std::string member = ",";
    member += text.substr(space, last.key_begin - space);
    member += name;
    member += text.substr(last.key_end, last.begin - last.key_end);
    member += written;
    return out.insert(last.end, member);
}

std::string pointer_step(std::string_view token) {
    std::string step = "/";
    for (const char c : token) {
        if (c == '~') {
            step += "~0";
        } else if (c == '/') {
            step += "~1";
        } else {
            step += c;
        }
    }
    return step;
}

}  // namespace labdeck::contract
