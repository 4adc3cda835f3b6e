// supervisor_view.h - what the window knows of the supervisor: scripts, profiles, settings, and how each
// script does.
//
// Asks for all of it once, follows the events of process.status, and asks for the scripts again after each
// change of its own and when an event names one that it does not know. A hub without a supervisor is said to
// be one; nothing else then happens.
//
// Thread: ui, all of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "contract/client.h"
#include "model/series.h"

namespace labdeck::ui {

using contract::Json;
class BenchState;

enum class ScriptStatus : unsigned char { stopped, starting, running, stopping, backoff, failed, exited };
/// As the contract spells it.
std::string_view script_status_name(ScriptStatus status) noexcept;

/// One script with what its last snapshot said.
struct ScriptView {
    std::string id;
    std::string name;
    Json definition;  ///< As scripts.list gave it, with what this program does not know.
    ScriptStatus status = ScriptStatus::stopped;
    std::int64_t pid = 0;                        ///< 0 for none.
    std::optional<std::int64_t> uptime_ms = {};  ///< At `heard`, as the next.
    std::optional<std::int64_t> restart_in_ms = {};
    MonoTime heard = {};  ///< When the last snapshot came.
    std::string memory_kind = {};
    std::optional<std::int64_t> exit_code = {};
    std::int64_t retries = 0;
    std::optional<bool> healthy = {};  ///< None without a check.
    std::string health_reason = {};
    std::string reason = {};
    SourceId source = {};  ///< Of its output; 0 for none.
    model::Series cpu_percent;
    model::Series memory_mb;

    bool up() const noexcept;
    /// Counted on from the last snapshot; none while it does not run, or does not wait.
    std::optional<std::int64_t> uptime_ms_at(MonoTime now) const noexcept;
    std::optional<std::int64_t> restart_in_ms_at(MonoTime now) const noexcept;
};

struct ProfileView {
    std::string id;
    std::string name;
    std::vector<std::string> script_ids;  ///< In the order of starting.
    Json definition;
};

class SupervisorView {
public:
    enum class Service : unsigned char { asked, there, missing };

    explicit SupervisorView(BenchState& bench) : bench_(bench) {}

    /// The first time, this begins all the rest.
    void ask_scripts();
    void ask_profiles();
    void ask_settings();
    /// Of process.status.
    void take_snapshot(const Json& snapshot);
    /// Of data.changed: asks again for what another client has changed.
    void take_change(const Json& params);

    Service service() const noexcept { return service_; }
    const std::string& trouble() const noexcept { return trouble_; }  ///< Why it is missing, in words.
    const std::vector<std::unique_ptr<ScriptView>>& scripts() const noexcept { return scripts_; }
    const ScriptView* script(std::string_view id) const;
    const std::vector<ProfileView>& profiles() const noexcept { return profiles_; }
    /// AppSettings as they are kept; null before they are known.
    const Json& settings() const noexcept { return settings_; }
    /// Another one whenever the hub has said them.
    std::uint64_t settings_revision() const noexcept { return settings_revision_; }
    /// What `key` of the settings says, or `usual` while it says nothing.
    bool setting(const char* key, bool usual) const;
    /// When the last snapshot of any script came; {0} before the first.
    MonoTime heard() const noexcept { return heard_; }
    /// Another one when there are other scripts or profiles, names and order included.
    std::uint64_t revision() const noexcept { return revision_; }

    /// process.start and its like, for each of the scripts; what goes wrong becomes a notice.
    void command(std::string_view method, std::span<const std::string> ids);
    /// profiles.startAll and stopAll.
    void command_profile(std::string_view method, const std::string& id);
    /// A method that changes what is kept; all of that is asked for again when it has answered.
    void change(std::string_view method, const Json& params, contract::ClientEnd::OnAnswer on_answer);
    /// settings.update with a patch; its answer is then what is kept.
    void change_settings(const Json& patch, contract::ClientEnd::OnAnswer on_answer);

private:
    void take_scripts(const Json& list);
    void take_profiles(const Json& list);
    void take_settings(const Json& settings);
    void ask_snapshots();
    ScriptView& add_script(const std::string& id, std::vector<std::unique_ptr<ScriptView>>& to);

    BenchState& bench_;
    Service service_ = Service::asked;
    std::string trouble_;
    std::vector<std::unique_ptr<ScriptView>> scripts_;
    std::map<std::string, ScriptView*, std::less<>> by_id_;
    std::vector<ProfileView> profiles_;
    Json settings_;
    std::uint64_t settings_revision_ = 0;
    std::uint64_t revision_ = 0;
    MonoTime heard_;
    bool scripts_asked_ = false;
    bool scripts_stale_ = false;
    bool scripts_new_ = false;  ///< The last list had one that no snapshot was asked of.
    std::string stranger_;      ///< The last unknown script that an event named.
    bool subscribed_ = false;
};

}  // namespace labdeck::ui
