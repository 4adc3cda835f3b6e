#include "bench_apps/bench_app.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/id.h"
#include "contract/envelope.h"

namespace labdeck::bench_apps {

namespace {

constexpr ActionSpec start_action{
    .name = "run_start", .label = "Start", .help = "Opens the app's ports and runs it."};
constexpr ActionSpec stop_action{
    .name = "run_stop", .label = "Stop", .help = "Ends it and closes its ports."};
constexpr std::int64_t start_retry_ns = 1'000'000'000;

double rate(std::uint64_t now, std::uint64_t before, double seconds) {
    if (now < before || seconds <= 0) return 0;
    return std::round(10 * static_cast<double>(now - before) / seconds) / 10;
}

}  // namespace

std::string_view process_model_name(ProcessModel model) noexcept {
    return model == ProcessModel::process ? "process" : "hosted-role";
}

BenchApp::BenchApp(AppIdentity identity, AppContext context, std::span<const FieldSpec> fields)
    : identity_(identity),
      context_(std::move(context)),
      config_(std::string(identity.id), fields, context_.root,
              context_.config_folder / (std::string(identity.id) + ".json")) {
    add_action(start_action, Needs::nothing, [this](const Json&) { return run_start(); });
    add_action(stop_action, Needs::nothing, [this](const Json&) { return run_stop(); });
}

void BenchApp::add_action(const ActionSpec& spec, Needs needs, Act act) {
    add_slow_action(spec, needs, [this, act = std::move(act)](const Json& args, const JobHandle& job) {
        Result<Json> result = act(args);
        job->print(result ? fmt::format("{}: done\n", identity_.id) : "");
        if (!result) job->print_error(result.error().message + "\n");
        job->finish(std::move(result));
        status_changed();
    });
}

void BenchApp::add_slow_action(const ActionSpec& spec, Needs needs, ActLater act) {
    const auto same = std::find_if(actions_.begin(), actions_.end(),
                                   [&](const Action& one) { return one.spec.name == spec.name; });
    if (same == actions_.end()) {
        actions_.push_back({spec, needs, std::move(act)});
    } else {
        *same = {spec, needs, std::move(act)};
    }
}

const ActionSpec* BenchApp::find_action(std::string_view name) const {
    const auto found = std::find_if(actions_.begin(), actions_.end(),
                                    [&](const Action& one) { return one.spec.name == name; });
    return found == actions_.end() ? nullptr : &found->spec;
}

void BenchApp::perform(std::string_view name, const Json& args, const JobHandle& job) {
    const auto found = std::find_if(actions_.begin(), actions_.end(),
                                    [&](const Action& one) { return one.spec.name == name; });
    if (found->needs == Needs::running && !running_) {
        return job->finish(
            fail(Code::action_failed, fmt::format("{} does not run; run_start first", identity_.id)));
    }
    found->act(args, job);
}

Result<Json> BenchApp::run_start() {
    if (running_) return Json{{"running", true}, {"bootId", boot_id_}, {"message", "already running"}};
    if (start_retry_ != 0) reactor().cancel(std::exchange(start_retry_, 0));
    // A folder that cannot be written to is no reason not to run with the defaults.
    if (const Result<> made = config_.make_if_missing(); !made) log(LogLevel::warning, made.error().message);
    const AppConfig::Values settings = config_.read();
    Result<> started =
        settings.errors.empty() ? Result<>{} : fail(Code::config_invalid, settings.errors.front());
    boot_id_ = new_uuid();
    if (started) started = start(settings);
    if (!started) {
        boot_id_.clear();
        set_error(started.error().message);
        return fail(std::move(started).error());
    }
    running_ = true;
    started_ = wall_now();
    counted_.clear();
    rates_.clear();
    log(LogLevel::info, fmt::format("started boot={}", boot_id_));
    set_error({});
    return Json{{"running", true}, {"bootId", boot_id_}};
}

Result<Json> BenchApp::run_stop() {
    if (start_retry_ != 0) reactor().cancel(std::exchange(start_retry_, 0));
    if (!running_) return Json{{"running", false}, {"message", "did not run"}};
    stop();
    running_ = false;
    boot_id_.clear();
    started_ = {};
    rates_.clear();
    log(LogLevel::info, "stopped");
    set_error({});
    return Json{{"running", false}};
}

void BenchApp::start_by_itself() {
    if (running_ || !config_.read().flag("autoStart")) return;
    const Result<Json> started = run_start();
    if (started) return;
    log(LogLevel::warning, fmt::format("not started: {}; trying again each second", started.error().message));
    start_retry_ = reactor().every(start_retry_ns, [this] {
        const io::TimerId retry = std::exchange(start_retry_, 0);
        if (run_start()) {
            reactor().cancel(retry);
        } else {
            start_retry_ = retry;
        }
    });
}

void BenchApp::shut_down() {
    // There is nothing to go wrong with a stop.
    (void)run_stop();
}

void BenchApp::set_error(std::string text) {
    error_ = std::move(text);
    status_changed();
}

std::optional<std::int64_t> BenchApp::pid() const {
    if (!running_) return std::nullopt;
    return ::getpid();
}

Json BenchApp::status() const {
    const Json own_pid = running_ ? Json(::getpid()) : Json(nullptr);
    const bool hosted = identity_.model == ProcessModel::hosted_role;
    Json status = {{"interfaceName", contract::interface_name},
                   {"interfaceVersion", contract::interface_version},
                   {"appId", identity_.id},
                   {"appTitle", identity_.title},
                   {"running", running_},
                   {"pid", own_pid},
                   {"hostRunning", hosted || running_},
                   {"hostPid", hosted ? Json(::getpid()) : own_pid},
                   {"bootId", boot_id_},
                   {"error", error_},
                   {"processModel", process_model_name(identity_.model)}};
    if (hosted) status["roleAppId"] = identity_.id;
    status["startedAt"] = running_ ? Json(rfc3339(started_)) : Json(nullptr);
    describe_traffic(status);
    describe(status);
    return status;
}

void BenchApp::describe_traffic(Json& status) const {
    PortTraffic total;
    Rates total_rates;
    Json ports = Json::array();
    const std::vector<PortTraffic> now = traffic();
    for (std::size_t i = 0; i < now.size(); ++i) {
        const PortTraffic& port = now[i];
        const Rates rates = i < rates_.size() ? rates_[i] : Rates{};
        ports.push_back({{"port", port.port},
                         {"open", port.open},
                         {"baud", port.baud},
                         {"rxBytes", port.rx_bytes},
                         {"txBytes", port.tx_bytes},
                         {"rxFrames", port.rx_frames},
                         {"txFrames", port.tx_frames},
                         {"errors", port.errors},
                         {"rxBytesPerSecond", rates.rx_bytes},
                         {"txBytesPerSecond", rates.tx_bytes},
                         {"rxFramesPerSecond", rates.rx_frames},
                         {"txFramesPerSecond", rates.tx_frames}});
        total.rx_bytes += port.rx_bytes;
        total.tx_bytes += port.tx_bytes;
        total.rx_frames += port.rx_frames;
        total.tx_frames += port.tx_frames;
        total.errors += port.errors;
        total_rates.rx_bytes += rates.rx_bytes;
        total_rates.tx_bytes += rates.tx_bytes;
    }
    status["port"] = now.empty() ? "" : now.front().port;
    status["baud"] = now.empty() ? 0 : now.front().baud;
    status["rxBytes"] = total.rx_bytes;
    status["txBytes"] = total.tx_bytes;
    status["rxFrames"] = total.rx_frames;
    status["txFrames"] = total.tx_frames;
    status["errors"] = total.errors;
    status["rxBytesPerSecond"] = total_rates.rx_bytes;
    status["txBytesPerSecond"] = total_rates.tx_bytes;
    status["ports"] = std::move(ports);
}

Json BenchApp::action_list() const {
    Json list = Json::array();
    for (const Action& action : actions_) list.push_back(action_json(action.spec));
    return {{"actions", std::move(list)}};
}

void BenchApp::second_passed() {
    if (!running_) return;
    const MonoTime now = mono_now();
    const double seconds = static_cast<double>(now.ns - counted_at_.ns) * 1e-9;
    std::vector<PortTraffic> ports = traffic();
    rates_.assign(ports.size(), Rates{});
    for (std::size_t i = 0; i < ports.size() && i < counted_.size(); ++i) {
        rates_[i] = {rate(ports[i].rx_bytes, counted_[i].rx_bytes, seconds),
                     rate(ports[i].tx_bytes, counted_[i].tx_bytes, seconds),
                     rate(ports[i].rx_frames, counted_[i].rx_frames, seconds),
                     rate(ports[i].tx_frames, counted_[i].tx_frames, seconds)};
    }
    counted_ = std::move(ports);
    counted_at_ = now;
    on_second();
    status_changed();
}

}  // namespace labdeck::bench_apps
