#include "supervise/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "supervise/fields.h"

namespace labdeck::supervise {

namespace {

// The kernel takes no longer string in argv and environment: MAX_ARG_STRLEN, less the NUL.
constexpr std::size_t argument_bytes_max = (128U << 10) - 1;
constexpr std::size_t arguments_max = 4096;
constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = 24 * hour_ms;

constexpr TextRule id_rule{1, 128, false};
constexpr TextRule name_rule{1, 256, false};
constexpr TextRule program_rule{1, argument_bytes_max, true};
constexpr TextRule argument_rule{0, argument_bytes_max, true};
constexpr TextRule path_rule{0, 4095, true};
constexpr TextRule word_rule{0, 64, false};

constexpr std::array<std::string_view, 3> policy_names = {"never", "on-failure", "always"};
static_assert(static_cast<std::size_t>(RestartPolicy::always) + 1 == policy_names.size());

struct StopSignal {
    std::string_view name;
    int number;
};
constexpr std::array<StopSignal, 7> stop_signals = {{{"TERM", SIGTERM},
                                                     {"INT", SIGINT},
                                                     {"HUP", SIGHUP},
                                                     {"QUIT", SIGQUIT},
                                                     {"KILL", SIGKILL},
                                                     {"USR1", SIGUSR1},
                                                     {"USR2", SIGUSR2}}};

bool is_hidden_secret(const Json& value) {
    if (!value.is_object() || value.size() != 1) return false;
    const auto found = value.find("secret");
    return found != value.end() && found->is_boolean() && found->get<bool>();
}

std::string take_id(Fields& fields, IdRule rule) {
    return rule == IdRule::required ? fields.required_text("id", id_rule)
                                    : fields.text("id", id_rule).value_or(std::string());
}

std::optional<EnvMap> take_env(Fields& fields) {
    const Json* const json = fields.object("env");
    if (json == nullptr) return std::nullopt;
    if (json->size() > arguments_max) fields.refuse(fields.place_of("env"), "has too many variables");
    EnvMap env;
    for (const auto& [name, value] : json->items()) {
        const std::string place = fmt::format("{}.{}", fields.place_of("env"), name);
        if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos) {
            fields.refuse(place, "is no name of a variable: it must not be empty, nor contain = or NUL");
        }
        if (is_hidden_secret(value)) {
            env.emplace(name, std::nullopt);
            continue;
        }
        const std::string text = fields.checked_text(value, place, argument_rule);
        if (name.size() + 1 + text.size() > argument_bytes_max)
            fields.refuse(place, "is too long for a variable");
        env.emplace(name, text);
    }
    return env;
}

std::optional<RestartPolicy> take_policy(Fields& fields) {
    const auto name = fields.text("restartPolicy");
    if (!name) return std::nullopt;
    if (*name == "on-crash") return RestartPolicy::on_failure;
    const auto* const found = std::find(policy_names.begin(), policy_names.end(), *name);
    if (found != policy_names.end()) return static_cast<RestartPolicy>(found - policy_names.begin());
    fields.refuse(fields.place_of("restartPolicy"), "must be one of never, on-failure, always");
    return std::nullopt;
}

std::optional<std::string> take_url(Fields& fields) {
    auto url = fields.text("url", {1, 8192, false});
    if (!url) return url;
    const std::size_t scheme = url->starts_with("http://") ? 7 : url->starts_with("https://") ? 8 : 0;
    const bool has_host =
        scheme > 0 && url->size() > scheme && (*url)[scheme] != '/' && (*url)[scheme] != ':';
    if (!has_host || url->find(' ') != std::string::npos) {
        fields.refuse(fields.place_of("url"), "must be an address that begins with http:// or https://");
    }
    return url;
}

std::optional<HealthCheck> take_health_check(Fields& outer) {
    const Json* const json = outer.object("healthCheck");
    if (json == nullptr) return std::nullopt;
    Fields fields(*json, outer.place_of("healthCheck"));
    HealthCheck check;
    if (const auto port = fields.whole("port", 1, 65535)) check.port = static_cast<std::uint16_t>(*port);
    check.url = take_url(fields);
    check.command = fields.text("command", program_rule);
    check.interval_ms = fields.whole("intervalMs", 10, day_ms);
    check.timeout_ms = fields.whole("timeoutMs", 10, hour_ms);
    check.extra = fields.extra();
    if (auto done = fields.done(); !done) outer.refuse(std::move(done).error());
    return check;
}

std::optional<LogSettings> take_log(Fields& outer) {
    const Json* const json = outer.object("log");
    if (json == nullptr) return std::nullopt;
    Fields fields(*json, outer.place_of("log"));
    LogSettings log;
    log.persist = fields.boolean("persist");
    log.rotate = fields.boolean("rotate");
    log.max_bytes = fields.whole("maxBytes", 4096, std::int64_t{1} << 40);
    log.max_files = fields.whole("maxFiles", 1, 100);
    log.extra = fields.extra();
    if (auto done = fields.done(); !done) outer.refuse(std::move(done).error());
    return log;
}

std::optional<std::string> take_stop_signal(Fields& fields) {
    auto name = fields.text("stopSignal");
    if (name && !stop_signal_number(*name)) {
        fields.refuse(fields.place_of("stopSignal"),
                      "must be one of SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL, SIGUSR1, SIGUSR2");
    }
    return name;
}

/// Of names that stand twice the first counts.
std::vector<std::string> each_once(const std::vector<std::string>& all) {
    std::set<std::string_view> seen;
    std::vector<std::string> once;
    for (const std::string& one : all) {
        if (seen.insert(one).second) once.push_back(one);
    }
    return once;
}

template <typename Record>
void check_ids(Fields& fields, std::string_view key, const std::vector<Record>& records) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (seen.insert(records[i].id).second) continue;
        fields.refuse(fmt::format("{}[{}].id", fields.place_of(key), i),
                      "stands twice; an id names one only");
    }
}

