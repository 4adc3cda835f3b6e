// call and events: the contract from a shell.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/peer.h"
#include "app/stop_signals.h"
#include "contract/envelope.h"
#include "contract/method.h"

namespace labdeck::app {

using contract::Json;

namespace {

constexpr double command_timeout_s = 30;

/// JSON if it parses, else a string; and what must be a string is one, whatever it looks like.
Json value_of(const std::string& text, const contract::Method* method, std::string_view key) {
    Result<Json> parsed = contract::parse_json(text);
    if (!parsed) return text;
    if (method == nullptr || parsed->is_string()) return std::move(*parsed);
    const auto param = std::find_if(method->params.begin(), method->params.end(),
                                    [&](const contract::Param& one) { return one.name == key; });
    const bool is_text = param != method->params.end() && param->type == contract::ParamType::string;
    return is_text ? Json(text) : std::move(*parsed);
}

Result<Json> params_of(const std::vector<std::string>& words, const contract::Method* method) {
    Json params = Json::object();
    if (words.size() == 1 && words.front().starts_with('{')) {
        Json whole = LD_TRY(contract::parse_json(words.front()));
        if (!whole.is_object()) return fail(Code::bad_arg, "the params must be a JSON object");
        return whole;
    }
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return fail(Code::bad_arg, fmt::format("\"{}\" is neither a JSON object nor key=value", word));
        }
        const std::string key = word.substr(0, equals);
        params[key] = value_of(word.substr(equals + 1), method, key);
    }
    return params;
}

int complain(const Error& error, int code) {
    std::fprintf(stderr, "labdeck: %s\n", error.message.c_str());
    return code;
}

}  // namespace

int run_call(const CallArgs& args) {
    if (args.list) {
        std::fputs((args.markdown ? contract::methods_markdown() : contract::methods_text()).c_str(), stdout);
        return exit_fine;
    }
    if (args.method.empty()) {
        std::fputs("labdeck: call needs a METHOD; labdeck call --list prints them\n", stderr);
        return exit_usage;
    }
    const Result<Json> params = params_of(args.params, contract::find_method(args.method));
    if (!params) return complain(params.error(), exit_usage);
    auto peer = Peer::connect(args.peer);
    if (!peer) return complain(peer.error(), exit_nobody);
    // A hub ends what takes too long; whatever else was started may be mute.
    const double usual_s = args.peer.command.empty() ? 0 : command_timeout_s;
    const auto answer = (*peer)->call(args.method, *params, args.timeout_s.value_or(usual_s));
    if (!answer) {
        if ((*peer)->closed()) return complain(answer.error(), exit_nobody);
        std::fprintf(stderr, "%s\n", describe(answer.error()).c_str());
        return exit_error;
    }
    std::puts(contract::dump_line(**answer).c_str());
    return exit_fine;
}

int run_events(const EventsArgs& args) {
    auto connected = Peer::connect(args.peer);
    if (!connected) return complain(connected.error(), exit_nobody);
    Peer& peer = **connected;
    long printed = 0;
    peer.client().on_event([&](const contract::Event& event) {
        if (args.count > 0 && printed >= args.count) return;
        std::puts(contract::encode_event(event.name, *event.params).c_str());
        std::fflush(stdout);
        if (std::ferror(stdout) != 0 || ++printed == args.count) peer.stop();
    });
    std::vector<std::string> topics = args.topics;
    if (topics.empty()) {
        for (const contract::Topic& topic : contract::topics()) topics.emplace_back(topic.name);
    }
    const auto answer = peer.call("events.subscribe", Json{{"topics", topics}}, 10);
    if (!answer) {
        std::fprintf(stderr, "%s\n", describe(answer.error()).c_str());
        return exit_error;
    }
    if (args.count > 0 && printed >= args.count) return exit_fine;
    const StopSignals signals([&peer] { peer.stop(); });
    peer.run();
    if (peer.closed()) {
        std::fputs("labdeck: the hub went away\n", stderr);
        return exit_nobody;
    }
    return exit_fine;
}

}  // namespace labdeck::app
