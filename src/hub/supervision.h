// supervision.h - the supervisor as a part of the hub: its sources, its events, its measurements, its
// methods.
//
// Thread: hub.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/id.h"
#include "contract/dispatcher.h"
#include "io/pipe_source.h"
#include "io/reactor.h"
#include "supervise/supervisor.h"

namespace labdeck::hub {

class Core;

class Supervision {
public:
    /// A catalog that cannot be opened is no failure of the hub: every method then says why.
    Supervision(Core& core, io::Reactor& hub, io::Reactor& pipes, io::Reactor& store);
    ~Supervision();
    Supervision(const Supervision&) = delete;
    Supervision& operator=(const Supervision&) = delete;

    void open();
    void bind(contract::Dispatcher& table);
    void stop(std::int64_t grace_ns_max, std::function<void()> done);

    const std::vector<data::WatchedProcess>& watched() const noexcept { return watched_; }
    /// {} where no catalog could be opened.
    contract::Json settings() const;
    void measured(const data::SampleBatch& batch);
    void listeners_changed();

    /// What lives on the io-pipe thread; destroyed there.
    struct PipeSide {
        std::map<SourceId, std::unique_ptr<io::PipeSource>> sources;
    };
    const std::shared_ptr<PipeSide>& pipe_side() const noexcept { return pipe_side_; }

private:
    supervise::SupervisorHooks hooks();
    data::SourceInfo open_output(const std::string& name, UniqueFd read_end, io::PipeSource::Filter filter,
                                 std::shared_ptr<data::Feed> feed);
    void give_memory_back();

    Core& core_;
    io::Reactor& hub_;
    io::Reactor& pipes_;
    io::Reactor& store_;
    std::unique_ptr<supervise::Supervisor> supervisor_;
    std::optional<Error> why_not_;
    std::vector<data::WatchedProcess> watched_;
    io::TimerId memory_timer_ = 0;
    std::shared_ptr<PipeSide> pipe_side_ = std::make_shared<PipeSide>();
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace labdeck::hub