template <typename Record>
std::vector<Record> take_records(Fields& fields, std::string_view key,
                                 Result<Record> (*read)(const Json&, IdRule, const std::string&)) {
    fields.require(key);
    const Json* const json = fields.array(key, PersistedData::records_max);
    std::vector<Record> records;
    for (std::size_t i = 0; json != nullptr && i < json->size(); ++i) {
        auto record = read((*json)[i], IdRule::required, fmt::format("{}[{}]", fields.place_of(key), i));
        if (!record) {
            fields.refuse(std::move(record).error());
            break;
        }
        records.push_back(std::move(*record));
    }
    check_ids(fields, key, records);
    return records;
}

/// Builds an object out of what was given.
class Members {
public:
    template <typename T>
    void add(const char* key, const T& value) {
        json_[key] = value;
    }
    template <typename T>
    void add(const char* key, const std::optional<T>& value) {
        if (value) json_[key] = *value;
    }
    Json with(const ExtraMembers& extra) {
        if (extra.empty()) return std::move(json_);
        if (const auto others = contract::parse_json(extra); others && others->is_object()) {
            for (const auto& [key, value] : others->items())
                json_.get_ref<Json::object_t&>().emplace_back(key, value);
        }
        return std::move(json_);
    }

private:
    Json json_ = Json::object();
};

Json to_json(const EnvMap& env) {
    Json json = Json::object();
    for (const auto& [name, value] : env) json[name] = value ? Json(*value) : Json{{"secret", true}};
    return json;
}

Json to_json(const HealthCheck& check) {
    Members members;
    members.add("port", check.port);
    members.add("url", check.url);
    members.add("command", check.command);
    members.add("intervalMs", check.interval_ms);
    members.add("timeoutMs", check.timeout_ms);
    return members.with(check.extra);
}

Json to_json(const LogSettings& log) {
    Members members;
    members.add("persist", log.persist);
    members.add("rotate", log.rotate);
    members.add("maxBytes", log.max_bytes);
    members.add("maxFiles", log.max_files);
    return members.with(log.extra);
}

template <typename Record>
Json list_of(const std::vector<Record>& records) {
    Json all = Json::array();
    for (const Record& record : records) all.push_back(to_json(record));
    return all;
}

}  // namespace

std::string_view restart_policy_name(RestartPolicy policy) noexcept {
    return policy_names[static_cast<std::size_t>(policy)];
}

RestartPolicy ScriptDefinition::effective_policy() const noexcept {
    if (restart_policy) return *restart_policy;
    return auto_restart.value_or(false) ? RestartPolicy::always : RestartPolicy::never;
}

std::optional<int> stop_signal_number(std::string_view name) noexcept {
    if (name.starts_with("SIG")) name.remove_prefix(3);
    for (const StopSignal& signal : stop_signals) {
        if (signal.name == name) return signal.number;
    }
    return std::nullopt;
}

Result<ScriptDefinition> script_from_json(const Json& json, IdRule rule, const std::string& place) {
    Fields fields(json, place);
    ScriptDefinition script;
    script.id = take_id(fields, rule);
    script.name = fields.required_text("name", name_rule);
    script.command = fields.required_text("command", program_rule);
    script.args = fields.texts("args", arguments_max, argument_rule);
    script.cwd = fields.text("cwd", path_rule);
    script.env = take_env(fields);
    script.interpreter = fields.text("interpreter", argument_rule);
    script.auto_start = fields.boolean("autoStart");
    script.auto_restart = fields.boolean("autoRestart");
    script.restart_policy = take_policy(fields);
    script.backoff_ms = fields.whole("backoffMs", 0, hour_ms);
    script.max_retries = fields.whole("maxRetries", -1, 1'000'000);
    script.health_check = take_health_check(fields);
    script.restart_on_unhealthy = fields.boolean("restartOnUnhealthy");
    script.stop_grace_ms = fields.whole("stopGraceMs", 0, hour_ms);
    script.stop_signal = take_stop_signal(fields);
    if (const auto profiles = fields.texts("profiles", PersistedData::records_max, id_rule))
        script.profiles = each_once(*profiles);
    script.log = take_log(fields);
    script.extra = fields.extra();
    LD_TRY(fields.done());
    return script;
}

