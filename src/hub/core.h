// core.h - the hub's state, as its handlers see it.
//
// Thread: hub. Only hub.cpp makes one.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/dispatcher.h"
#include "contract/local_link.h"
#include "contract/server.h"
#include "data/source.h"
#include "hub/hub.h"
#include "hub/job_watch.h"
#include "hub/source_registry.h"
#include "hub/supervision.h"
#include "hub/updating.h"
#include "hub/workspace.h"
#include "io/byte_channel.h"
#include "io/child_process.h"
#include "io/null_modem.h"
#include "io/pipe_source.h"
#include "io/proc_sampler.h"
#include "io/reactor.h"
#include "io/unix_socket.h"
#include "providers/provider.h"

namespace labdeck::hub {

/// A provider with what its log needs and what its apps said last.
struct HostedProvider {
    std::unique_ptr<providers::Provider> provider;
    UniqueFd stderr_write;  ///< The end that every incarnation writes to.
    data::SourceInfo log;
    std::uint64_t strays = 0;  ///< Events about apps of somebody else.
};

/// A plain command of the workspace.
struct RunningCommand {
    ProgramSpec spec;
    std::optional<io::ChildProcess> child;
    io::WatchId exit_watch = 0;
    data::SourceInfo output;
};

struct Cable {
    CableSpec spec;
    std::string link_a;
    std::string link_b;
    data::SourceInfo a_to_b;
    data::SourceInfo b_to_a;
};

/// One connected client of the socket.
struct SocketClient {
    std::unique_ptr<io::ByteChannel> channel;
    std::unique_ptr<contract::ServerEnd> end;
};

class Core {
public:
    Core(Workspace& workspace, HubOptions& options, io::Reactor& hub, io::Reactor& pipes, io::Reactor& serial,
         io::Reactor& store);
    ~Core();
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    Result<> open();
    /// Stops every child; `done` when all are gone.
    void stop(std::function<void()> done);

    // --- for the handlers (methods.cpp) ------------------------------------
    HostedProvider* host_of(std::string_view app);
    void publish(std::string_view event, const contract::Json& params);
    bool subscribed(std::string_view event) const;
    Supervision& supervision() { return *supervision_; }
    /// What is measured follows what runs: with a window once a second always, else while scripts run.
    void watch_processes();
    /// What a watched process has started, from the sampler's last scan; answered later, on the hub's thread.
    void read_tree(pid_t top, std::function<void(const data::ProcessTree&)> on_tree);
    void log(std::string_view level, std::string text);
    /// The last status of an app whose provider does not answer, marked as such.
    contract::Json status_without_provider(const std::string& app, const HostedProvider& host) const;
    /// A status as its provider spelled it; what is no object is not kept. It is read when somebody asks.
    void remember_status(const std::string& app, std::string_view status);
    Result<Cable*> make_cable(CableSpec spec);
    /// A job of this app was accepted or looked at.
    void note_job(const std::string& app, const contract::Json& job);
    const JobWatch& jobs() const { return jobs_; }

    const std::vector<std::unique_ptr<HostedProvider>>& providers() const { return providers_; }
    /// The last good status of an app, {} when there was none yet.
    contract::Json last_status(std::string_view app) const;
    const std::vector<std::unique_ptr<Cable>>& cables() const { return cables_; }
    const std::vector<std::unique_ptr<RunningCommand>>& commands() const { return commands_; }
    SourceRegistry& sources() { return sources_; }
    io::Reactor& reactor() { return hub_; }
    const HubOptions& options() const { return options_; }
    const Workspace& workspace() const { return workspace_; }
    /// While a request is handled that a provider was just asked: tells the window how long after its click
    /// that went out. Nothing for other clients.
    void note_click_at_wire();

private:
    Result<> open_providers();
    Result<> open_commands();
    Result<> open_socket();
    void open_log();
    void accept(UniqueFd peer);
    void serve_window();
    void provider_changed(HostedProvider& host);
    void get_to_know(const HostedProvider& host, const std::string& app);
    void provider_event(HostedProvider& host, const contract::Event& event);
    bool speaks_for_its_own(HostedProvider& host, const contract::Event& event);
    void tell_ended(const JobWatch::Ended& ended);
    void watch_jobs();
    Result<> start_sampler();
    void measured(std::shared_ptr<const data::SampleBatch> batch);
    bool names_a_program(std::string_view name) const;
    /// Makes a source on the io-pipe thread that reads `fd`, without the secrets of `env`.
    void open_pipe_source(UniqueFd fd, const data::SourceInfo& info,
                          const std::map<std::string, std::string>& env);

    Workspace& workspace_;
    HubOptions& options_;
    io::Reactor& hub_;
    io::Reactor& pipes_;
    io::Reactor& serial_;
    SourceRegistry sources_;
    contract::Dispatcher dispatcher_;
    std::unique_ptr<io::UnixListener> listener_;
    std::map<std::uint64_t, std::unique_ptr<SocketClient>> clients_;
    std::unique_ptr<contract::ServerEnd> window_end_;
    /// While a batch of measurements is told of: what comes of it goes to the window with one wake-up, for
    /// one frame.
    std::optional<std::vector<contract::Event>> gathered_;
    std::vector<std::unique_ptr<HostedProvider>> providers_;
    std::vector<std::unique_ptr<RunningCommand>> commands_;
    std::vector<std::unique_ptr<Cable>> cables_;
    std::map<std::string, std::string, std::less<>> statuses_;  ///< As JSON, by app.
    JobWatch jobs_;
    io::TimerId job_timer_ = 0;
    std::unique_ptr<data::SourceWriter> log_;
    std::unique_ptr<io::ProcSampler> sampler_;
    /// Whether a script of ours is measured; read by the sampler's thread.
    std::shared_ptr<std::atomic<bool>> scripts_run_ = std::make_shared<std::atomic<bool>>(false);
    std::unique_ptr<Supervision> supervision_;
    std::unique_ptr<Updating> updating_;
    std::uint64_t next_client_ = 1;
    MonoTime click_;  ///< Set while a request of the window is being handled: when its click was made.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

    // Owned here, used only on their reactor's thread.
    struct PipeSide {
        std::vector<std::unique_ptr<io::PipeSource>> sources;
    };
    struct SerialSide {
        std::vector<std::unique_ptr<io::NullModem>> cables;
    };
    std::shared_ptr<PipeSide> pipe_side_ = std::make_shared<PipeSide>();
    std::shared_ptr<SerialSide> serial_side_ = std::make_shared<SerialSide>();
    friend class Hub;
};

/// Binds every method that the hub answers.
void bind_methods(Core& core, contract::Dispatcher& dispatcher);

}  // namespace labdeck::hub
