// Lines that are no request, or hard to read.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "conform/checks.h"
#include "contract/envelope.h"

namespace labdeck::conform {

Outcome<> not_json(Context& context) {
    LD_STEP(context.talk.bad_line("this is no JSON"));
    return context.talk.bad_line("{'id': 1, 'method': 'ping'}");
}

Outcome<> an_array(Context& context) {
    LD_STEP(context.talk.bad_line("[1,2,3]"));
    return context.talk.bad_line(R"([{"id":1,"method":"ping"}])");
}

Outcome<> scalars(Context& context) {
    for (const char* line : {"42", R"("ping")", "true", "null"}) LD_STEP(context.talk.bad_line(line));
    return {};
}

Outcome<> no_method(Context& context) {
    LD_STEP(context.talk.bad_line(R"({"id":"nothing asked"})", "\"nothing asked\""));
    return context.talk.bad_line("{}");
}

Outcome<> method_is_a_number(Context& context) {
    for (const char* method : {"7", "null", R"(["ping"])"}) {
        LD_STEP(context.talk.bad_line(fmt::format(R"({{"id":"m","method":{}}})", method), "\"m\""));
    }
    return {};
}

Outcome<> params_are_an_array(Context& context) {
    for (const char* params : {"[]", "7", R"("appId")"}) {
        LD_STEP(context.talk.bad_line(fmt::format(R"({{"id":"p","method":"ping","params":{}}})", params),
                                      "\"p\""));
    }
    return {};
}

Outcome<> id_is_a_fraction(Context& context) {
    LD_STEP(context.talk.bad_line(R"({"id":1.5,"method":"ping"})"));
    return context.talk.bad_line(R"({"id":1e3,"method":"ping"})");
}

Outcome<> id_is_no_scalar(Context& context) {
    for (const char* id : {"{}", "[1]", "true"}) {
        LD_STEP(context.talk.bad_line(fmt::format(R"({{"id":{},"method":"ping"}})", id)));
    }
    return {};
}

Outcome<> id_is_null(Context& context) {
    return context.talk.bad_line(R"({"id":null,"method":"ping"})");
}

Outcome<> not_utf8(Context& context) {
    LD_STEP(context.talk.bad_line("{\"id\":\"\xff\xfe\",\"method\":\"ping\"}"));
    // An overlong slash and half a surrogate pair.
    LD_STEP(context.talk.bad_line("{\"id\":\"\xc0\xaf\",\"method\":\"ping\"}"));
    return context.talk.bad_line("{\"id\":\"\xed\xa0\x80\",\"method\":\"ping\"}");
}

Outcome<> cut_off(Context& context) {
    return context.talk.bad_line(R"({"id":"cut","method":"ping")");
}

Outcome<> two_messages_on_a_line(Context& context) {
    return context.talk.bad_line(R"({"id":"one","method":"ping"}{"id":"two","method":"ping"})");
}

namespace {

/// Sends a line to which there must be exactly one answer, whatever it says and under whichever id.
Outcome<> answered_once(Talk& talk, std::string_view line) {
    talk.send_line(line, "*");
    LD_STEP(talk.answer("*"));
    const std::uint64_t before = talk.stray_answers().count;
    LD_STEP(talk.settle());
    if (talk.stray_answers().count != before) return fault("one answer", "another one");
    return {};
}

}  // namespace

Outcome<> nested_too_deep(Context& context) {
    constexpr std::size_t depth = 100'000;
    const std::string line = fmt::format(R"({{"id":"deep","method":"ping","params":{{"x":{}{}}}}})",
                                         std::string(depth, '['), std::string(depth, ']'));
    return answered_once(context.talk, line);
}

Outcome<> duplicate_keys(Context& context) {
    return answered_once(context.talk, R"({"id":"first","id":"second","method":"ping","method":"ping"})");
}

Outcome<> blank_lines(Context& context) {
    const std::uint64_t before = context.talk.stray_answers().count;
    context.talk.send_bytes("\n\r\n\n");
    LD_STEP(context.talk.settle());
    if (context.talk.stray_answers().count != before) return fault("no answer to a blank line");
    return {};
}

Outcome<> carriage_returns(Context& context) {
    context.talk.send_line("{\"id\":\"cr\",\"method\":\"ping\"}\r", "\"cr\"");
    const Json whole = LD_STEP(context.talk.answer("\"cr\""));
    if (whole["ok"] != true) return fault("a line with CRLF is read as one with LF");
    return {};
}

Outcome<> line_in_pieces(Context& context) {
    constexpr std::int64_t pause_ns = 20'000'000;
    context.talk.send_bytes(R"({"id":"pie)");
    context.talk.listen(pause_ns);
    context.talk.send_bytes("ces\",\"method\":\"pi");
    context.talk.listen(pause_ns);
    context.talk.send_line(R"(ng"})", "\"pieces\"");
    const Json whole = LD_STEP(context.talk.answer("\"pieces\""));
    if (whole["ok"] != true) return fault("a line that comes in pieces is read whole");
    return {};
}

Outcome<> longest_line(Context& context) {
    constexpr std::string_view head = R"({"id":"longest","method":"ping","padding":")";
    constexpr std::string_view tail = "\"}";
    std::string line(head);
    line.append(contract::line_bytes_max - head.size() - tail.size(), 'x');
    line += tail;
    context.talk.send_line(line, "\"longest\"");
    const Json whole = LD_STEP(context.talk.answer("\"longest\""));
    if (whole["ok"] != true) return fault("a line of 16 MiB, its newline not counted, is read");
    return {};
}

Outcome<> line_too_long(Context& context) {
    std::string line = R"({"id":"too long","method":")";
    line.append(contract::line_bytes_max + (1U << 20), 'x');
    return context.talk.bad_line(line + "\"}");
}

Outcome<> a_thousand_bad_lines(Context& context) {
    constexpr int count = 1000;
    for (int i = 0; i < count; ++i) context.talk.send_line("}{", "null");
    for (int i = 0; i < count; ++i) {
        const Json whole = LD_STEP(context.talk.answer("null"));
        if (whole["ok"] == true) return fault("a line that is no request is answered E_BAD_ARG");
    }
    return context.talk.settle();
}

}  // namespace labdeck::conform
