#include "bench_apps/provider_host.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/assert.h"
#include "bench_apps/ble_app.h"
#include "bench_apps/bridge_app.h"
#include "bench_apps/plc_app.h"
#include "bench_apps/station_app.h"
#include "contract/envelope.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t traffic_ns = 100'000'000;

template <typename App>
std::unique_ptr<BenchApp> make(const AppContext& context) {
    return std::make_unique<App>(context);
}

struct AppKind {
    std::string_view id;
    std::unique_ptr<BenchApp> (*make)(const AppContext& context);
};
constexpr std::array<AppKind, 4> app_kinds = {{
    {"bridge", make<BridgeApp>},
    {"40318", make<StationApp>},
    {"plc-simulator", make<PlcApp>},
    {"ble-simulator", make<BleApp>},
}};

std::unique_ptr<BenchApp> make_app(std::string_view id, const AppContext& context) {
    for (const AppKind& kind : app_kinds) {
        if (kind.id == id) return kind.make(context);
    }
    LD_ASSERT(!"an app that no provider can host");
    return nullptr;
}

}  // namespace

const std::vector<std::string_view>& provider_apps() {
    static const std::vector<std::string_view> ids = [] {
        std::vector<std::string_view> all;
        for (const AppKind& kind : app_kinds) all.push_back(kind.id);
        return all;
    }();
    return ids;
}

ProviderHost::ProviderHost(io::Reactor& reactor, const ProviderOptions& options, Send send, Log log)
    : reactor_(reactor),
      log_(std::move(log)),
      end_(dispatcher_, std::move(send),
           [this](std::string text) { log_(LogLevel::warning, "provider", text); }),
      jobs_(reactor, [this](const Job& job) { job_changed(job); }) {
    const std::filesystem::path root = std::filesystem::absolute(options.workspace).lexically_normal();
    const AppContext context{reactor, root, root / options.config_dir,
                             [this](std::string_view app, LogLevel level, const std::string& text) {
                                 publish_log(app, level, text);
                             },
                             [this](std::string_view app) { publish_status(app); }};
    if (options.apps.empty()) {
        for (const AppKind& kind : app_kinds) apps_.push_back(kind.make(context));
    } else {
        for (const std::string& id : options.apps) apps_.push_back(make_app(id, context));
    }
    bind_methods();
    bind_app_methods();
    bind_job_methods();
}

ProviderHost::~ProviderHost() {
    if (second_timer_ != 0) reactor_.cancel(second_timer_);
    if (traffic_timer_ != 0) reactor_.cancel(traffic_timer_);
}

void ProviderHost::start_apps() {
    for (const auto& app : apps_) app->start_by_itself();
}

void ProviderHost::stop_apps() {
    for (const auto& app : apps_) app->shut_down();
}

