#include "contract/json_text_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace labdeck::contract {

namespace {

// parse_json() gives up on longer ones, even on those of zero.
constexpr std::size_t exponent_digits_max = 9;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

/// The length of the UTF-8 sequence at `at`; 0 when it is none (overlong, a surrogate, beyond U+10FFFF).
std::size_t sequence_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned first = byte(at);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0U) != 0x80U) return 0;
    }
    const unsigned second = byte(at + 1);
    const bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                       (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return wrong ? 0 : length;
}

void append_utf8(std::string& out, std::uint32_t point) {
    const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0U | point >> 6U);
        put(0x80U | (point & 0x3fU));
    } else if (point < 0x10000) {
        put(0xe0U | point >> 12U);
        put(0x80U | (point >> 6U & 0x3fU));
        put(0x80U | (point & 0x3fU));
    } else {
        put(0xf0U | point >> 18U);
        put(0x80U | (point >> 12U & 0x3fU));
        put(0x80U | (point >> 6U & 0x3fU));
        put(0x80U | (point & 0x3fU));
    }
}

}  // namespace

tl::expected<JsonText, JsonFault> JsonTextReader::read() {
    map_.nodes_.emplace_back();
    bool good = check_encoding();
    if (good) {
        skip_space();
        good = at_end() ? fail_at(at_, "there is nothing; the smallest JSON object is {}") : read_value(0, 0);
    }
    if (good) {
        skip_space();
        if (!at_end() && !comment_here()) fail_at(at_, "there is more after the end of the JSON; remove it");
        good = at_end();
    }
    if (!good) return tl::unexpected(std::move(fault_));
    return std::move(map_);
}

bool JsonTextReader::check_encoding() {
    if (text_.starts_with("\xEF\xBB\xBF"))
        return fail_at(0, "begins with a byte order mark; save it as UTF-8 without one");
    if (text_.starts_with("\xFF\xFE") || text_.starts_with("\xFE\xFF"))
        return fail_at(0, "is UTF-16; save it as UTF-8");
    for (std::size_t at = 0; at < text_.size();) {
        const std::size_t length = sequence_at(text_, at);
        if (length == 0) return fail_at(at, "here it is not UTF-8; save it as UTF-8");
        at += length;
    }
    return true;
}

void JsonTextReader::skip_space() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')) ++at_;
}

bool JsonTextReader::fail_at(std::size_t byte, std::string message) {
    fault_ = {byte, std::move(message)};
    return false;
}

bool JsonTextReader::comment_here() {
    const std::string_view rest = text_.substr(at_);
    if (!rest.starts_with("//") && !rest.starts_with("/*") && !rest.starts_with('#')) return false;
    fail_at(at_, "JSON has no comments; remove this one");
    return true;
}

bool JsonTextReader::fail_at_value(std::string_view wanted) {
    if (comment_here()) return false;
    if (at_end()) return fail_at(at_, fmt::format("the text ends here, where {} is wanted", wanted));
    if (peek() == '\'') return fail_at(at_, "JSON strings stand in double quotes");
    return fail_at(at_, fmt::format("{} is wanted here", wanted));
}

std::string JsonTextReader::place_text(std::size_t byte) const {
    const TextPlace place = place_of(text_, byte);
    return fmt::format("{}:{}", place.line, place.column);
}

std::size_t JsonTextReader::add(std::size_t parent, Node node) {
    const std::size_t index = map_.nodes_.size();
    map_.nodes_.push_back(std::move(node));
    Node& above = map_.nodes_[parent];
    if (above.first_child == JsonText::none) {
        above.first_child = index;
    } else {
        map_.nodes_[above.last_child].next = index;
    }
    above.last_child = index;
    return index;
}

bool JsonTextReader::read_value(std::size_t node, int depth) {
    map_.nodes_[node].span.begin = at_;
    bool good = false;
    const char c = peek();
    if (c == '{') {
        good = read_object(node, depth + 1);
    } else if (c == '[') {
        good = read_array(node, depth + 1);
    } else if (c == '"') {
        std::string ignored;
        good = read_string(ignored);
    } else if (c == '-' || is_digit(c)) {
        good = read_number();
    } else {
        good = read_word();
    }
    map_.nodes_[node].span.end = at_;
    return good;
}

bool JsonTextReader::read_object(std::size_t node, int depth) {
    const std::size_t opened = at_++;
    if (depth > json_depth_max)
        return fail_at(opened, fmt::format("nested deeper than {} levels", json_depth_max));
    std::unordered_map<std::string, std::size_t> keys;
    skip_space();
    if (peek() == '}') return ++at_, true;
    for (bool more = true; more;) {
        Node member;
        if (!read_member_key(opened, member)) return false;
        const std::size_t key_begin = member.span.key_begin;
        const auto [first, is_new] = keys.try_emplace(member.key, key_begin);
        if (!is_new) map_.duplicates_.push_back({member.key, key_begin, first->second});
        if (!read_value(add(node, std::move(member)), depth)) return false;
        if (!after_element(opened, '}', more)) return false;
    }
    return true;
}

bool JsonTextReader::read_member_key(std::size_t opened, Node& member) {
    skip_space();
    if (at_end()) return fail_at(opened, "this { is never closed; add its }");
    if (peek() != '"') return fail_at_value("a key in double quotes");
    member.span.key_begin = at_;
    if (!read_string(member.key)) return false;
    member.span.key_end = at_;
    skip_space();
    if (peek() != ':') return fail_at_value("a colon");
    ++at_;
    skip_space();
    return true;
}

