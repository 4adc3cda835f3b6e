// Many requests at a time.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "conform/checks.h"

namespace labdeck::conform {

namespace {

constexpr int burst = 2000;

/// Every one of these ids is answered, and carried out if `ok`.
Outcome<> all_answered(Talk& talk, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
        const Json whole = LD_STEP(talk.answer(id));
        if (whole["ok"] != true) return fault(id + " is carried out like one that is asked alone");
    }
    return {};
}

}  // namespace

Outcome<> pipelined_requests(Context& context) {
    std::vector<std::string> ids;
    for (int i = 0; i < burst; ++i) ids.push_back(context.talk.request("ping"));
    return all_answered(context.talk, ids);
}

Outcome<> pipelined_mix(Context& context) {
    Talk& talk = context.talk;
    const Json app = {{"appId", context.app}};
    struct Due {
        std::string id;
        std::string_view code;
    };
    std::vector<Due> due;
    for (int i = 0; i < burst / 5; ++i) {
        due.push_back({talk.request("ping"), {}});
        due.push_back({talk.request("status.get", app), {}});
        due.push_back({talk.request("action.list", app), {}});
        due.push_back({talk.request("status.get"), "E_BAD_ARG"});
        due.push_back({talk.request("labdeck.no.such.method"), "E_UNSUPPORTED_METHOD"});
    }
    for (const Due& one : due) {
        const Json whole = LD_STEP(talk.answer(one.id));
        const bool as_alone = one.code.empty() ? whole["ok"] == true
                                               : whole["ok"] == false && whole["error"]["code"] == one.code;
        if (!as_alone) {
            return fault(fmt::format("{} is {}", one.id, one.code.empty() ? "carried out" : one.code),
                         whole.dump());
        }
    }
    return {};
}

Outcome<> slow_reader(Context& context) {
    std::vector<std::string> ids;
    for (int i = 0; i < burst; ++i) ids.push_back(context.talk.request("ping"));
    // Nothing is read meanwhile: the pipes fill up, and whoever writes without looking loses something.
    (void)context.talk.subject().ended({mono_now().ns + 200'000'000});
    return all_answered(context.talk, ids);
}

Outcome<> bad_lines_among_requests(Context& context) {
    constexpr int rounds = 200;
    std::vector<std::string> ids;
    for (int i = 0; i < rounds; ++i) {
        ids.push_back(context.talk.request("ping"));
        context.talk.send_line(R"({"id":)", "null");
    }
    LD_STEP(all_answered(context.talk, ids));
    for (int i = 0; i < rounds; ++i) LD_STEP(context.talk.answer("null"));
    return {};
}

}  // namespace labdeck::conform
