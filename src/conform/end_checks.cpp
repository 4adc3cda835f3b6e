// What was never to come, and how a provider ends.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "conform/checks.h"

namespace labdeck::conform {

namespace {

/// A provider of its own, so that ending it disturbs no other check.
Outcome<std::unique_ptr<Talk>> another(Context& context) {
    auto talk = Talk::start(context.talk.settings());
    if (!talk) return fault("the provider can be started again", talk.error().message);
    return std::move(*talk);
}

/// Closes its stdin and expects it to end by itself, with nothing but messages on its way.
Outcome<> ends_well(Talk& talk) {
    talk.subject().close_input();
    const MonoTime deadline{mono_now().ns + talk.patience_ns()};
    while (!talk.over() && mono_now() < deadline) talk.listen(deadline.ns - mono_now().ns);
    const auto status = talk.subject().ended(deadline);
    const std::string expected =
        fmt::format("exit 0 within {} s of the end of stdin", talk.settings().timeout_s);
    if (!status) return fault(expected, "still running");
    if (status->signaled || status->code != 0) return fault(expected, io::exit_text(*status));
    if (talk.rubbish().count != 0) return fault("nothing but messages on stdout", talk.rubbish().first);
    return {};
}

}  // namespace

Outcome<> stdout_is_messages_alone(Context& context) {
    const Talk::Stray& rubbish = context.talk.rubbish();
    if (rubbish.count == 0) return {};
    return fault("stdout carries answers and events alone",
                 fmt::format("{} other lines, the first one: {}", rubbish.count, rubbish.first));
}

Outcome<> nothing_is_answered_twice(Context& context) {
    LD_STEP(context.talk.settle());
    const Talk::Stray& strays = context.talk.stray_answers();
    if (strays.count == 0) return {};
    return fault("one answer to each request and none besides",
                 fmt::format("{} more, the first one: {}", strays.count, strays.first));
}

Outcome<> ends_with_its_input(Context& context) {
    const auto talk = LD_STEP(another(context));
    LD_STEP(talk->settle());
    return ends_well(*talk);
}

Outcome<> answers_before_its_end(Context& context) {
    const auto talk = LD_STEP(another(context));
    std::vector<std::string> ids;
    for (int i = 0; i < 200; ++i) ids.push_back(talk->request("ping"));
    talk->subject().close_input();
    for (const std::string& id : ids) LD_STEP(talk->answer(id));
    return ends_well(*talk);
}

Outcome<> ends_after_half_a_line(Context& context) {
    const auto talk = LD_STEP(another(context));
    LD_STEP(talk->settle());
    talk->send_bytes(R"({"id":"half","meth)");
    return ends_well(*talk);
}

Outcome<> starts_again(Context& context) {
    const auto talk = LD_STEP(another(context));
    LD_STEP(talk->settle());
    if (context.app.empty()) return ends_well(*talk);
    LD_STEP(talk->ask("status.get", {{"appId", context.app}}));
    LD_STEP(talk->ask("config.get", {{"appId", context.app}}));
    return ends_well(*talk);
}

}  // namespace labdeck::conform
