#include "hub/core.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <future>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/thread_role.h"
#include "supervise/secret_filter.h"

namespace labdeck::hub {

using contract::Json;

namespace {

constexpr std::int64_t stop_grace_ns = 3'000'000'000;
constexpr std::int64_t sample_period_ns = 1'000'000'000;
constexpr std::int64_t job_look_ns = 500'000'000;
constexpr std::int64_t get_to_know_ns = 10'000'000'000;
constexpr std::size_t tree_processes_max = 500;
constexpr std::size_t cable_retained_bytes = 8U << 20;
constexpr std::size_t log_retained_bytes = 4U << 20;

/// What a client or a provider says must look like nobody else's line, and must not speak to a terminal.
std::string as_one_line(std::string_view text) {
    constexpr std::size_t bytes_max = 8U << 10;
    const std::string_view shown = text.substr(0, bytes_max);
    std::string line;
    for (const char c : shown) {
        if (c == '\n') {
            line += "\\n";
        } else if (c == '\t' || c < 0 || (c >= ' ' && c != 0x7f)) {
            line += c;
        } else {
            line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    if (shown.size() < text.size()) line += fmt::format(" … ({} bytes)", text.size());
    return line;
}

/// Runs `work` on a reactor's thread and waits for its result. Only while opening, when that thread does
/// nothing else yet.
template <typename Work>
auto run_on(io::Reactor& reactor, Work work) {
    std::promise<decltype(work())> promise;
    auto result = promise.get_future();
    reactor.post([&] { promise.set_value(work()); });
    return result.get();
}

}  // namespace

Core::Core(Workspace& workspace, HubOptions& options, io::Reactor& hub, io::Reactor& pipes,
           io::Reactor& serial, io::Reactor& store)
    : workspace_(workspace),
      options_(options),
      hub_(hub),
      pipes_(pipes),
      serial_(serial),
      sources_(hub, options.inbox),
      supervision_(std::make_unique<Supervision>(*this, hub, pipes, store)),
      updating_(std::make_unique<Updating>(*this, hub)) {}

Core::~Core() {
    if (job_timer_ != 0) hub_.cancel(job_timer_);
    *alive_ = false;
}

Result<> Core::open() {
    bind_methods(*this, dispatcher_);
    supervision_->bind(dispatcher_);
    updating_->bind(dispatcher_);
    open_log();
    if (options_.inbox != nullptr) LD_TRY(start_sampler());
    for (const CableSpec& spec : workspace_.bench().cables) LD_TRY(make_cable(spec));
    LD_TRY(open_socket());
    if (options_.link != nullptr) {
        window_end_ = std::make_unique<contract::ServerEnd>(
            dispatcher_, [](std::string) {}, [this](std::string text) { log("warning", std::move(text)); });
        options_.link->on_hub_wake([this, alive = alive_] {
            hub_.post([this, alive] {
                if (*alive) serve_window();
            });
        });
        serve_window();
    }
    LD_TRY(open_providers());
    LD_TRY(open_commands());
    supervision_->open();
    watch_processes();
    return {};
}

Result<> Core::start_sampler() {
    sampler_ = LD_TRY(io::ProcSampler::start(
        sample_period_ns, [this, alive = alive_, inbox = options_.inbox, scripts_run = scripts_run_,
                           poster = hub_.poster()](const std::shared_ptr<const data::SampleBatch>& batch) {
            if (!scripts_run->load(std::memory_order_relaxed)) {
                if (inbox != nullptr) inbox->put(batch);
                return;
            }
            poster.post([this, alive, batch] {
                if (*alive) measured(batch);
            });
        }));
    return {};
}

void Core::measured(std::shared_ptr<const data::SampleBatch> batch) {
    gathered_.emplace();
    supervision_->measured(*batch);
    std::vector<contract::Event> events = std::move(*gathered_);
    gathered_.reset();
    if (options_.link != nullptr) options_.link->put_all(std::move(events));
    // This wakes the window, which finds both.
    if (options_.inbox != nullptr) options_.inbox->put(std::move(batch));
}

void Core::open_log() {
    const data::SourceInfo info = sources_.reserve(data::SourceKind::pipe, "labdeck");
    log_ = std::make_unique<data::SourceWriter>(info, (2 * log_retained_bytes) / data::Block::bytes_max,
                                                data::SourceWriter::WhenFull::count, [] {});
    auto feeds = sources_.open(info, log_retained_bytes, log_retained_bytes);
    for (auto& feed : feeds.feeds) log_->add_feed(std::move(feed));
    feeds.announce(log_->counters());
}

void Core::log(std::string_view level, std::string text) {
    std::string upper(level);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const std::string line = fmt::format("{} {:<7} hub: {}\n", rfc3339(wall_now()), upper, as_one_line(text));
    if (options_.log_to_stderr) std::fputs(line.c_str(), stderr);
    log_->write(line, mono_now());
    log_->notify();
}

Result<Cable*> Core::make_cable(CableSpec spec) {
    auto cable = std::make_unique<Cable>();
    cable->link_a = workspace_.device_path(spec.a);
    cable->link_b = workspace_.device_path(spec.b);
    cable->a_to_b = sources_.reserve(data::SourceKind::serial, fmt::format("{} > {}", spec.a, spec.b));
    cable->b_to_a = sources_.reserve(data::SourceKind::serial, fmt::format("{} > {}", spec.b, spec.a));
    io::NullModemRequest request;
    request.link_a = cable->link_a;
    request.link_b = cable->link_b;
    request.a_to_b = cable->a_to_b;
    request.b_to_a = cable->b_to_a;
    request.baud = spec.baud;
    request.retained_bytes = cable_retained_bytes;
    auto forth = sources_.open(cable->a_to_b, cable_retained_bytes, cable_retained_bytes);
    auto back = sources_.open(cable->b_to_a, cable_retained_bytes, cable_retained_bytes);
    LD_TRY(run_on(serial_, [&]() -> Result<> {
        serial_thread.check();
        auto made = io::NullModem::create(serial_, std::move(request));
        if (!made) return fail(std::move(made).error());
        for (auto& feed : forth.feeds) (*made)->a_to_b().add_feed(std::move(feed));
        for (auto& feed : back.feeds) (*made)->b_to_a().add_feed(std::move(feed));
        forth.announce((*made)->a_to_b().counters());
        back.announce((*made)->b_to_a().counters());
        serial_side_->cables.push_back(std::move(*made));
        return {};
    }));
    cable->spec = std::move(spec);
    cables_.push_back(std::move(cable));
    return cables_.back().get();
}

void Core::open_pipe_source(UniqueFd fd, const data::SourceInfo& info,
                            const std::map<std::string, std::string>& env) {
    auto feeds = std::make_shared<SourceRegistry::Feeds>(
        sources_.open(info, options_.retained_bytes, options_.ahead_bytes));
    auto shared_fd = std::make_shared<UniqueFd>(std::move(fd));
    const io::PipeSource::Limits limits{options_.retained_bytes, options_.ahead_bytes};
    const io::PipeSource::Filter filter = supervise::secret_filter({env.begin(), env.end()});
    pipes_.post([this, feeds, shared_fd, info, limits, filter, side = pipe_side_, alive = alive_] {
        pipe_thread.check();
        auto ended = [this, alive, name = info.name](int os) {
            if (os == 0) return;
            hub_.post([this, alive, name, os] {
                if (*alive) log("error", os_error_value("read " + name, os).message);
            });
        };
        auto source = io::PipeSource::create(pipes_, std::move(*shared_fd), info, limits, std::move(ended));
        if (!source) {
            hub_.post([this, alive, text = source.error().message] {
                if (*alive) log("error", text);
            });
            return;
        }
        for (auto& feed : feeds->feeds) (*source)->writer().add_feed(std::move(feed));
        feeds->announce((*source)->writer().counters());
        (*source)->set_filter(filter);
        side->sources.push_back(std::move(*source));
    });
}

Result<> Core::open_providers() {
    for (const ProgramSpec& program : workspace_.bench().providers) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os_error("pipe");
        UniqueFd read_end(ends[0]);
        auto host = std::make_unique<HostedProvider>();
        host->stderr_write.reset(ends[1]);
        host->log = sources_.reserve(data::SourceKind::provider, program.name);
        open_pipe_source(std::move(read_end), host->log, program.env);

        providers::ProviderSpec spec;
        spec.name = program.name;
        spec.command = program.command;
        spec.apps = program.apps;
        spec.cwd = program.cwd;
        spec.env = program.env;
        spec.restart = program.restart;
        spec.backoff_ms = program.backoff_ms;
        spec.restarts_max = program.restarts_max;
        HostedProvider* const raw = host.get();
        providers::Provider::Hooks hooks;
        hooks.event = [this, raw](const contract::Event& event) { provider_event(*raw, event); };
        hooks.state_changed = [this, raw] { provider_changed(*raw); };
        hooks.log = [this](std::string_view level, std::string text) { log(level, std::move(text)); };
        host->provider = std::make_unique<providers::Provider>(hub_, std::move(spec), raw->stderr_write.get(),
                                                               std::move(hooks));
        providers_.push_back(std::move(host));
    }
    // All are known before the first one speaks.
    for (const auto& host : providers_) host->provider->start();
    return {};
}

Result<> Core::open_commands() {
    for (const ProgramSpec& spec : workspace_.bench().commands) {
        auto command = std::make_unique<RunningCommand>();
        command->spec = spec;
        io::SpawnRequest request{spec.command, spec.cwd, spec.env};
        Result<io::ChildProcess> child = io::ChildProcess::spawn(request);
        if (!child) {
            log("error", fmt::format("command {}: {}", spec.name, child.error().message));
            continue;
        }
        command->child = std::move(*child);
        command->child->stdin_fd.reset();
        command->output = sources_.reserve(data::SourceKind::pipe, spec.name);
        open_pipe_source(std::move(command->child->stdout_fd), command->output, spec.env);
        open_pipe_source(std::move(command->child->stderr_fd),
                         sources_.reserve(data::SourceKind::pipe, spec.name + " stderr"), spec.env);
        RunningCommand* const raw = command.get();
        command->exit_watch =
            LD_TRY(hub_.watch(command->child->exit_fd(), EPOLLIN, [this, raw](std::uint32_t) {
                io::ExitStatus status;
                if (!raw->child->reap(status)) return;
                hub_.unwatch(raw->exit_watch);
                raw->child.reset();
                log("info", fmt::format("command {} ended: {}", raw->spec.name, io::exit_text(status)));
                watch_processes();
            }));
        commands_.push_back(std::move(command));
    }
    return {};
}

Result<> Core::open_socket() {
    listener_ = LD_TRY(io::UnixListener::create(hub_, workspace_.socket_path(),
                                                [this](UniqueFd peer) { accept(std::move(peer)); }));
    return {};
}

void Core::accept(UniqueFd peer) {
    const std::uint64_t id = next_client_++;
    auto client = std::make_unique<SocketClient>();
    SocketClient* const raw = client.get();
    raw->end = std::make_unique<contract::ServerEnd>(
        dispatcher_,
        [raw](std::string lines) {
            if (raw->channel) raw->channel->send(lines);
        },
        [this](std::string text) { log("warning", std::move(text)); });
    io::ByteChannel::Handler handler;
    handler.received = [raw](std::string_view bytes) { raw->end->receive(bytes); };
    handler.closed = [this, id](const Error& why) {
        if (why.code == Code::queue_full) log("warning", fmt::format("client {}: {}", id, why.message));
        // The channel is still on the stack: it goes in the next round.
        hub_.post([this, alive = alive_, id] {
            if (!*alive) return;
            clients_.erase(id);
            supervision_->listeners_changed();
        });
    };
    raw->channel = std::make_unique<io::ByteChannel>(hub_, std::move(peer), UniqueFd{}, std::move(handler),
                                                     io::ByteChannel::Limits{});
    clients_.emplace(id, std::move(client));
}

void Core::serve_window() {
    contract::LocalLink::ToHub message;
    while (options_.link->take(message)) {
        const contract::RequestId id = message.request.id.value_or(contract::RequestId{});
        contract::Responder responder([link = options_.link, id](Result<Json> result) {
            contract::Answer answer{id, {}};
            if (result) {
                answer.response = std::make_shared<const Json>(std::move(*result));
            } else {
                answer.response = fail(std::move(result).error());
            }
            link->send(std::move(answer));
        });
        click_ = message.asked;
        window_end_->receive(message.request, std::move(responder));
        click_ = {};
    }
}

void Core::note_click_at_wire() {
    if (click_.ns == 0) return;
    // The request is written at the round's end, and what was asked for first comes first.
    hub_.at_round_end([link = options_.link, click = click_] { link->note_wire(mono_now().ns - click.ns); });
}

void Core::publish(std::string_view event, const Json& params) {
    std::string line;
    for (const auto& [id, client] : clients_) {
        if (!client->end->subscribed(event)) continue;
        if (line.empty()) line = contract::encode_event(event, params) + "\n";
        client->end->publish_encoded(event, line);
    }
    if (window_end_ && window_end_->subscribed(event)) {
        contract::Event made{std::string(event), std::make_shared<const Json>(params)};
        gathered_ ? gathered_->push_back(std::move(made)) : options_.link->send(std::move(made));
    }
}

bool Core::subscribed(std::string_view event) const {
    if (window_end_ && window_end_->subscribed(event)) return true;
    return std::any_of(clients_.begin(), clients_.end(),
                       [&](const auto& client) { return client.second->end->subscribed(event); });
}

HostedProvider* Core::host_of(std::string_view app) {
    for (const auto& host : providers_) {
        const auto& apps = host->provider->spec().apps;
        if (std::find(apps.begin(), apps.end(), app) != apps.end()) return host.get();
    }
    return nullptr;
}

void Core::remember_status(const std::string& app, std::string_view status) {
    if (status.starts_with('{')) statuses_[app] = status;
}

Json Core::last_status(std::string_view app) const {
    const auto last = statuses_.find(app);
    if (last == statuses_.end()) return Json::object();
    return contract::parse_json(last->second).value_or(Json::object());
}

Json Core::status_without_provider(const std::string& app, const HostedProvider& host) const {
    Json status = last_status(app);
    if (status.empty()) {
        status = {{"interfaceName", contract::interface_name},
                  {"interfaceVersion", contract::interface_version},
                  {"appId", app},
                  {"appTitle", app}};
    }
    status["running"] = false;
    status["pid"] = nullptr;
    status["hostRunning"] = false;
    status["hostPid"] = nullptr;
    status["bootId"] = "";
    status["error"] = fmt::format("{}: {}", host.provider->spec().name, host.provider->reason());
    return status;
}

bool Core::speaks_for_its_own(HostedProvider& host, const contract::Event& event) {
    const auto app = event.params->find("appId");
    if (app == event.params->end() || !app->is_string()) return true;
    const auto& id = app->get_ref<const std::string&>();
    if (host_of(id) == &host) return true;
    // Said at the 1st, 2nd, 4th, 8th … time: it may never stop.
    if (++host.strays; (host.strays & (host.strays - 1)) == 0) {
        log("warning", fmt::format("provider {} spoke for {}, which it does not host ({} times)",
                                   host.provider->spec().name, id, host.strays));
    }
    return false;
}

void Core::provider_event(HostedProvider& host, const contract::Event& event) {
    if (!speaks_for_its_own(host, event)) return;
    const Json& params = *event.params;
    const auto app = params.find("appId");
    if (app != params.end() && app->is_string()) {
        const auto& id = app->get_ref<const std::string&>();
        if (event.name == "status.changed" && params.contains("running")) {
            remember_status(id, contract::dump_line(params));
        }
        if (event.name == "job.changed") {
            // A job has one final state, and it was told.
            if (!jobs_.news(id, params) || !jobs_.may_tell(id, params)) return;
            if (const auto respelled = JobWatch::respelled(params)) {
                note_job(id, *respelled);
                return publish(event.name, *respelled);
            }
            note_job(id, params);
        }
    }
    publish(event.name, params);
}

void Core::note_job(const std::string& app, const Json& job) {
    jobs_.note(app, job, mono_now());
    watch_jobs();
}

void Core::tell_ended(const JobWatch::Ended& ended) {
    for (const auto& job : ended) {
        log("warning", fmt::format("job {} of {}: {}, {}", (*job)["jobId"].get<std::string>(),
                                   (*job)["appId"].get<std::string>(), (*job)["state"].get<std::string>(),
                                   (*job)["error"]["message"].get<std::string>()));
        publish("job.changed", *job);
    }
}

void Core::watch_jobs() {
    if (job_timer_ != 0 || jobs_.open() == 0) return;
    job_timer_ = hub_.after(job_look_ns, [this] {
        job_timer_ = 0;
        const JobWatch::Ended late = jobs_.expire(mono_now());
        tell_ended(late);
        for (const auto& job : late) {
            const Json params{{"appId", (*job)["appId"]}, {"jobId", (*job)["jobId"]}};
            HostedProvider* const host = host_of(params["appId"].get_ref<const std::string&>());
            // What it says to that changes nothing any more.
            host->provider->call(
                "action.job.cancel", params, [](const auto&) {}, job_look_ns);
        }
        for (const auto& [app, id] : jobs_.to_ask(mono_now())) {
            HostedProvider* const host = host_of(app);
            if (host == nullptr) continue;
            host->provider->call(
                "action.job.get", {{"appId", app}, {"jobId", id}},
                [this, app = app](const auto& answer) {
                    if (answer) note_job(app, **answer);
                },
                get_to_know_ns);
        }
        watch_jobs();
    });
}

void Core::provider_changed(HostedProvider& host) {
    const providers::Provider& provider = *host.provider;
    const bool up = provider.state() == providers::ProviderState::up;
    const std::string& name = provider.spec().name;
    const std::string_view state = providers::provider_state_name(provider.state());
    const std::string reason = provider.reason();
    const bool fault = provider.state() == providers::ProviderState::backoff ||
                       provider.state() == providers::ProviderState::failed;
    log(fault ? "warning" : "info",
        fmt::format("provider {}: {}", name, reason.empty() || reason == state ? state : reason));
    if (fault || provider.state() == providers::ProviderState::stopped) {
        tell_ended(jobs_.lose(provider.spec().apps,
                              {Code::action_failed, fmt::format("provider {}: {}", name, reason), 0, {}}));
    }
    for (const std::string& app : provider.spec().apps) {
        Json params = up ? Json{{"appId", app}} : status_without_provider(app, host);
        params["provider"] = name;
        params["providerState"] = state;
        publish("status.changed", params);
        if (up) get_to_know(host, app);
    }
    watch_processes();
}

// What app.list shows of an app, and how long its actions may take, before anybody asks.
void Core::get_to_know(const HostedProvider& host, const std::string& app) {
    host.provider->call(
        "status.get", {{"appId", app}},
        [this, app](const auto& answer) {
            if (answer && (*answer)->is_object()) remember_status(app, contract::dump_line(**answer));
        },
        get_to_know_ns);
    host.provider->call(
        "action.list", {{"appId", app}},
        [this, app](const auto& answer) {
            if (answer) jobs_.know_actions(app, **answer);
        },
        get_to_know_ns);
}

bool Core::names_a_program(std::string_view name) const {
    const auto is = [&](const ProgramSpec& program) { return program.name == name; };
    const BenchSpec& bench = workspace_.bench();
    return name == "console" || std::any_of(bench.providers.begin(), bench.providers.end(), is) ||
           std::any_of(bench.commands.begin(), bench.commands.end(), is);
}

void Core::watch_processes() {
    const std::vector<data::WatchedProcess>& scripts = supervision_->watched();
    scripts_run_->store(!scripts.empty(), std::memory_order_relaxed);
    if (options_.inbox == nullptr) {
        if (scripts.empty()) return sampler_.reset();
        if (!sampler_) {
            if (const auto started = start_sampler(); !started) return log("error", started.error().message);
        }
    }
    if (!sampler_) return;
    std::vector<data::WatchedProcess> watched;
    for (const auto& host : providers_) {
        if (const auto pid = host->provider->pid()) watched.push_back({host->provider->spec().name, *pid});
    }
    for (const auto& command : commands_) {
        if (command->child) watched.push_back({command->spec.name, command->child->pid()});
    }
    // After the others, whose colours then stay; and under no name that one of them has.
    for (data::WatchedProcess script : scripts) {
        if (names_a_program(script.name)) script.name += " (script)";
        watched.push_back(std::move(script));
    }
    sampler_->watch(std::move(watched));
}

void Core::read_tree(pid_t top, std::function<void(const data::ProcessTree&)> on_tree) {
    if (top == 0 || !sampler_) return on_tree({});
    sampler_->tree(top, tree_processes_max,
                   [alive = alive_, poster = hub_.poster(),
                    on_tree = std::move(on_tree)](data::ProcessTree tree) mutable {
                       poster.post([alive, on_tree = std::move(on_tree), tree = std::move(tree)] {
                           if (*alive) on_tree(tree);
                       });
                   });
}

void Core::stop(std::function<void()> done) {
    listener_.reset();
    for (const auto& command : commands_) {
        if (command->exit_watch != 0) hub_.unwatch(command->exit_watch);
        command->child.reset();  // Ends its process group.
    }
    sampler_.reset();
    auto left = std::make_shared<std::size_t>(providers_.size() + 1);
    auto one_less = [left, done = std::move(done)] {
        if (--*left == 0) done();
    };
    supervision_->stop(stop_grace_ns, one_less);
    for (const auto& host : providers_) host->provider->stop(stop_grace_ns, one_less);
}

}  // namespace labdeck::hub
