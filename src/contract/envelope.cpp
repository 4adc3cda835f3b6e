#include "contract/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace labdeck::contract {

namespace {

const std::shared_ptr<const Json>& empty_object() {
    static const auto empty = std::make_shared<const Json>(Json::object());
    return empty;
}

/// What is taken out of a line that is an object.
struct Parts {
    Json object;
    std::array<Spelled, 2> spelled{{{"id", {}}, {"params", {}}}};

    const Spelled& id() const { return spelled[0]; }
    const Spelled& params() const { return spelled[1]; }

    const Json* find(std::string_view key) const {
        const auto it = object.find(key);
        return it == object.end() ? nullptr : &*it;
    }
    std::shared_ptr<const Json> take(std::string_view key) {
        const auto it = object.find(key);
        return it == object.end() ? nullptr : std::make_shared<const Json>(std::move(*it));
    }
};

Error plain(std::string message) {
    return {Code::bad_arg, std::move(message), 0, {}};
}

BadLine bad(Error error, RequestId id = {}) {
    return {std::move(id), std::move(error)};
}

bool is_whole(std::string_view number) {
    if (!number.empty() && number[0] == '-') number.remove_prefix(1);
    return !number.empty() &&
           std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// False for anything but a string or a whole number, however large.
bool valid_id(const Json& id, std::string_view raw) {
    return id.is_string() || (id.is_number() && is_whole(raw));
}

Message decode_request(Parts& parts, std::optional<RequestId> id) {
    const RequestId reply_to = id.value_or(RequestId{});
    const Json& method = *parts.find("method");
    if (!method.is_string()) return bad(bad_arg("method", "method must be a string"), reply_to);
    Request request;
    request.method = method.get_ref<const std::string&>();
    request.params = parts.take("params");
    if (!request.params) request.params = empty_object();
    if (!request.params->is_object()) return bad(bad_arg("params", "params must be an object"), reply_to);
    request.id = std::move(id);
    const Spelled& spelled = parts.params();
    // Some readers end a line at a carriage return.
    if (!spelled.repeats_key && spelled.value.find('\r') == std::string_view::npos) {
        request.params_text = spelled.value;
    }
    return request;
}

Message decode_answer(Parts& parts, const std::optional<RequestId>& id) {
    Answer answer{id.value_or(RequestId{}), fail(Code::internal, {})};
    const Json& ok = *parts.find("ok");
    if (!ok.is_boolean()) return bad(bad_arg("ok", "ok must be true or false"), answer.id);
    if (ok.get<bool>()) {
        auto response = parts.take("response");
        answer.response = response ? std::move(response) : std::make_shared<const Json>(nullptr);
    } else {
        const Json* error = parts.find("error");
        answer.response = fail(error_of(error != nullptr ? *error : Json()));
    }
    return answer;
}

Message decode_event(Parts& parts) {
    const Json& name = *parts.find("event");
    if (!name.is_string()) return bad(bad_arg("event", "event must be a string"));
    Event event{name.get_ref<const std::string&>(), parts.take("params")};
    if (!event.params) event.params = empty_object();
    if (!event.params->is_object()) return bad(bad_arg("params", "params must be an object"));
    return event;
}

Message decode_object(Parts& parts) {
    std::optional<RequestId> id;
    const bool is_request = parts.find("method") != nullptr;
    if (const Json* given = parts.find("id")) {
        // The answer to a line whose id could not be read has the id null.
        const bool null_answer = given->is_null() && !is_request && parts.find("ok") != nullptr;
        if (!null_answer && !valid_id(*given, parts.id().value)) {
            return bad(bad_arg("id", "id must be a string or an integer"));
        }
        if (!null_answer) id = RequestId{std::string(parts.id().value)};
    }
    if (is_request) return decode_request(parts, std::move(id));
    if (parts.find("ok") != nullptr) return decode_answer(parts, id);
    if (parts.find("event") != nullptr) return decode_event(parts);
    return bad(bad_arg("method", "missing required key: method"), id.value_or(RequestId{}));
}

// Most lines fit; growing step by step would cost more than what goes into them.
constexpr std::size_t usual_line_bytes = 240;

std::string encode_answer(const RequestId& id, std::string_view between, const Json& body) {
    std::string line;
    line.reserve(usual_line_bytes);
    line += "{\"id\":";
    line += id.text;
    line += between;
    append_line(line, body);
    line += '}';
    return line;
}

}  // namespace

Message decode(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.size() > line_bytes_max) {
        return bad(plain("line longer than " + std::to_string(line_bytes_max) + " bytes"));
    }
    Parts parts;
    Result<Json> object = parse_json(line, parts.spelled);
    if (!object) return bad(std::move(object).error());
    if (!object->is_object())
        return bad(plain("a message is a JSON object, not " + std::string(object->type_name())));
    parts.object = std::move(*object);
    return decode_object(parts);
}

std::string encode(const Request& request) {
    std::string line;
    line.reserve(usual_line_bytes);
    line += '{';
    if (request.id) {
        line += "\"id\":";
        line += request.id->text;
        line += ',';
    }
    line += "\"method\":";
    append_string(line, request.method);
    line += ",\"params\":";
    append_line(line, request.params ? *request.params : *empty_object());
    line += '}';
    return line;
}

std::string encode_request_text(const RequestId& id, std::string_view method, std::string_view params) {
    std::string name;
    append_string(name, method);
    return fmt::format("{{\"id\":{},\"method\":{},\"params\":{}}}", id.text, name, params);
}

std::string encode_response(const RequestId& id, const Json& response) {
    return encode_answer(id, ",\"ok\":true,\"response\":", response);
}

std::string encode_response_text(const RequestId& id, std::string_view response) {
    constexpr std::string_view between = ",\"ok\":true,\"response\":";
    std::string line;
    line.reserve(id.text.size() + between.size() + response.size() + 16);
    return line.append("{\"id\":").append(id.text).append(between).append(response).append("}");
}

std::string encode_error(const RequestId& id, const Error& error) {
    return encode_answer(id, ",\"ok\":false,\"error\":", error_json(error));
}

std::string encode_event(std::string_view name, const Json& params) {
    std::string line;
    line.reserve(usual_line_bytes);
    line += "{\"event\":";
    append_string(line, name);
    line += ",\"params\":";
    append_line(line, params.is_null() ? *empty_object() : params);
    line += '}';
    return line;
}

Json error_json(const Error& error) {
    Json details = Json::object();
    if (!error.details.empty()) {
        Result<Json> given = parse_json(error.details);
        if (given && given->is_object()) details = std::move(*given);
    }
    return Json{{"code", std::string(code_name(error.code))},
                {"message", error.message},
                {"details", std::move(details)}};
}

Error error_of(const Json& json) {
    Error error;
    error.message = "the peer answered an error without saying which";
    if (!json.is_object()) return error;
    if (const auto it = json.find("message"); it != json.end() && it->is_string()) error.message = *it;
    if (const auto it = json.find("details"); it != json.end() && it->is_object() && !it->empty()) {
        error.details = dump_line(*it);
    }
    const auto code = json.find("code");
    if (code == json.end() || !code->is_string()) return error;
    const auto& name = code->get_ref<const std::string&>();
    // A code that only the peer knows is kept where people see it.
    if (!code_from_name(name, error.code)) error.message = name + ": " + error.message;
    return error;
}

}  // namespace labdeck::contract
