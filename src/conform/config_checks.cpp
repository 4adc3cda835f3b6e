// config.get and config.set. Whatever is changed is put back by the same check.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conform/checks.h"
#include "conform/shape.h"

namespace labdeck::conform {

namespace {

constexpr const char* no_entry = "the app has no entry that could be set to another value";

Outcome<Json> view_of(Context& context) {
    const Json view = LD_STEP(context.talk.ask("config.get", {{"appId", context.app}}));
    LD_STEP(check_fields(view, "config.get's response",
                         {{"repoRoot", "string"},
                          {"valid", "bool"},
                          {"errors", "array"},
                          {"entries", "array"},
                          {"paths", "array|object"},
                          {"configTree", "object"}}));
    context.files.keep(view);
    return view;
}

Json set_params(Context& context, const Json& key, const Json& value) {
    return {{"appId", context.app}, {"key", key}, {"value", value}};
}

Json another_number(const Json& entry) {
    for (const double step : {1.0, -1.0}) {
        const double value = entry["value"].get<double>() + step;
        if (entry.contains("min") && entry["min"].is_number() && value < entry["min"].get<double>()) continue;
        if (entry.contains("max") && entry["max"].is_number() && value > entry["max"].get<double>()) continue;
        if (entry["value"].is_number_integer())
            return entry["value"].get<std::int64_t>() + (step > 0 ? 1 : -1);
        return value;
    }
    return nullptr;
}

/// A valid value that is not the entry's own; null when there is none that can be told.
Json another_value(const Json& entry) {
    const std::string type = text_of(entry, "type");
    if (type == "bool" && entry["value"].is_boolean()) return !entry["value"].get<bool>();
    if (type == "enum" && entry.contains("choices")) {
        for (const Json& choice : entry["choices"]) {
            if (choice != entry["value"]) return choice;
        }
    }
    if ((type == "int" || type == "number") && entry["value"].is_number()) return another_number(entry);
    if (type == "string" && entry["value"].is_string()) return entry["value"].get<std::string>() + "x";
    return nullptr;
}

/// The entry to be changed: numbers and choices rather than texts, which may be paths.
Outcome<Json> settable(Context& context) {
    const Json view = LD_STEP(view_of(context));
    Json found;
    for (const Json& entry : view["entries"]) {
        if (!entry.is_object() || !entry.contains("key") || !entry.contains("value")) continue;
        const Json value = another_value(entry);
        if (value.is_null() || (!found.is_null() && value.is_string())) continue;
        found = {{"key", entry["key"]}, {"old", entry["value"]}, {"new", value}};
        if (!value.is_string()) break;
    }
    if (found.is_null()) return skip(no_entry);
    return found;
}

Outcome<Json> set(Context& context, const Json& key, const Json& value) {
    const Json done = LD_STEP(context.talk.ask("config.set", set_params(context, key, value)));
    LD_STEP(check_fields(done, "config.set's response",
                         {{"changed", "bool"},
                          {"filePath", "string"},
                          {"restartRequired", "bool"},
                          {"pidAtSet", "int|null"},
                          {"message", "string"}}));
    return done;
}

Outcome<Json> shown(Context& context, const Json& key) {
    const Json view = LD_STEP(view_of(context));
    for (const Json& entry : view["entries"]) {
        if (entry.is_object() && entry.contains("key") && entry["key"] == key) return entry["value"];
    }
    return fault("config.get has an entry " + key.dump());
}

/// Must be refused with one of the codes, and neither the file nor what config.get shows may change.
Outcome<> refuses(Context& context, const Json& key, const Json& value,
                  std::initializer_list<std::string_view> codes) {
    const Json before = LD_STEP(view_of(context));
    const std::string path = context.files.keep(before);
    const auto bytes = ConfigFiles::read(path);
    const Json whole =
        LD_STEP(context.talk.answer(context.talk.request("config.set", set_params(context, key, value))));
    const std::string expected = fmt::format("{} = {} is refused: {}", key.dump(), value.dump(),
                                             fmt::join(codes.begin(), codes.end(), " or "));
    const std::string code = whole["ok"] == true ? "" : text_of(whole["error"], "code");
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) return fault(expected);
    if (ConfigFiles::read(path) != bytes) return fault(path + " stays as it was, to the byte");
    const Json after = LD_STEP(view_of(context));
    if (after["entries"] != before["entries"]) return fault("config.get shows what it showed before");
    return {};
}

}  // namespace

Outcome<> config_fields(Context& context) {
    const Json view = LD_STEP(view_of(context));
    if ((view["valid"] == true) != view["errors"].empty()) {
        return fault("valid is true exactly when there are no errors");
    }
    return {};
}

