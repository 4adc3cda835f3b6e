#include "contract/event_line.h"

#include <bit>
#include <bitset>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "contract/json.h"

namespace labdeck::contract {

namespace {

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// A JSON number taken apart.
struct Decimal {
    std::uint64_t digits =
        0;  ///< Of all digits, the point left out; meaningless when there are more than 19.
    int digit_count = 0;
    int fraction_count = 0;
    bool negative = false;
    bool has_exponent = false;

    bool whole() const noexcept { return fraction_count == 0 && !has_exponent; }
};

/// Eight digits at once, each byte of `word` one of them. False when one is none.
bool eight_digits(const char* at, std::uint32_t& out) noexcept {
    if constexpr (std::endian::native != std::endian::little) return false;
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    constexpr std::uint64_t high_halves = 0xF0F0'F0F0'F0F0'F0F0;
    constexpr std::uint64_t zeros = 0x3030'3030'3030'3030;
    // '0' to '9' have the high half 3, and keep it when six is added.
    if ((word & high_halves) != zeros || ((word + 0x0606'0606'0606'0606) & high_halves) != zeros)
        return false;
    word -= zeros;
    // Neighbours are joined to pairs, pairs to fours, fours to the eight; the first digit is the lowest byte.
    word = (word * 10 + (word >> 8)) & 0x00FF'00FF'00FF'00FF;
    word = (word * 100 + (word >> 16)) & 0x0000'FFFF'0000'FFFF;
    out = static_cast<std::uint32_t>(word * 10'000 + (word >> 32));
    return true;
}

const char* read_digits(const char* at, const char* end, Decimal& out) noexcept {
    const char* const first = at;
    std::uint64_t digits = out.digits;
    for (std::uint32_t eight = 0; end - at >= 8 && eight_digits(at, eight); at += 8) {
        digits = digits * 100'000'000 + eight;
    }
    for (; at < end && is_digit(*at); ++at) digits = digits * 10 + static_cast<unsigned>(*at - '0');
    out.digits = digits;
    out.digit_count += static_cast<int>(at - first);
    return at;
}

/// False when the text is not a number as JSON spells it.
bool read_decimal(std::string_view text, Decimal& out) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    if (at < end && *at == '-') {
        out.negative = true;
        ++at;
    }
    const char* const first = at;
    at = read_digits(at, end, out);
    if (at == first || (*first == '0' && at - first > 1)) return false;
    if (at < end && *at == '.') {
        const int before = out.digit_count;
        at = read_digits(at + 1, end, out);
        out.fraction_count = out.digit_count - before;
        if (out.fraction_count == 0) return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        out.has_exponent = true;
        if (++at < end && (*at == '+' || *at == '-')) ++at;
        const char* const exponent = at;
        while (at < end && is_digit(*at)) ++at;
        if (at == exponent) return false;
    }
    return at == end;
}

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool to_double(std::string_view text, double& out) noexcept {
    Decimal decimal;
    if (!read_decimal(text, decimal)) return false;
    // Both the digits and the power of ten are exact here, so one division rounds rightly.
    constexpr std::uint64_t exact_max = std::uint64_t{1} << 53;
    if (decimal.digit_count <= 19 && decimal.digits <= exact_max && !decimal.has_exponent) {
        const double magnitude = static_cast<double>(decimal.digits) / powers_of_ten[decimal.fraction_count];
        out = decimal.negative ? -magnitude : magnitude;
        return true;
    }
    double value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return false;
    out = value;
    return true;
}

bool to_unsigned(std::string_view text, std::uint64_t& out) noexcept {
    Decimal decimal;
    if (!read_decimal(text, decimal) || decimal.negative || !decimal.whole()) return false;
    if (decimal.digit_count <= 19) {
        out = decimal.digits;
        return true;
    }
    std::uint64_t value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return false;
    out = value;
    return true;
}

bool has_escape(std::string_view text) noexcept {
    return std::memchr(text.data(), '\\', text.size()) != nullptr;
}

/// Keys and names are short: two loads that overlap are cheaper than a call.
bool same(std::string_view a, std::string_view b) noexcept {
    const std::size_t size = a.size();
    if (size != b.size()) return false;
    if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
    const auto equal_at = [&](auto word, std::size_t offset) {
        auto other = word;
        std::memcpy(&word, a.data() + offset, sizeof word);
        std::memcpy(&other, b.data() + offset, sizeof other);
        return word == other;
    };
    if (size >= 8) return equal_at(std::uint64_t{}, 0) && equal_at(std::uint64_t{}, size - 8);
    if (size >= 4) return equal_at(std::uint32_t{}, 0) && equal_at(std::uint32_t{}, size - 4);
    for (std::size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) return false;
    }
    return true;
}

template <std::size_t Size>
bool is(std::string_view key, const char (&word)[Size]) noexcept {
    return key.size() == Size - 1 && std::memcmp(key.data(), word, Size - 1) == 0;
}

using Field = EventLine::Field;

/// Where the reading stands. Lives in registers: never a member, never copied from one.
struct Tokens {
    const char* text;
    const std::uint32_t* at;
    const std::uint32_t* end;

    bool more() const noexcept { return at < end; }
    char first() const noexcept { return text[*at]; }
};

std::string_view key_text(const char* text, const Field& field) noexcept {
    return {text + field.key, field.key_end - field.key};
}

/// From a token to the next one, less the white space between them.
std::string_view value_text(const char* text, std::uint32_t from, std::uint32_t next) noexcept {
    while (is_space(text[next - 1])) --next;
    return {text + from, next - from};
}

/// Reads a key and its colon; a value must follow.
inline bool read_key(Tokens& tokens, Field& field) noexcept {
    if (tokens.end - tokens.at < 3) return false;
    const std::uint32_t quote = tokens.at[0];
    const std::uint32_t colon = tokens.at[1];
    if (tokens.text[quote] != '"' || tokens.text[colon] != ':') return false;
    const std::uint32_t value = tokens.at[2];
    // Between a string's closing quote and the next token there is only white space.
    std::uint32_t key_end = colon - 1;
    while (tokens.text[key_end] != '"') --key_end;
    tokens.at += 2;
    field.key = quote + 1;
    field.key_end = key_end;
    field.value = value;
    return true;
}

inline bool skip_scalar(Tokens& tokens) noexcept {
    const std::uint32_t from = *tokens.at++;
    const char c = tokens.text[from];
    if (c == '"' || c == '-' || is_digit(c)) return true;
    if (!tokens.more()) return false;
    const std::string_view word = value_text(tokens.text, from, *tokens.at);
    return is(word, "true") || is(word, "false") || is(word, "null");
}

/// Behind a value: leaves every array and object that ends here, but not those below `outside`.
template <typename Kinds>
void leave_ended(Tokens& tokens, const Kinds& is_object, std::size_t outside, std::size_t& depth) noexcept {
    while (depth > outside && tokens.more() && tokens.first() == (is_object[depth - 1] ? '}' : ']')) {
        --depth;
        ++tokens.at;
    }
}

/// An array or object, without recursion. `depth` counts the objects around it.
const std::uint32_t* skip_nested(Tokens tokens, std::size_t depth) {
    std::bitset<json_depth_max> is_object;
    const std::size_t outside = depth;
    Field key;
    for (;;) {
        if (!tokens.more()) return nullptr;
        const char c = tokens.first();
        if (c == '{' || c == '[') {
            if (depth == json_depth_max) return nullptr;
            is_object[depth++] = c == '{';
            ++tokens.at;
            const bool empty = tokens.more() && tokens.first() == (c == '{' ? '}' : ']');
            if (!empty) {
                if (c == '{' && !read_key(tokens, key)) return nullptr;
                continue;
            }
        } else if (!skip_scalar(tokens)) {
            return nullptr;
        }
        leave_ended(tokens, is_object, outside, depth);
        if (depth == outside) return tokens.at;
        if (!tokens.more() || tokens.first() != ',') return nullptr;
        ++tokens.at;
        if (is_object[depth - 1] && !read_key(tokens, key)) return nullptr;
    }
}

inline bool skip_value(Tokens& tokens, std::size_t depth) {
    const char c = tokens.first();
    if (c != '{' && c != '[') return skip_scalar(tokens);
    const std::uint32_t* behind = skip_nested(tokens, depth);
    if (behind != nullptr) tokens.at = behind;
    return behind != nullptr;
}

/// What stands at the top level of a line.
struct Outline {
    bool event = false;
    bool params = false;
    bool not_an_event = false;  ///< A request, an answer, or an event that is wrong.
};

}  // namespace

void EventLine::start(const char* text, const std::uint32_t* tokens_end) noexcept {
    text_ = text;
    end_ = tokens_end;
}

EventLine::Kind EventLine::read(std::uint32_t from, std::uint32_t to, const std::uint32_t*& at) {
    field_count_ = 0;
    next_field_ = 0;
    if (!unescaped_.empty()) unescaped_.clear();

    const std::uint32_t* const first = at;
    Kind kind = Kind::bad;
    const std::uint32_t* behind = nullptr;
    if (first < end_ && *first >= from && text_[*first] == '{') behind = read_message(first + 1, kind);
    // The tokens may make an object that only ends on a later line, or may go on behind it on this one.
    if (behind == nullptr || behind[-1] >= to || (behind < end_ && *behind < to)) {
        kind = Kind::bad;
        behind = first;
        while (behind < end_ && *behind < to) ++behind;
    }
    at = behind;
    return kind;
}

const std::uint32_t* EventLine::read_message(const std::uint32_t* at, Kind& kind) {
    Tokens tokens{text_, at, end_};
    Outline seen;
    char after = ',';
    while (after == ',') {
        Field field;
        if (!read_key(tokens, field)) return nullptr;
        const std::string_view key = key_text(tokens.text, field);
        bool is_name = false;
        bool as_params = false;
        if (is(key, "event")) {
            is_name = !std::exchange(seen.event, true);
        } else if (is(key, "params")) {
            const bool first = !std::exchange(seen.params, true);
            as_params = first && tokens.first() == '{';
            if (first && !as_params) seen.not_an_event = true;
        } else if (is(key, "method") || is(key, "ok") || has_escape(key)) {
            // An escaped key may be any of these: left to those who take the line as a whole.
            seen.not_an_event = true;
        }
        if (as_params) {
            tokens.at = read_params(tokens.at + 1);
            if (tokens.at == nullptr) return nullptr;
        } else if (!skip_value(tokens, 1)) {
            return nullptr;
        }
        if (!tokens.more()) return nullptr;
        field.next = *tokens.at;
        if (is_name && !read_name(field)) seen.not_an_event = true;
        after = tokens.first();
        ++tokens.at;
    }
    kind = seen.event && !seen.not_an_event ? Kind::event : Kind::other;
    return after == '}' ? tokens.at : nullptr;
}

const std::uint32_t* EventLine::read_params(const std::uint32_t* at) {
    Tokens tokens{text_, at, end_};
    if (tokens.more() && tokens.first() == '}') return at + 1;
    std::size_t count = 0;
    char after = ',';
    while (after == ',') {
        if (count == fields_.size()) fields_.resize(2 * count + 16);
        Field& field = fields_[count++];
        if (!read_key(tokens, field) || !skip_value(tokens, 2) || !tokens.more()) return nullptr;
        field.next = *tokens.at;
        after = tokens.first();
        ++tokens.at;
    }
    field_count_ = count;
    return after == '}' ? tokens.at : nullptr;
}

bool EventLine::read_name(const Field& field) {
    const std::string_view text = value_text(text_, field.value, field.next);
    if (text.front() != '"') return false;
    if (has_escape(text)) return unescape(text, name_);
    name_ = text.substr(1, text.size() - 2);
    return true;
}

const EventLine::Field* EventLine::find(std::string_view key) noexcept {
    const std::size_t count = field_count_;
    for (std::size_t step = 0, i = next_field_; step < count; ++step) {
        if (i >= count) i = 0;
        const Field& field = fields_[i++];
        if (same(key_text(text_, field), key)) {
            next_field_ = i;
            return &field;
        }
    }
    return find_escaped(key);
}

const EventLine::Field* EventLine::find_escaped(std::string_view key) {
    for (std::size_t i = 0; i < field_count_; ++i) {
        const Field& field = fields_[i];
        const std::string_view spelled = key_text(text_, field);
        std::string_view plain;
        const std::string_view quoted(spelled.data() - 1, spelled.size() + 2);
        if (has_escape(spelled) && unescape(quoted, plain) && plain == key) return &field;
    }
    return nullptr;
}

bool EventLine::unescape(std::string_view quoted, std::string_view& out) {
    Result<Json> json = parse_json(quoted);
    if (!json || !json->is_string()) return false;
    unescaped_.push_back(std::move(json->get_ref<std::string&>()));
    out = unescaped_.back();
    return true;
}

bool EventLine::get(std::string_view key, double& out) {
    const Field* field = find(key);
    return field != nullptr && to_double(value_text(text_, field->value, field->next), out);
}

bool EventLine::get(std::string_view key, std::uint64_t& out) {
    const Field* field = find(key);
    return field != nullptr && to_unsigned(value_text(text_, field->value, field->next), out);
}

bool EventLine::get(std::string_view key, std::string_view& out) {
    const Field* field = find(key);
    if (field == nullptr) return false;
    const std::string_view text = value_text(text_, field->value, field->next);
    if (text.front() != '"') return false;
    if (has_escape(text)) return unescape(text, out);
    out = text.substr(1, text.size() - 2);
    return true;
}

}  // namespace labdeck::contract
