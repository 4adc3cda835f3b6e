// The contract's half of BenchState: what it asks the hub, and what answers and events change.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ui/bench_state.h"
#include "ui/json_reading.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

namespace {

constexpr std::size_t jobs_max = 200;
constexpr std::size_t rate_samples_max = 65'536;
// Over a tenth of a second a port's rate says more about where the polls fell than about the port.
constexpr std::int64_t rate_span_min_ns = 950'000'000;

std::string text_of(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t count_of(const Json& object, const char* key) {
    const auto at = object.find(key);
    // What is negative or no whole number cannot be a count, whoever says so.
    if (at == object.end() || !at->is_number_integer()) return 0;
    return at->is_number_unsigned() || at->get<std::int64_t>() >= 0 ? at->get<std::uint64_t>() : 0;
}

bool ended_badly(const std::string& state) {
    return state == "failed" || state == "timeout";
}

/// A job's error is a text, or an error object as the contract has it.
std::string error_text(const Json& object) {
    const auto at = object.find("error");
    if (at == object.end() || at->is_null()) return {};
    if (at->is_string()) return at->get<std::string>();
    if (!at->is_object()) return at->dump();
    const std::string code = text_of(*at, "code");
    const std::string message = text_of(*at, "message");
    return code.empty() ? message : code + ": " + message;
}

/// A counter that went back belongs to a process that began anew.
std::uint64_t delta(std::uint64_t before, std::uint64_t now) {
    return now >= before ? now - before : now;
}

JobView& job_of(AppView& app, const std::string& job_id) {
    const auto at =
        std::find_if(app.jobs.begin(), app.jobs.end(), [&](const auto& job) { return job.job_id == job_id; });
    if (at != app.jobs.end()) return *at;
    app.jobs.push_front(
        {.job_id = job_id, .app = app.id, .action = {}, .state = {}, .error = {}, .changed = {}});
    if (app.jobs.size() > jobs_max) app.jobs.pop_back();
    return app.jobs.front();
}

/// Keeps which argument an E_BAD_ARG is about, so that it can be told beside its field.
void note_refusal(JobView& job, const Json& error) {
    if (!error.is_object() || text_of(error, "code") != code_name(Code::bad_arg)) return;
    const auto details = error.find("details");
    if (details == error.end() || !details->is_object()) return;
    job.refused_key = text_of(*details, "key");
    job.refused_why = text_of(error, "message");
}

void update_job(JobView& job, const Json& from) {
    if (const std::string action = text_of(from, "actionName"); !action.empty()) job.action = action;
    if (const std::string state = text_of(from, "state"); !state.empty()) job.state = state;
    job.error = error_text(from);
    if (const auto error = from.find("error"); error != from.end()) note_refusal(job, *error);
    job.changed = mono_now();
}

}  // namespace

template <typename Use>
contract::ClientEnd::OnAnswer BenchState::answered(Use use) {
    return [alive = std::weak_ptr<bool>(alive_), use = std::move(use)](auto answer) {
        if (!alive.expired()) use(answer);
    };
}

void BenchState::request(std::string_view method, const Json& params,
                         contract::ClientEnd::OnAnswer on_answer) {
    if (!on_answer) {
        on_answer = [this, name = std::string(method)](auto answer) {
            if (!answer) note(fmt::format("{}: {}", name, answer.error().message), true);
        };
    }
    link_.request(method, params, answered(std::move(on_answer)));
}

void BenchState::ask_apps() {
    if (apps_asked_) return;
    apps_asked_ = true;
    request("app.list", Json::object(), [this](const auto& answer) {
        apps_asked_ = false;
        if (!answer) return note("app.list: " + answer.error().message, true);
        handle_apps(**answer);
    });
}

void BenchState::handle_apps(const Json& response) {
    apps_known_ = true;
    const auto list = response.find("apps");
    if (list == response.end() || !list->is_array()) return;
    for (const Json& item : *list) {
        const std::string id = text_of(item, "appId");
        if (id.empty()) continue;
        AppView* view = app(id);
        const bool fresh = view == nullptr;
        if (fresh) {
            apps_.push_back(std::make_unique<AppView>());
            view = apps_.back().get();
            view->id = id;
            view->title = id;
        }
        if (const std::string title = text_of(item, "title"); !title.empty()) view->title = title;
        view->provider = text_of(item, "provider");
        std::string state = text_of(item, "providerState");
        if (state.empty()) {
            const auto up = item.find("providerUp");
            state = up == item.end() || *up == true ? "up" : "down";
        }
        handle_provider_state(*view, item, state);
        if (fresh && !view->provider_up) refresh_app(id);
    }
}

void BenchState::refresh_app(const std::string& id) {
    ask_status(id);
    request("action.list", {{"appId", id}}, [this, id](const auto& answer) {
        AppView* const view = app(id);
        // While its provider is away an app keeps what it said last; the banner says why.
        if (view == nullptr || !answer) return;
        const Json& response = **answer;
        view->actions = response.is_object() && response.contains("actions") ? response["actions"] : response;
    });
    request("config.get", {{"appId", id}}, [this, id](const auto& answer) {
        AppView* const view = app(id);
        if (view != nullptr && answer) view->config = **answer;
    });
    // Not every provider keeps a list; the events tell of what comes.
    request("action.job.list", {{"appId", id}, {"limit", jobs_max}}, [this, id](const auto& answer) {
        AppView* const view = app(id);
        if (view != nullptr && answer) take_job_list(*view, **answer);
    });
}

void BenchState::take_job_list(AppView& view, const Json& response) {
    const auto list = response.is_object() ? response.find("jobs") : response.end();
    if (list == response.end() || !list->is_array()) return;
    for (const Json& item : *list) {
        const std::string job_id = item.is_object() ? text_of(item, "jobId") : std::string();
        const bool known = job_id.empty() || view.jobs.size() >= jobs_max ||
                           std::any_of(view.jobs.begin(), view.jobs.end(),
                                       [&](const auto& job) { return job.job_id == job_id; });
        if (known) continue;
        JobView job{.job_id = job_id, .app = view.id, .action = {}, .state = {}, .error = {}, .changed = {}};
        update_job(job, item);
        // What somebody asked for long ago is no answer to the form that is open now.
        job.refused_key.clear();
        view.jobs.push_back(std::move(job));
    }
}

MonoTime BenchState::keep_fresh(AppView& view, MonoTime now, std::int64_t period_ns) {
    if (!view.provider_up) return {};
    if (now.ns - view.status_asked_at.ns >= period_ns) ask_status(view.id);
    return {std::max(view.status_asked_at.ns + period_ns, now.ns + period_ns / 4)};
}

void BenchState::ask_status(const std::string& id) {
    AppView* const view = app(id);
    if (view == nullptr) return;
    if (view->status_asked) {
        view->status_stale = true;
        return;
    }
    view->status_asked = true;
    view->status_asked_at = mono_now();
    request("status.get", {{"appId", id}}, [this, id](const auto& answer) {
        AppView* const asked = app(id);
        if (asked == nullptr) return;
        asked->status_asked = false;
        if (answer && (asked->provider_up || asked->status.is_null())) {
            take_status(*asked, **answer);
            if (const std::string title = text_of(asked->status, "appTitle"); !title.empty())
                asked->title = title;
        }
        if (std::exchange(asked->status_stale, false)) ask_status(id);
    });
}

void BenchState::handle_event(const contract::Event& event) {
    const Json& params = *event.params;
    if (event.name == "status.changed") {
        handle_status(params);
    } else if (event.name == "log") {
        handle_log(params);
    } else if (event.name == "job.changed") {
        handle_job(params);
    } else if (event.name == "traffic") {
        handle_traffic(params);
    } else if (event.name == "process.status") {
        supervisor_->take_snapshot(params);
    } else if (event.name == "data.changed") {
        supervisor_->take_change(params);
    } else if (event.name == "updates") {
        handle_update(params);
    }
}

void BenchState::handle_update(const Json& params) {
    updates_.take_event(params);
    const auto info = params.find("info");
    if (text_of(params, "type") != "available" || info == params.end() || !info->is_object()) return;
    const std::string version = text_of(*info, "version");
    if (version.empty()) return;
    const std::string channel = text_of(*info, "channel");
    news_.add(
        {.kind = ui::Notice::Kind::update_available,
         .title = fmt::format("Labdeck {} is available", version.substr(0, 40)),
         .text = channel.empty() ? std::string() : fmt::format("In the channel {}.", channel.substr(0, 40)),
         .script = {},
         .app = {}},
        mono_now());
}

void BenchState::handle_status(const Json& params) {
    AppView* const view = app(text_of(params, "appId"));
    if (view == nullptr) return ask_apps();
    const std::string state = text_of(params, "providerState");
    if (!state.empty()) return handle_provider_state(*view, params, state);
    if (!view->provider_up) return;
    if (!params.contains("running")) return ask_status(view->id);
    take_status(*view, params);
}

void BenchState::take_status(AppView& view, const Json& status) {
    view.status = status;
    view.status_time = mono_now();
    fault_marks_.take(view.id, member_of(status, "faults"), view.status_time);
}

void BenchState::handle_provider_state(AppView& view, const Json& params, const std::string& state) {
    const bool was_up = view.provider_up;
    news_.provider(view.provider, view.id, state, text_of(params, "error"), mono_now());
    view.provider_state = state;
    view.provider_up = state == "up";
    if (view.provider_up) {
        view.banner.clear();
        if (was_up) return;
        refresh_app(view.id);
        // Titles and process models may be others than before.
        if (!view.status.is_null()) ask_apps();
        return;
    }
    const bool is_fault = state != "starting" && state != "stopped" && state != "stopping";
    fault_marks_.take(view.id, {}, mono_now());
    // On its way back: why it went stays readable until it is up.
    if (!is_fault && !view.banner.empty()) return;
    if (!is_fault && !was_up) return;
    const std::string error = text_of(params, "error");
    if (view.banner.empty()) view.banner_since = mono_now();
    view.banner = error.empty() ? fmt::format("{}: {}", view.provider, state) : error;
    const bool said = !notices_.empty() && notices_.back().text == view.banner;
    if (is_fault && !said) note(view.banner, true);
}

void BenchState::handle_log(const Json& params) {
    const std::string text = text_of(params, "text");
    const std::string level = text_of(params, "level");
    const std::string id = text_of(params, "appId");
    if (AppView* const view = app(id)) view->last_line = text;
    if (level == "error") note(id.empty() ? text : id + ": " + text, true);
}

void BenchState::handle_job(const Json& params) {
    AppView* const view = app(text_of(params, "appId"));
    const std::string id = text_of(params, "jobId");
    if (view == nullptr || id.empty()) return;
    JobView& job = job_of(*view, id);
    const bool was_bad = ended_badly(job.state);
    update_job(job, params);
    if (ended_badly(job.state) && !was_bad) {
        note(fmt::format("{} {}: {} {}", view->id, job.action, job.state, job.error), true);
    }
}

void BenchState::invoke(const std::string& id, const std::string& action, const Json& args) {
    AppView* const view = app(id);
    if (view == nullptr) return;
    const std::string placeholder = fmt::format("asked-{}", ++jobs_asked_);
    JobView& asked = job_of(*view, placeholder);
    asked.action = action;
    asked.state = "queued";
    asked.changed = mono_now();
    const Json params{
        {"appId", id}, {"actionName", action}, {"args", args.is_null() ? Json::object() : args}};
    request("action.invoke", params, [this, id, action, placeholder](const auto& answer) {
        AppView* const asked_of = app(id);
        if (asked_of == nullptr) return;
        if (!answer) {
            JobView& job = job_of(*asked_of, placeholder);
            job.state = "failed";
            job.error = answer.error().message;
            note_refusal(job, contract::error_json(answer.error()));
            job.changed = mono_now();
            return note(fmt::format("{} {}: {}", id, action, answer.error().message), true);
        }
        std::erase_if(asked_of->jobs, [&](const JobView& job) { return job.job_id == placeholder; });
        JobView& job = job_of(*asked_of, text_of(**answer, "jobId"));
        job.action = action;
        // An event may have told more than this answer, and before it.
        if (job.state.empty()) update_job(job, **answer);
        if (job.state.empty()) job.state = "queued";
    });
}

void BenchState::handle_traffic(const Json& params) {
    const std::string id = text_of(params, "appId");
    const std::string name = text_of(params, "port");
    auto at = std::find_if(ports_.begin(), ports_.end(),
                           [&](const auto& port) { return port->app == id && port->port == name; });
    const bool fresh = at == ports_.end();
    if (fresh) {
        const std::string label = name.empty() ? id : id + " " + name;
        ports_.push_back(
            std::make_unique<PortView>(PortView{.app = id,
                                                .port = name,
                                                .last = {},
                                                .bytes_per_second = {label, "B/s", rate_samples_max},
                                                .messages_per_second = {label, "1/s", rate_samples_max}}));
        at = ports_.end() - 1;
    }
    PortView& port = **at;
    const MonoTime now = mono_now();
    // The sender's clock: how late an event is handled here must not show as a rate.
    WallTime counted = wall_now();
    parse_rfc3339(text_of(params, "time"), counted);
    const std::int64_t span = counted.ns - port.counted.ns;
    if (!fresh && span >= 0 && span < rate_span_min_ns) return;
    const std::uint64_t rx_bytes = count_of(params, "rxBytes"), tx_bytes = count_of(params, "txBytes");
    const std::uint64_t rx_frames = count_of(params, "rxFrames"), tx_frames = count_of(params, "txFrames");
    if (!fresh && span > 0) {
        const double seconds = static_cast<double>(span) / 1e9;
        const auto per_second = [seconds](std::uint64_t count) {
            return static_cast<double>(count) / seconds;
        };
        port.bytes_per_second.push(
            now, per_second(delta(port.rx_bytes, rx_bytes) + delta(port.tx_bytes, tx_bytes)));
        port.messages_per_second.push(
            now, per_second(delta(port.rx_frames, rx_frames) + delta(port.tx_frames, tx_frames)));
    }
    port.rx_bytes = rx_bytes;
    port.tx_bytes = tx_bytes;
    port.rx_frames = rx_frames;
    port.tx_frames = tx_frames;
    port.errors = count_of(params, "errors");
    port.last = now;
    port.counted = counted;
}

}  // namespace labdeck::ui
