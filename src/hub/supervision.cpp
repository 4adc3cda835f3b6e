#include "hub/supervision.h"

#include <fmt/format.h>
#include <malloc.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/thread_role.h"
#include "hub/core.h"
#include "supervise/output_log.h"

namespace labdeck::hub {

using contract::Caller;
using contract::Json;
using contract::Responder;
using supervise::Supervisor;

namespace {

constexpr double bytes_per_mb = 1e6;
constexpr std::int64_t memory_delay_ns = 1'000'000'000;

double rounded(double value) {
    return std::round(value * 100) / 100;
}

Json to_json(const data::ProcessTree& tree) {
    Json processes = Json::array();
    for (const data::ProcessInfo& one : tree.processes) {
        std::string cut;
        processes.push_back({{"pid", one.pid},
                             {"parentPid", one.parent},
                             {"name", supervise::whole_utf8(cut, one.name)},
                             {"state", std::string(1, one.state)},
                             {"cpuPercent", rounded(one.cpu_percent)},
                             {"memMB", rounded(static_cast<double>(one.memory_bytes) / bytes_per_mb)},
                             {"memKind", one.memory_kind == data::MemoryKind::pss ? "pss" : "rss"},
                             {"startTime", rfc3339(one.started)}});
    }
    Json json{{"processes", std::move(processes)}};
    if (tree.more > 0) json["more"] = tree.more;
    return json;
}

}  // namespace

Supervision::Supervision(Core& core, io::Reactor& hub, io::Reactor& pipes, io::Reactor& store)
    : core_(core), hub_(hub), pipes_(pipes), store_(store) {}

Supervision::~Supervision() {
    *alive_ = false;
    if (memory_timer_ != 0) hub_.cancel(memory_timer_);
}

void Supervision::open() {
    const std::string& root = core_.workspace().root();
    auto supervisor = Supervisor::open(root + "/.labdeck/labdeck.db",
                                       {root, root + "/.labdeck/logs", root + "/.labdeck/trees.lock"},
                                       hooks(), hub_, store_);
    if (supervisor) {
        supervisor_ = std::move(*supervisor);
        return;
    }
    why_not_ = supervisor.error();
    core_.log("error", fmt::format("no scripts can be kept: {}", why_not_->message));
}

supervise::SupervisorHooks Supervision::hooks() {
    supervise::SupervisorHooks made;
    made.open_output = [this](const std::string& name, UniqueFd read_end, io::PipeSource::Filter filter,
                              std::shared_ptr<data::Feed> feed) {
        return open_output(name, std::move(read_end), std::move(filter), std::move(feed));
    };
    made.filter_output = [this](const data::SourceInfo& output, const io::PipeSource::Filter& filter) {
        pipes_.post([side = pipe_side_, id = output.id, filter] {
            const auto at = side->sources.find(id);
            if (at != side->sources.end()) at->second->set_filter(filter);
        });
    };
    made.close_output = [this](const data::SourceInfo& output) {
        pipes_.post([side = pipe_side_, id = output.id] { side->sources.erase(id); });
        core_.sources().remove(output.id);
        give_memory_back();
    };
    made.publish = [this](std::string_view event, const Json& params) { core_.publish(event, params); };
    made.subscribed = [this](std::string_view event) { return core_.subscribed(event); };
    made.log = [this](std::string_view level, std::string text) { core_.log(level, std::move(text)); };
    made.at_login = [this](const std::vector<std::string>& profiles) {
        if (!core_.options().at_login) return;
        const auto kept = core_.options().at_login(core_.workspace().root(), profiles);
        if (!kept) core_.log("error", fmt::format("start at login: {}", kept.error().message));
    };
    made.watch = [this](std::vector<data::WatchedProcess> processes) {
        watched_ = std::move(processes);
        core_.watch_processes();
    };
    return made;
}

data::SourceInfo Supervision::open_output(const std::string& name, UniqueFd read_end,
                                          io::PipeSource::Filter filter, std::shared_ptr<data::Feed> feed) {
    const data::SourceInfo info = core_.sources().reserve(data::SourceKind::pipe, name);
    const io::PipeSource::Limits limits{core_.options().retained_bytes, core_.options().ahead_bytes};
    auto feeds = std::make_shared<SourceRegistry::Feeds>(
        core_.sources().open(info, limits.retained_bytes, limits.ahead_bytes));
    feeds->feeds.push_back(std::move(feed));
    auto shared_fd = std::make_shared<UniqueFd>(std::move(read_end));
    pipes_.post([this, feeds, shared_fd, info, limits, filter = std::move(filter), side = pipe_side_,
                 alive = alive_] {
        pipe_thread.check();
        auto source = io::PipeSource::create(pipes_, std::move(*shared_fd), info, limits, nullptr);
        if (!source) {
            hub_.post([this, alive, text = source.error().message] {
                if (*alive) core_.log("error", text);
            });
            return;
        }
        for (auto& each : feeds->feeds) (*source)->writer().add_feed(std::move(each));
        feeds->announce((*source)->writer().counters());
        (*source)->set_filter(filter);
        side->sources.emplace(info.id, std::move(*source));
    });
    return info;
}

// Of many small free pieces the allocator gives none back by itself. Later, when the window has let go of its
// own, and on a thread that may be held up.
void Supervision::give_memory_back() {
    if (memory_timer_ != 0) return;
    memory_timer_ = hub_.after(memory_delay_ns, [this] {
        memory_timer_ = 0;
        store_.post([] { ::malloc_trim(0); });
    });
}

void Supervision::bind(contract::Dispatcher& table) {
    using Call = std::function<Result<Json>(Supervisor&, const Json& params)>;
    const auto bind = [&](std::string_view method, Call call) {
        table.bind(method,
                   [this, call = std::move(call)](const Json& params, const Caller&, Responder responder) {
                       if (!supervisor_) return responder.error(*why_not_);
                       responder.answer(call(*supervisor_, params));
                   });
    };
    const auto bind_id = [&](std::string_view method, auto call) {
        bind(method, [call](Supervisor& s, const Json& p) { return (s.*call)(p["id"].get<std::string>()); });
    };
    // What is answered once it is known.
    const auto bind_start = [&](std::string_view method, auto call) {
        table.bind(method, [this, call](const Json& params, const Caller&, const Responder& responder) {
            if (!supervisor_) return responder.error(*why_not_);
            ((*supervisor_).*call)(params["id"].get<std::string>(),
                                   [responder](Result<Json> result) { responder.answer(std::move(result)); });
        });
    };
    bind("scripts.list", [](Supervisor& s, const Json&) { return s.list_scripts(); });
    bind("scripts.create", [](Supervisor& s, const Json& p) { return s.create_script(p); });
    bind("scripts.upsert", [](Supervisor& s, const Json& p) { return s.upsert_script(p); });
    bind_id("scripts.delete", &Supervisor::delete_script);
    bind("profiles.list", [](Supervisor& s, const Json&) { return s.list_profiles(); });
    bind("profiles.upsert", [](Supervisor& s, const Json& p) { return s.upsert_profile(p); });
    bind_id("profiles.delete", &Supervisor::delete_profile);
    bind_id("profiles.startAll", &Supervisor::start_profile);
    bind_id("profiles.stopAll", &Supervisor::stop_profile);
    bind("settings.get", [](Supervisor& s, const Json&) { return s.settings(); });
    bind("settings.update", [](Supervisor& s, const Json& p) -> Result<Json> {
        LD_TRY(Updating::check_settings(p));
        return s.update_settings(p);
    });
    bind("data.export", [](Supervisor& s, const Json&) { return s.export_all(); });
    bind("data.import",
         [](Supervisor& s, const Json& p) { return s.import_all(p["data"], p["mode"].get<std::string>()); });
    bind("data.preview", [](Supervisor& s, const Json& p) {
        return s.preview_import(p["data"], p["mode"].get<std::string>());
    });
    bind_start("process.start", &Supervisor::start_script);
    bind_id("process.stop", &Supervisor::stop_script);
    bind_start("process.restart", &Supervisor::restart_script);
    bind_id("process.killTree", &Supervisor::kill_script);
    bind_id("process.snapshot", &Supervisor::snapshot);
    bind("process.snapshots", [](Supervisor& s, const Json&) { return s.snapshots(); });
    bind_id("process.readLog", &Supervisor::read_log);
    table.bind("process.tree", [this](const Json& params, const Caller&, const Responder& responder) {
        if (!supervisor_) return responder.error(*why_not_);
        const auto keeper = supervisor_->keeper(params["id"].get<std::string>());
        if (!keeper) return responder.error(keeper.error());
        core_.read_tree(*keeper,
                        [responder](const data::ProcessTree& tree) { responder.answer(to_json(tree)); });
    });
}

void Supervision::stop(std::int64_t grace_ns_max, std::function<void()> done) {
    if (!supervisor_) return done();
    supervisor_->stop(grace_ns_max, std::move(done));
}

Json Supervision::settings() const {
    if (!supervisor_) return Json::object();
    return supervisor_->settings().value_or(Json::object());
}

void Supervision::measured(const data::SampleBatch& batch) {
    if (supervisor_) supervisor_->measured(batch);
}

void Supervision::listeners_changed() {
    if (supervisor_) supervisor_->listeners_changed();
}

}  // namespace labdeck::hub
