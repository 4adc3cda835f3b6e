// supervisor.h - keeps the scripts of a workspace up, and down.
//
// Each script has a machine that says when it runs (script_machine.h), a keeper under which it runs
// (io/kept_process.h), one source with all that it says on stdout and stderr, in all its runs, and a log on
// disk. What is kept is in the catalog (catalog.h). Secrets are masked before a byte becomes part of the
// source.
//
// Thread: hub. The catalog's writes wait for the disk there: they are few, and made by people.
#pragma once

#include <sys/types.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/samples.h"
#include "data/source.h"
#include "io/pipe_source.h"
#include "io/reactor.h"
#include "store/database.h"
#include "supervise/catalog.h"
#include "supervise/output_log.h"
#include "supervise/script_machine.h"

namespace labdeck::supervise {

struct SupervisorOptions {
    std::string root;         ///< The workspace: where a script without a folder starts.
    std::string logs_folder;  ///< Where logs go when the settings name no place.
    std::string trees_path;   ///< The file of io/tree_lock.h.
};

/// What the hub does for the supervisor.
struct SupervisorHooks {
    /// Makes a source of what comes out of `read_end`, read on the io-pipe thread, and gives it `feed` too.
    std::function<data::SourceInfo(const std::string& name, UniqueFd read_end, io::PipeSource::Filter filter,
                                   std::shared_ptr<data::Feed> feed)>
        open_output;
    /// Another filter for it, from the next read on.
    std::function<void(const data::SourceInfo& output, io::PipeSource::Filter filter)> filter_output;
    std::function<void(const data::SourceInfo& output)> close_output;
    std::function<void(std::string_view event, const Json& params)> publish;
    std::function<bool(std::string_view event)> subscribed;
    std::function<void(std::string_view level, std::string text)> log;
    /// The names of the profiles that start with the user's session, whenever they have become others.
    std::function<void(const std::vector<std::string>& profiles)> at_login;
    /// Keepers to be measured, once a second, under names that differ.
    std::function<void(std::vector<data::WatchedProcess>)> watch;
};

class Supervisor {
public:
    /// Opens the catalog and starts what is to start by itself. `store` runs until stop() is done.
    [[nodiscard]] static Result<std::unique_ptr<Supervisor>> open(const std::string& database_path,
                                                                  SupervisorOptions options,
                                                                  SupervisorHooks hooks, io::Reactor& hub,
                                                                  io::Reactor& store);
    ~Supervisor();
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// Stops all scripts, the last started first; each has its own grace, but `grace_ns_max` at most. `done`
    /// when no process of any is left.
    void stop(std::int64_t grace_ns_max, std::function<void()> done);

    // --- the contract's methods, as its names say ----------------------------
    Result<Json> list_scripts() const;
    Result<Json> create_script(const Json& params);
    Result<Json> upsert_script(const Json& params);
    Result<Json> delete_script(const std::string& id);
    Result<Json> list_profiles() const;
    Result<Json> upsert_profile(const Json& params);
    Result<Json> delete_profile(const std::string& id);
    Result<Json> start_profile(const std::string& id);
    Result<Json> stop_profile(const std::string& id);
    Result<Json> settings() const;
    Result<Json> update_settings(const Json& patch);
    Result<Json> export_all() const;
    Result<Json> import_all(const Json& data, const std::string& mode);
    Result<Json> preview_import(const Json& data, const std::string& mode) const;
    /// Gets one answer, maybe later.
    using Answer = std::function<void(Result<Json>)>;
    /// Answers once the program runs; E_IO with the reason when it cannot be started, E_CANCELED when it is
    /// stopped before. One that is stopping starts later: that is answered at once.
    void start_script(const std::string& id, Answer answer);
    Result<Json> stop_script(const std::string& id);
    void restart_script(const std::string& id, Answer answer);
    Result<Json> kill_script(const std::string& id);
    Result<Json> snapshot(const std::string& id) const;
    Result<Json> snapshots() const;
    Result<Json> read_log(const std::string& id) const;

    /// The keeper under which the script runs; 0 while it does not.
    Result<pid_t> keeper(const std::string& id) const;

    /// CPU and memory of what watch() named.
    void measured(const data::SampleBatch& batch);
    /// Whether anybody listens to process.log may have changed.
    void listeners_changed();

private:
    struct Job;
    struct ProfileRun;
    Supervisor(store::Database database, SupervisorOptions options, SupervisorHooks hooks, io::Reactor& hub,
               io::Reactor& store);

    Result<> load();
    void start_automatically();
    Result<Job*> find(const std::string& id) const;
    Job& add_job(const ScriptDefinition& script);
    void adopt(Job& job, const ScriptDefinition& script);
    void remove_job(const std::string& id);
    Result<> sync_jobs();
    std::vector<std::string> profiles_at_login() const;
    void tell_profiles_at_login();
    void tell_changed(std::initializer_list<const char*> kinds) const;
    void obey(Job& job);
    void watch_health(Job& job);
    void tidy_up(const Job& job);
    void launch(Job& job);
    std::optional<UniqueFd> take_tree(Job& job);
    void wait_for_tree(Job& job);
    void begin(const std::string& id, void (ScriptMachine::*how)(MonoTime), Answer answer);
    void renew_log(Job& job);
    void warn_of_missing_secrets(const ScriptDefinition& script) const;
    bool open_output(Job& job);
    void write_out(Job& job);
    std::shared_ptr<store::RotatingLog> log_of(const ScriptDefinition& script);
    Json snapshot_of(const Job& job) const;
    void watch_processes();
    void go_on(ProfileRun& run);
    void step_profiles();
    void check_stopped();
    void say_whom_we_wait_for(std::int64_t in_ns);
    std::string shown_name(const Job& job) const;
    const std::string& logs_folder() const;

    store::Database database_;
    Catalog catalog_;
    const SupervisorOptions options_;
    const SupervisorHooks hooks_;
    io::Reactor& hub_;
    io::Reactor& store_;
    std::vector<std::unique_ptr<Job>> jobs_;
    std::vector<std::unique_ptr<ProfileRun>> profile_runs_;
    io::TimerId profile_timer_ = 0;
    io::TimerId waiting_timer_ = 0;
    std::function<void()> stopped_;
    std::vector<std::string> at_login_;  ///< As it was told, or found at the start.
    std::string logs_folder_;            ///< Of the settings; empty for the workspace's own.
    std::shared_ptr<LogRounds> log_rounds_;
    std::uint64_t next_start_ = 1;  ///< Numbers the starts, for stopping in reverse.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace labdeck::supervise
