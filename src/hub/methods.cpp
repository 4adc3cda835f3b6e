// The hub's side of the method table: what each row does here.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "hub/core.h"
#include "model/tail.h"

namespace labdeck::hub {

using contract::Caller;
using contract::Json;
using contract::Responder;

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t call_timeout_ns = 10 * ns_per_s;
constexpr std::int64_t job_poll_ns = ns_per_s / 20;

Error unknown_app(const std::string& app) {
    return Error{Code::unsupported_app, fmt::format("no provider hosts the app {}", app), 0,
                 Json{{"key", "appId"}, {"appId", app}}.dump()};
}

Result<Json> unwrap(const Result<std::shared_ptr<const Json>>& answer) {
    if (!answer) return fail(answer.error());
    return **answer;
}

/// What the hub itself knows of a job that it had to end; its provider does not know it any more.
bool answer_ended(Core& core, std::string_view method, const Json& params, const Responder& responder) {
    if (method != "action.job.get" && method != "action.job.cancel") return false;
    const auto job = core.jobs().find(params["appId"].get_ref<const std::string&>(),
                                      params["jobId"].get_ref<const std::string&>());
    if (!job) return false;
    responder.ok(method == "action.job.get" ? *job
                                            : Json{{"jobId", (*job)["jobId"]}, {"state", (*job)["state"]}});
    return true;
}

/// Puts the jobs that the hub ended before those that the provider lists.
Json with_ended(Core& core, const Json& params, const Json& response) {
    Json jobs = Json::array();
    const std::size_t limit = params.value("limit", std::size_t{100});
    const std::string state = params.value("state", "");
    const auto& app = params["appId"].get_ref<const std::string&>();
    for (const JobWatch::EndedJob& ended : core.jobs().ended()) {
        if (jobs.size() >= limit || ended.app != app) continue;
        if (state.empty() || (*ended.job)["state"] == state) jobs.push_back(*ended.job);
    }
    const auto told = response.find("jobs");
    if (told == response.end() || !told->is_array()) return {{"jobs", std::move(jobs)}};
    for (const Json& job : *told) {
        if (jobs.size() < limit && core.jobs().news(app, job)) jobs.push_back(job);
    }
    return {{"jobs", std::move(jobs)}};
}

using Passed = contract::ClientEnd::Passed;
/// Sees a provider's answer on its way to the client. True: it has answered itself.
using Look = std::function<bool(const Passed& passed)>;

void answer_passed(const Passed& passed, const Responder& responder) {
    if (const auto* text = std::get_if<std::string_view>(&passed)) return responder.ok_text(*text);
    responder.answer(unwrap(std::get<1>(passed)));
}

/// A good response as a tree, for a look at it; null for an error.
std::shared_ptr<const Json> response_of(const Passed& passed) {
    if (const auto* text = std::get_if<std::string_view>(&passed)) {
        Result<Json> tree = contract::parse_json(*text);
        return tree ? std::make_shared<const Json>(std::move(*tree)) : nullptr;
    }
    return std::get<1>(passed).value_or(nullptr);
}

/// Whether it may have to be spelled otherwise.
bool says_cancelled(const Passed& passed) {
    const auto* text = std::get_if<std::string_view>(&passed);
    return text == nullptr || text->find("\"cancelled\"") != std::string_view::npos;
}

/// Asks a provider what the hub was asked, and answers what it answered, both as they are spelled.
void pass_on(HostedProvider& host, std::string_view method, const Json& params, const Caller& caller,
             const Responder& responder, Look look) {
    const bool as_spelled = !caller.params_text.empty();
    const std::string written = as_spelled ? std::string() : contract::dump_line(params);
    host.provider->pass_on(
        method, as_spelled ? caller.params_text : written,
        [responder, look = std::move(look)](const Passed& passed) {
            if (!look || !look(passed)) answer_passed(passed, responder);
        },
        call_timeout_ns);
}

/// What the hub wants to know of an answer that passes.
Look look_for(Core& core, std::string_view method, const std::string& app, const Json& params,
              const Responder& responder) {
    if (method == "action.invoke") {
        return [&core, app, action = params["actionName"]](const Passed& passed) {
            const auto response = response_of(passed);
            if (!response || !response->is_object()) return false;
            Json job = *response;
            job["actionName"] = action;
            core.note_job(app, job);
            return false;
        };
    }
    if (method == "action.job.get" || method == "action.job.cancel") {
        return [&core, app, responder](const Passed& passed) {
            const auto response = response_of(passed);
            if (response) core.note_job(app, *response);
            const auto respelled = response ? JobWatch::respelled(*response) : std::nullopt;
            if (respelled) responder.ok(*respelled);
            return respelled.has_value();
        };
    }
    if (method == "action.job.list") {
        return [&core, params, responder](const Passed& passed) {
            const bool as_it_is = core.jobs().ended().empty() && !says_cancelled(passed);
            const auto response = as_it_is ? nullptr : response_of(passed);
            if (!response || !response->is_object()) return false;
            responder.ok(with_ended(core, params, JobWatch::respelled(*response).value_or(*response)));
            return true;
        };
    }
    return {};
}

/// Passes a request on to the provider that hosts params.appId.
void route(Core& core, std::string_view method, const Json& params, const Caller& caller,
           const Responder& responder) {
    const auto& app = params["appId"].get_ref<const std::string&>();
    HostedProvider* const host = core.host_of(app);
    if (host == nullptr) return responder.error(unknown_app(app));
    if (answer_ended(core, method, params, responder)) return;
    pass_on(*host, method, params, caller, responder, look_for(core, method, app, params, responder));
    // What a person presses; the rest is the window's own reading.
    if (method == "action.invoke" || method == "action.job.cancel") core.note_click_at_wire();
}

void status_get(Core& core, const Json& params, const Caller& caller, const Responder& responder) {
    const auto& app = params["appId"].get_ref<const std::string&>();
    HostedProvider* const host = core.host_of(app);
    if (host == nullptr) return responder.error(unknown_app(app));
    if (host->provider->state() != providers::ProviderState::up) {
        return responder.ok(core.status_without_provider(app, *host));
    }
    pass_on(*host, "status.get", params, caller, responder, [&core, app](const Passed& passed) {
        if (const auto* text = std::get_if<std::string_view>(&passed)) {
            core.remember_status(app, *text);
        } else if (const auto response = response_of(passed)) {
            core.remember_status(app, contract::dump_line(*response));
        }
        return false;
    });
}

/// A member of what a provider said, which may have any type.
template <typename T>
T member_or(const Json& object, const char* key, T otherwise) {
    const auto it = object.find(key);
    if (it == object.end()) return otherwise;
    const bool fits = std::is_same_v<T, bool> ? it->is_boolean() : it->is_string();
    return fits ? it->get<T>() : otherwise;
}

bool is_final(const Json& job) {
    static constexpr std::array<std::string_view, 5> finals = {"succeeded", "failed", "timeout", "canceled",
                                                               "cancelled"};
    const std::string state = member_or<std::string>(job, "state", "");
    return std::find(finals.begin(), finals.end(), state) != finals.end();
}

/// The legacy op: invokes, then asks until the job has its final state.
void poll_job(Core& core, const std::string& app, const std::string& job_id, const Responder& responder) {
    HostedProvider* const host = core.host_of(app);
    if (host == nullptr) return responder.error(unknown_app(app));
    const Json params{{"appId", app}, {"jobId", job_id}};
    if (answer_ended(core, "action.job.get", params, responder)) return;
    host->provider->call(
        "action.job.get", params,
        [&core, app, job_id, responder](const auto& answer) {
            if (!answer && answer.error().code == Code::io) {
                // Its provider died over the question. When that is dealt with, the hub has ended the job.
                core.reactor().post([&core, app, job_id, responder, error = answer.error()] {
                    const Json lost{{"appId", app}, {"jobId", job_id}};
                    if (!answer_ended(core, "action.job.get", lost, responder)) responder.error(error);
                });
                return;
            }
            if (!answer || !(*answer)->is_object() || is_final(**answer)) {
                const auto respelled = answer ? JobWatch::respelled(**answer) : std::nullopt;
                return respelled ? responder.ok(*respelled) : responder.answer(unwrap(answer));
            }
            core.reactor().after(job_poll_ns,
                                 [&core, app, job_id, responder] { poll_job(core, app, job_id, responder); });
        },
        call_timeout_ns);
}

void action_run(Core& core, const Json& params, const Responder& responder) {
    const std::string app = params["appId"].get<std::string>();
    HostedProvider* const host = core.host_of(app);
    if (host == nullptr) return responder.error(unknown_app(app));
    host->provider->call(
        "action.invoke", params,
        [&core, app, action = params["actionName"], responder](const auto& answer) {
            if (!answer) return responder.answer(unwrap(answer));
            Json job = **answer;
            if (job.is_object()) job["actionName"] = action;
            core.note_job(app, job);
            const std::string job_id = member_or<std::string>(**answer, "jobId", "");
            if (job_id.empty()) {
                return responder.error(
                    {Code::internal, "the provider accepted the action without a jobId", 0, {}});
            }
            poll_job(core, app, job_id, responder);
        },
        call_timeout_ns);
    core.note_click_at_wire();
}

Json app_list(Core& core) {
    Json apps = Json::array();
    for (const auto& host : core.providers()) {
        const providers::Provider& provider = *host->provider;
        for (const std::string& app : provider.spec().apps) {
            const Json status = core.last_status(app);
            const bool up = provider.state() == providers::ProviderState::up;
            std::string state = "down";
            if (up) state = member_or(status, "running", false) ? "running" : "stopped";
            apps.push_back({{"appId", app},
                            {"title", member_or(status, "appTitle", app)},
                            {"provider", provider.spec().name},
                            {"providerState", providers::provider_state_name(provider.state())},
                            {"state", state},
                            {"processModel", member_or<std::string>(status, "processModel", "process")},
                            {"badLines", provider.bad_lines()},
                            {"error", up ? member_or<std::string>(status, "error", "") : provider.reason()}});
        }
    }
    return {{"apps", std::move(apps)}};
}

Error unknown_source(const std::string& id) {
    return Error{Code::not_found, fmt::format("there is no source {}", id), 0,
                 Json{{"key", "sourceId"}, {"sourceId", id}}.dump()};
}

Json source_row(const SourceRegistry::Source& source) {
    return {{"sourceId", data::source_id_text(source.info.id)},
            {"kind", data::source_kind_name(source.info.kind)},
            {"name", source.info.name},
            {"state", data::source_state_name(source.counters->state.load(std::memory_order_relaxed))}};
}

Json source_stats(SourceRegistry& sources, SourceRegistry::Source& source) {
    source.tail->drain();
    sources.sample(source, mono_now());
    const data::SourceCounters& c = *source.counters;
    Json by_stage = Json::object();
    for (std::size_t i = 1; i < data::loss_stage_count; ++i) {
        by_stage[std::string(data::loss_stage_name(static_cast<data::LossStage>(i)))] =
            c.lost[i].load(std::memory_order_relaxed);
    }
    Json stats = source_row(source);
    stats["bytes"] = c.bytes.load(std::memory_order_relaxed);
    stats["lines"] = c.lines.load(std::memory_order_relaxed);
    stats["reads"] = c.reads.load(std::memory_order_relaxed);
    stats["bytesPerSecond"] = source.bytes_per_second;
    stats["linesPerSecond"] = source.lines_per_second;
    stats["drops"] = c.lost_total();
    stats["dropsByStage"] = std::move(by_stage);
    stats["errors"] = c.errors.load(std::memory_order_relaxed);
    stats["retainedBytes"] = source.tail->retained_bytes();
    const std::int64_t last = c.last_read_ns.load(std::memory_order_relaxed);
    stats["lastRead"] = last == 0 ? Json(nullptr) : Json(rfc3339(wall_of({last})));
    return stats;
}

Json source_tail(SourceRegistry::Source& source, std::uint64_t lines) {
    source.tail->drain();
    Json rows = Json::array();
    source.tail->last(lines, [&rows](std::uint64_t, const model::Tail::Row& row) {
        Json item{{"index", row.line}, {"time", rfc3339(wall_of(row.time))}, {"text", std::string(row.text)}};
        if (row.soft) item["continues"] = true;
        if (row.open) item["open"] = true;
        if (row.gap != nullptr) {
            item["gap"] = {{"stage", data::loss_stage_name(row.gap->stage)}, {"bytes", row.gap->bytes}};
        }
        rows.push_back(std::move(item));
    });
    return {{"lines", std::move(rows)}};
}

/// Ports of this machine that have a driver behind them, by sysfs alone: nothing is opened.
Json serial_list(Core& core) {
    namespace fs = std::filesystem;
    Json ports = Json::array();
    for (const auto& cable : core.cables()) {
        for (const std::string& link : {cable->link_a, cable->link_b}) {
            ports.push_back({{"port", link}, {"kind", "virtual"}, {"cable", cable->spec.name}});
        }
    }
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator("/sys/class/tty", failed)) {
        if (!fs::exists(entry.path() / "device" / "driver", failed)) continue;
        const std::string name = entry.path().filename().string();
        const fs::path driver = fs::read_symlink(entry.path() / "device" / "driver", failed);
        // Consoles and unplugged legacy UARTs hang off the platform's 8250 driver; they are no bench ports.
        if (driver.filename() == "serial8250" || driver.filename() == "port") continue;
        ports.push_back(
            {{"port", "/dev/" + name}, {"kind", "device"}, {"driver", driver.filename().string()}});
    }
    return {{"ports", std::move(ports)}};
}

