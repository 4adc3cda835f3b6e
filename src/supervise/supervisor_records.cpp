// What the supervisor keeps, and how its scripts do, as the contract tells it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"
#include "supervise/exchange.h"
#include "supervise/supervisor.h"
#include "supervise/supervisor_job.h"

namespace labdeck::supervise {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr double bytes_per_mb = 1e6;

template <typename Records>
Json array_of(const Records& records) {
    Json array = Json::array();
    for (const auto& record : records) array.push_back(to_json(record));
    return array;
}

double rounded(double value) {
    return static_cast<double>(static_cast<std::int64_t>(value * 100 + 0.5)) / 100;
}

}  // namespace

Result<Json> Supervisor::list_scripts() const {
    return array_of(LD_TRY(catalog_.scripts()));
}

Result<Json> Supervisor::create_script(const Json& params) {
    const ScriptDefinition made =
        LD_TRY(catalog_.create_script(LD_TRY(script_from_json(params, IdRule::optional))));
    Job& job = add_job(made);
    tell_changed({"scripts", "profiles"});
    hooks_.publish("process.status", snapshot_of(job));
    return to_json(made);
}

Result<Json> Supervisor::upsert_script(const Json& params) {
    const ScriptDefinition kept =
        LD_TRY(catalog_.upsert_script(LD_TRY(script_from_json(params, IdRule::optional))));
    const auto job = find(kept.id);
    if (job) adopt(**job, kept);
    tell_changed({"scripts", "profiles"});
    hooks_.publish("process.status", snapshot_of(job ? **job : add_job(kept)));
    return to_json(kept);
}

Result<Json> Supervisor::delete_script(const std::string& id) {
    LD_TRY(catalog_.delete_script(id));
    LD_TRY(sync_jobs());
    tell_changed({"scripts", "profiles"});
    return Json(nullptr);
}

// Scripts know their profiles and profiles their scripts, so a change of the ones is mostly one of the
// others.
void Supervisor::tell_changed(std::initializer_list<const char*> kinds) const {
    Json named = Json::array();
    for (const char* kind : kinds) named.push_back(kind);
    hooks_.publish("data.changed", {{"kinds", std::move(named)}});
}

// Makes the jobs those of the catalog: new ones come, others go once nothing of them runs.
Result<> Supervisor::sync_jobs() {
    const std::vector<ScriptDefinition> scripts = LD_TRY(catalog_.scripts());
    for (const ScriptDefinition& script : scripts) {
        const auto job = find(script.id);
        job ? adopt(**job, script) : static_cast<void>(add_job(script));
    }
    for (const auto& job : jobs_) {
        const auto same = [&](const ScriptDefinition& script) { return script.id == job->script.id; };
        if (job->doomed || std::any_of(scripts.begin(), scripts.end(), same)) continue;
        job->cancel_starters();
        job->machine.stop(mono_now());
        job->doomed = true;
        obey(*job);
    }
    return {};
}

Result<Json> Supervisor::list_profiles() const {
    return array_of(LD_TRY(catalog_.profiles()));
}

Result<Json> Supervisor::upsert_profile(const Json& params) {
    Json kept = to_json(LD_TRY(catalog_.upsert_profile(LD_TRY(profile_from_json(params, IdRule::optional)))));
    tell_profiles_at_login();
    tell_changed({"scripts", "profiles"});
    return kept;
}

Result<Json> Supervisor::delete_profile(const std::string& id) {
    LD_TRY(catalog_.delete_profile(id));
    tell_profiles_at_login();
    tell_changed({"scripts", "profiles"});
    return Json(nullptr);
}

std::vector<std::string> Supervisor::profiles_at_login() const {
    std::vector<std::string> names;
    for (const Profile& profile : catalog_.profiles().value_or(std::vector<Profile>{})) {
        if (profile.auto_start_on_login.value_or(false)) names.push_back(profile.name);
    }
    return names;
}

void Supervisor::tell_profiles_at_login() {
    std::vector<std::string> names = profiles_at_login();
    if (names == at_login_ || !hooks_.at_login) return;
    at_login_ = std::move(names);
    hooks_.at_login(at_login_);
}

Result<Json> Supervisor::settings() const {
    return to_json(LD_TRY(catalog_.settings()));
}

Result<Json> Supervisor::update_settings(const Json& patch) {
    const AppSettings settings = LD_TRY(catalog_.update_settings(patch));
    logs_folder_ = settings.logs_path.value_or("");
    tell_changed({"settings"});
    return to_json(settings);
}

Result<Json> Supervisor::export_all() const {
    return export_data(catalog_);
}

Result<Json> Supervisor::import_all(const Json& data, const std::string& mode) {
    LD_TRY(import_data(catalog_, data, LD_TRY(import_mode_from_name(mode))));
    logs_folder_ = LD_TRY(catalog_.settings()).logs_path.value_or("");
    LD_TRY(sync_jobs());
    tell_profiles_at_login();
    tell_changed({"scripts", "profiles", "settings"});
    return export_data(catalog_);
}

