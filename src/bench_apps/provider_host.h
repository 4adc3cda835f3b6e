// provider_host.h - the methods of a provider, and the apps behind them.
//
// Knows nothing of stdin and stdout: bytes are pushed in, lines come out. Thread: the reactor's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench_apps/bench_app.h"
#include "bench_apps/job_table.h"
#include "bench_apps/provider.h"
#include "contract/dispatcher.h"
#include "contract/server.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

class ProviderHost {
public:
    /// Takes whole lines with their newlines.
    using Send = std::function<void(std::string lines)>;
    using Log = std::function<void(LogLevel level, std::string_view app, const std::string& text)>;

    /// REQUIRES: every app is one of provider_apps().
    ProviderHost(io::Reactor& reactor, const ProviderOptions& options, Send send, Log log);
    ~ProviderHost();
    ProviderHost(const ProviderHost&) = delete;
    ProviderHost& operator=(const ProviderHost&) = delete;

    void receive(std::string_view bytes) { end_.receive(bytes); }
    /// A last line without a newline is still read.
    void finish() { end_.finish(); }
    /// Starts the apps whose settings say so.
    void start_apps();
    void stop_apps();

private:
    using Respond = contract::Responder;

    void bind_methods();
    void bind_app_methods();
    void bind_job_methods();
    /// Binds a method whose params name an app; an app that is not here is E_UNSUPPORTED_APP.
    void bind_of_app(std::string_view method,
                     std::function<Result<Json>(BenchApp& app, const Json& params)> handler);
    Result<BenchApp*> app_of(const Json& params) const;
    Result<JobHandle> job_of(const BenchApp& app, const Json& params) const;
    Result<JobHandle> invoke(BenchApp& app, const Json& params);
    Json app_list() const;
    void keep_time();
    /// Tells subscribers, and the log what went wrong.
    void job_changed(const Job& job);
    void publish_status(std::string_view app);
    void publish_log(std::string_view app, LogLevel level, const std::string& text);
    void publish_traffic();

    io::Reactor& reactor_;
    const Log log_;
    contract::Dispatcher dispatcher_;
    contract::ServerEnd end_;
    JobTable jobs_;
    std::vector<std::unique_ptr<BenchApp>> apps_;
    std::map<std::string, std::vector<PortTraffic>, std::less<>> told_traffic_;
    io::TimerId second_timer_ = 0;
    io::TimerId traffic_timer_ = 0;
};

}  // namespace labdeck::bench_apps
