// How scripts start and stop; what is kept of them, and how it is told, is in supervisor_records.cpp.
#include "supervise/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "io/tree_lock.h"
#include "supervise/launch.h"
#include "supervise/secret_filter.h"
#include "supervise/secret_mask.h"
#include "supervise/supervisor_job.h"

namespace labdeck::supervise {

namespace {

constexpr std::int64_t profile_look_ns = 50'000'000;
/// A script without a health check counts as up after this.
constexpr std::int64_t up_ns = 1'000'000'000;
constexpr std::int64_t waiting_word_ns = 5'000'000'000;
constexpr std::size_t log_blocks_max = 64;
constexpr std::int64_t tree_look_ns = 20'000'000;
constexpr std::int64_t tree_wait_ns_max = 10'000'000'000;

double dice() {
    static thread_local std::mt19937_64 engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(engine);
}

EnvMap env_of(const ScriptDefinition& script) {
    return script.env.value_or(EnvMap{});
}

/// Command and folder are told when they are at fault, and may hold a secret.
Error masked(Error why, const ScriptDefinition& script) {
    why.message = SecretMask::of_env(env_of(script)).masked(why.message);
    return why;
}

}  // namespace

Supervisor::Supervisor(store::Database database, SupervisorOptions options, SupervisorHooks hooks,
                       io::Reactor& hub, io::Reactor& store)
    : database_(std::move(database)),
      catalog_(database_),
      options_(std::move(options)),
      hooks_(std::move(hooks)),
      hub_(hub),
      store_(store),
      log_rounds_(std::make_shared<LogRounds>(store)) {}

Supervisor::~Supervisor() {
    *alive_ = false;
    for (const io::TimerId timer : {profile_timer_, waiting_timer_}) {
        if (timer != 0) hub_.cancel(timer);
    }
    for (const auto& job : jobs_) {
        for (const io::TimerId timer : {job->timer, job->tree_timer}) {
            if (timer != 0) hub_.cancel(timer);
        }
        write_out(*job);
    }
}

Result<std::unique_ptr<Supervisor>> Supervisor::open(const std::string& database_path,
                                                     SupervisorOptions options, SupervisorHooks hooks,
                                                     io::Reactor& hub, io::Reactor& store) {
    store::Database database = LD_TRY(store::Database::open(database_path, catalog_migrations()));
    std::unique_ptr<Supervisor> made(
        new Supervisor(std::move(database), std::move(options), std::move(hooks), hub, store));
    LD_TRY(made->load());
    made->start_automatically();
    return made;
}

Result<> Supervisor::load() {
    logs_folder_ = LD_TRY(catalog_.settings()).logs_path.value_or("");
    for (const ScriptDefinition& script : LD_TRY(catalog_.scripts())) add_job(script);
    at_login_ = profiles_at_login();
    return {};
}

// Scripts by themselves first, then profiles, each in its order.
void Supervisor::start_automatically() {
    for (const auto& job : jobs_) {
        if (!job->script.auto_start.value_or(false)) continue;
        job->machine.start(mono_now());
        obey(*job);
    }
    const auto profiles = catalog_.profiles();
    if (!profiles) return hooks_.log("error", profiles.error().message);
    for (const Profile& profile : *profiles) {
        if (!profile.auto_start_on_login.value_or(false)) continue;
        // It was read a moment ago, so it is there.
        (void)start_profile(profile.id);
    }
}

Supervisor::Job& Supervisor::add_job(const ScriptDefinition& script) {
    Job& job = *jobs_.emplace_back(std::make_unique<Job>(script, dice));
    const auto on_result = [this, &job](bool good, std::string why) {
        job.machine.probed(mono_now(), good, std::move(why)), obey(job);
    };
    job.health = std::make_unique<HealthProbe>(hub_, on_result, [this, &job] { tidy_up(job); });
    return job;
}

// What is kept of a script is another: it holds from its next start on, but its secrets are masked at once,
// beside those that a run which goes on was given.
void Supervisor::adopt(Job& job, const ScriptDefinition& script) {
    const bool same_env = job.script.env == script.env;
    const bool same_log = job.script.log == script.log;
    job.script = script;
    job.machine.set_rules(ScriptRules::of(script));
    obey(job);
    if (!same_env && job.output)
        hooks_.filter_output(*job.output, secret_filter(env_of(script), job.run_env));
    if (!same_log && job.log) renew_log(job);
}

// From the bytes on that the store's thread has not seen yet.
void Supervisor::renew_log(Job& job) {
    job.logs_folder = logs_folder();
    store_.post([log = job.log, file = log_of(job.script)] { log->write_to(file); });
}

void Supervisor::remove_job(const std::string& id) {
    // Another with the same id may have come in between.
    const auto at = std::find_if(jobs_.begin(), jobs_.end(), [&](const auto& job) {
        return job->script.id == id && job->doomed && !job->alive();
    });
    if (at == jobs_.end()) return;
    Job& job = **at;
    if (job.timer != 0) hub_.cancel(job.timer);
    if (job.output) hooks_.close_output(*job.output);
    write_out(job);
    jobs_.erase(at);
}

// The last Blocks may still wait for it, and it goes on its own thread.
void Supervisor::write_out(Job& job) {
    if (job.log) store_.post([log = std::move(job.log)] { log->drain(); });
}

bool Supervisor::open_output(Job& job) {
    if (job.output) return true;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        job.machine.failed(os_error_value("make a pipe for " + job.script.name));
        return false;
    }
    UniqueFd read_end(ends[0]);
    job.write_end.reset(ends[1]);
    job.log =
        OutputLog::make(store_, log_rounds_, log_blocks_max, log_of(job.script),
                        [this, alive = alive_, poster = hub_.poster(), id = job.script.id](
                            std::weak_ptr<OutputLog> from, std::string text) {
                            poster.post([this, alive, id, from = std::move(from), text = std::move(text)] {
                                if (!*alive) return;
                                hooks_.publish("process.log", {{"scriptId", id}, {"text", text}});
                                if (const auto log = from.lock()) log->taken(text.size());
                            });
                        });
    job.logs_folder = logs_folder();
    job.log->listen(hooks_.subscribed("process.log"));
    job.output = hooks_.open_output(job.script.name, std::move(read_end), secret_filter(env_of(job.script)),
                                    job.log->feed());
    return true;
}

