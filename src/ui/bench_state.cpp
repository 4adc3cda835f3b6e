#include "ui/bench_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ui/supervisor_view.h"

namespace labdeck::ui {

namespace {

constexpr std::size_t witness_bytes = 64;

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t rate_period_ns = 200 * ns_per_ms;
// A little more than the sampler's second: its batch normally comes first and takes the rates with it.
constexpr std::int64_t without_batch_ns = 1'200 * ns_per_ms;
constexpr std::size_t rate_samples_max = 65'536;
constexpr std::size_t notices_max = 100;
// 64 Blocks (4 MiB) of one source, then the next one has its turn.
constexpr std::size_t turn_blocks = 64;
constexpr double mib = 1'048'576.0;

double seconds_between(MonoTime from, MonoTime to) {
    return static_cast<double>(to.ns - from.ns) / static_cast<double>(ns_per_s);
}

/// Pushes a zero behind a rate whose events have stopped.
void let_fall(model::Series& series, MonoTime now) {
    if (series.count() > 0 && series.last_value() != 0) series.push(now, 0);
}

}  // namespace

std::int64_t SourceView::backlog_ns() const noexcept {
    if (!counters || !tail) return 0;
    return std::max<std::int64_t>(0,
                                  counters->last_read_ns.load(std::memory_order_relaxed) - tail->newest().ns);
}

BenchState::BenchState(contract::LocalLink& link, data::WindowInbox& inbox)
    : link_(link), inbox_(inbox), supervisor_(std::make_unique<SupervisorView>(*this)) {
    link_.on_event([this](const contract::Event& event) { handle_event(event); });
    request("events.subscribe", {{"topics", {"status.changed", "log", "job.changed", "traffic", "updates"}}});
    ask_apps();
    supervisor_->ask_scripts();
}

BenchState::~BenchState() {
    link_.on_event({});
}

SourceView* BenchState::source(SourceId id) {
    const auto at =
        std::find_if(sources_.begin(), sources_.end(), [id](const auto& s) { return s->info.id == id; });
    return at == sources_.end() ? nullptr : at->get();
}

AppView* BenchState::app(std::string_view id) {
    const auto at = std::find_if(apps_.begin(), apps_.end(), [id](const auto& a) { return a->id == id; });
    return at == apps_.end() ? nullptr : at->get();
}

bool BenchState::drain(std::int64_t budget_ns) {
    const MonoTime deadline{mono_now().ns + budget_ns};
    bool changed = link_.poll() > 0;
    changed = take_inbox() || changed;
    changed = drain_feeds(deadline) || changed;
    self_.dropped_events = link_.dropped_events();
    self_.last_click_to_wire_ns = link_.last_click_to_wire_ns();
    return changed;
}

bool BenchState::take_inbox() {
    bool any = false;
    for (data::WindowMessage message; inbox_.take(message); any = true) {
        if (auto* added = std::get_if<data::SourceAdded>(&message)) {
            add_source(std::move(*added));
        } else if (const auto* removed = std::get_if<data::SourceRemoved>(&message)) {
            remove_source(removed->id);
        } else {
            handle_samples(std::move(std::get<std::shared_ptr<const data::SampleBatch>>(message)));
        }
    }
    return any;
}

bool BenchState::drain_feeds(MonoTime deadline) {
    bool changed = false;
    backlog_ = false;
    const std::size_t count = sources_.size();
    if (count == 0) return false;
    first_feed_ %= count;
    // Everybody once; then those with more, in turns, while there is time.
    for (bool first_round = true;; first_round = false) {
        backlog_ = false;
        for (std::size_t i = 0; i < count; ++i) {
            model::Tail& tail = *sources_[(first_feed_ + i) % count]->tail;
            if (first_round || tail.pending()) changed = tail.drain(turn_blocks) || changed;
            backlog_ = backlog_ || tail.pending();
        }
        if (!backlog_) return changed;
        if (mono_now() >= deadline) break;
    }
    ++first_feed_;
    return changed;
}

void BenchState::add_source(data::SourceAdded added) {
    auto view = std::make_unique<SourceView>(SourceView{
        .info = added.info,
        .counters = std::move(added.counters),
        .tail = std::make_unique<model::Tail>(std::move(added.feed), added.retained_bytes),
        .bytes_per_second = model::Series(added.info.name, "B/s", rate_samples_max),
        .lines_per_second = model::Series(added.info.name, "lines/s", rate_samples_max),
        .counted_bytes = 0,
        .counted_lines = 0,
        .shown = {},
        .shown_age_ns = 0,
    });
    sources_.push_back(std::move(view));
}

void BenchState::remove_source(SourceId id) {
    const auto at =
        std::find_if(sources_.begin(), sources_.end(), [id](const auto& s) { return s->info.id == id; });
    if (at == sources_.end()) return;
    // What was lost stays lost when its source is gone.
    for (std::size_t i = 0; i < lost_of_removed_.size(); ++i) {
        lost_of_removed_[i] += (*at)->counters->lost[i].load(std::memory_order_relaxed);
    }
    sources_.erase(at);
}

void BenchState::handle_samples(std::shared_ptr<const data::SampleBatch> batch) {
    machine_cpu_.push(batch->time, batch->cpu_percent);
    machine_memory_mib_.push(batch->time, static_cast<double>(batch->memory_used_bytes) / mib);
    for (const auto& process : processes_) process->alive = false;
    for (const data::ProcessSample& sample : batch->processes) {
        auto at = std::find_if(processes_.begin(), processes_.end(),
                               [&sample](const auto& p) { return p->name == sample.name; });
        if (at == processes_.end()) {
            processes_.push_back(std::make_unique<ProcessView>(
                ProcessView{sample.name, sample.pid, true, sample.memory_kind,
                            model::Series(sample.name, "%", rate_samples_max),
                            model::Series(sample.name, "MiB", rate_samples_max)}));
            at = processes_.end() - 1;
        }
        ProcessView& view = **at;
        view.pid = sample.pid;
        view.alive = sample.alive;
        view.memory_kind = sample.memory_kind;
        view.cpu_percent.push(batch->time, sample.cpu_percent);
        view.memory_mib.push(batch->time, static_cast<double>(sample.memory_bytes) / mib);
    }
    std::size_t waiting = 0;
    std::uint64_t held = 0;
    for (const auto& source : sources_) {
        waiting += source->tail->feed()->size();
        held += source->tail->held_bytes();
    }
    self_.queue_blocks.push(batch->time, static_cast<double>(waiting));
    self_.held_mib.push(batch->time, static_cast<double>(held) / mib);
    if (last_batch_.ns != 0 && batch->time > last_batch_) {
        const double frames = static_cast<double>(self_.frames - frames_at_batch_);
        self_.frames_per_second.push(batch->time, frames / seconds_between(last_batch_, batch->time));
    }
    frames_at_batch_ = self_.frames;
    last_batch_ = batch->time;
    last_samples_ = std::move(batch);
    batch_came_ = true;
}

void BenchState::sample_source(SourceView& source, MonoTime now, double seconds) {
    const std::uint64_t bytes = source.counters->bytes.load(std::memory_order_relaxed);
    const std::uint64_t lines = source.counters->lines.load(std::memory_order_relaxed);
    const double byte_rate = static_cast<double>(bytes - source.counted_bytes) / seconds;
    const double line_rate = static_cast<double>(lines - source.counted_lines) / seconds;
    source.counted_bytes = bytes;
    source.counted_lines = lines;
    source.bytes_per_second.push(now, byte_rate);
    source.lines_per_second.push(now, line_rate);
    rates_moving_ = rates_moving_ || byte_rate > 0;
}

MonoTime BenchState::sample_rates(MonoTime now) {
    if (last_rates_.ns == 0) last_rates_ = now;
    const std::int64_t since = now.ns - last_rates_.ns;
    const bool moved =
        since >= rate_period_ns && std::any_of(sources_.begin(), sources_.end(), [](const auto& s) {
            return s->counters->bytes.load(std::memory_order_relaxed) != s->counted_bytes;
        });
    const bool batch = batch_came_ && since >= rate_period_ns / 2;
    if (moved || batch || (rates_moving_ && since >= without_batch_ns)) {
        rates_moving_ = false;
        for (const auto& source : sources_) sample_source(*source, now, seconds_between(last_rates_, now));
        for (const auto& port : ports_) {
            if (now.ns - port->last.ns < without_batch_ns) continue;
            let_fall(port->bytes_per_second, now);
            let_fall(port->messages_per_second, now);
        }
        last_rates_ = now;
        batch_came_ = false;
    }
    return rates_moving_ ? MonoTime{last_rates_.ns + without_batch_ns} : MonoTime{};
}

void BenchState::presented(MonoTime when, Witness witness) {
    for (const auto& source : sources_) {
        const MonoTime newest = source->tail->newest();
        if (newest == source->shown) continue;
        source->shown = newest;
        source->shown_age_ns = when.ns - newest.ns;
        if (witness == Witness::none) continue;
        source->presented = when;
        source->newest_row.clear();
        source->tail->last(2, [&](std::uint64_t, const model::Tail::Row& row) {
            if (!row.open || source->newest_row.empty())
                source->newest_row = row.text.substr(0, witness_bytes);
        });
    }
}

std::uint64_t BenchState::lost_bytes() const {
    std::uint64_t total = 0;
    for (const std::uint64_t bytes : lost_by_stage()) total += bytes;
    return total;
}

BenchState::LossByStage BenchState::lost_by_stage() const {
    LossByStage lost = lost_of_removed_;
    for (const auto& source : sources_) {
        for (std::size_t i = 0; i < lost.size(); ++i) {
            lost[i] += source->counters->lost[i].load(std::memory_order_relaxed);
        }
    }
    return lost;
}

void BenchState::note(std::string text, bool error) {
    notices_.push_back({mono_now(), error, std::move(text)});
    if (notices_.size() > notices_max) notices_.pop_front();
}

}  // namespace labdeck::ui
