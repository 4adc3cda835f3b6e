#include "bench_apps/station_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "base/assert.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::size_t first_current = 10;  ///< Its input register.

std::string rail_name(std::size_t rail) {
    return fmt::format("rail_{}", rail);
}
std::string current_name(std::size_t current) {
    return fmt::format("current_{}", first_current + current);
}

double seconds(std::int64_t ns) {
    return static_cast<double>(ns) / 1e9;
}
double ms(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

std::string out_of_limits(const StationStep& step, double value) {
    if (step.limits.lower && value < *step.limits.lower) {
        return fmt::format("{:g} {} is below {:g}", value, step.unit, *step.limits.lower);
    }
    return fmt::format("{:g} {} is above {:g}", value, step.unit, step.limits.upper.value_or(value));
}

}  // namespace

StationMachine::Phase StationMachine::phase_of(std::string_view step) noexcept {
    if (step.starts_with("rail_") || step.starts_with("current_")) return Phase::analog;
    if (step == "advertised") return Phase::advertised;
    if (step == "connected" || step == "battery") return Phase::connected;
    return step.starts_with("modbus_") ? Phase::trips : Phase::throughput;
}

void StationMachine::build_steps(RunKind kind) {
    std::vector<StationStep>& steps = run_->steps;
    const auto add = [&](std::string name, std::string title, std::string unit, const StepLimits& limits) {
        steps.push_back(
            {.name = std::move(name), .title = std::move(title), .unit = std::move(unit), .limits = limits});
    };
    const bool all = kind != RunKind::pair;
    for (std::size_t i = 0; all && i < rail_count; ++i) {
        add(rail_name(i), fmt::format("Rail {}", i), "mV", settings_.rails[i]);
    }
    for (std::size_t i = 0; all && i < current_count; ++i) {
        add(current_name(i), fmt::format("Current {}", first_current + i), "mA", settings_.currents[i]);
    }
    add("advertised", "Advertised", "s", {{}, settings_.advertise_s_max});
    add("connected", "Connected", "s", {{}, settings_.connect_s_max});
    add("battery", "Battery", "%", {settings_.battery_percent_min, {}});
    if (!all) return;
    add("link_kept", "Link kept", "losses", {{}, 0.0});
    add("throughput", "Notification throughput", "B/s", settings_.throughput);
    const auto trips = static_cast<double>(settings_.round_trips);
    add("modbus_answered", "Modbus answers", "answers", {trips, trips});
    add("modbus_p50", "Modbus round trip p50", "ms", {{}, settings_.p50_ms_max});
    add("modbus_p99", "Modbus round trip p99", "ms", {{}, settings_.p99_ms_max});
}

void StationMachine::begin(RunKind kind, std::string id, std::string serial, MonoTime now) {
    LD_ASSERT(!busy());
    run_.emplace();
    run_->id = std::move(id);
    run_->kind = kind;
    run_->serial = std::move(serial);
    run_->started = now;
    build_steps(kind);
    phase_ = Phase::waiting;
    // The bridge may have been silent for long; its time begins with the run.
    last_heard_ = now;
}

StationStep* StationMachine::step(std::string_view name) {
    const auto found = std::find_if(run_->steps.begin(), run_->steps.end(),
                                    [&](const auto& one) { return one.name == name; });
    return found == run_->steps.end() ? nullptr : &*found;
}

void StationMachine::start_steps(Phase phase, MonoTime when) {
    for (StationStep& one : run_->steps) {
        if (phase_of(one.name) == phase && !one.judged) one.started = when;
    }
}

void StationMachine::close(StationStep& step, Verdict verdict, std::string reason) {
    step.verdict = verdict;
    step.judged = true;
    step.reason = std::move(reason);
    if (step.started.ns != 0)
        step.duration_ns = std::max<std::int64_t>(0, step.evidence.to.ns - step.started.ns);
}

