#include "supervise/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace labdeck::supervise {

namespace {

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

int depth_of(const Json& json) {
    int deepest = 0;
    if (json.is_structured()) {
        for (const Json& inner : json) deepest = std::max(deepest, depth_of(inner));
        ++deepest;
    }
    return deepest;
}

}  // namespace

Fields::Fields(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json_.is_object()) refuse(place_.empty() ? "params" : place_, "must be an object");
}

const Json* Fields::take(std::string_view key) {
    taken_.push_back(key);
    if (!json_.is_object()) return nullptr;
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
}

std::string Fields::place_of(std::string_view key) const {
    return place_.empty() ? std::string(key) : fmt::format("{}.{}", place_, key);
}

void Fields::refuse(const std::string& place, std::string_view why) {
    if (!error_) error_ = contract::bad_arg(place, fmt::format("{} {}", place, why));
}

void Fields::refuse(Error error) {
    if (!error_) error_ = std::move(error);
}

void Fields::require(std::string_view key) {
    if (error_ || json_.contains(key)) return;
    const std::string place = place_of(key);
    error_ = contract::bad_arg(place, fmt::format("missing required key: {}", place));
}

std::string Fields::checked_text(const Json& value, const std::string& place, const TextRule& rule) {
    if (!value.is_string()) {
        refuse(place, "must be a string");
        return {};
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() < rule.bytes_min) refuse(place, "must not be empty");
    if (text.size() > rule.bytes_max) refuse(place, fmt::format("must be at most {} bytes", rule.bytes_max));
    if (text.find('\0') != std::string::npos) refuse(place, "must not contain NUL");
    if (!rule.control_characters && std::any_of(text.begin(), text.end(), is_control)) {
        refuse(place, "must not contain control characters");
    }
    return text;
}

std::string Fields::required_text(std::string_view key, const TextRule& rule) {
    require(key);
    return text(key, rule).value_or(std::string());
}

std::optional<std::string> Fields::text(std::string_view key, const TextRule& rule) {
    const Json* const value = take(key);
    if (value == nullptr) return std::nullopt;
    return checked_text(*value, place_of(key), rule);
}

std::optional<bool> Fields::boolean(std::string_view key) {
    const Json* const value = take(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) {
        refuse(place_of(key), "must be true or false");
        return std::nullopt;
    }
    return value->get<bool>();
}

std::optional<std::int64_t> Fields::whole(std::string_view key, std::int64_t min, std::int64_t max) {
    const Json* const value = take(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) {
        refuse(place_of(key), "must be an integer");
        return std::nullopt;
    }
    // A natural number beyond 2^63 would wrap to a negative one.
    const bool huge =
        value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(max);
    const auto number = huge ? max : value->get<std::int64_t>();
    if (huge || number < min || number > max) {
        refuse(place_of(key), fmt::format("must be from {} to {}, not {}", min, max, value->dump()));
        return std::nullopt;
    }
    return number;
}

std::optional<std::vector<std::string>> Fields::texts(std::string_view key, std::size_t count_max,
                                                      const TextRule& rule) {
    const Json* const value = array(key, count_max);
    if (value == nullptr) return std::nullopt;
    std::vector<std::string> all;
    for (std::size_t i = 0; i < value->size(); ++i)
        all.push_back(checked_text((*value)[i], fmt::format("{}[{}]", place_of(key), i), rule));
    return all;
}

const Json* Fields::object(std::string_view key) {
    const Json* const value = take(key);
    if (value == nullptr || value->is_object()) return value;
    refuse(place_of(key), "must be an object");
    return nullptr;
}

const Json* Fields::array(std::string_view key, std::size_t count_max) {
    const Json* const value = take(key);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) {
        refuse(place_of(key), "must be an array");
        return nullptr;
    }
    if (value->size() > count_max) {
        refuse(place_of(key), fmt::format("must have at most {} elements", count_max));
        return nullptr;
    }
    return value;
}

std::string Fields::extra(std::size_t bytes_max) {
    if (!json_.is_object()) return {};
    Json others = Json::object();
    auto& members = others.get_ref<Json::object_t&>();
    for (const auto& [key, value] : json_.get_ref<const Json::object_t&>()) {
        if (std::find(taken_.begin(), taken_.end(), key) != taken_.end()) continue;
        if (depth_of(value) > extra_depth_max)
            refuse(place_of(key), fmt::format("must not be nested deeper than {} levels", extra_depth_max));
        // Of a parsed object no key stands twice, so there is none to look for.
        members.emplace_back(key, value);
    }
    if (members.empty()) return {};
    std::string text = contract::dump_line(others);
    if (members.size() > extra_members_max || text.size() > bytes_max) {
        refuse(place_.empty() ? members.front().first : place_,
               fmt::format("has too many members that are not known: more than {}, or more than {} bytes",
                           extra_members_max, bytes_max));
    }
    return text;
}

Result<> Fields::done() const {
    if (error_) return fail(*error_);
    return {};
}

}  // namespace labdeck::supervise
