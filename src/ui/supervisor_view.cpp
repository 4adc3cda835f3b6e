#include "ui/supervisor_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "data/source.h"
#include "ui/bench_state.h"
#include "ui/json_reading.h"

namespace labdeck::ui {

namespace {

// Two minutes of a snapshot a second.
constexpr std::size_t load_samples = 128;
constexpr std::int64_t ns_per_ms = 1'000'000;

constexpr std::array<std::string_view, 7> status_names = {"stopped", "starting", "running", "stopping",
                                                          "backoff", "failed",   "exited"};
static_assert(status_names.size() == static_cast<std::size_t>(ScriptStatus::exited) + 1);

std::optional<ScriptStatus> status_of(std::string_view name) {
    const auto at = std::find(status_names.begin(), status_names.end(), name);
    if (at == status_names.end()) return std::nullopt;
    return static_cast<ScriptStatus>(at - status_names.begin());
}

std::optional<std::int64_t> whole_of(const Json& json, const char* key) {
    const auto number = number_member_of(json, key);
    if (!number || !(std::abs(*number) < 9e15)) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

void read_snapshot(ScriptView& script, const Json& snapshot, MonoTime now) {
    script.heard = now;
    if (const auto status = status_of(text_member_of(snapshot, "status"))) script.status = *status;
    script.pid = whole_of(snapshot, "pid").value_or(0);
    script.uptime_ms = whole_of(snapshot, "uptimeMs");
    script.restart_in_ms = whole_of(snapshot, "nextRestartDelayMs");
    script.exit_code = whole_of(snapshot, "lastExitCode");
    script.retries = whole_of(snapshot, "retries").value_or(0);
    const Json& healthy = member_of(snapshot, "healthy");
    script.healthy = healthy.is_boolean() ? std::optional(healthy.get<bool>()) : std::nullopt;
    script.health_reason = text_member_of(snapshot, "healthReason");
    script.reason = text_member_of(snapshot, "reason");
    if (const std::string source = text_member_of(snapshot, "sourceId"); !source.empty())
        script.source = data::source_id_of(source);
    script.memory_kind = text_member_of(snapshot, "memKind");
    // What is not said is a hole: a script that was stopped for a minute was not idle, it was not there.
    const double nothing = std::nan("");
    const auto push = [&](model::Series& series, const char* key) {
        const auto value = number_member_of(snapshot, key);
        const bool hole_already = series.count() == 0 || std::isnan(series.last_value());
        if (value || !hole_already) series.push(now, value.value_or(nothing));
    };
    push(script.cpu_percent, "cpuPercent");
    push(script.memory_mb, "memMB");
}

}  // namespace

std::string_view script_status_name(ScriptStatus status) noexcept {
    return status_names[static_cast<std::size_t>(status)];
}

bool ScriptView::up() const noexcept {
    return status == ScriptStatus::running || status == ScriptStatus::starting ||
           status == ScriptStatus::stopping;
}

std::optional<std::int64_t> ScriptView::uptime_ms_at(MonoTime now) const noexcept {
    if (!uptime_ms || !up()) return std::nullopt;
    return *uptime_ms + std::max<std::int64_t>(0, now.ns - heard.ns) / ns_per_ms;
}

std::optional<std::int64_t> ScriptView::restart_in_ms_at(MonoTime now) const noexcept {
    if (!restart_in_ms || status != ScriptStatus::backoff) return std::nullopt;
    return std::max<std::int64_t>(0, *restart_in_ms - (now.ns - heard.ns) / ns_per_ms);
}

const ScriptView* SupervisorView::script(std::string_view id) const {
    const auto at = by_id_.find(id);
    return at == by_id_.end() ? nullptr : at->second;
}

void SupervisorView::ask_scripts() {
    if (scripts_asked_) {
        scripts_stale_ = true;
        return;
    }
    scripts_asked_ = true;
    bench_.request("scripts.list", Json::object(), [this](const auto& answer) {
        scripts_asked_ = false;
        if (!answer) {
            if (service_ != Service::there) service_ = Service::missing;
            trouble_ =
                answer.error().code == Code::unsupported_method ? std::string() : describe(answer.error());
            return;
        }
        service_ = Service::there;
        trouble_.clear();
        take_scripts(**answer);
        // Events first, so that nothing falls between them and the snapshots.
        if (!std::exchange(subscribed_, true)) {
            bench_.request("events.subscribe", {{"topics", {"process.status", "data.changed"}}});
            ask_profiles();
            ask_settings();
        }
        if (std::exchange(scripts_new_, false)) ask_snapshots();
        if (std::exchange(scripts_stale_, false)) ask_scripts();
    });
}

void SupervisorView::ask_snapshots() {
    bench_.request("process.snapshots", Json::object(), [this](const auto& answer) {
        if (!answer || !(*answer)->is_array()) return;
        for (const Json& item : **answer) take_snapshot(item);
    });
}

void SupervisorView::ask_profiles() {
    bench_.request("profiles.list", Json::object(), [this](const auto& answer) {
        if (answer) take_profiles(**answer);
    });
}

void SupervisorView::ask_settings() {
    bench_.request("settings.get", Json::object(), [this](const auto& answer) {
        if (answer) return take_settings(**answer);
        if (answer.error().code != Code::unsupported_method)
            bench_.note(fmt::format("settings.get: {}", answer.error().message), true);
    });
}

void SupervisorView::take_settings(const Json& settings) {
    if (!settings.is_object()) return;
    settings_ = settings;
    ++settings_revision_;
}

bool SupervisorView::setting(const char* key, bool usual) const {
    const Json& said = member_of(settings_, key);
    return said.is_boolean() ? said.get<bool>() : usual;
}

void SupervisorView::change_settings(const Json& patch, contract::ClientEnd::OnAnswer on_answer) {
    bench_.request("settings.update", patch, [this, on_answer](auto answer) {
        if (answer) take_settings(**answer);
        if (!answer && !on_answer)
            bench_.note(fmt::format("settings.update: {}", answer.error().message), true);
        if (on_answer) on_answer(std::move(answer));
    });
}

void SupervisorView::take_change(const Json& params) {
    const Json& kinds = member_of(params, "kinds");
    const auto named = [&](const char* kind) {
        return kinds.is_array() && std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    };
    if (named("scripts")) ask_scripts();
    if (named("profiles")) ask_profiles();
    if (named("settings")) ask_settings();
}

ScriptView& SupervisorView::add_script(const std::string& id, std::vector<std::unique_ptr<ScriptView>>& to) {
    to.push_back(
        std::make_unique<ScriptView>(ScriptView{.id = id,
                                                .name = id,
                                                .definition = {},
                                                .cpu_percent = model::Series(id, "%", load_samples),
                                                .memory_mb = model::Series(id, "MB", load_samples)}));
    return *to.back();
}

void SupervisorView::take_scripts(const Json& list) {
    if (!list.is_array()) return;
    std::vector<std::unique_ptr<ScriptView>> now;
    std::map<std::string, std::size_t, std::less<>> before;
    for (std::size_t i = 0; i < scripts_.size(); ++i) before[scripts_[i]->id] = i;
    by_id_.clear();
    for (const Json& item : list) {
        const std::string id = text_member_of(item, "id");
        if (id.empty() || by_id_.contains(id)) continue;
        const auto known = before.find(id);
        if (known != before.end()) {
            now.push_back(std::move(scripts_[known->second]));
        } else {
            add_script(id, now);
            scripts_new_ = true;
        }
        ScriptView& script = *now.back();
        script.definition = item;
        script.name = text_member_of(item, "name");
        if (script.name.empty()) script.name = id;
        by_id_[id] = &script;
    }
    for (const auto& [id, index] : before) {
        if (!by_id_.contains(id)) bench_.news().forget_script(id);
    }
    scripts_ = std::move(now);
    ++revision_;
}

void SupervisorView::take_profiles(const Json& list) {
    if (!list.is_array()) return;
    profiles_.clear();
    for (const Json& item : list) {
        ProfileView profile{.id = text_member_of(item, "id"),
                            .name = text_member_of(item, "name"),
                            .script_ids = {},
                            .definition = item};
        if (profile.id.empty()) continue;
        if (profile.name.empty()) profile.name = profile.id;
        const Json& ids = member_of(item, "scriptIds");
        for (std::size_t i = 0; ids.is_array() && i < ids.size(); ++i) {
            if (ids[i].is_string()) profile.script_ids.push_back(ids[i].get<std::string>());
        }
        profiles_.push_back(std::move(profile));
    }
    ++revision_;
}

void SupervisorView::take_snapshot(const Json& snapshot) {
    const std::string id = text_member_of(snapshot, "scriptId");
    const auto at = by_id_.find(id);
    if (at != by_id_.end()) {
        heard_ = mono_now();
        read_snapshot(*at->second, snapshot, heard_);
        return bench_.news().script(*at->second, heard_);
    }
    // Somebody else added it: the list has its name. One that the list does not have either is asked for
    // once.
    if (id == stranger_) return;
    stranger_ = id;
    ask_scripts();
}

void SupervisorView::command(std::string_view method, std::span<const std::string> ids) {
    for (const std::string& id : ids) {
        const ScriptView* const known = script(id);
        const std::string name = known != nullptr ? known->name : id;
        bench_.request(method, {{"id", id}}, [this, name, method = std::string(method)](const auto& answer) {
            if (!answer) bench_.note(fmt::format("{} {}: {}", method, name, answer.error().message), true);
        });
    }
}

void SupervisorView::command_profile(std::string_view method, const std::string& id) {
    bench_.request(method, {{"id", id}});
}

void SupervisorView::change(std::string_view method, const Json& params,
                            contract::ClientEnd::OnAnswer on_answer) {
    bench_.request(method, params, [this, on_answer, name = std::string(method)](auto answer) {
        const bool changed = answer.has_value();
        if (!changed && !on_answer) bench_.note(fmt::format("{}: {}", name, answer.error().message), true);
        if (on_answer) on_answer(std::move(answer));
        if (!changed) return;
        ask_scripts();
        ask_profiles();
        ask_settings();
    });
}

}  // namespace labdeck::ui
