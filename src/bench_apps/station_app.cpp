#include "bench_apps/station_app.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/id.h"
#include "bench_apps/last_result.h"
#include "bench_apps/station_config.h"
#include "bench_apps/station_results.h"

namespace labdeck::bench_apps {

namespace {

constexpr AppIdentity station_identity{.id = "40318", .title = "40318", .model = ProcessModel::process};

constexpr FieldSpec serial_field{
    .name = "serial", .label = "Serial number", .preset = R"("")", .help = "of the product under test"};
constexpr std::array<FieldSpec, 1> run_args = {{serial_field}};
constexpr double hours_max = 72;
constexpr std::array<FieldSpec, 2> overnight_args = {{
    {.name = "hours",
     .label = "Hours",
     .type = FieldType::number,
     .preset = "8",
     .min = 0.0001,
     .max = hours_max,
     .unit = "h",
     .help = "no run begins later than this"},
    serial_field,
}};

constexpr std::int64_t run_timeout_ms = 1'800'000;
constexpr std::int64_t pair_timeout_ms = 120'000;
/// The last run of a night may begin in its last moment.
constexpr std::int64_t overnight_timeout_ms =
    static_cast<std::int64_t>(hours_max) * 3'600'000 + run_timeout_ms;
constexpr ActionSpec run_start_spec{.name = "run_start",
                                    .label = "Start a run",
                                    .args = run_args,
                                    .timeout_ms = run_timeout_ms,
                                    .help = "Connects to the bridge and carries out the whole sequence."};
constexpr ActionSpec run_pair_spec{.name = "run_pair",
                                   .label = "Pair",
                                   .args = run_args,
                                   .timeout_ms = pair_timeout_ms,
                                   .help = "Advertised, connected and battery alone, on a link made anew."};
constexpr ActionSpec run_overnight_spec{
    .name = "run_overnight",
    .label = "Run overnight",
    .args = overnight_args,
    .timeout_ms = overnight_timeout_ms,
    .help = "Run after run for so many hours, with the set pause between."};

std::string value_text(const StationStep& step) {
    return step.value ? fmt::format("{:.6g} {}", *step.value, step.unit) : "no value";
}

std::string limits_text(const StepLimits& limits) {
    return fmt::format("[{}, {}]", limits.lower ? fmt::format("{:g}", *limits.lower) : "",
                       limits.upper ? fmt::format("{:g}", *limits.upper) : "");
}

/// Sorts by time, and never names two runs alike.
std::string new_run_id(WallTime now) {
    std::string time = rfc3339(now).substr(0, 19);
    std::erase(time, '-');
    std::erase(time, ':');
    return fmt::format("40318-{}Z-{}", time, new_uuid().substr(0, 8));
}

}  // namespace

void StationApp::Counts::add(const StationRun& run) {
    ++runs;
    if (run.state == RunState::canceled) {
        ++canceled;
    } else if (run.state == RunState::timeout) {
        ++timed_out;
    } else if (run.verdict() == Verdict::pass) {
        ++passed;
    } else {
        ++(run.verdict() == Verdict::fail ? failed : incomplete);
    }
}

Json StationApp::Counts::json() const {
    return {{"runs", runs},         {"passed", passed},     {"failed", failed}, {"incomplete", incomplete},
            {"canceled", canceled}, {"timedOut", timed_out}};
}

StationApp::StationApp(const AppContext& context)
    : BenchApp(station_identity, context, station_fields()),
      timer_(context.reactor, [this] { pump(); }),
      overnight_timer_(context.reactor, [this] { begin_run(); }) {
    const auto add_run = [this](const ActionSpec& spec, RunKind kind) {
        add_slow_action(spec, Needs::nothing, [this, kind](const Json& args, const JobHandle& job) {
            ask_for_run(kind, args, job);
        });
    };
    add_run(run_start_spec, RunKind::acceptance);
    add_run(run_pair_spec, RunKind::pair);
    add_run(run_overnight_spec, RunKind::overnight);
    read_earlier_run();
}

StationApp::~StationApp() {
    StationApp::stop();
}

Result<> StationApp::start(const AppConfig::Values& settings) {
    const StationMachine::Settings wanted = LD_TRY(station_settings(settings));
    socket_name_ = settings.text("bridgeSocket");
    results_folder_ = config().resolved(settings.text("resultsFolder"));
    pause_ns_ = static_cast<std::int64_t>(settings.number("overnightPauseSeconds") * 1e9);
    machine_ = std::make_unique<StationMachine>(wanted);
    bridge_ = std::make_unique<BridgeFeedClient>(
        reactor(), config().resolved(socket_name_),
        BridgeFeedClient::Handler{[this](const std::string& boot_id) {
                                      log(LogLevel::info, fmt::format("bridge connected boot={}", boot_id));
                                      machine_->bridge_up(boot_id, mono_now());
                                      set_error({});
                                      pump();
                                  },
                                  [this](const std::string& why) {
                                      log(LogLevel::warning, "no bridge: " + why);
                                      machine_->bridge_down(why, mono_now());
                                      set_error(fmt::format("no bridge: {}; trying again each second", why));
                                      pump();
                                  },
                                  [this](const BridgeReport& report) {
                                      machine_->hear(report, mono_now());
                                      pump();
                                  }});
    return {};
}

void StationApp::stop() {
    timer_.cancel();
    overnight_timer_.cancel();
    if (machine_) {
        machine_->stop(RunState::canceled, "the station was stopped", mono_now());
        if (run_open_) finish_run();
    }
    night_.reset();
    end_job(fail(Code::canceled, "40318 was stopped"));
    // What the link was held down for is over: the bridge sees the socket's end.
    bridge_.reset();
    machine_.reset();
}

void StationApp::ask_for_run(RunKind kind, const Json& args, const JobHandle& job) {
    if (job_) return job->finish(fail(Code::busy, "40318 has a run under way already: " + job_->id()));
    if (const Result<Json> started = run_start(); !started) return job->finish(fail(started.error()));
    job->on_give_up([this](JobState ending) { give_up(ending); });
    job_ = job;
    kind_ = kind;
    serial_ = args.at("serial").get<std::string>();
    if (kind == RunKind::overnight) {
        const auto ns = static_cast<std::int64_t>(args.at("hours").get<double>() * 3.6e12);
        night_ = {{mono_now().ns + ns}, {wall_now().ns + ns}, {}};
    }
    begin_run();
}

void StationApp::begin_run() {
    const MonoTime now = mono_now();
    run_began_ = wall_now();
    files_.clear();
    files_error_.clear();
    machine_->begin(kind_, new_run_id(run_began_), serial_, now);
    run_open_ = true;
    told_.assign(machine_->run()->steps.size(), false);
    log(LogLevel::info,
        fmt::format("run id={} kind={} serial=\"{}\"", machine_->run()->id, run_kind_name(kind_), serial_));
    job_->print(fmt::format("run {}\n", machine_->run()->id));
    pump();
    status_changed();
}

void StationApp::pump() {
    machine_->advance(mono_now());
    for (const BridgeRequest& request : machine_->take_requests()) bridge_->send(request);
    if (run_open_) tell_steps();
    if (run_open_ && !machine_->busy()) finish_run();
    timer_.set(machine_->next_event());
}

/// Each step's verdict once, as it comes.
void StationApp::tell_steps() {
    const std::vector<StationStep>& steps = machine_->run()->steps;
    bool told = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const StationStep& step = steps[i];
        if (!step.judged || told_[i]) continue;
        told_[i] = told = true;
        const std::string line =
            fmt::format("{} {} {} {}{}{}", verdict_name(step.verdict), step.name, value_text(step),
                        limits_text(step.limits), step.reason.empty() ? "" : ": ", step.reason);
        if (job_) job_->print(line + "\n");
        log(step.verdict == Verdict::pass ? LogLevel::info : LogLevel::warning, "step " + line);
    }
    if (told) status_changed();
}

