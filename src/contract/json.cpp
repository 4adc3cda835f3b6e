#include "contract/json.h"

// With this the compiler refuses simdjson's conversions that would throw.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

namespace labdeck::contract {

namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

// What a thread keeps between two texts; a parser that has seen a giant is given back.
constexpr std::size_t kept_bytes_max = 1U << 20;
// Objects up to this size are searched for a key; larger ones get a set, or they would cost n².
constexpr std::size_t searched_keys_max = 16;
constexpr std::size_t usual_keys = 4;

#define LD_JSON_TRY(expression)                             \
    do {                                                    \
        const error_code ld_code_ = (expression);           \
        if (ld_code_ != simdjson::SUCCESS) return ld_code_; \
    } while (false)

std::string_view without_trailing_space(std::string_view text) {
    const auto last = text.find_last_not_of(" \t\r\n");
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

/// Builds the tree while simdjson walks over the text once.
class TreeBuilder {
public:
    explicit TreeBuilder(std::span<Spelled> spelled) : spelled_(spelled) {}

    error_code read_whole(ondemand::document& document, Json& out) {
        document_ = &document;
        ondemand::array array;
        LD_JSON_TRY(document.get_array().get(array));
        std::size_t count = 0;
        for (auto element : array) {
            if (++count > 1) return simdjson::TAPE_ERROR;
            ondemand::value value;
            LD_JSON_TRY(element.get(value));
            LD_JSON_TRY(read(value, 0, out));
        }
        if (count == 0) return simdjson::EMPTY;
        const bool at_end = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
        return at_end ? simdjson::SUCCESS : simdjson::TRAILING_CONTENT;
    }

    /// Where the last value began that was looked at.
    const char* position() const { return position_; }

private:
    /// `depth` counts the arrays and objects that are open around the value.
    error_code read(ondemand::value value, int depth, Json& out) {
        const std::string_view token = value.raw_json_token();
        position_ = token.data();
        ondemand::json_type type{};
        LD_JSON_TRY(value.type().get(type));
        switch (type) {
            case ondemand::json_type::object:
                return read_object(value, depth + 1, out);
            case ondemand::json_type::array:
                return read_array(value, depth + 1, out);
            case ondemand::json_type::number:
                return read_number(value, out);
            case ondemand::json_type::string: {
                std::string_view text;
                LD_JSON_TRY(value.get_string().get(text));
                out = text;
                return simdjson::SUCCESS;
            }
            case ondemand::json_type::boolean: {
                bool flag = false;
                LD_JSON_TRY(value.get_bool().get(flag));
                out = flag;
                return simdjson::SUCCESS;
            }
            case ondemand::json_type::null:
                break;
        }
        bool is_null = false;
        LD_JSON_TRY(value.is_null().get(is_null));
        // A value that only begins like null is not one, and not an error of simdjson's either.
        if (!is_null || without_trailing_space(token) != "null") return simdjson::N_ATOM_ERROR;
        out = nullptr;
        return simdjson::SUCCESS;
    }

    error_code read_array(ondemand::value& value, int depth, Json& out) {
        if (depth > json_depth_max) return simdjson::DEPTH_ERROR;
        out = Json::array();
        ondemand::array array;
        LD_JSON_TRY(value.get_array().get(array));
        for (auto element : array) {
            ondemand::value inner;
            LD_JSON_TRY(element.get(inner));
            out.emplace_back(nullptr);
            LD_JSON_TRY(read(inner, depth, out.back()));
        }
        return simdjson::SUCCESS;
    }

    error_code read_object(ondemand::value& value, int depth, Json& out) {
        if (depth > json_depth_max) return simdjson::DEPTH_ERROR;
        out = Json::object();
        auto& members = out.get_ref<Json::object_t&>();
        members.reserve(usual_keys);
        std::unordered_set<std::string> seen;
        ondemand::object object;
        LD_JSON_TRY(value.get_object().get(object));
        for (auto result : object) {
            ondemand::field field;
            LD_JSON_TRY(std::move(result).get(field));
            std::string_view key;
            LD_JSON_TRY(field.unescaped_key().get(key));
            const bool known = was_seen(members, seen, key);
            if (known) {
                repeats_key_ = true;
                Json dropped;
                LD_JSON_TRY(read(field.value(), depth, dropped));
                continue;
            }
            members.emplace_back(std::string(key), nullptr);
            Spelled* const spelled = depth == 1 ? wanted(key) : nullptr;
            if (spelled != nullptr) {
                LD_JSON_TRY(read_spelled(field.value(), *spelled, members.back().second));
            } else {
                LD_JSON_TRY(read(field.value(), depth, members.back().second));
            }
        }
        return simdjson::SUCCESS;
    }

    static bool was_seen(const Json::object_t& members, std::unordered_set<std::string>& seen,
                         std::string_view key) {
        if (members.size() < searched_keys_max) {
            return std::any_of(members.begin(), members.end(),
                               [key](const auto& member) { return member.first == key; });
        }
        if (seen.empty()) {
            for (const auto& member : members) seen.insert(member.first);
        }
        return !seen.emplace(key).second;
    }

    static error_code read_number(ondemand::value& value, Json& out) {
        // Without a sign it is unsigned, as in trees that nlohmann::json reads itself.
        std::uint64_t natural = 0;
        if (value.get_uint64().get(natural) == simdjson::SUCCESS) {
            out = natural;
            return simdjson::SUCCESS;
        }
        std::int64_t whole = 0;
        if (value.get_int64().get(whole) == simdjson::SUCCESS) {
            out = whole;
            return simdjson::SUCCESS;
        }
        double real = 0;
        LD_JSON_TRY(value.get_double().get(real));
        out = real;
        return simdjson::SUCCESS;
    }

    Spelled* wanted(std::string_view key) {
        const auto it = std::find_if(spelled_.begin(), spelled_.end(),
                                     [key](const Spelled& one) { return one.key == key; });
        return it == spelled_.end() ? nullptr : &*it;
    }

    error_code read_spelled(ondemand::value value, Spelled& spelled, Json& out) {
        const char* const begin = value.raw_json_token().data();
        repeats_key_ = false;
        LD_JSON_TRY(read(value, 1, out));
        const char* end = nullptr;
        LD_JSON_TRY(document_->current_location().get(end));
        spelled.value = without_trailing_space({begin, static_cast<std::size_t>(end - begin)});
        spelled.repeats_key = repeats_key_;
        return simdjson::SUCCESS;
    }

    const std::span<Spelled> spelled_;  ///< Values are in simdjson's copy of the text.
    ondemand::document* document_ = nullptr;
    const char* position_ = nullptr;
    bool repeats_key_ = false;
};

struct Workplace {
    ondemand::parser parser;
    std::string text;
};

/// The text stands in an array of one, so that a single number or word is read like any other value.
void wrap(std::string_view text, std::string& out) {
    out.clear();
    out.reserve(text.size() + 2 + simdjson::SIMDJSON_PADDING);
    out += '[';
    out += text;
    out += ']';
    out.append(simdjson::SIMDJSON_PADDING, ' ');
}

error_code build(Workplace& place, std::size_t length, TreeBuilder& builder, Json& out) {
    ondemand::document document;
    LD_JSON_TRY(place.parser.iterate(place.text.data(), length, place.text.size()).get(document));
    return builder.read_whole(document, out);
}

/// Where a string breaks off: at a control character in it, or where it began and never ended.
std::size_t find_string_fault(std::string_view text) {
    std::size_t opened = std::string_view::npos;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool inside = opened != std::string_view::npos;
        if (text[i] == '"') {
            opened = inside ? std::string_view::npos : i;
        } else if (inside && text[i] == '\\') {
            ++i;
        } else if (inside && static_cast<unsigned char>(text[i]) < 0x20) {
            return i;
        }
    }
    return opened;
}

std::string explain(error_code code, std::string_view text, const Workplace& place, const char* position) {
    if (code == simdjson::DEPTH_ERROR) {
        return "JSON nested deeper than " + std::to_string(json_depth_max) + " levels";
    }
    if (code == simdjson::UTF8_ERROR) return "not UTF-8";
    if (code == simdjson::EMPTY) return "no JSON: there is nothing";
    std::size_t at = std::string_view::npos;
    if (code == simdjson::UNCLOSED_STRING || code == simdjson::UNESCAPED_CHARS) {
        at = find_string_fault(text);
    } else if (position != nullptr) {
        at = static_cast<std::size_t>(position - place.text.data()) - 1;
    }
    std::string why = std::string("no JSON: ") + simdjson::error_message(code);
    if (at != std::string_view::npos) why += " (at or after byte " + std::to_string(at) + ")";
    return why;
}

Result<Json> parse(std::string_view text, std::span<Spelled> spelled) {
    thread_local std::unique_ptr<Workplace> place;
    if (!place) place = std::make_unique<Workplace>();
    wrap(text, place->text);
    TreeBuilder builder(spelled);
    Json out;
    const error_code code = build(*place, text.size() + 2, builder, out);
    Result<Json> result = fail(Code::bad_arg, {});
    if (code == simdjson::SUCCESS) {
        result = std::move(out);
    } else {
        result = fail(Code::bad_arg, explain(code, text, *place, builder.position()));
    }
    for (Spelled& one : spelled) {
        if (one.value.empty()) continue;
        // Behind the bracket that wrap() put before the text.
        const auto at = static_cast<std::size_t>(one.value.data() - place->text.data()) - 1;
        one.value = text.substr(at, one.value.size());
    }
    if (text.size() > kept_bytes_max) place.reset();
    return result;
}

/// Neither escaped nor part of a longer UTF-8 sequence that would have to be checked.
bool stands_as_it_is(char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

template <typename Number>
void append_number(std::string& out, Number number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// The shortest text that reads back as the same number; JSON has no word for what is not finite.
void append_real(std::string& out, double real) {
    if (!std::isfinite(real)) {
        out += "null";
        return;
    }
    const std::size_t begun = out.size();
    fmt::format_to(std::back_inserter(out), "{}", real);
    if (out.find_first_of(".e", begun) == std::string::npos) out += ".0";
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
    return parse(text, {});
}

Result<Json> parse_json(std::string_view text, std::span<Spelled> members) {
    for (Spelled& one : members) one = {one.key, {}, false};
    return parse(text, members);
}

void append_line(std::string& out, const Json& json) {
    switch (json.type()) {
        case Json::value_t::object: {
            char before = '{';
            for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
                out += std::exchange(before, ',');
                append_string(out, key);
                out += ':';
                append_line(out, value);
            }
            out += before == '{' ? "{}" : "}";
            return;
        }
        case Json::value_t::array: {
            char before = '[';
            for (const Json& value : json) {
                out += std::exchange(before, ',');
                append_line(out, value);
            }
            out += before == '[' ? "[]" : "]";
            return;
        }
        case Json::value_t::string:
            return append_string(out, json.get_ref<const std::string&>());
        case Json::value_t::boolean:
            out += json.get<bool>() ? "true" : "false";
            return;
        case Json::value_t::number_integer:
            return append_number(out, json.get<std::int64_t>());
        case Json::value_t::number_unsigned:
            return append_number(out, json.get<std::uint64_t>());
        case Json::value_t::number_float:
            return append_real(out, json.get<double>());
        case Json::value_t::null:
        case Json::value_t::discarded:
        case Json::value_t::binary:
            break;
    }
    out += "null";
}

void append_string(std::string& out, std::string_view text) {
    if (std::all_of(text.begin(), text.end(), stands_as_it_is)) {
        out.reserve(out.size() + text.size() + 2);
        out += '"';
        out += text;
        out += '"';
        return;
    }
    out += Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string dump_line(const Json& json) {
    std::string line;
    append_line(line, json);
    return line;
}

Error bad_arg(std::string_view key, std::string message) {
    return {Code::bad_arg, std::move(message), 0, dump_line(Json{{"key", std::string(key)}})};
}

}  // namespace labdeck::contract
