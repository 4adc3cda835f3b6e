#include "conform/shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"

namespace labdeck::conform {

namespace {

constexpr std::array<std::string_view, 6> states = {"queued", "running", "succeeded",
                                                    "failed", "timeout", "canceled"};
constexpr std::size_t time_length = std::string_view("2026-02-17T16:20:00.000Z").size();

bool has_type(const Json& value, std::string_view type) {
    if (type == "any") return true;
    if (type == "null") return value.is_null();
    if (type == "string") return value.is_string();
    if (type == "int") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "bool") return value.is_boolean();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type != "time" || !value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    WallTime parsed;
    return text.size() == time_length && parse_rfc3339(text, parsed);
}

bool has_one_of(const Json& value, std::string_view types) {
    while (!types.empty()) {
        const std::size_t bar = types.find('|');
        if (has_type(value, types.substr(0, bar))) return true;
        types.remove_prefix(bar == std::string_view::npos ? types.size() : bar + 1);
    }
    return false;
}

}  // namespace

Outcome<> check_fields(const Json& object, std::string_view what, std::initializer_list<Field> fields) {
    if (!object.is_object()) return fault(fmt::format("{} is an object", what), object.dump());
    for (const Field& field : fields) {
        const std::string expected = fmt::format("{} has {}: {}", what, field.name, field.types);
        const auto it = object.find(field.name);
        if (it == object.end()) return fault(expected, "there is no " + std::string(field.name));
        if (!has_one_of(*it, field.types)) return fault(expected, it->dump());
    }
    return {};
}

Outcome<> check_error(const Json& error) {
    LD_STEP(check_fields(error, "error", {{"code", "string"}, {"message", "string"}, {"details", "object"}}));
    Code code{};
    if (!code_from_name(error["code"].get_ref<const std::string&>(), code)) {
        return fault("error.code is one of the contract's list", error["code"].dump());
    }
    if (error["message"] == "") return fault("error.message says what is wrong", "an empty message");
    return {};
}

Outcome<> check_answer(const Json& whole) {
    LD_STEP(check_fields(whole, "an answer", {{"id", "string|number|null"}, {"ok", "bool"}}));
    if (whole["ok"] == true) {
        LD_STEP(check_fields(whole, "an answer with ok true", {{"response", "any"}}));
        if (whole.contains("error")) return fault("an answer with ok true has no error");
        return {};
    }
    LD_STEP(check_fields(whole, "an answer with ok false", {{"error", "object"}}));
    return check_error(whole["error"]);
}

bool is_state(std::string_view state) noexcept {
    return std::find(states.begin(), states.end(), state) != states.end();
}
bool is_final_state(std::string_view state) noexcept {
    return is_state(state) && state != "queued" && state != "running";
}

std::string text_of(const Json& object, std::string_view key) {
    if (!object.is_object()) return {};
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace labdeck::conform
