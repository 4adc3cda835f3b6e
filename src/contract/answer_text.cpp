#include "contract/answer_text.h"

// With this the compiler refuses simdjson's conversions that would throw.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "contract/envelope.h"
#include "contract/json.h"

namespace labdeck::contract {

namespace {

namespace ondemand = simdjson::ondemand;

// What a thread keeps between two lines.
constexpr std::size_t kept_bytes_max = 1U << 20;

std::string_view without_trailing_space(std::string_view text) {
    const auto last = text.find_last_not_of(" \t\r\n");
    return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

bool has(std::string_view text, char c) {
    return !text.empty() && std::memchr(text.data(), c, text.size()) != nullptr;
}

/// All keys of a line, by a number each that also stands for their object.
class KeyHashes {
public:
    void clear() { hashes_.clear(); }

    void add(std::uint64_t object, std::string_view key) {
        std::uint64_t sum = mixed(object + (std::uint64_t{key.size()} << 32U));
        for (; key.size() > sizeof sum; key.remove_prefix(sizeof sum)) sum = mixed(sum ^ word(key));
        hashes_.push_back(mixed(sum ^ word(key)));
    }

    /// True also, very seldom, for keys that only have the same number.
    bool any_twice() {
        std::sort(hashes_.begin(), hashes_.end());
        return std::adjacent_find(hashes_.begin(), hashes_.end()) != hashes_.end();
    }

private:
    static std::uint64_t mixed(std::uint64_t value) {
        value *= 0x9E37'79B9'7F4A'7C15;
        return value ^ (value >> 29U);
    }
    static std::uint64_t word(std::string_view key) {
        std::uint64_t word = 0;
        std::memcpy(&word, key.data(), std::min(key.size(), sizeof word));
        return word;
    }

    std::vector<std::uint64_t> hashes_;
};

/// Walks over a line as parse_json() does, with the same questions to simdjson, so that both take the same
/// texts. False on the way out of anything that is wrong or not plain.
class Walk {
public:
    Walk(ondemand::document& document, KeyHashes& keys) : document_(document), keys_(keys) {}

    bool read_message() {
        ondemand::object object;
        if (document_.get_object().get(object) != simdjson::SUCCESS) return false;
        for (auto result : object) {
            ondemand::field field;
            if (std::move(result).get(field) != simdjson::SUCCESS) return false;
            const std::string_view key = key_of(field);
            // One with an escape in it may mean anything.
            if (has(key, '\\') || key == "method") return false;
            keys_.add(0, key);
            ondemand::value value = field.value();
            const std::string_view token = without_trailing_space(value.raw_json_token());
            if (!check(value, 1)) return false;
            if (key == "id") id_ = token;
            if (key == "ok") ok_ = token;
            if (key == "response" && !text_from(token.data(), response_)) return false;
        }
        const bool at_end = document_.current_location().error() == simdjson::OUT_OF_BOUNDS;
        return at_end && ok_ == "true" && !response_.empty() && !keys_.any_twice();
    }

    /// In the text that simdjson was given.
    AnswerText found() const { return {id_, response_}; }

private:
    /// `depth` counts the arrays and objects that are open around the value.
    bool check(ondemand::value& value, int depth) {
        ondemand::json_type type{};
        if (value.type().get(type) != simdjson::SUCCESS) return false;
        switch (type) {
            case ondemand::json_type::object:
                return depth < json_depth_max && check_object(value, depth + 1);
            case ondemand::json_type::array:
                return depth < json_depth_max && check_array(value, depth + 1);
            case ondemand::json_type::number:
                return check_number(value);
            case ondemand::json_type::string:
                return check_string(value);
            case ondemand::json_type::boolean: {
                bool flag = false;
                return value.get_bool().get(flag) == simdjson::SUCCESS;
            }
            case ondemand::json_type::null:
                break;
        }
        // A value that only begins like null is not one, and not an error of simdjson's either.
        if (without_trailing_space(value.raw_json_token()) != "null") return false;
        bool is_null = false;
        return value.is_null().get(is_null) == simdjson::SUCCESS && is_null;
    }

    bool check_object(ondemand::value& value, int depth) {
        const std::uint64_t number = ++objects_;
        ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) return false;
        for (auto result : object) {
            ondemand::field field;
            if (std::move(result).get(field) != simdjson::SUCCESS) return false;
            std::string_view key = key_of(field);
            if (has(key, '\\') && field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
            keys_.add(number, key);
            ondemand::value inner = field.value();
            if (!check(inner, depth)) return false;
        }
        return true;
    }

    bool check_array(ondemand::value& value, int depth) {
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) return false;
        for (auto element : array) {
            ondemand::value inner;
            if (std::move(element).get(inner) != simdjson::SUCCESS || !check(inner, depth)) return false;
        }
        return true;
    }

    static bool check_number(ondemand::value& value) {
        std::uint64_t natural = 0;
        if (value.get_uint64().get(natural) == simdjson::SUCCESS) return true;
        std::int64_t whole = 0;
        if (value.get_int64().get(whole) == simdjson::SUCCESS) return true;
        double real = 0;
        return value.get_double().get(real) == simdjson::SUCCESS;
    }

    /// What has no escapes was checked with the whole line already.
    static bool check_string(ondemand::value& value) {
        if (has(value.raw_json_token(), '\\')) {
            std::string_view text;
            return value.get_string().get(text) == simdjson::SUCCESS;
        }
        ondemand::raw_json_string raw;
        return value.get_raw_json_string().get(raw) == simdjson::SUCCESS;
    }

    static std::string_view key_of(ondemand::field& field) {
        const char* const begin = field.key().raw();
        const char* end = begin;
        while (*end != '"') end += *end == '\\' ? 2 : 1;
        return {begin, static_cast<std::size_t>(end - begin)};
    }

    /// From `begin` to where the walk stands. False when that is no text for another line.
    bool text_from(const char* begin, std::string_view& out) {
        const char* here = nullptr;
        if (document_.current_location().get(here) != simdjson::SUCCESS) return false;
        out = without_trailing_space({begin, static_cast<std::size_t>(here - begin)});
        return !has(out, '\r');
    }

    ondemand::document& document_;
    KeyHashes& keys_;
    std::uint64_t objects_ = 0;
    std::string_view id_;
    std::string_view ok_;
    std::string_view response_;
};

struct Workplace {
    ondemand::parser parser;
    std::string text;
    KeyHashes keys;
};

bool read(Workplace& place, std::string_view line, AnswerText& out) {
    place.text.assign(line);
    place.text.append(simdjson::SIMDJSON_PADDING, ' ');
    place.keys.clear();
    ondemand::document document;
    const auto code = place.parser.iterate(place.text.data(), line.size(), place.text.size()).get(document);
    if (code != simdjson::SUCCESS) return false;
    Walk walk(document, place.keys);
    if (!walk.read_message()) return false;
    const auto in_line = [&](std::string_view part) {
        return part.empty()
                   ? part
                   : line.substr(static_cast<std::size_t>(part.data() - place.text.data()), part.size());
    };
    out = {in_line(walk.found().id), in_line(walk.found().response)};
    return true;
}

/// decode() refuses others, where find_answer() gives none.
bool plain_id(std::string_view id) {
    if (id.empty()) return false;
    if (id[0] == '"') return true;
    if (id[0] == '-') id.remove_prefix(1);
    return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<AnswerText> find_answer(std::string_view line) {
    // simdjson passes over a byte order mark, parse_json() does not.
    if (!line.starts_with('{') || line.size() > line_bytes_max) return std::nullopt;
    thread_local std::unique_ptr<Workplace> place;
    if (!place) place = std::make_unique<Workplace>();
    AnswerText found;
    const bool good = read(*place, line, found) && plain_id(found.id);
    if (line.size() > kept_bytes_max) place.reset();
    return good ? std::optional(found) : std::nullopt;
}

}  // namespace labdeck::contract