Outcome<> config_entries(Context& context) {
    const Json view = LD_STEP(view_of(context));
    if (view["entries"].empty()) return skip("the app has no settings");
    for (const Json& entry : view["entries"]) {
        LD_STEP(check_fields(entry, "an entry", {{"key", "string"}, {"value", "any"}, {"type", "string"}}));
    }
    return {};
}

Outcome<> config_set_changes(Context& context) {
    const Json entry = LD_STEP(settable(context));
    const Json done = LD_STEP(set(context, entry["key"], entry["new"]));
    const Outcome<Json> now = shown(context, entry["key"]);
    const Outcome<Json> back = set(context, entry["key"], entry["old"]);
    if (done["changed"] != true) return fault("changed is true", done.dump());
    if (LD_STEP(Outcome<Json>(now)) != entry["new"])
        return fault("config.get shows the new value", now->dump());
    LD_STEP(Outcome<Json>(back));
    const Json again = LD_STEP(shown(context, entry["key"]));
    if (again != entry["old"]) return fault("config.get shows the old value again", again.dump());
    return {};
}

Outcome<> config_set_changes_nothing(Context& context) {
    const Json entry = LD_STEP(settable(context));
    // A file that is not there yet may be made by the first one.
    LD_STEP(set(context, entry["key"], entry["old"]));
    const Json done = LD_STEP(set(context, entry["key"], entry["old"]));
    if (done["changed"] != false || done["restartRequired"] != false) {
        return fault("changed false and restartRequired false", done.dump());
    }
    return {};
}

Outcome<> config_set_touches_no_process(Context& context) {
    const Json entry = LD_STEP(settable(context));
    const Json before = LD_STEP(context.talk.ask("status.get", {{"appId", context.app}}));
    const Json done = LD_STEP(set(context, entry["key"], entry["new"]));
    const Outcome<Json> status = context.talk.ask("status.get", {{"appId", context.app}});
    LD_STEP(set(context, entry["key"], entry["old"]));
    const Json after = LD_STEP(Outcome<Json>(status));
    for (const char* key : {"running", "pid", "hostPid", "bootId"}) {
        if (before.value(key, Json()) != after.value(key, Json())) {
            return fault(fmt::format("{} stays {}", key, before.value(key, Json()).dump()));
        }
    }
    if (done["pidAtSet"] != before.value("pid", Json())) {
        return fault("pidAtSet is the pid of the running app, else null", done.dump());
    }
    return {};
}

Outcome<> config_refuses_types(Context& context) {
    const Json view = LD_STEP(view_of(context));
    bool any = false;
    for (const Json& entry : view["entries"]) {
        const std::string type = text_of(entry, "type");
        if (type != "bool" && type != "int" && type != "number" && type != "enum" && type != "string")
            continue;
        any = true;
        const Json wrong = type == "bool" || type == "string" ? Json::array({1, "x"}) : Json{{"not", "that"}};
        LD_STEP(refuses(context, entry["key"], wrong, {"E_CONFIG_INVALID"}));
    }
    if (!any) return skip("the app has no entry with a type");
    return {};
}

Outcome<> config_refuses_ranges(Context& context) {
    const Json view = LD_STEP(view_of(context));
    bool any = false;
    const auto refuse = [&](const Json& entry, const Json& value) {
        any = true;
        return refuses(context, entry["key"], value, {"E_CONFIG_INVALID"});
    };
    for (const Json& entry : view["entries"]) {
        if (!entry.is_object()) continue;
        const std::string type = text_of(entry, "type");
        if (type == "int" && entry.contains("max"))
            LD_STEP(refuse(entry, entry["max"].get<std::int64_t>() + 1));
        if (type == "int" && entry.contains("min"))
            LD_STEP(refuse(entry, entry["min"].get<std::int64_t>() - 1));
        if (type == "number" && entry.contains("max"))
            LD_STEP(refuse(entry, entry["max"].get<double>() * 2 + 1));
        if (type == "enum") LD_STEP(refuse(entry, "labdeck no such choice"));
    }
    if (!any) return skip("the app has no entry with min, max or choices");
    return {};
}

Outcome<> config_refuses_unknown_keys(Context& context) {
    return refuses(context, "labdeckNoSuchSetting", 1, {"E_CONFIG_INVALID", "E_NOT_FOUND"});
}

Outcome<> config_alias(Context& context) {
    const Json view = LD_STEP(context.talk.ask("config.show", {{"app_id", context.app}}));
    return check_fields(view, "config.show's response", {{"entries", "array"}, {"configTree", "object"}});
}

}  // namespace labdeck::conform