Result<Profile> profile_from_json(const Json& json, IdRule rule, const std::string& place) {
    Fields fields(json, place);
    Profile profile;
    profile.id = take_id(fields, rule);
    profile.name = fields.required_text("name", name_rule);
    fields.require("scriptIds");
    if (const auto ids = fields.texts("scriptIds", PersistedData::records_max, id_rule))
        profile.script_ids = each_once(*ids);
    profile.auto_start_on_login = fields.boolean("autoStartOnLogin");
    profile.extra = fields.extra();
    LD_TRY(fields.done());
    return profile;
}

Result<AppSettings> settings_from_json(const Json& json, const std::string& place) {
    Fields fields(json, place);
    AppSettings settings;
    settings.theme = fields.text("theme", word_rule);
    settings.notifications_native_enabled = fields.boolean("notificationsNativeEnabled");
    settings.notifications_toast_enabled = fields.boolean("notificationsToastEnabled");
    settings.start_minimized = fields.boolean("startMinimized");
    settings.update_channel = fields.text("updateChannel", word_rule);
    settings.update_feed = fields.text("updateFeed", path_rule);
    settings.update_public_key = fields.text("updatePublicKey", word_rule);
    settings.logs_path = fields.text("logsPath", path_rule);
    if (settings.logs_path && !settings.logs_path->empty() && settings.logs_path->front() != '/') {
        fields.refuse(fields.place_of("logsPath"), "must be an absolute path, or empty");
    }
    settings.crash_reporting_enabled = fields.boolean("crashReportingEnabled");
    settings.extra = fields.extra(PersistedData::settings_bytes_max);
    LD_TRY(fields.done());
    return settings;
}

Result<PersistedData> data_from_json(const Json& json, const std::string& place) {
    Fields fields(json, place);
    PersistedData data;
    fields.require("schemaVersion");
    if (const auto version = fields.whole("schemaVersion", 1, INT32_MAX);
        version && *version > data.schema_version) {
        fields.refuse(fields.place_of("schemaVersion"),
                      fmt::format("is {}, of a newer Labdeck; this one reads version {}", *version,
                                  PersistedData::schema_version));
    }
    data.scripts = take_records<ScriptDefinition>(fields, "scripts", script_from_json);
    data.profiles = take_records<Profile>(fields, "profiles", profile_from_json);
    fields.require("settings");
    if (const Json* const settings = fields.object("settings")) {
        auto read = settings_from_json(*settings, fields.place_of("settings"));
        if (read) {
            data.settings = std::move(*read);
        } else {
            fields.refuse(std::move(read).error());
        }
    }
    data.extra = fields.extra();
    LD_TRY(fields.done());
    return data;
}

Json to_json(const ScriptDefinition& script) {
    Members members;
    if (!script.id.empty()) members.add("id", script.id);
    members.add("name", script.name);
    members.add("command", script.command);
    members.add("args", script.args);
    members.add("cwd", script.cwd);
    if (script.env) members.add("env", to_json(*script.env));
    members.add("interpreter", script.interpreter);
    members.add("autoStart", script.auto_start);
    members.add("autoRestart", script.auto_restart);
    if (script.restart_policy) members.add("restartPolicy", restart_policy_name(*script.restart_policy));
    members.add("backoffMs", script.backoff_ms);
    members.add("maxRetries", script.max_retries);
    if (script.health_check) members.add("healthCheck", to_json(*script.health_check));
    members.add("restartOnUnhealthy", script.restart_on_unhealthy);
    members.add("stopGraceMs", script.stop_grace_ms);
    members.add("stopSignal", script.stop_signal);
    members.add("profiles", script.profiles);
    if (script.log) members.add("log", to_json(*script.log));
    return members.with(script.extra);
}

Json to_json(const Profile& profile) {
    Members members;
    if (!profile.id.empty()) members.add("id", profile.id);
    members.add("name", profile.name);
    members.add("scriptIds", profile.script_ids);
    members.add("autoStartOnLogin", profile.auto_start_on_login);
    return members.with(profile.extra);
}

Json to_json(const AppSettings& settings) {
    Members members;
    members.add("theme", settings.theme);
    members.add("notificationsNativeEnabled", settings.notifications_native_enabled);
    members.add("notificationsToastEnabled", settings.notifications_toast_enabled);
    members.add("startMinimized", settings.start_minimized);
    members.add("updateChannel", settings.update_channel);
    members.add("updateFeed", settings.update_feed);
    members.add("updatePublicKey", settings.update_public_key);
    members.add("logsPath", settings.logs_path);
    members.add("crashReportingEnabled", settings.crash_reporting_enabled);
    return members.with(settings.extra);
}

Json to_json(const PersistedData& data) {
    Members members;
    members.add("schemaVersion", PersistedData::schema_version);
    members.add("scripts", list_of(data.scripts));
    members.add("profiles", list_of(data.profiles));
    members.add("settings", to_json(data.settings));
    return members.with(data.extra);
}

}  // namespace labdeck::supervise
