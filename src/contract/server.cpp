#include "contract/server.h"

#include <nlohmann/json.hpp>

#include "contract/method.h"

namespace labdeck::contract {

ServerEnd::ServerEnd(const Dispatcher& dispatcher, Send send, Log log)
    : dispatcher_(dispatcher), send_(std::move(send)), log_(std::move(log)), splitter_(line_bytes_max) {
    on_line_.line = [this](std::string_view line) { handle_line(line); };
    on_line_.too_long = [this] { too_long(); };
}

ServerEnd::~ServerEnd() = default;

void ServerEnd::receive(std::string_view bytes) {
    splitter_.feed(bytes, on_line_);
}
void ServerEnd::finish() {
    splitter_.finish(on_line_);
}

void ServerEnd::receive(const Request& request, const Responder& responder) {
    if (!request.id) return handle_notification(request);
    dispatcher_.dispatch(request, caller(), responder);
}

void ServerEnd::handle_line(std::string_view line) {
    const Message message = decode(line);
    if (const auto* bad = std::get_if<BadLine>(&message)) return send_line(encode_error(bad->id, bad->error));
    if (const auto* request = std::get_if<Request>(&message)) {
        if (!request->id) return handle_notification(*request);
        // Whoever keeps the Responder may outlive the connection.
        auto sink = [this, alive = alive(), id = *request->id](Result<Json> result) {
            if (alive.expired()) return;
            send_line(result ? encode_response(id, *result) : encode_error(id, result.error()));
        };
        auto text_sink = [this, alive = alive(), id = *request->id](std::string_view response) {
            if (!alive.expired()) send_line(encode_response_text(id, response));
        };
        return dispatcher_.dispatch(*request, caller(), Responder(std::move(sink), std::move(text_sink)));
    }
    // Answers and events have no business here: this side is asked, it does not ask.
    const auto* answer = std::get_if<Answer>(&message);
    send_line(encode_error(answer != nullptr ? answer->id : RequestId{},
                           bad_arg("method", "missing required key: method")));
}

void ServerEnd::handle_notification(const Request& request) {
    auto sink = [log = log_, method = request.method](Result<Json> result) {
        if (!result && log) log("notification " + method + ": " + describe(result.error()));
    };
    dispatcher_.dispatch(request, caller(), Responder(std::move(sink)));
}

void ServerEnd::too_long() {
    send_line(encode_error(
        {}, {Code::bad_arg, "line longer than " + std::to_string(line_bytes_max) + " bytes", 0, {}}));
}

Caller ServerEnd::caller() {
    return {this, alive()};
}

void ServerEnd::send_line(std::string line) {
    line += '\n';
    send_(std::move(line));
}

void ServerEnd::subscribe(std::string_view topic) {
    topics_.insert(canonical_topic(topic));
}

bool ServerEnd::subscribed(std::string_view event) const {
    return topics_.contains(event);
}

void ServerEnd::publish(std::string_view event, const Json& params) {
    if (subscribed(event)) push(event, params);
}

void ServerEnd::publish_encoded(std::string_view event, const std::string& line) {
    if (subscribed(event)) send_(line);
}

void ServerEnd::push(std::string_view event, const Json& params) {
    send_line(encode_event(event, params));
}

}  // namespace labdeck::contract
