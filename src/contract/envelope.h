// envelope.h - the four messages of the contract, read from and written to lines.
//
// Request, answer, error answer and event, as the process interface V0 defines
// them. Lines are read with simdjson; what comes out is checked and owns its data.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "contract/json.h"

namespace labdeck::contract {

inline constexpr std::string_view interface_name = "generic-process-interface";
inline constexpr int interface_version = 1;

/// An id as it stood on the wire, JSON text: `"req-1"` with its quotes, or `17`. "null" where none could be
/// read.
struct RequestId {
    std::string text = "null";
    friend bool operator==(const RequestId&, const RequestId&) = default;
};

struct Request {
    std::optional<RequestId> id;         ///< Absent: a notification, carried out and never answered.
    std::string method;                  ///< As spelled by the caller; the Dispatcher resolves aliases.
    std::shared_ptr<const Json> params;  ///< Always an object, {} when the line had none.
    /// The same as they are spelled in the line, to be passed on in another one. Empty when there is no such
    /// text: no line, no params in it, a key twice in one object, or a carriage return between values.
    std::string params_text = {};
};

struct Answer {
    RequestId id;
    Result<std::shared_ptr<const Json>> response;  ///< Or the error that was answered.
};

struct Event {
    std::string name;
    std::shared_ptr<const Json> params;
};

/// A line that is no message. What to answer: E_BAD_ARG under `id`.
struct BadLine {
    RequestId id;
    Error error;
};

using Message = std::variant<Request, Answer, Event, BadLine>;

/// Longest line that is read, newline not counted.
inline constexpr std::size_t line_bytes_max = 16U << 20;

/// Reads one line (without its newline; a trailing CR is ignored). Never fails otherwise than by BadLine:
/// no JSON, no object, not UTF-8, a wrong id (neither string nor integer), no method/ok/event,
/// params that are not an object.
Message decode(std::string_view line);

std::string encode(const Request& request);
/// The same with params that are JSON already, as they are spelled.
std::string encode_request_text(const RequestId& id, std::string_view method, std::string_view params);
std::string encode_response(const RequestId& id, const Json& response);
/// The same with a response that is JSON already, as it is spelled.
std::string encode_response_text(const RequestId& id, std::string_view response);
std::string encode_error(const RequestId& id, const Error& error);
std::string encode_event(std::string_view name, const Json& params);

/// {"code":…,"message":…,"details":{…}}, and back.
Json error_json(const Error& error);
Error error_of(const Json& json);

}  // namespace labdeck::contract
