#include "contract/method.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/assert.h"

namespace labdeck::contract {

namespace {

constexpr std::array<std::string_view, 8> type_names = {"any",     "string", "integer", "number",
                                                        "boolean", "object", "array",   "string[]"};
static_assert(static_cast<std::size_t>(ParamType::string_array) + 1 == type_names.size());

template <typename Visit>
void for_each_word(std::string_view words, char separator, Visit visit) {
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(separator), words.size());
        if (end > 0) visit(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
}

struct Spelling {
    const Method* method = nullptr;
    bool alias = false;
};

std::unordered_map<std::string_view, Spelling> make_spellings() {
    std::unordered_map<std::string_view, Spelling> all;
    const auto add = [&](std::string_view spelling, const Method& method, bool alias) {
        const bool is_new = all.emplace(spelling, Spelling{&method, alias}).second;
        LD_ASSERT(is_new);
    };
    for (const Method& method : methods()) {
        add(method.name, method, method.legacy);
        for_each_word(method.aliases, ' ', [&](std::string_view alias) { add(alias, method, true); });
    }
    return all;
}

bool has_type(ParamType type, const Json& value) {
    switch (type) {
        case ParamType::any:
            return true;
        case ParamType::string:
            return value.is_string();
        case ParamType::integer:
            return value.is_number_integer();
        case ParamType::number:
            return value.is_number();
        case ParamType::boolean:
            return value.is_boolean();
        case ParamType::object:
            return value.is_object();
        case ParamType::array:
            return value.is_array();
        case ParamType::string_array:
            return value.is_array() &&
                   std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
    }
    return false;
}

std::string_view with_article(ParamType type) {
    switch (type) {
        case ParamType::any:
            return "anything";
        case ParamType::string:
            return "a string";
        case ParamType::integer:
            return "an integer";
        case ParamType::number:
            return "a number";
        case ParamType::boolean:
            return "true or false";
        case ParamType::object:
            return "an object";
        case ParamType::array:
            return "an array";
        case ParamType::string_array:
            return "an array of strings";
    }
    return {};
}

bool is_choice(std::string_view choices, std::string_view text) {
    bool found = choices.empty();
    for_each_word(choices, '|', [&](std::string_view choice) { found = found || choice == text; });
    return found;
}

std::string choices_text(std::string_view choices) {
    std::string out;
    for_each_word(choices, '|', [&](std::string_view choice) {
        if (!out.empty()) out += ", ";
        out += choice;
    });
    return out;
}

Result<> refuse(const Param& param, std::string_view why) {
    return fail(bad_arg(param.name, fmt::format("{} {}", param.name, why)));
}

Result<> check_value(const Param& param, const Json& value) {
    if (!has_type(param.type, value))
        return refuse(param, fmt::format("must be {}", with_article(param.type)));
    if (param.type == ParamType::integer || param.type == ParamType::number) {
        const double number = value.get<double>();
        // Asked this way round, so that a NaN is out of range.
        if (!(number >= param.min && number <= param.max)) {
            return refuse(param,
                          fmt::format("must be from {} to {}, not {}", param.min, param.max, value.dump()));
        }
    }
    if (param.type == ParamType::string && !is_choice(param.choices, value.get_ref<const std::string&>())) {
        return refuse(param, fmt::format("must be one of {}", choices_text(param.choices)));
    }
    return {};
}

/// "app_id" is "appId"; the same text comes back when there is nothing to change.
std::string camel_case(std::string_view snake) {
    std::string out;
    bool upper = false;
    for (const char c : snake) {
        if (c == '_' && !out.empty()) {
            upper = true;
            continue;
        }
        out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        upper = false;
    }
    return out;
}

bool knows(const Method& method, std::string_view key) {
    return std::any_of(method.params.begin(), method.params.end(),
                       [&](const Param& p) { return p.name == key; });
}

}  // namespace

std::string_view param_type_name(ParamType type) noexcept {
    return type_names[static_cast<std::size_t>(type)];
}

const Method* find_method(std::string_view spelling, bool* was_alias) noexcept {
    static const auto spellings = make_spellings();
    const auto it = spellings.find(spelling);
    if (it == spellings.end()) return nullptr;
    if (was_alias != nullptr) *was_alias = it->second.alias;
    return it->second.method;
}

Result<> check_params(const Method& method, const Json& params) {
    if (!params.is_object()) return fail(bad_arg("params", "params must be an object"));
    for (const Param& param : method.params) {
        const auto it = params.find(param.name);
        if (it == params.end()) {
            if (param.need == Need::optional) continue;
            return fail(bad_arg(param.name, fmt::format("missing required key: {}", param.name)));
        }
        LD_TRY(check_value(param, *it));
    }
    return {};
}

Json adopt_alias_keys(const Method& method, const Json& params) {
    if (!params.is_object()) return params;
    Json out = Json::object();
    for (const auto& [key, value] : params.items()) {
        const std::string camel = camel_case(key);
        const bool adopt =
            camel != key && knows(method, camel) && !params.contains(camel) && !out.contains(camel);
        out[adopt ? camel : key] = value;
    }
    return out;
}

std::string canonical_topic(std::string_view topic) {
    static const auto spellings = [] {
        std::unordered_map<std::string_view, std::string_view> all;
        for (const Topic& row : topics()) {
            for_each_word(row.aliases, ' ', [&](std::string_view alias) { all.emplace(alias, row.name); });
        }
        return all;
    }();
    if (const auto it = spellings.find(topic); it != spellings.end()) return std::string(it->second);
    constexpr std::string_view event_suffix = ":event";
    if (topic.ends_with(event_suffix)) topic.remove_suffix(event_suffix.size());
    std::string name(topic);
    std::replace(name.begin(), name.end(), ':', '.');
    constexpr std::string_view stream_prefix = "stream-";
    if (topic.starts_with(stream_prefix)) name[stream_prefix.size() - 1] = '.';
    return name;
}

}  // namespace labdeck::contract
