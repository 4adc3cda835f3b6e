// dispatcher.h - from a request to its handler and back to exactly one answer.
//
// Order of checks: method, then params, then whatever the handler checks (the app
// first). One thread: that of the server whose state the handlers touch.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "contract/envelope.h"
#include "contract/method.h"

namespace labdeck::contract {

/// Answers one request, once. Copies share the one answer. When the last copy goes away unused, the
/// request is answered E_INTERNAL, so that no caller waits for ever.
class Responder {
public:
    using Sink = std::function<void(Result<Json>)>;
    /// Takes a good response that is JSON text already. Valid during the call only.
    using TextSink = std::function<void(std::string_view response)>;
    /// Without a `text_sink`, what comes as text is made a tree for `sink`.
    explicit Responder(Sink sink, TextSink text_sink = {});

    void ok(Json response) const;
    /// REQUIRES: one JSON text that parse_json() takes, without a line break. It is sent as it is spelled.
    void ok_text(std::string_view response) const;
    void error(Error error) const;
    void answer(Result<Json> result) const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

class ServerEnd;

/// Who is asking: enough to subscribe and to be sent events of its own.
struct Caller {
    ServerEnd* end = nullptr;   ///< Valid during the handler's call only; keep the weak handle for later.
    std::weak_ptr<void> alive;  ///< Expires with the connection.
    /// Request::params_text; empty as well when keys had to be renamed. Valid during the handler's call only.
    std::string_view params_text = {};
};

class Dispatcher {
public:
    using Handler = std::function<void(const Json& params, const Caller& caller, Responder responder)>;

    /// REQUIRES: `canonical` is a row of methods() and not bound yet.
    void bind(std::string_view canonical, Handler handler);
    bool bound(std::string_view canonical) const;

    /// Calls exactly one of: a handler, or the responder with E_UNSUPPORTED_METHOD or E_BAD_ARG.
    /// A row that is in the table but not bound here is E_UNSUPPORTED_METHOD as well.
    void dispatch(const Request& request, const Caller& caller, const Responder& responder) const;

private:
    std::unordered_map<std::string_view, Handler> handlers_;  ///< Keys live in the static table.
};

}  // namespace labdeck::contract