Result<BenchApp*> ProviderHost::app_of(const Json& params) const {
    const auto& id = params.at("appId").get_ref<const std::string&>();
    for (const auto& app : apps_) {
        if (app->identity().id == id) return app.get();
    }
    return fail(Code::unsupported_app, "nobody hosts the app " + id,
                Json{{"appId", id}}.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void ProviderHost::bind_of_app(std::string_view method,
                               std::function<Result<Json>(BenchApp& app, const Json& params)> handler) {
    dispatcher_.bind(method, [this, handler = std::move(handler)](const Json& params, const contract::Caller&,
                                                                  const Respond& respond) {
        const Result<BenchApp*> app = app_of(params);
        respond.answer(app ? handler(**app, params) : fail(app.error()));
    });
}

void ProviderHost::bind_methods() {
    dispatcher_.bind("ping", [](const Json&, const contract::Caller&, const Respond& respond) {
        static const Json pong{{"pong", true},
                               {"interfaceName", contract::interface_name},
                               {"interfaceVersion", contract::interface_version}};
        respond.ok(pong);
    });
    dispatcher_.bind("app.list", [this](const Json&, const contract::Caller&, const Respond& respond) {
        respond.ok(app_list());
    });
    dispatcher_.bind("events.subscribe",
                     [this](const Json& params, const contract::Caller&, const Respond& respond) {
                         for (const Json& topic : params.at("topics"))
                             end_.subscribe(topic.get_ref<const std::string&>());
                         keep_time();
                         respond.ok({{"subscribed", params.at("topics")}});
                     });
}

void ProviderHost::bind_app_methods() {
    bind_of_app("status.get", [](BenchApp& app, const Json&) -> Result<Json> { return app.status(); });
    bind_of_app("config.get", [](BenchApp& app, const Json&) -> Result<Json> { return app.config().view(); });
    bind_of_app("config.set", [](BenchApp& app, const Json& params) -> Result<Json> {
        return app.config().set(params.at("key").get<std::string>(), params.at("value"), app.pid());
    });
    bind_of_app("action.list", [](BenchApp& app, const Json&) -> Result<Json> { return app.action_list(); });
}

void ProviderHost::bind_job_methods() {
    bind_of_app("action.invoke", [this](BenchApp& app, const Json& params) -> Result<Json> {
        const JobHandle job = LD_TRY(invoke(app, params));
        const Json whole = job->json(false);
        return Json{
            {"jobId", job->id()}, {"state", whole.at("state")}, {"acceptedAt", whole.at("acceptedAt")}};
    });
    bind_of_app("action.job.get", [this](BenchApp& app, const Json& params) -> Result<Json> {
        return LD_TRY(job_of(app, params))->json(true);
    });
    bind_of_app("action.job.cancel", [this](BenchApp& app, const Json& params) -> Result<Json> {
        const JobHandle job = LD_TRY(job_of(app, params));
        jobs_.cancel(job);
        return Json{{"jobId", job->id()}, {"state", job_state_name(job->state())}};
    });
    bind_of_app("action.job.list", [this](BenchApp& app, const Json& params) -> Result<Json> {
        Json list = Json::array();
        const auto limit = static_cast<std::size_t>(params.value("limit", 100));
        for (const JobHandle& job :
             jobs_.list(app.identity().id, params.value("state", std::string()), limit)) {
            list.push_back(job->json(false));
        }
        return Json{{"jobs", std::move(list)}};
    });
    dispatcher_.bind("action.run",
                     [this](const Json& params, const contract::Caller&, const Respond& respond) {
                         const Result<BenchApp*> app = app_of(params);
                         const Result<JobHandle> job = app ? invoke(**app, params) : fail(app.error());
                         if (!job) return respond.error(job.error());
                         jobs_.when_final(*job, [respond](const Job& done) { respond.ok(done.json(true)); });
                     });
}

Result<JobHandle> ProviderHost::job_of(const BenchApp& app, const Json& params) const {
    const auto& id = params.at("jobId").get_ref<const std::string&>();
    JobHandle job = jobs_.find(app.identity().id, id);
    if (!job) return fail(Code::not_found, std::string(app.identity().id) + " has no job " + id);
    return job;
}

Result<JobHandle> ProviderHost::invoke(BenchApp& app, const Json& params) {
    const auto& name = params.at("actionName").get_ref<const std::string&>();
    const ActionSpec* action = app.find_action(name);
    if (action == nullptr)
        return fail(Code::not_found, std::string(app.identity().id) + " has no action " + name);
    Json args = LD_TRY(check_args(*action, params.value("args", Json::object())));
    return jobs_.start(
        std::string(app.identity().id), *action,
        [&app, name, args = std::move(args)](const JobHandle& job) { app.perform(name, args, job); });
}

Json ProviderHost::app_list() const {
    Json list = Json::array();
    for (const auto& app : apps_) {
        list.push_back({{"appId", app->identity().id},
                        {"title", app->identity().title},
                        {"provider", nullptr},
                        {"state", app->running() ? "running" : "stopped"},
                        {"processModel", process_model_name(app->identity().model)}});
    }
    return {{"apps", std::move(list)}};
}

/// Has the timers run while an app does; a provider that hosts only stopped apps sleeps.
void ProviderHost::keep_time() {
    const bool runs = std::any_of(apps_.begin(), apps_.end(), [](const auto& app) { return app->running(); });
    const auto set = [&](io::TimerId& timer, bool wanted, std::int64_t period_ns,
                         std::function<void()> call) {
        if (wanted && timer == 0) timer = reactor_.every(period_ns, std::move(call));
        if (!wanted && timer != 0) reactor_.cancel(std::exchange(timer, 0));
    };
    set(second_timer_, runs, second_ns, [this] {
        for (const auto& app : apps_) app->second_passed();
    });
    set(traffic_timer_, runs && end_.subscribed("traffic"), traffic_ns, [this] { publish_traffic(); });
}

void ProviderHost::publish_status(std::string_view id) {
    keep_time();
    if (!end_.subscribed("status.changed")) return;
    for (const auto& app : apps_) {
        if (app->identity().id == id) end_.publish("status.changed", app->status());
    }
}

void ProviderHost::job_changed(const Job& job) {
    if (end_.subscribed("job.changed")) end_.publish("job.changed", job.json(false));
    if (job.state() != JobState::failed && job.state() != JobState::timeout) return;
    const Json whole = job.json(false);
    publish_log(job.app(), LogLevel::warning,
                whole["actionName"].get<std::string>() + ": " + whole["error"]["message"].get<std::string>());
}

void ProviderHost::publish_log(std::string_view app, LogLevel level, const std::string& text) {
    log_(level, app, text);
    if (!end_.subscribed("log")) return;
    end_.publish(
        "log",
        {{"appId", app}, {"level", log_level_name(level)}, {"text", text}, {"time", rfc3339(wall_now())}});
}

void ProviderHost::publish_traffic() {
    for (const auto& app : apps_) {
        if (!app->running()) continue;
        const std::vector<PortTraffic> now = app->traffic();
        std::vector<PortTraffic>& told = told_traffic_[std::string(app->identity().id)];
        for (std::size_t i = 0; i < now.size(); ++i) {
            const PortTraffic& port = now[i];
            if (i < told.size() && told[i] == port) continue;
            end_.publish("traffic", {{"appId", app->identity().id},
                                     {"port", port.port},
                                     {"rxBytes", port.rx_bytes},
                                     {"txBytes", port.tx_bytes},
                                     {"rxFrames", port.rx_frames},
                                     {"txFrames", port.tx_frames},
                                     {"errors", port.errors},
                                     {"time", rfc3339(wall_now())}});
        }
        told = now;
    }
}

}  // namespace labdeck::bench_apps