Result<Json> Supervisor::preview_import(const Json& data, const std::string& mode) const {
    return to_json(LD_TRY(supervise::preview_import(catalog_, data, LD_TRY(import_mode_from_name(mode)))));
}

std::shared_ptr<store::RotatingLog> Supervisor::log_of(const ScriptDefinition& script) {
    const LogSettings settings = script.log.value_or(LogSettings{});
    if (!settings.persist.value_or(true)) return nullptr;
    store::LogLimits limits;
    if (settings.max_bytes) limits.bytes_max = static_cast<std::uint64_t>(*settings.max_bytes);
    if (settings.max_files) limits.files_max = static_cast<unsigned>(*settings.max_files);
    if (!settings.rotate.value_or(true)) limits.bytes_max = store::LogLimits::rotate_never;
    return std::make_shared<store::RotatingLog>(
        logs_folder(), store::log_name(script.id), limits,
        [this, alive = alive_, poster = hub_.poster(), name = script.name](const std::string& sentence) {
            poster.post([this, alive, text = fmt::format("log of {}: {}", name, sentence)] {
                if (*alive) hooks_.log("warning", text);
            });
        });
}

const std::string& Supervisor::logs_folder() const {
    return logs_folder_.empty() ? options_.logs_folder : logs_folder_;
}

Result<Json> Supervisor::read_log(const std::string& id) const {
    const Job& job = *LD_TRY(find(id));
    // A place for logs holds from the next start on; what is current is where it is written now.
    const std::string& folder = job.log ? job.logs_folder : logs_folder();
    const std::string bytes = LD_TRY(store::RotatingLog::read_tail(
        fmt::format("{}/{}.log", folder, store::log_name(id)), store::RotatingLog::tail_bytes_max));
    std::string cut;
    std::string text = whole_utf8(cut, bytes);
    if (!cut.empty()) text += utf8_replacement;
    return Json(std::move(text));
}

Json Supervisor::snapshot_of(const Job& job) const {
    const ScriptMachine& machine = job.machine;
    const MonoTime now = mono_now();
    Json json{{"scriptId", job.script.id}, {"status", status_name(machine.status())}};
    if (machine.leader() != 0) json["pid"] = machine.leader();
    const bool runs = machine.active() && machine.status() != Status::starting;
    if (machine.started_at() && runs) {
        json["startTime"] = rfc3339(wall_of(*machine.started_at()));
        json["uptimeMs"] = (now.ns - machine.started_at()->ns) / ns_per_ms;
    }
    if (job.process && job.sample) {
        json["cpuPercent"] = rounded(job.sample->cpu_percent);
        json["memMB"] = rounded(static_cast<double>(job.sample->memory_bytes) / bytes_per_mb);
        json["memKind"] = job.sample->memory_kind == data::MemoryKind::pss ? "pss" : "rss";
    }
    if (const auto end = machine.last_end()) {
        // As a shell counts: a signal is 128 and its number.
        json["lastExitCode"] = end->signaled ? 128 + end->code : end->code;
    }
    json["retries"] = machine.retries();
    if (machine.healthy()) json["healthy"] = *machine.healthy();
    if (!machine.health_reason().empty()) json["healthReason"] = machine.health_reason();
    if (const auto delay = machine.delay_ns()) json["backoffMs"] = *delay / ns_per_ms;
    if (const auto left = machine.delay_left_ns(now)) json["nextRestartDelayMs"] = *left / ns_per_ms;
    if (!machine.reason().empty()) json["reason"] = machine.reason();
    if (job.output) json["sourceId"] = data::source_id_text(job.output->id);
    return json;
}

Result<Json> Supervisor::snapshot(const std::string& id) const {
    return snapshot_of(*LD_TRY(find(id)));
}

Result<Json> Supervisor::snapshots() const {
    Json all = Json::array();
    for (const auto& job : jobs_) {
        if (!job->doomed) all.push_back(snapshot_of(*job));
    }
    return all;
}

Result<pid_t> Supervisor::keeper(const std::string& id) const {
    const Job& job = *LD_TRY(find(id));
    return job.process ? job.process->keeper_pid() : 0;
}

void Supervisor::measured(const data::SampleBatch& batch) {
    const bool told = hooks_.subscribed("process.status");
    for (const auto& job : jobs_) {
        if (!job->process) continue;
        const pid_t keeper = job->process->keeper_pid();
        const auto same = [&](const data::ProcessSample& sample) { return sample.pid == keeper; };
        const auto at = std::find_if(batch.processes.begin(), batch.processes.end(), same);
        if (at == batch.processes.end()) continue;
        job->sample = *at;
        if (told && !job->doomed) hooks_.publish("process.status", snapshot_of(*job));
    }
}

}  // namespace labdeck::supervise