void Supervisor::warn_of_missing_secrets(const ScriptDefinition& script) const {
    for (const auto& [name, value] : script.env.value_or(EnvMap{})) {
        if (value) continue;
        hooks_.log("warning",
                   fmt::format("{} starts without {}: the document it came from had no value for it; "
                               "edit the script to give one",
                               script.name, name));
    }
}

// For the keeper to hold. None while an earlier run is still being ended, as after a hub was killed: launch()
// is called again then, or the start has failed.
std::optional<UniqueFd> Supervisor::take_tree(Job& job) {
    // Of a script that was deleted, and is here again, both may run.
    const auto namesake = [&](const auto& other) { return other->script.id == job.script.id; };
    if (std::count_if(jobs_.begin(), jobs_.end(), namesake) > 1) return UniqueFd();
    const io::TreeLock tree(options_.trees_path, job.script.id);
    auto lock = tree.take();
    if (lock || lock.error().code != Code::busy) {
        // Where nothing can be locked it goes without.
        job.waits_since.reset();
        if (lock) return std::move(*lock);
        hooks_.log("warning", fmt::format("{}: {}", job.script.name, lock.error().message));
        return UniqueFd();
    }
    const MonoTime now = mono_now();
    const bool first = !job.waits_since;
    if (first) job.waits_since = now;
    const bool too_long = now.ns - job.waits_since->ns >= tree_wait_ns_max;
    const std::string what =
        !first && !too_long
            ? std::string()
            : fmt::format("its run under an earlier Labdeck to end (keeper {})", tree.wake_holder());
    if (first) hooks_.log("info", fmt::format("{} waits for {}", job.script.name, what));
    if (too_long) {
        job.waits_since.reset();
        job.machine.failed(
            {Code::busy, fmt::format("start {}: waited in vain for {}", job.script.name, what), 0, {}});
    } else {
        wait_for_tree(job);
    }
    return {};
}

void Supervisor::wait_for_tree(Job& job) {
    job.tree_timer = hub_.after(tree_look_ns, [this, &job] {
        job.tree_timer = 0;
        if (job.machine.status() == Status::starting) {
            launch(job);
        } else {
            job.waits_since.reset();
            job.machine.empty(mono_now());
        }
        obey(job);
    });
}

