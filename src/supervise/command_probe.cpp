#include "supervise/command_probe.h"

#include <fcntl.h>

#include <utility>

namespace labdeck::supervise {

CommandProbe::CommandProbe(io::Reactor& reactor, std::function<void()> on_idle)
    : reactor_(reactor), on_idle_(std::move(on_idle)) {}
CommandProbe::~CommandProbe() = default;

void CommandProbe::start(io::SpawnRequest request, Done done) {
    Wanted wanted{std::move(request), std::move(done)};
    if (!process_) return spawn(std::move(wanted));
    next_ = std::move(wanted);
}

void CommandProbe::cancel() {
    done_ = nullptr;
    next_.reset();
    if (process_) process_->sweep();
}

void CommandProbe::spawn(Wanted wanted) {
    done_ = std::move(wanted.done);
    io::SpawnRequest& request = wanted.request;
    const UniqueFd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!nowhere) return answer(os_error_value("open /dev/null").message);
    request.stdout_to = nowhere.get();
    request.stderr_to = nowhere.get();
    io::KeptProcess::Handler handler;
    handler.started = [](pid_t) {};
    handler.failed = [this](const Error& why) {
        process_.reset();
        answer(why.message);
        gone();
    };
    handler.leader_ended = [this](const io::ExitStatus& status) {
        // What it has left behind goes with it.
        process_->sweep();
        answer(!status.signaled && status.code == 0 ? std::string() : io::exit_text(status));
    };
    handler.survivor = [](pid_t, char, int) {};
    handler.empty = [this](bool) {
        process_.reset();
        answer("its keeper was killed");
        gone();
    };
    auto process = io::KeptProcess::start(reactor_, std::move(request), std::move(handler));
    if (!process) return answer(process.error().message);
    process_ = std::move(*process);
    process_->streams().stdin_fd.reset();
}

// The first answer counts.
void CommandProbe::answer(std::string why) {
    const Done done = std::exchange(done_, nullptr);
    if (done) done(std::move(why));
}

void CommandProbe::gone() {
    if (process_) return;
    if (next_) return spawn(*std::exchange(next_, std::nullopt));
    on_idle_();
}

}  // namespace labdeck::supervise