void StationApp::finish_run() {
    tell_steps();
    run_open_ = false;
    last_run_ = machine_->run();
    counts_.add(*last_run_);
    auto written = write_results(*last_run_, run_began_, results_folder_);
    if (written) {
        files_ = std::move(*written);
    } else {
        files_error_ = written.error().message;
        log(LogLevel::error, files_error_);
    }
    const std::string verdict(verdict_name(last_run_->verdict()));
    log(last_run_->verdict() == Verdict::pass ? LogLevel::info : LogLevel::warning,
        fmt::format("run id={} state={} verdict={}", last_run_->id, run_state_name(last_run_->state),
                    verdict));
    if (job_) job_->print(fmt::format("verdict {}\n", verdict));
    status_changed();
    if (last_run_->state != RunState::completed) return;
    if (!written) {
        // A verdict without its record is none.
        night_.reset();
        return end_job(fail(written.error()));
    }
    if (night_) return pause_overnight();
    end_job(last_run_json());
}

void StationApp::pause_overnight() {
    night_->counts.add(*last_run_);
    const MonoTime next{mono_now().ns + pause_ns_};
    if (next >= night_->until) return finish_overnight();
    overnight_timer_.set(next);
}

void StationApp::finish_overnight() {
    const Counts& counts = night_->counts;
    const Verdict verdict = counts.failed > 0              ? Verdict::fail
                            : counts.passed == counts.runs ? Verdict::pass
                                                           : Verdict::incomplete;
    Json result = counts.json();
    result["verdict"] = verdict_name(verdict);
    result["lastRun"] = last_run_->id;
    night_.reset();
    end_job(std::move(result));
}