void Supervisor::launch(Job& job) {
    const auto refuse = [&job](const Error& why) { job.machine.failed(masked(why, job.script)); };
    const std::optional<UniqueFd> lock = take_tree(job);
    if (!lock || !open_output(job)) return;
    if (job.logs_folder != logs_folder()) renew_log(job);
    warn_of_missing_secrets(job.script);
    auto request = launch_of(job.script, options_.root);
    if (!request) return refuse(request.error());
    if (request->argv.empty()) return refuse({Code::bad_arg, "start: the command is empty", 0, {}});
    job.run_env = env_of(job.script);
    request->stdout_to = job.write_end.get();
    request->stderr_to = job.write_end.get();
    request->keeper_holds = lock->get();
    io::KeptProcess::Handler handler;
    handler.started = [this, &job](pid_t leader) { job.machine.started(mono_now(), leader), obey(job); };
    handler.failed = [this, &job](const Error& why) {
        job.process.reset();
        job.machine.failed(masked(why, job.script)), obey(job);
    };
    handler.leader_ended = [this, &job](const io::ExitStatus& status) {
        job.machine.leader_ended(mono_now(), status), obey(job);
    };
    handler.survivor = [this, &job](pid_t pid, char state, int count) {
        job.machine.survivor(mono_now(), pid, state, count), obey(job);
    };
    handler.empty = [this, &job](bool keeper_lost) {
        if (keeper_lost)
            hooks_.log("warning", fmt::format("{}: somebody killed its keeper", job.script.name));
        job.process.reset();
        store_.post([&store = store_, log = job.log] { log->run_ended(store); });
        job.machine.empty(mono_now()), obey(job);
    };
    auto process = io::KeptProcess::start(hub_, std::move(*request), std::move(handler));
    if (!process) return refuse(process.error());
    job.process = std::move(*process);
    job.process->streams().stdin_fd.reset();
    job.start_number = next_start_++;
}

// Does what the machine wants done, until it wants nothing more.
void Supervisor::obey(Job& job) {
    for (Orders orders = job.machine.take_orders();; orders = job.machine.take_orders()) {
        if (orders.launch) launch(job);
        if (job.process && orders.signal) {
            job.process->signal(
                stop_signal_number(job.script.stop_signal.value_or("TERM")).value_or(SIGTERM));
        }
        if (job.process && orders.sweep) job.process->sweep();
        if (!orders.changed && !orders.launch) break;
        if (!job.doomed) hooks_.publish("process.status", snapshot_of(job));
        watch_processes();
    }
    job.answer_starters();
    if (job.timer != 0) hub_.cancel(std::exchange(job.timer, 0));
    if (const auto next = job.machine.next_deadline()) {
        job.timer = hub_.after(std::max<std::int64_t>(next->ns - mono_now().ns, 0), [this, &job] {
            job.timer = 0;
            job.machine.tick(mono_now());
            obey(job);
        });
    }
    watch_health(job);
    tidy_up(job);
}

// Its health is asked for while it is up, by what its definition says now.
void Supervisor::watch_health(Job& job) {
    const bool wanted =
        job.process && job.machine.to_be_probed() && ScriptRules::of(job.script).health_checked;
    if (job.health->runs() && (!wanted || job.health->check() != *job.script.health_check))
        job.health->stop();
    if (!wanted || job.health->runs()) return;
    job.health->start({*job.script.health_check, surroundings_of(job.script, options_.root),
                       job.script.env.value_or(EnvMap{}), job.process->keeper_pid()});
}

// When nothing of it is left: it goes, if it is to go, and so may all of us.
void Supervisor::tidy_up(const Job& job) {
    if (job.alive()) return;
    // Not from within a call of its own process.
    hub_.post([this, alive = alive_, id = job.script.id, doomed = job.doomed] {
        if (!*alive) return;
        if (doomed) remove_job(id);
        check_stopped();
    });
}

Result<Supervisor::Job*> Supervisor::find(const std::string& id) const {
    for (const auto& job : jobs_) {
        if (job->script.id == id && !job->doomed) return job.get();
    }
    return fail(Code::not_found, fmt::format("no script has the id {}", id), Json{{"key", "id"}}.dump());
}

// A program that cannot be run is often known only when its keeper has tried.
void Supervisor::begin(const std::string& id, void (ScriptMachine::*how)(MonoTime), Answer answer) {
    const auto job = find(id);
    if (!job) return answer(fail(job.error()));
    if (stopped_) return answer(fail(Code::busy, "Labdeck is ending; nothing is started any more"));
    (*job)->starters.push_back(std::move(answer));
    ((*job)->machine.*how)(mono_now());
    obey(**job);
}

void Supervisor::start_script(const std::string& id, Answer answer) {
    begin(id, &ScriptMachine::start, std::move(answer));
}

Result<Json> Supervisor::stop_script(const std::string& id) {
    Job& job = *LD_TRY(find(id));
    job.cancel_starters();
    job.machine.stop(mono_now());
    obey(job);
    return Json(nullptr);
}

void Supervisor::restart_script(const std::string& id, Answer answer) {
    begin(id, &ScriptMachine::restart, std::move(answer));
}

Result<Json> Supervisor::kill_script(const std::string& id) {
    Job& job = *LD_TRY(find(id));
    job.cancel_starters();
    job.machine.kill_tree(mono_now());
    obey(job);
    return Json(nullptr);
}