void StationMachine::judge(StationStep& step, std::optional<double> value, const Evidence& evidence,
                           const std::string& fail_reason) {
    step.value = value;
    step.evidence = evidence;
    if (value && !step.limits.hold(*value)) {
        close(step, Verdict::fail, fail_reason.empty() ? out_of_limits(step, *value) : fail_reason);
    } else if (!evidence.complete()) {
        close(step, Verdict::incomplete, evidence.why_incomplete);
    } else if (value) {
        close(step, Verdict::pass, {});
    } else {
        close(step, Verdict::fail, fail_reason);
    }
}

void StationMachine::skip(std::initializer_list<std::string_view> names, const std::string& why) {
    for (const std::string_view name : names) {
        StationStep* one = step(name);
        if (one != nullptr && !one->judged) close(*one, Verdict::skipped, why);
    }
}

void StationMachine::bridge_up(std::string boot_id, MonoTime now) {
    bridge_there_ = true;
    bridge_boot_ = std::move(boot_id);
    last_.reset();
    last_heard_ = now;
}

void StationMachine::bridge_down(const std::string& why, MonoTime now) {
    bridge_there_ = false;
    // Its socket's end lets the link go as well.
    wishing_ = false;
    last_.reset();
    if (busy() && phase_ != Phase::waiting) give_up("the bridge went away: " + why, now);
}

void StationMachine::give_up(const std::string& why, MonoTime now) {
    const bool never_began = phase_ == Phase::waiting;
    for (StationStep& one : run_->steps) {
        if (one.judged) continue;
        if (never_began) {
            one.evidence.why_incomplete = why;
            close(one, Verdict::incomplete, why);
        } else if (phase_of(one.name) == phase_) {
            window_.break_off(why);
            one.evidence = window_.evidence();
            close(one, Verdict::incomplete, why);
        } else {
            close(one, Verdict::skipped, why);
        }
    }
    end_run(RunState::completed, now);
}

void StationMachine::stop(RunState state, std::string why, MonoTime now) {
    if (!busy()) return;
    give_up(why, now);
    run_->state = state;
}

void StationMachine::end_run(RunState state, MonoTime now) {
    if (std::exchange(wishing_, false) && bridge_there_)
        requests_.push_back({BridgeRequest::Kind::release, 0});
    phase_ = Phase::idle;
    run_->state = state;
    run_->duration_ns = now.ns - run_->started.ns;
}

MonoTime StationMachine::next_event() const noexcept {
    if (!busy()) return {std::numeric_limits<std::int64_t>::max()};
    return {last_heard_.ns + settings_.bridge_timeout_ns};
}

void StationMachine::advance(MonoTime now) {
    if (!busy()) return;
    run_->duration_ns = now.ns - run_->started.ns;
    if (now < next_event()) return;
    give_up(fmt::format("nothing was heard of the bridge for {:g} s", seconds(settings_.bridge_timeout_ns)),
            now);
}

void StationMachine::hear(const BridgeReport& report, MonoTime now) {
    last_heard_ = now;
    if (busy()) run_->duration_ns = now.ns - run_->started.ns;
    const Phase phase = phase_;
    if (phase == Phase::waiting) {
        next_phase(report);
    } else if (phase != Phase::idle) {
        window_.add(report);
        whole_.add(report);
        if (phase == Phase::analog) judge_analog(report);
        if (phase == Phase::advertised) judge_advertised(report);
        if (phase == Phase::connected) judge_connected(report);
        if (phase == Phase::throughput) judge_throughput(report);
        if (phase == Phase::trips) judge_trips(report);
    }
    last_ = report;
}