void StationApp::end_job(Result<Json> result) {
    const JobHandle job = std::exchange(job_, nullptr);
    if (!job) return;
    job->finish(std::move(result));
    status_changed();
}

/// The job was canceled or ran out of time; the table finishes it.
void StationApp::give_up(JobState ending) {
    if (!job_ || !machine_) return;
    const bool late = ending == JobState::timeout;
    overnight_timer_.cancel();
    night_.reset();
    machine_->stop(late ? RunState::timeout : RunState::canceled, late ? "it took too long" : "canceled",
                   mono_now());
    pump();
    job_.reset();
    status_changed();
}

std::vector<PortTraffic> StationApp::traffic() const {
    if (!bridge_) return {{config().read().text("bridgeSocket"), false, 0}};
    const BridgeFeedClient::Counters& counters = bridge_->counters();
    return {{socket_name_, bridge_->is_up(), 0, counters.rx_bytes, counters.tx_bytes, counters.reports,
             counters.requests, counters.bad_lines + counters.losses}};
}

void StationApp::read_earlier_run() {
    LastResult last = read_last_result(config().resolved(config().read().text("resultsFolder")));
    for (const std::string& why : last.passed_over) log(LogLevel::warning, "result passed over: " + why);
    earlier_run_ = std::move(last.run);
}

Json StationApp::last_run_json() const {
    const bool live = run_open_ && machine_;
    if (!live && !last_run_) return earlier_run_ ? *earlier_run_ : Json(nullptr);
    Json run = run_json(live ? *machine_->run() : *last_run_, run_began_);
    run["files"] = live ? std::vector<std::string>{} : files_;
    run["filesError"] = live ? "" : files_error_;
    return run;
}

void StationApp::describe(Json& status) const {
    status["profile"] = job_ ? run_kind_name(kind_) : "idle";
    status["busy"] = job_ != nullptr;
    status["job"] = job_ ? Json(job_->id()) : Json(nullptr);
    const bool heard = machine_ && machine_->last_report();
    status["bridge"] = {{"connected", bridge_ && bridge_->is_up()},
                        {"bootId", bridge_ && bridge_->is_up() ? machine_->bridge_boot() : ""},
                        {"reports", bridge_ ? bridge_->counters().reports : 0},
                        {"losses", bridge_ ? bridge_->counters().losses : 0},
                        {"link", heard ? Json(ble_link_name(machine_->last_report()->link)) : Json(nullptr)},
                        {"plcAnswers", heard ? Json(machine_->last_report()->plc_answers) : Json(nullptr)}};
    status["counters"] = counts_.json();
    status["overnight"] = nullptr;
    if (night_) {
        status["overnight"] = night_->counts.json();
        status["overnight"]["until"] = rfc3339(night_->until_wall);
    }
    status["lastRun"] = last_run_json();
}

}  // namespace labdeck::bench_apps
