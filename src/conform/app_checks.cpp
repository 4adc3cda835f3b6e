// app.list and status.get.
#include <array>
#include <nlohmann/json.hpp>

#include "conform/checks.h"
#include "conform/shape.h"
#include "contract/envelope.h"

namespace labdeck::conform {

namespace {

Outcome<Json> status(Context& context) {
    return context.talk.ask("status.get", {{"appId", context.app}});
}

}  // namespace

Outcome<> app_list(Context& context) {
    const Json list = LD_STEP(context.talk.ask("app.list"));
    LD_STEP(check_fields(list, "app.list's response", {{"apps", "array"}}));
    if (list["apps"].empty()) return fault("a provider hosts an app", list.dump());
    for (const Json& app : list["apps"]) {
        LD_STEP(check_fields(
            app, "an app",
            {{"appId", "string"}, {"title", "string"}, {"state", "string"}, {"processModel", "string"}}));
    }
    return {};
}

Outcome<> status_fields(Context& context) {
    const Json now = LD_STEP(status(context));
    return check_fields(now, "status.get's response",
                        {{"interfaceName", "string"},
                         {"interfaceVersion", "int"},
                         {"appId", "string"},
                         {"appTitle", "string"},
                         {"running", "bool"},
                         {"pid", "int|null"},
                         {"hostRunning", "bool"},
                         {"hostPid", "int|null"},
                         {"bootId", "string"},
                         {"error", "string"}});
}

Outcome<> status_interface(Context& context) {
    const Json now = LD_STEP(status(context));
    if (text_of(now, "interfaceName") != contract::interface_name || now["interfaceVersion"] != 1) {
        return fault("interfaceName generic-process-interface, interfaceVersion 1");
    }
    if (text_of(now, "appId") != context.app) return fault("appId is " + context.app);
    if (text_of(now, "appTitle").empty()) return fault("appTitle has a text for people");
    return {};
}

Outcome<> status_running(Context& context) {
    const Json now = LD_STEP(status(context));
    LD_STEP(check_fields(now, "status.get's response", {{"running", "bool"}, {"bootId", "string"}}));
    const bool running = now["running"] == true;
    const bool has_pid = now.contains("pid") && now["pid"].is_number_integer();
    if (has_pid != running) return fault("pid is a number while running, else null");
    if (text_of(now, "bootId").empty() == running) return fault("bootId has a text while running, else none");
    const bool host = now.contains("hostRunning") && now["hostRunning"] == true;
    const bool has_host_pid = now.contains("hostPid") && now["hostPid"].is_number_integer();
    if (has_host_pid != host) return fault("hostPid is a number while hostRunning, else null");
    return {};
}

Outcome<> status_alias(Context& context) {
    for (const char* key : {"appId", "app_id"}) {
        const Json now = LD_STEP(context.talk.ask("status", {{key, context.app}}));
        if (text_of(now, "appId") != context.app) return fault("status answers what status.get does");
    }
    return {};
}

}  // namespace labdeck::conform