void StationMachine::next_phase(const BridgeReport& report) {
    static constexpr std::array all = {Phase::waiting,   Phase::analog,     Phase::advertised,
                                       Phase::connected, Phase::throughput, Phase::trips};
    static constexpr std::array pairing = {Phase::waiting, Phase::advertised, Phase::connected};
    const std::span<const Phase> plan =
        run_->kind == RunKind::pair ? std::span<const Phase>(pairing) : std::span<const Phase>(all);
    auto next = std::find(plan.begin(), plan.end(), phase_) + 1;
    // A phase whose steps were all skipped has nothing to measure.
    while (next != plan.end() && std::none_of(run_->steps.begin(), run_->steps.end(), [&](const auto& one) {
               return !one.judged && phase_of(one.name) == *next;
           })) {
        ++next;
    }
    if (next != plan.end()) return enter(*next, report);
    const MonoTime end{run_->started.ns + run_->duration_ns};
    end_run(RunState::completed, end);
}

void StationMachine::enter(Phase phase, const BridgeReport& report) {
    phase_ = phase;
    begin_ = report;
    start_steps(phase, report.time);
    const EvidenceWindow::Needs needs{.plc = phase == Phase::analog,
                                      .ble = phase == Phase::advertised || phase == Phase::connected,
                                      .notifications = phase == Phase::throughput};
    window_.open(report, needs, bridge_boot_);
    whole_.open(report, {}, bridge_boot_);
    if (phase == Phase::analog) {
        channels_.clear();
        last_hole_.clear();
        for (std::size_t i = 0; i < rail_count; ++i) channels_.push_back({i, i});
        for (std::size_t i = 0; i < current_count; ++i)
            channels_.push_back({first_current + i, rail_count + i});
    } else if (phase == Phase::advertised) {
        confirmed_ = false;
        wishing_ = true;
        requests_.push_back({BridgeRequest::Kind::hold, 0});
    } else if (phase == Phase::connected) {
        requests_.push_back({BridgeRequest::Kind::link, 0});
    } else if (phase == Phase::trips) {
        asked_ = answered_first_ = 0;
        trip_ends_ = {};
        trips_ = RoundTrips(2 * settings_.round_trips);
        ask_trip(report.time);
    }
}

void StationMachine::sample(Channel& channel, double value) {
    const StepLimits& limits = run_->steps[channel.step].limits;
    if (channel.samples++ == 0) {
        channel.min = channel.max = channel.sum = channel.worst = value;
        return;
    }
    channel.min = std::min(channel.min, value);
    channel.max = std::max(channel.max, value);
    channel.sum += value;
    if (limits.margin(value) < limits.margin(channel.worst)) channel.worst = value;
}

void StationMachine::judge_analog(const BridgeReport& report) {
    const Evidence& window = window_.evidence();
    if (!window.complete()) {
        // A pass needs records in a row, so look for them again; what was out of its limits stays so.
        last_hole_ = window.why_incomplete;
        for (Channel& channel : channels_) {
            const bool bad = channel.samples > 0 && !run_->steps[channel.step].limits.hold(channel.worst);
            if (!bad) channel = {channel.address, channel.step};
        }
        window_.open(report, {.plc = true}, bridge_boot_);
    } else if (report.record) {
        for (Channel& channel : channels_) sample(channel, report.record->inputs[channel.address]);
    }
    const bool enough = window.records >= settings_.samples;
    if (!enough && report.time.ns - begin_.time.ns < settings_.sample_ns_max) return;
    if (!enough) {
        window_.break_off(fmt::format("{} of {} records in a row in {:g} s{}{}", window.records,
                                      settings_.samples, seconds(settings_.sample_ns_max),
                                      last_hole_.empty() ? "" : "; ", last_hole_));
    }
    for (const Channel& channel : channels_) finish_channel(channel);
    next_phase(report);
}

void StationMachine::finish_channel(const Channel& channel) {
    StationStep& one = run_->steps[channel.step];
    if (channel.samples == 0) return judge(one, std::nullopt, window_.evidence());
    const bool bad = !one.limits.hold(channel.worst);
    one.details = {{"min", channel.min},
                   {"max", channel.max},
                   {"mean", channel.sum / static_cast<double>(channel.samples)},
                   {"samples", static_cast<double>(channel.samples)}};
    judge(one, channel.worst, bad ? whole_.evidence() : window_.evidence());
}

