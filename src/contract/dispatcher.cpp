#include "contract/dispatcher.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "base/assert.h"

namespace labdeck::contract {

struct Responder::State {
    State(Sink given, TextSink for_text) : sink(std::move(given)), text_sink(std::move(for_text)) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        try {
            give(fail(Code::internal, "the handler gave no answer"));
        } catch (const std::exception&) {
            // Nobody is left to hear of it, and a destructor must not throw.
        }
    }

    void give(Result<Json> result) {
        if (!sink) return;
        // Emptied first: an answer may lead to another one through the same Responder.
        const Sink once = std::exchange(sink, nullptr);
        once(std::move(result));
    }

    void give_text(std::string_view response) {
        if (!text_sink) return give(parse_json(response));
        if (!sink) return;
        sink = nullptr;
        const TextSink once = std::exchange(text_sink, nullptr);
        once(response);
    }

    Sink sink;
    TextSink text_sink;
};

Responder::Responder(Sink sink, TextSink text_sink)
    : state_(std::make_shared<State>(std::move(sink), std::move(text_sink))) {}

void Responder::ok(Json response) const {
    state_->give(std::move(response));
}
void Responder::ok_text(std::string_view response) const {
    state_->give_text(response);
}
void Responder::error(Error error) const {
    state_->give(fail(std::move(error)));
}
void Responder::answer(Result<Json> result) const {
    state_->give(std::move(result));
}

void Dispatcher::bind(std::string_view canonical, Handler handler) {
    const Method* method = find_method(canonical);
    LD_ASSERT(method != nullptr && method->name == canonical);
    LD_ASSERT(handler != nullptr);
    const bool is_new = handlers_.emplace(method->name, std::move(handler)).second;
    LD_ASSERT(is_new);
}

bool Dispatcher::bound(std::string_view canonical) const {
    return handlers_.contains(canonical);
}

void Dispatcher::dispatch(const Request& request, const Caller& caller, const Responder& responder) const {
    bool was_alias = false;
    const Method* method = find_method(request.method, &was_alias);
    const auto it = method != nullptr ? handlers_.find(method->name) : handlers_.end();
    if (method == nullptr || it == handlers_.end()) {
        return responder.error({Code::unsupported_method, "no such method: " + request.method, 0, {}});
    }
    try {
        static const Json none = Json::object();
        const Json& given = request.params ? *request.params : none;
        const Json adopted = was_alias ? adopt_alias_keys(*method, given) : Json();
        const Json& params = was_alias ? adopted : given;
        const Result<> checked = check_params(*method, params);
        if (!checked) return responder.error(checked.error());
        Caller asking = caller;
        if (!was_alias) asking.params_text = request.params_text;
        it->second(params, asking, responder);
    } catch (const std::exception& e) {
        // A handler that trips over a value it did not expect must not take the connection with it.
        responder.error({Code::internal, std::string(method->name) + ": " + e.what(), 0, {}});
    }
}

}  // namespace labdeck::contract
