// Ids, keys, methods and notifications.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "conform/checks.h"
#include "conform/shape.h"
#include "contract/client.h"

namespace labdeck::conform {

namespace {

/// A ping under this id, as it stands on the wire, is answered under the same.
Outcome<> ping_under(Talk& talk, std::string_view id) {
    Result<Json> value = contract::parse_json(id);
    const std::string text = value && value->is_string() ? id_text(*value, id) : std::string(id);
    talk.send_line(fmt::format(R"({{"id":{},"method":"ping","params":{{}}}})", id), text);
    const Json whole = LD_STEP(talk.answer(text));
    if (whole["ok"] != true) return fault("ping is carried out");
    return {};
}

constexpr std::string_view silence = "no answer to a notification";

/// Sends lines without an id and then a ping, whose answer must be the next one.
Outcome<> stays_silent(Talk& talk, std::initializer_list<std::string_view> lines) {
    const std::uint64_t before = talk.stray_answers().count;
    for (const std::string_view line : lines) talk.send_line(line, {});
    LD_STEP(talk.settle());
    // An answer may also come late: from another thread, say.
    talk.listen(50'000'000);
    if (talk.stray_answers().count != before) return fault(std::string(silence));
    return {};
}

}  // namespace

Outcome<> ping_names_the_interface(Context& context) {
    const Json pong = LD_STEP(context.talk.ask("ping"));
    LD_STEP(check_fields(pong, "ping's response", {{"pong", "bool"}, {"interfaceName", "string"}}));
    if (pong["pong"] != true) return fault("pong is true", pong.dump());
    const Result<> peer = contract::check_peer(pong);
    if (!peer) return fault("generic-process-interface, major version 1", peer.error().message);
    return {};
}

Outcome<> params_may_be_left_out(Context& context) {
    context.talk.send_line(R"({"id":"without params","method":"ping"})", "\"without params\"");
    const Json whole = LD_STEP(context.talk.answer("\"without params\""));
    if (whole["ok"] != true) return fault("ping without params is carried out");
    return {};
}

Outcome<> answers_have_the_envelope(Context& context) {
    const std::string good = context.talk.request("ping");
    const std::string bad = context.talk.request("labdeck.no.such.method");
    // Their shape is looked at on the way in.
    LD_STEP(context.talk.answer(good));
    const Json whole = LD_STEP(context.talk.answer(bad));
    if (whole.contains("response")) return fault("an answer with ok false has no response");
    return {};
}

Outcome<> string_ids(Context& context) {
    for (const char* id : {R"("req-1")", R"("")", R"("17")", R"("null")"})
        LD_STEP(ping_under(context.talk, id));
    return ping_under(context.talk, '"' + std::string(4000, 'x') + '"');
}

Outcome<> string_ids_with_escapes(Context& context) {
    for (const char* id : {R"("line\nfeed")", R"("\"quoted\" \\ \/")", "\"Prüfstand 試験\"",
                           R"("\u00e9\ud83d\ude80")", R"("a\u0000b")"}) {
        LD_STEP(ping_under(context.talk, id));
    }
    return {};
}

Outcome<> integer_ids(Context& context) {
    for (const char* id : {"1", "0", "-12", "9007199254740993", "9223372036854775807"}) {
        LD_STEP(ping_under(context.talk, id));
    }
    return {};
}

Outcome<> huge_integer_ids(Context& context) {
    for (const char* id : {"18446744073709551616", "-123456789012345678901234567890"}) {
        LD_STEP(ping_under(context.talk, id));
    }
    return {};
}

Outcome<> one_id_twice(Context& context) {
    LD_STEP(ping_under(context.talk, "\"again\""));
    return ping_under(context.talk, "\"again\"");
}

Outcome<> unknown_keys_are_let_through(Context& context) {
    const std::string id = "\"more keys\"";
    context.talk.send_line(
        R"({"id":"more keys","method":"ping","params":{"newer":[1,2]},"trace":{"span":"x"},"ok":null})", id);
    const Json whole = LD_STEP(context.talk.answer(id));
    if (whole["ok"] != true) return fault("a request with keys of a newer client is carried out");
    return {};
}

Outcome<> keys_in_any_order(Context& context) {
    context.talk.send_line(R"(  { "params" : { } , "method" : "ping" , "id" : "last" }  )", "\"last\"");
    const Json whole = LD_STEP(context.talk.answer("\"last\""));
    if (whole["ok"] != true) return fault("a request with other blanks and order is carried out");
    return {};
}

Outcome<> unknown_method(Context& context) {
    for (const char* method : {"labdeck.no.such.method", "", "ping ", "__class__", "é"}) {
        LD_STEP(context.talk.refused(method, Json::object(), "E_UNSUPPORTED_METHOD"));
    }
    return {};
}

Outcome<> method_names_are_exact(Context& context) {
    for (const char* method : {"Ping", "STATUS.GET", "status.get.", "statusXget"}) {
        LD_STEP(context.talk.refused(method, {{"appId", "x"}}, "E_UNSUPPORTED_METHOD"));
    }
    return {};
}

Outcome<> notifications_are_not_answered(Context& context) {
    return stays_silent(context.talk, {R"({"method":"ping","params":{}})", R"({"method":"ping"})"});
}

Outcome<> wrong_notifications_are_not_answered(Context& context) {
    return stays_silent(
        context.talk,
        {R"({"method":"labdeck.no.such.method","params":{}})", R"({"method":"status.get","params":{}})",
         R"({"method":"status.get","params":{"appId":"labdeck-no-such-app"}})"});
}

Outcome<> short_keys_are_not_read(Context& context) {
    LD_STEP(context.talk.bad_line(R"({"id":"short","m":"ping","p":{}})", "\"short\""));
    return context.talk.bad_line(R"({"i":"shorter","m":"ping"})");
}

}  // namespace labdeck::conform