Result<Json> Supervisor::start_profile(const std::string& id) {
    const Profile profile = LD_TRY(catalog_.profile(id));
    if (stopped_) return fail(Code::busy, "Labdeck is ending; nothing is started any more");
    std::erase_if(profile_runs_, [&](const auto& run) { return run->profile == id; });
    profile_runs_.push_back(
        std::make_unique<ProfileRun>(ProfileRun{id, ProfileRun::Way::up, profile.script_ids, false}));
    step_profiles();
    return Json(nullptr);
}

Result<Json> Supervisor::stop_profile(const std::string& id) {
    const Profile profile = LD_TRY(catalog_.profile(id));
    std::erase_if(profile_runs_, [&](const auto& run) { return run->profile == id; });
    profile_runs_.push_back(std::make_unique<ProfileRun>(ProfileRun{
        id, ProfileRun::Way::down, {profile.script_ids.rbegin(), profile.script_ids.rend()}, false}));
    step_profiles();
    return Json(nullptr);
}

// The first that is left is told once, and waited for; whoever cannot come up holds nobody up.
void Supervisor::go_on(ProfileRun& run) {
    while (!run.left.empty()) {
        const auto found = find(run.left.front());
        if (found) {
            Job& job = **found;
            const MonoTime now = mono_now();
            if (!std::exchange(run.begun, true)) {
                if (run.way == ProfileRun::Way::down) job.cancel_starters();
                run.way == ProfileRun::Way::up ? job.machine.start(now) : job.machine.stop(now);
                obey(job);
            }
            const ScriptMachine& machine = job.machine;
            const bool runs = machine.status() == Status::running;
            const bool up = ScriptRules::of(job.script).health_checked
                                ? machine.healthy().value_or(false)
                                : machine.started_at() && now.ns - machine.started_at()->ns >= up_ns;
            const bool ready =
                run.way == ProfileRun::Way::up ? !machine.active() || (runs && up) : !machine.active();
            if (!ready) return;
        }
        run.left.erase(run.left.begin());
        run.begun = false;
    }
}

void Supervisor::step_profiles() {
    for (const auto& run : profile_runs_) go_on(*run);
    std::erase_if(profile_runs_, [](const auto& run) { return run->left.empty(); });
    if (profile_runs_.empty() || profile_timer_ != 0) return;
    profile_timer_ = hub_.after(profile_look_ns, [this] {
        profile_timer_ = 0;
        step_profiles();
    });
}

void Supervisor::stop(std::int64_t grace_ns_max, std::function<void()> done) {
    stopped_ = std::move(done);
    profile_runs_.clear();
    std::vector<Job*> running;
    for (const auto& job : jobs_) running.push_back(job.get());
    std::sort(running.begin(), running.end(),
              [](const Job* a, const Job* b) { return a->start_number > b->start_number; });
    for (Job* job : running) {
        job->machine.shorten_grace(mono_now(), grace_ns_max);
        job->cancel_starters();
        job->machine.stop(mono_now());
        obey(*job);
    }
    hub_.post([this, alive = alive_] {
        if (*alive) check_stopped();
    });
    say_whom_we_wait_for(grace_ns_max);
}

void Supervisor::say_whom_we_wait_for(std::int64_t in_ns) {
    waiting_timer_ = hub_.after(in_ns, [this] {
        waiting_timer_ = 0;
        if (!stopped_) return;
        for (const auto& job : jobs_) {
            if (!job->alive()) continue;
            hooks_.log("warning",
                       fmt::format("waiting for {} to end{}{}", job->script.name,
                                   job->machine.reason().empty() ? "" : ": ", job->machine.reason()));
        }
        say_whom_we_wait_for(waiting_word_ns);
    });
}

void Supervisor::check_stopped() {
    if (!stopped_) return;
    const bool any = std::any_of(jobs_.begin(), jobs_.end(), [](const auto& job) { return job->alive(); });
    if (!any) std::exchange(stopped_, nullptr)();
}

// Names of scripts need not differ; what is charted under them must.
std::string Supervisor::shown_name(const Job& job) const {
    const auto same = [&](const auto& other) { return other->script.name == job.script.name; };
    if (std::count_if(jobs_.begin(), jobs_.end(), same) < 2) return job.script.name;
    return fmt::format("{} {}", job.script.name, job.script.id.substr(0, 8));
}

void Supervisor::watch_processes() {
    std::vector<data::WatchedProcess> watched;
    for (const auto& job : jobs_) {
        if (job->process) watched.push_back({shown_name(*job), job->process->keeper_pid()});
    }
    hooks_.watch(std::move(watched));
}

void Supervisor::listeners_changed() {
    const bool wanted = hooks_.subscribed("process.log");
    for (const auto& job : jobs_) {
        if (job->log) job->log->listen(wanted);
    }
}

}  // namespace labdeck::supervise