void serial_pair(Core& core, const Json& params, const Responder& responder) {
    CableSpec spec;
    spec.a = params["a"].get<std::string>();
    spec.b = params["b"].get<std::string>();
    spec.name = spec.a + "-" + spec.b;
    spec.baud = params.value("baud", spec.baud);
    for (const char* key : {"a", "b"}) {
        const std::string end = params[key].get<std::string>();
        if (!is_device_name(end)) {
            return responder.error(contract::bad_arg(key, fmt::format("\"{}\" is no plain file name", end)));
        }
        for (const auto& cable : core.cables()) {
            if (cable->spec.a == end || cable->spec.b == end) {
                return responder.error(Error{Code::busy, fmt::format("a cable has an end {} already", end), 0,
                                             Json{{"key", key}}.dump()});
            }
        }
    }
    if (spec.a == spec.b) return responder.error(contract::bad_arg("b", "both ends have the same name"));
    const Result<Cable*> cable = core.make_cable(std::move(spec));
    if (!cable) return responder.error(cable.error());
    responder.ok({{"sourceId", data::source_id_text((*cable)->a_to_b.id)},
                  {"backSourceId", data::source_id_text((*cable)->b_to_a.id)},
                  {"a", (*cable)->link_a},
                  {"b", (*cable)->link_b}});
}

