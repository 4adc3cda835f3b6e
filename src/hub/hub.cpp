#include "hub/hub.h"

#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/thread_role.h"
#include "hub/core.h"
#include "io/reactor.h"

namespace labdeck::hub {

namespace {

/// A reactor with its thread and its role.
struct ReactorThread {
    std::unique_ptr<io::Reactor> reactor;
    std::thread thread;

    Result<> start(const char* name, ThreadRole& role) {
        reactor = LD_TRY(io::Reactor::create(name));
        std::promise<void> bound;
        std::future<void> ready = bound.get_future();
        thread = std::thread([this, &role, &bound] {
            role.bind();
            bound.set_value();
            reactor->run();
        });
        ready.get();
        return {};
    }

    void stop() {
        if (!thread.joinable()) return;
        reactor->stop();
        thread.join();
    }

    ~ReactorThread() { stop(); }
};

}  // namespace

struct Hub::Impl {
    Impl(Workspace w, HubOptions o) : workspace(std::move(w)), options(std::move(o)) {}

    Result<> start() {
        LD_TRY(pipes.start("io-pipe", pipe_thread));
        LD_TRY(serial.start("io-serial", serial_thread));
        LD_TRY(store.start("store", store_thread));
        LD_TRY(hub.start("hub", hub_thread));
        std::promise<Result<>> opened;
        hub.reactor->post([&] {
            core = std::make_unique<Core>(workspace, options, *hub.reactor, *pipes.reactor, *serial.reactor,
                                          *store.reactor);
            opened.set_value(core->open());
        });
        return opened.get_future().get();
    }

    ~Impl() {
        if (core) {
            std::promise<void> stopped;
            hub.reactor->post([&] { core->stop([&] { stopped.set_value(); }); });
            stopped.get_future().get();
            end_io();
            std::promise<void> gone;
            hub.reactor->post([&] {
                core.reset();
                gone.set_value();
            });
            gone.get_future().get();
        }
        pipes.stop();
        serial.stop();
        // After the pipes: their last Blocks go to disk.
        store.stop();
        hub.stop();
    }

    /// What lives on the I/O threads is destroyed there, while their reactors still run.
    void end_io() {
        for (ReactorThread* io : {&pipes, &serial}) {
            std::promise<void> ended;
            io->reactor->post([&, pipe_side = core->pipe_side_, serial_side = core->serial_side_,
                               scripts = core->supervision_->pipe_side()] {
                if (io == &pipes) pipe_side->sources.clear(), scripts->sources.clear();
                if (io == &serial) serial_side->cables.clear();
                ended.set_value();
            });
            ended.get_future().get();
        }
    }

    Workspace workspace;
    HubOptions options;
    ReactorThread pipes;
    ReactorThread serial;
    ReactorThread store;
    ReactorThread hub;
    std::unique_ptr<Core> core;
};

Hub::Hub(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hub::~Hub() = default;

Result<std::unique_ptr<Hub>> Hub::start(Workspace workspace, HubOptions options) {
    auto impl = std::make_unique<Impl>(std::move(workspace), std::move(options));
    LD_TRY(impl->start());
    return std::unique_ptr<Hub>(new Hub(std::move(impl)));
}

const Workspace& Hub::workspace() const noexcept {
    return impl_->workspace;
}

contract::Json Hub::settings() const {
    std::promise<contract::Json> read;
    impl_->hub.reactor->post([&] { read.set_value(impl_->core->supervision().settings()); });
    return read.get_future().get();
}

}  // namespace labdeck::hub
