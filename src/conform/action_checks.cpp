// action.list, and what action.invoke refuses.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "conform/checks.h"
#include "conform/jobs.h"
#include "conform/shape.h"

namespace labdeck::conform {

namespace {

constexpr std::array<std::string_view, 5> arg_types = {"string", "int", "number", "bool", "enum"};

Outcome<> check_arg(const Json& arg) {
    LD_STEP(
        check_fields(arg, "an argument",
                     {{"name", "string"}, {"label", "string"}, {"type", "string"}, {"required", "bool"}}));
    const std::string name = text_of(arg, "name");
    const std::string type = text_of(arg, "type");
    if (std::find(arg_types.begin(), arg_types.end(), type) == arg_types.end()) {
        return fault(fmt::format("{} is one of {}", name, fmt::join(arg_types, ", ")), type);
    }
    for (const char* bound : {"min", "max"}) {
        if (arg.contains(bound)) LD_STEP(check_fields(arg, "argument " + name, {{bound, "number"}}));
    }
    for (const char* words : {"unit", "help"}) {
        if (arg.contains(words)) LD_STEP(check_fields(arg, "argument " + name, {{words, "string"}}));
    }
    if (type == "enum") {
        LD_STEP(check_fields(arg, "argument " + name, {{"choices", "array"}}));
        if (arg["choices"].empty()) return fault("an enum has choices", arg.dump());
    }
    return {};
}

/// Arguments that are right as far as can be told: defaults, first choices, smallest numbers.
Json some_args(const Json& action) {
    Json args = Json::object();
    for (const Json& arg : action["args"]) {
        if (!arg.value("required", false)) continue;
        const std::string type = text_of(arg, "type");
        const Json number = arg.value("min", Json(0));
        Json& value = args[text_of(arg, "name")];
        value = arg.contains("default")             ? arg["default"]
                : type == "bool"                    ? Json(false)
                : type == "enum"                    ? arg["choices"][0]
                : type == "int" || type == "number" ? number
                                                    : Json("x");
    }
    return args;
}

/// Calls action.invoke, which must name the argument in details.key, alone or as args.NAME.
Outcome<> refuses_argument(Context& context, const Json& action, const Json& args, const std::string& name) {
    const Json params = {{"appId", context.app}, {"actionName", action["name"]}, {"args", args}};
    const Json error = LD_STEP(context.talk.refused("action.invoke", params, "E_BAD_ARG"));
    const std::string key = text_of(error["details"], "key");
    if (key != name && key != "args." + name) return fault("details.key names args." + name, error.dump());
    return {};
}

}  // namespace

Outcome<> action_names(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    std::set<std::string> names;
    for (const Json& action : actions) {
        LD_STEP(
            check_fields(action, "an action", {{"name", "string"}, {"label", "string"}, {"args", "array"}}));
        if (action.contains("timeoutMs"))
            LD_STEP(check_fields(action, "an action", {{"timeoutMs", "int|null"}}));
        if (!names.insert(text_of(action, "name")).second) {
            return fault("each action once", text_of(action, "name") + " twice");
        }
    }
    return {};
}

Outcome<> action_args(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    bool any = false;
    for (const Json& action : actions) {
        LD_STEP(check_fields(action, "an action", {{"args", "array"}}));
        for (const Json& arg : action["args"]) {
            any = true;
            LD_STEP(check_arg(arg));
        }
    }
    if (!any) return skip("no action of the app has an argument");
    return {};
}

Outcome<> action_alias(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    const Json same = LD_STEP(context.talk.ask("actions.list", {{"app_id", context.app}}));
    if (!same.is_object() || same.value("actions", Json()) != actions) {
        return fault("actions.list answers what action.list does");
    }
    return {};
}

Outcome<> unknown_action(Context& context) {
    const Json params = {
        {"appId", context.app}, {"actionName", "labdeck-no-such-action"}, {"args", Json::object()}};
    return Talk::drop(context.talk.refused("action.invoke", params, "E_NOT_FOUND"));
}

Outcome<> missing_argument(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    for (const Json& action : actions) {
        for (const Json& arg : action["args"]) {
            if (!arg.value("required", false)) continue;
            Json args = some_args(action);
            args.erase(text_of(arg, "name"));
            return refuses_argument(context, action, args, text_of(arg, "name"));
        }
    }
    return skip("no action of the app has a required argument");
}

Outcome<> mistyped_argument(Context& context) {
    const Json actions = LD_STEP(actions_of(context));
    bool any = false;
    for (const Json& action : actions) {
        for (const Json& arg : action["args"]) {
            any = true;
            Json args = some_args(action);
            args[text_of(arg, "name")] = Json::array({"not", "that"});
            LD_STEP(refuses_argument(context, action, args, text_of(arg, "name")));
        }
    }
    if (!any) return skip("no action of the app has an argument");
    return {};
}

}  // namespace labdeck::conform