bool JsonTextReader::read_array(std::size_t node, int depth) {
    const std::size_t opened = at_++;
    if (depth > json_depth_max)
        return fail_at(opened, fmt::format("nested deeper than {} levels", json_depth_max));
    map_.nodes_[node].is_array = true;
    skip_space();
    if (peek() == ']') return ++at_, true;
    for (bool more = true; more;) {
        skip_space();
        if (at_end()) return fail_at(opened, "this [ is never closed; add its ]");
        if (!read_value(add(node, {}), depth)) return false;
        if (!after_element(opened, ']', more)) return false;
    }
    return true;
}

/// Steps over the comma before the next element, or over the bracket that ends it all.
bool JsonTextReader::after_element(std::size_t opened, char close, bool& more) {
    skip_space();
    more = false;
    if (at_end())
        return fail_at(opened, fmt::format("this {} is never closed; add its {}", text_[opened], close));
    if (peek() == close) return ++at_, true;
    if (peek() == '}' || peek() == ']') {
        return fail_at(at_, fmt::format("{} closes nothing: the {} at {} wants {}", peek(), text_[opened],
                                        place_text(opened), close));
    }
    if (peek() != ',') return fail_at_value(fmt::format("a comma or {}", close));
    const std::size_t comma = at_++;
    skip_space();
    if (peek() == close) return fail_at(comma, fmt::format("a comma before {}; remove it", close));
    more = true;
    return true;
}

bool JsonTextReader::read_string(std::string& out) {
    const std::size_t opened = at_++;
    while (!at_end()) {
        const char c = peek();
        if (c == '"') return ++at_, true;
        if (c == '\\') {
            if (!read_escape(out)) return false;
            continue;
        }
        if (c == '\n' || c == '\r')
            return fail_at(opened, "this string is not closed on its line; add its \"");
        if (c == '\t') return fail_at(at_, "a tab in a string is written \\t");
        if (static_cast<unsigned char>(c) < 0x20)
            return fail_at(at_, fmt::format("a control character in a string is written \\u{:04x}",
                                            static_cast<unsigned>(static_cast<unsigned char>(c))));
        out.push_back(c);
        ++at_;
    }
    return fail_at(opened, "this string is never closed; add its \"");
}

bool JsonTextReader::read_escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t begin = at_++;
    if (const std::size_t which = letters.find(peek()); !at_end() && which != std::string_view::npos) {
        out.push_back(meanings[which]);
        ++at_;
        return true;
    }
    constexpr const char* unpaired = "half of a pair of \\u escapes; write both or the character itself";
    std::uint32_t point = 0;
    if (peek() != 'u' || !read_hex(point))
        return fail_at(begin, "no such escape; a backslash itself is written \\\\");
    if (point >= 0xdc00 && point < 0xe000) return fail_at(begin, unpaired);
    if (point >= 0xd800 && point < 0xdc00) {
        std::uint32_t low = 0;
        if (peek() != '\\') return fail_at(begin, unpaired);
        ++at_;
        if (peek() != 'u' || !read_hex(low) || low < 0xdc00 || low >= 0xe000) return fail_at(begin, unpaired);
        point = 0x10000 + ((point - 0xd800) << 10U) + (low - 0xdc00);
    }
    append_utf8(out, point);
    return true;
}

/// Reads the u and four digits.
bool JsonTextReader::read_hex(std::uint32_t& out) {
    const std::string_view digits = text_.substr(at_).substr(1, 4);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    if (digits.size() != 4 || read.ec != std::errc() || read.ptr != digits.data() + 4) return false;
    at_ += 5;
    return true;
}

bool JsonTextReader::read_number() {
    const std::size_t begin = at_;
    const auto digits = [&] {
        const std::size_t from = at_;
        while (is_digit(peek())) ++at_;
        return at_ > from;
    };
    if (peek() == '-') ++at_;
    const bool zero = peek() == '0';
    const std::size_t whole = at_;
    bool good = digits() && (!zero || at_ == whole + 1);
    if (good && peek() == '.') good = (++at_, digits());
    if (good && (peek() == 'e' || peek() == 'E')) {
        ++at_;
        if (peek() == '+' || peek() == '-') ++at_;
        const std::size_t exponent = at_;
        good = digits();
        if (at_ - exponent > exponent_digits_max)
            return fail_at(begin, "a number with so long an exponent cannot be kept");
    }
    if (!good || is_word(peek()) || peek() == '.')
        return fail_at(begin, "no JSON number; one looks like 12, -0.5 or 1e6");
    double value = 0;
    const auto read = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    // What is too small to tell from 0 is out of range for from_chars too, and no harm.
    const bool huge = read.ec == std::errc::result_out_of_range &&
                      Json::parse(text_.substr(begin, at_ - begin), nullptr, false).is_discarded();
    if (huge) return fail_at(begin, "a number this large cannot be kept");
    return true;
}

bool JsonTextReader::read_word() {
    const std::size_t begin = at_;
    std::size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const std::string_view word = text_.substr(begin, end - begin);
    if (word == "true" || word == "false" || word == "null") return at_ = end, true;
    if (word == "True" || word == "False" || word == "TRUE" || word == "FALSE")
        return fail_at(begin, "JSON writes true and false in small letters");
    if (word == "None" || word == "nil" || word == "undefined" || word == "NULL" || word == "Null")
        return fail_at(begin, "JSON writes null for nothing");
    if (word == "NaN" || word == "Infinity" || peek() == '+' || peek() == '.')
        return fail_at(begin, "no JSON number; one looks like 12, -0.5 or 1e6");
    if (!word.empty()) return fail_at(begin, "no JSON value; a text stands in double quotes");
    return fail_at_value("a value");
}

}  // namespace labdeck::contract