void subscribe(const Json& params, const Caller& caller, const Responder& responder) {
    Json subscribed = Json::array();
    for (const Json& topic : params["topics"]) {
        caller.end->subscribe(topic.get<std::string>());
        subscribed.push_back(topic);
    }
    responder.ok({{"subscribed", std::move(subscribed)}});
}

void bind_sources(Core& core, contract::Dispatcher& table) {
    table.bind("source.list", [&core](const Json&, const Caller&, const Responder& responder) {
        Json rows = Json::array();
        for (const auto& [id, source] : core.sources().all()) rows.push_back(source_row(*source));
        responder.ok({{"sources", std::move(rows)}});
    });
    const auto with_source = [&core](const Json& params, const Responder& responder, auto use) {
        const std::string text = params["sourceId"].get<std::string>();
        SourceRegistry::Source* const source = core.sources().find(data::source_id_of(text));
        if (source == nullptr) return responder.error(unknown_source(text));
        use(*source);
    };
    table.bind("source.stats",
               [&core, with_source](const Json& params, const Caller&, const Responder& responder) {
                   with_source(params, responder,
                               [&](auto& source) { responder.ok(source_stats(core.sources(), source)); });
               });
    table.bind("source.tail", [with_source](const Json& params, const Caller&, const Responder& responder) {
        with_source(params, responder,
                    [&](auto& source) { responder.ok(source_tail(source, params.value("lines", 100U))); });
    });
    table.bind("serial.list", [&core](const Json&, const Caller&, const Responder& responder) {
        responder.ok(serial_list(core));
    });
    table.bind("serial.pair", [&core](const Json& params, const Caller&, const Responder& responder) {
        serial_pair(core, params, responder);
    });
}

}  // namespace