void StationMachine::judge_advertised(const BridgeReport& report) {
    StationStep& one = *step("advertised");
    const bool over = report.time.ns - begin_.time.ns > settings_.bridge_timeout_ns;
    if (!confirmed_ && report.link_held && window_.evidence().complete()) {
        confirmed_ = true;
        begin_ = report;
        one.started = report.time;
        window_.open(report, {.ble = true}, bridge_boot_);
        return;
    }
    if (!confirmed_ && over) window_.break_off("the bridge did not hold the link down");
    const double waited_s = seconds(report.time.ns - begin_.time.ns);
    if (!window_.evidence().complete()) {
        judge(one, std::nullopt, window_.evidence());
    } else if (confirmed_ && report.totals.advertisements > begin_.totals.advertisements) {
        judge(one, waited_s, window_.evidence());
    } else if (confirmed_ && waited_s > settings_.advertise_s_max) {
        judge(one, std::nullopt, window_.evidence(),
              fmt::format("no advertisement within {:g} s", settings_.advertise_s_max));
    } else {
        return;
    }
    if (one.verdict != Verdict::pass) {
        skip({"connected", "battery", "link_kept", "throughput"}, "not seen advertising");
        wishing_ = false;
        requests_.push_back({BridgeRequest::Kind::release, 0});
    }
    next_phase(report);
}

void StationMachine::judge_connected(const BridgeReport& report) {
    StationStep& one = *step("connected");
    const double waited_s = seconds(report.time.ns - begin_.time.ns);
    if (!window_.evidence().complete()) {
        judge(one, std::nullopt, window_.evidence());
    } else if (report.link == BleLink::connected && !report.link_held) {
        judge(one, waited_s, window_.evidence());
    } else if (waited_s > settings_.connect_s_max) {
        judge(one, std::nullopt, window_.evidence(),
              fmt::format("no link within {:g} s", settings_.connect_s_max));
    } else {
        return;
    }
    if (one.value) {
        judge_battery(report);
    } else {
        skip({"battery", "link_kept", "throughput"}, "not connected");
    }
    next_phase(report);
}

void StationMachine::judge_battery(const BridgeReport& report) {
    StationStep& one = *step("battery");
    if (report.totals.radio_reports == begin_.totals.radio_reports) {
        window_.break_off("the module told no battery since it was asked for a link");
        return judge(one, std::nullopt, window_.evidence());
    }
    one.details = {{"rssiDbm", report.rssi_dbm}};
    judge(one, report.battery_percent, window_.evidence());
}

void StationMachine::judge_throughput(const BridgeReport& report) {
    const Evidence& window = window_.evidence();
    const BridgeMachine::Counters& counted = window.counted;
    const bool down = report.link != BleLink::connected || counted.link_losses > 0 || counted.links > 0;
    const bool port_lost = counted.ble_losses > 0;
    const std::int64_t window_ns = report.time.ns - begin_.time.ns;
    if (!down && !port_lost && window_ns < settings_.throughput_ns) return;

    StationStep& kept = *step("link_kept");
    StationStep& throughput = *step("throughput");
    const auto losses = static_cast<double>(std::max<std::uint64_t>(counted.link_losses, down ? 1 : 0));
    if (port_lost) {
        judge(kept, std::nullopt, window);
    } else if (down) {
        judge(kept, losses, window, fmt::format("the link went down after {:.3f} s", seconds(window_ns)));
    } else {
        // Lost or damaged notifications are no loss of the link.
        judge(kept, losses, whole_.evidence());
    }
    throughput.details = {{"notifications", static_cast<double>(counted.notifications)},
                          {"bytes", static_cast<double>(counted.notification_bytes)},
                          {"lost", static_cast<double>(counted.notifications_lost)},
                          {"seconds", seconds(window_ns)}};
    std::optional<double> rate;
    if (window_ns > 0) rate = static_cast<double>(counted.notification_bytes) / seconds(window_ns);
    if (window.complete()) {
        judge(throughput, rate, window);
    } else {
        // Too little may have come because of the hole: what was counted says nothing about the module.
        judge(throughput, std::nullopt, window);
        throughput.value = rate;
    }
    next_phase(report);
}

