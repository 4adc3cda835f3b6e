#include "supervise/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "supervise/command_probe.h"
#include "supervise/http_get.h"
#include "supervise/port_probe.h"
#include "supervise/secret_mask.h"

namespace labdeck::supervise {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

enum class Part : unsigned char { port, url, command };

std::vector<Part> parts_of(const HealthCheck& check) {
    std::vector<Part> parts;
    if (check.port) parts.push_back(Part::port);
    if (check.url) parts.push_back(Part::url);
    if (check.command) parts.push_back(Part::command);
    return parts;
}

}  // namespace

struct HealthProbe::Impl {
    Impl(io::Reactor& reactor_, OnResult on_result_, OnIdle on_idle_)
        : reactor(reactor_),
          on_result(std::move(on_result_)),
          on_idle(std::move(on_idle_)),
          port(reactor_),
          page(reactor_),
          command(reactor_, [this] {
              if (!runs) on_idle();
          }) {}
    ~Impl() { stop(); }

    void start(Patient next);
    void stop();
    void begin();
    void try_part();
    void part_done(std::string why);
    void part_late();
    void finish(bool good, const std::string& why);
    void cancel_timers();

    io::Reactor& reactor;
    const OnResult on_result;
    const OnIdle on_idle;
    PortProbe port;
    HttpGet page;
    CommandProbe command;

    Patient patient;
    SecretMask mask;
    std::vector<Part> parts;
    std::int64_t interval_ns = 0;
    std::int64_t timeout_ns = 0;
    bool runs = false;
    bool was_good = false;       // In this run.
    std::size_t at = 0;          // The part that is being tried.
    MonoTime begun;              // Of the last probe.
    MonoTime bad_counts_from;    // A bad result of a probe that begins earlier is left out.
    io::TimerId next_timer = 0;  // The next probe.
    io::TimerId late_timer = 0;  // The part's time-out.
};

void HealthProbe::Impl::start(Patient next) {
    stop();
    patient = std::move(next);
    mask = SecretMask::of_env(patient.env);
    parts = parts_of(patient.check);
    interval_ns = patient.check.interval_ms.value_or(interval_ms_default) * ns_per_ms;
    timeout_ns = patient.check.timeout_ms.value_or(timeout_ms_default) * ns_per_ms;
    was_good = false;
    bad_counts_from = {};
    if (parts.empty()) return;
    runs = true;
    next_timer = reactor.after(0, [this] { begin(); });
}

void HealthProbe::Impl::stop() {
    runs = false;
    cancel_timers();
    port.cancel();
    page.cancel();
    command.cancel();
}

void HealthProbe::Impl::cancel_timers() {
    for (io::TimerId* timer : {&next_timer, &late_timer}) {
        if (*timer != 0) reactor.cancel(std::exchange(*timer, 0));
    }
}

void HealthProbe::Impl::begin() {
    next_timer = 0;
    begun = mono_now();
    at = 0;
    try_part();
}

void HealthProbe::Impl::try_part() {
    late_timer = reactor.after(timeout_ns, [this] { part_late(); });
    const auto done = [this](std::string why) { part_done(std::move(why)); };
    switch (parts[at]) {
        case Part::port:
            return port.start(*patient.check.port, patient.keeper, done);
        case Part::url:
            return page.start(*patient.check.url, done);
        case Part::command: {
            io::SpawnRequest request = patient.shell;
            request.argv = {"/bin/sh", "-c", *patient.check.command};
            return command.start(std::move(request), done);
        }
    }
}

void HealthProbe::Impl::part_done(std::string why) {
    cancel_timers();
    if (!why.empty()) return finish(false, why);
    if (++at == parts.size()) return finish(true, {});
    try_part();
}

void HealthProbe::Impl::part_late() {
    late_timer = 0;
    std::string why = fmt::format("no answer within {}", age_text(timeout_ns));
    switch (parts[at]) {
        case Part::port:
            port.cancel();
            why = fmt::format("port {}: {}", *patient.check.port, why);
            break;
        case Part::url:
            page.cancel();
            why = fmt::format("{}: {}", HttpGet::title(*patient.check.url), why);
            break;
        case Part::command:
            command.cancel();
            break;
    }
    finish(false, why);
}

// The result comes last, as it may well stop us.
void HealthProbe::Impl::finish(bool good, const std::string& why) {
    was_good = was_good || good;
    const bool counts = good || begun >= bad_counts_from;
    if (counts) bad_counts_from = MonoTime{begun.ns + interval_ns};
    const std::int64_t pause_ns = was_good ? interval_ns : std::min(interval_ns, eager_ns);
    // From a bad one that counts to the next, the rhythm is the interval's.
    std::int64_t next_ns = begun.ns + pause_ns;
    if (!was_good && begun < bad_counts_from) next_ns = std::min(next_ns, bad_counts_from.ns);
    next_timer = reactor.after(next_ns - mono_now().ns, [this] { begin(); });
    if (counts) on_result(good, good ? std::string() : mask.masked(why));
}

HealthProbe::HealthProbe(io::Reactor& reactor, OnResult on_result, OnIdle on_idle)
    : impl_(std::make_unique<Impl>(reactor, std::move(on_result), std::move(on_idle))) {}
HealthProbe::~HealthProbe() = default;

void HealthProbe::start(Patient patient) {
    impl_->start(std::move(patient));
}
void HealthProbe::stop() {
    impl_->stop();
}
bool HealthProbe::runs() const noexcept {
    return impl_->runs;
}
const HealthCheck& HealthProbe::check() const noexcept {
    return impl_->patient.check;
}
bool HealthProbe::idle() const noexcept {
    return !impl_->runs && impl_->command.idle();
}

}  // namespace labdeck::supervise