void bind_methods(Core& core, contract::Dispatcher& table) {
    table.bind("ping", [](const Json&, const Caller&, const Responder& responder) {
        responder.ok({{"pong", true},
                      {"interfaceName", contract::interface_name},
                      {"interfaceVersion", contract::interface_version}});
    });
    table.bind("process.ping",
               [](const Json&, const Caller&, const Responder& responder) { responder.ok("pong"); });
    table.bind("status.get", [&core](const Json& params, const Caller& caller, const Responder& responder) {
        status_get(core, params, caller, responder);
    });
    for (const std::string_view method : {"config.get", "config.set", "action.list", "action.invoke",
                                          "action.job.get", "action.job.cancel", "action.job.list"}) {
        table.bind(method,
                   [&core, method](const Json& params, const Caller& caller, const Responder& responder) {
                       route(core, method, params, caller, responder);
                   });
    }
    table.bind("action.run", [&core](const Json& params, const Caller&, const Responder& responder) {
        action_run(core, params, responder);
    });
    table.bind("events.subscribe",
               [&core](const Json& params, const Caller& caller, const Responder& responder) {
                   subscribe(params, caller, responder);
                   core.supervision().listeners_changed();
               });
    table.bind("app.version", [&core](const Json&, const Caller&, const Responder& responder) {
        responder.ok(core.options().version);
    });
    table.bind("app.list", [&core](const Json&, const Caller&, const Responder& responder) {
        responder.ok(app_list(core));
    });
    table.bind("log.write", [&core](const Json& params, const Caller&, const Responder& responder) {
        core.log(params["level"].get<std::string>(), params["text"].get<std::string>());
        responder.ok(nullptr);
    });
    bind_sources(core, table);
}

}  // namespace labdeck::hub