void StationMachine::ask_trip(MonoTime now) {
    ++asked_;
    trip_asked_ = now;
    requests_.push_back({BridgeRequest::Kind::trip, next_trip_});
}

void StationMachine::judge_trips(const BridgeReport& report) {
    if (!report.trip || report.trip->id != next_trip_) {
        if (report.time.ns - trip_asked_.ns < settings_.bridge_timeout_ns) return;
        window_.break_off("the bridge did not carry a round trip out");
        finish_trips();
        return next_phase(report);
    }
    ++next_trip_;
    ++trip_ends_[static_cast<std::size_t>(report.trip->end)];
    if (report.trip->end == TripEnd::port_gone) window_.break_off("the PLC's port went away");
    if (report.trip->end == TripEnd::answered) {
        trips_.add(report.trip->round_trip_ns);
        if (asked_ <= settings_.round_trips) ++answered_first_;
    }
    const std::size_t answered = trip_ends_[static_cast<std::size_t>(TripEnd::answered)];
    // Percentiles need their samples: what was not answered is asked again, unless most was not.
    const bool all_asked = asked_ >= settings_.round_trips;
    const bool hopeless = all_asked && answered_first_ * 2 < settings_.round_trips;
    const bool done =
        all_asked && (answered >= settings_.round_trips || hopeless || asked_ >= 2 * settings_.round_trips);
    if (!done && window_.evidence().complete()) {
        return ask_trip(report.time);
    }
    finish_trips();
    next_phase(report);
}

void StationMachine::finish_trips() {
    const Evidence& evidence = window_.evidence();
    const auto ended = [&](TripEnd end) { return trip_ends_[static_cast<std::size_t>(end)]; };
    StationStep& answered = *step("modbus_answered");
    answered.details = {{"asked", static_cast<double>(asked_)},
                        {"damaged", static_cast<double>(ended(TripEnd::damaged))},
                        {"timedOut", static_cast<double>(ended(TripEnd::timed_out))},
                        {"exceptions", static_cast<double>(ended(TripEnd::exception))}};
    const std::string why = fmt::format(
        "{} of the first {} were answered; of {} asked {} came damaged, {} timed out, {} were exceptions",
        answered_first_, settings_.round_trips, asked_, ended(TripEnd::damaged), ended(TripEnd::timed_out),
        ended(TripEnd::exception));
    if (evidence.complete()) {
        judge(answered, static_cast<double>(answered_first_), evidence, why);
    } else {
        judge(answered, std::nullopt, evidence);
    }
    const RoundTrips::Summary summary = trips_.summary();
    finish_percentile("modbus_p50", ms(summary.p50_ns));
    finish_percentile("modbus_p99", ms(summary.p99_ns));
}

void StationMachine::finish_percentile(std::string_view name, double value_ms) {
    StationStep& one = *step(name);
    const RoundTrips::Summary summary = trips_.summary();
    Evidence evidence = window_.evidence();
    if (evidence.complete() && summary.count < settings_.round_trips) {
        evidence.why_incomplete =
            fmt::format("{} round trips are too few for {}", summary.count, settings_.round_trips);
    }
    one.details = {{"samples", static_cast<double>(summary.count)}, {"maxMs", ms(summary.max_ns)}};
    if (evidence.complete()) {
        judge(one, value_ms, evidence);
    } else {
        judge(one, std::nullopt, evidence);
        if (summary.count > 0) one.value = value_ms;
    }
}

}  // namespace labdeck::bench_apps
