// records.h - what the supervisor keeps: scripts, profiles, settings.
//
// The types of the reference document, checked where they come in. What was not given stays not given and is
// not written back; keys that we do not know, of a newer client, are kept and given back. Plain values:
// copied, compared, owned by whoever holds them.
//
// An error of a from_json() is E_BAD_ARG, and its details.key names the place: "healthCheck.port",
// "data.scripts[2].env.PATH". `place` is what is put before it: "" or "data.scripts[2]".
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/json.h"

namespace labdeck::supervise {

using contract::Json;

/// Members that we do not know, as the text of a JSON object; empty when there are none.
using ExtraMembers = std::string;

/// Environment variables by name. One without a value is a secret whose value was not exported, {"secret":
/// true} in JSON: a stored value stands for it, or, until somebody gives one, nothing does.
using EnvMap = std::map<std::string, std::optional<std::string>>;

enum class RestartPolicy : unsigned char { never, on_failure, always };
/// "never", "on-failure", "always".
std::string_view restart_policy_name(RestartPolicy policy) noexcept;

/// All that are given must pass.
struct HealthCheck {
    std::optional<std::uint16_t> port;        ///< TCP, from 1.
    std::optional<std::string> url;           ///< http:// or https://.
    std::optional<std::string> command;       ///< Healthy when it exits with 0.
    std::optional<std::int64_t> interval_ms;  ///< 10 to 86,400,000; 5,000 when not given.
    std::optional<std::int64_t> timeout_ms;   ///< 10 to 3,600,000; 2,000 when not given.
    ExtraMembers extra;
    bool operator==(const HealthCheck&) const = default;
};

struct LogSettings {
    std::optional<bool> persist;            ///< Kept on disk; true when not given.
    std::optional<bool> rotate;             ///< True when not given; without it the one file grows.
    std::optional<std::int64_t> max_bytes;  ///< Of a file: 4,096 to 2^40; 10 MiB when not given.
    std::optional<std::int64_t> max_files;  ///< 1 to 100; 5 when not given.
    ExtraMembers extra;
    bool operator==(const LogSettings&) const = default;
};

struct ScriptDefinition {
    std::string id;       ///< 1 to 128 bytes, no control characters.
    std::string name;     ///< 1 to 256 bytes.
    std::string command;  ///< Not empty.
    std::optional<std::vector<std::string>> args;
    std::optional<std::string> cwd;  ///< Empty means as if not given; so does an empty interpreter.
    std::optional<EnvMap> env;
    std::optional<std::string> interpreter;
    std::optional<bool> auto_start;
    std::optional<bool> auto_restart;
    std::optional<RestartPolicy> restart_policy;
    std::optional<std::int64_t> backoff_ms;   ///< 0 to 3,600,000; 1,000 when not given.
    std::optional<std::int64_t> max_retries;  ///< -1 (no limit) to 1,000,000; 5 when not given.
    std::optional<HealthCheck> health_check;
    std::optional<bool> restart_on_unhealthy;
    std::optional<std::int64_t> stop_grace_ms;         ///< 0 to 3,600,000; 10,000 when not given.
    std::optional<std::string> stop_signal;            ///< "SIGINT" or "INT"; SIGTERM when not given.
    std::optional<std::vector<std::string>> profiles;  ///< Ids. Derived from the profiles' script_ids.
    std::optional<LogSettings> log;
    ExtraMembers extra;
    bool operator==(const ScriptDefinition&) const = default;

    /// The policy, or always where autoRestart is true, or never.
    RestartPolicy effective_policy() const noexcept;
};

struct Profile {
    std::string id;
    std::string name;
    std::vector<std::string> script_ids;  ///< In the order of starting; each once.
    std::optional<bool> auto_start_on_login;
    ExtraMembers extra;
    bool operator==(const Profile&) const = default;
};

/// What other services keep among the settings is in `extra`.
struct AppSettings {
    std::optional<std::string> theme;
    std::optional<bool> notifications_native_enabled;
    std::optional<bool> notifications_toast_enabled;
    std::optional<bool> start_minimized;
    std::optional<std::string> update_channel;
    std::optional<std::string> update_feed;        ///< A URL; what it must be is said by the updater.
    std::optional<std::string> update_public_key;  ///< Ed25519, base64.
    std::optional<std::string> logs_path;          ///< Absolute, or empty for the workspace's own.
    std::optional<bool> crash_reporting_enabled;
    ExtraMembers extra;
    bool operator==(const AppSettings&) const = default;
};

struct PersistedData {
    static constexpr int schema_version = 1;
    static constexpr std::size_t records_max = 10'000;  ///< Scripts, and profiles.
    static constexpr std::size_t settings_bytes_max = 256U << 10;
    std::vector<ScriptDefinition> scripts;  ///< Each id once; so with profiles.
    std::vector<Profile> profiles;
    AppSettings settings;
    ExtraMembers extra;
    bool operator==(const PersistedData&) const = default;
};

/// Whether an id must be there. Where it need not be, it is "" when it is missing.
enum class IdRule : unsigned char { required, optional };

[[nodiscard]] Result<ScriptDefinition> script_from_json(const Json& json, IdRule rule,
                                                        const std::string& place = {});
[[nodiscard]] Result<Profile> profile_from_json(const Json& json, IdRule rule, const std::string& place = {});
[[nodiscard]] Result<AppSettings> settings_from_json(const Json& json, const std::string& place = {});
/// Also that no id stands twice and that profiles name strings; not whether the scripts they name exist.
[[nodiscard]] Result<PersistedData> data_from_json(const Json& json, const std::string& place = {});

/// Members in a fixed order, the unknown ones last. Never throws for what a from_json() made.
Json to_json(const ScriptDefinition& script);
Json to_json(const Profile& profile);
Json to_json(const AppSettings& settings);
Json to_json(const PersistedData& data);

/// The number of a signal by its name, with or without SIG, of those that a script may be stopped with:
/// TERM, INT, HUP, QUIT, KILL, USR1, USR2. Null for others.
std::optional<int> stop_signal_number(std::string_view name) noexcept;

}  // namespace labdeck::supervise
