// bench_app.h - what all apps of a provider have in common.
//
// Starting and stopping, the status with its required fields, settings, and a table of
// actions. An app itself says what starting means, what its ports carried, and what else there
// is to its status. Thread: the reactor's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench_apps/action_spec.h"
#include "bench_apps/app_config.h"
#include "bench_apps/job_table.h"
#include "bench_apps/log_level.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

enum class ProcessModel : unsigned char {
    process,      ///< An app of its own.
    hosted_role,  ///< One role of several in one process.
};
std::string_view process_model_name(ProcessModel model) noexcept;

struct AppIdentity {
    std::string_view id;
    std::string_view title;
    ProcessModel model = ProcessModel::process;
};

/// What an app has of the provider around it.
struct AppContext {
    io::Reactor& reactor;
    std::filesystem::path root;  ///< The workspace: relative ports lie in it.
    std::filesystem::path config_folder;
    std::function<void(std::string_view app, LogLevel level, const std::string& text)> log;
    std::function<void(std::string_view app)> status_changed;
};

/// What went over one port since the app started.
struct PortTraffic {
    std::string port;
    bool open = false;
    std::uint32_t baud = 0;
    std::uint64_t rx_bytes = 0, tx_bytes = 0, rx_frames = 0, tx_frames = 0, errors = 0;
    friend bool operator==(const PortTraffic&, const PortTraffic&) = default;
};

class BenchApp {
public:
    virtual ~BenchApp() = default;
    BenchApp(const BenchApp&) = delete;
    BenchApp& operator=(const BenchApp&) = delete;

    const AppIdentity& identity() const noexcept { return identity_; }
    const AppConfig& config() const noexcept { return config_; }
    bool running() const noexcept { return running_; }
    std::optional<std::int64_t> pid() const;
    Json status() const;
    Json action_list() const;
    const ActionSpec* find_action(std::string_view name) const;
    /// REQUIRES: find_action(name), and args that it has checked.
    void perform(std::string_view name, const Json& args, const JobHandle& job);

    /// Starts the app if its settings say so, and tries again each second while its port is not there.
    void start_by_itself();
    void shut_down();
    /// Once a second: rates, and whatever the app does at that pace.
    void second_passed();
    virtual std::vector<PortTraffic> traffic() const = 0;

protected:
    /// Whether an action makes sense while the app does not run.
    enum class Needs : unsigned char { nothing, running };
    using Act = std::function<Result<Json>(const Json& args)>;
    using ActLater = std::function<void(const Json& args, const JobHandle& job)>;

    BenchApp(AppIdentity identity, AppContext context, std::span<const FieldSpec> fields);

    /// In place of one that is called the same.
    void add_action(const ActionSpec& spec, Needs needs, Act act);
    /// For what takes its time: the job is finished by whoever has it.
    void add_slow_action(const ActionSpec& spec, Needs needs, ActLater act);

    /// boot_id() is this start's already.
    virtual Result<> start(const AppConfig::Values& settings) = 0;
    virtual void stop() = 0;
    virtual void describe(Json& status) const = 0;
    virtual void on_second() {}

    void log(LogLevel level, const std::string& text) const { context_.log(identity_.id, level, text); }
    /// Shown in the status until it is set to something else. Tells subscribers.
    void set_error(std::string text);
    void status_changed() const { context_.status_changed(identity_.id); }
    io::Reactor& reactor() const noexcept { return context_.reactor; }
    const std::string& boot_id() const noexcept { return boot_id_; }

    /// What the actions of these names do, for an app whose own do more.
    Result<Json> run_start();
    Result<Json> run_stop();

private:
    struct Action {
        ActionSpec spec;
        Needs needs = Needs::nothing;
        ActLater act;
    };
    struct Rates {
        double rx_bytes = 0, tx_bytes = 0, rx_frames = 0, tx_frames = 0;
    };
    void describe_traffic(Json& status) const;

    const AppIdentity identity_;
    const AppContext context_;
    const AppConfig config_;
    std::vector<Action> actions_;
    bool running_ = false;
    std::string boot_id_;
    WallTime started_;
    std::string error_;
    std::vector<PortTraffic> counted_;  ///< As of the last second.
    std::vector<Rates> rates_;          ///< One for each port.
    MonoTime counted_at_;
    io::TimerId start_retry_ = 0;
};

}  // namespace labdeck::bench_apps
