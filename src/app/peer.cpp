#include "app/peer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "hub/workspace.h"
#include "io/unix_socket.h"

namespace labdeck::app {

using contract::Json;

namespace {

constexpr double greeting_timeout_s = 10;
constexpr std::int64_t expiry_period_ns = 50'000'000;

std::string socket_of(const PeerArgs& args) {
    if (!args.socket.empty()) return args.socket;
    const std::string root = args.workspace.empty() ? hub::default_workspace() : args.workspace;
    return root + "/.labdeck/labdeck.sock";
}

}  // namespace

Result<std::unique_ptr<Peer>> Peer::connect(const PeerArgs& args) {
    std::unique_ptr<Peer> peer(new Peer(LD_TRY(io::Reactor::create("client"))));
    if (args.command.empty()) {
        Result<UniqueFd> socket = io::connect_unix(socket_of(args));
        if (!socket) {
            return fail(Code::not_found,
                        fmt::format("{}; start the hub with labdeck serve, or name its socket "
                                    "with --socket",
                                    socket.error().message));
        }
        peer->open(std::move(*socket), {});
    } else {
        io::SpawnRequest request;
        request.argv = args.command;
        request.stderr_to = STDERR_FILENO;
        Result<io::ChildProcess> child = io::ChildProcess::spawn(request);
        if (!child) return fail(Code::not_found, child.error().message);
        peer->child_ = std::move(*child);
        peer->open(std::move(peer->child_->stdout_fd), std::move(peer->child_->stdin_fd));
    }
    const auto answer = peer->call("ping", Json::object(), greeting_timeout_s);
    if (!answer) return fail(Code::not_found, answer.error().message);
    LD_TRY(contract::check_peer(**answer));
    return peer;
}

Peer::~Peer() {
    if (!child_) return;
    // End of file is the polite end; the ChildProcess kills what is still there after it.
    channel_.reset();
    for (int i = 0; i < 100; ++i) {
        io::ExitStatus status;
        if (child_->reap(status)) break;
        if (i == 50) child_->signal(SIGTERM);
        ::usleep(10'000);
    }
}

void Peer::open(UniqueFd in, UniqueFd out) {
    io::ByteChannel::Handler handler;
    handler.received = [this](std::string_view bytes) { client_->receive(bytes); };
    handler.closed = [this](const Error& why) {
        closed_ = true;
        client_->close(Error{Code::not_found, "the peer went away: " + why.message, 0, {}});
        reactor_->stop();
    };
    channel_ = std::make_unique<io::ByteChannel>(*reactor_, std::move(in), std::move(out), std::move(handler),
                                                 io::ByteChannel::Limits{});
    client_ = std::make_unique<contract::ClientEnd>([this](std::string lines) { channel_->send(lines); });
}

Result<std::shared_ptr<const Json>> Peer::call(const std::string& method, const Json& params,
                                               double timeout_s) {
    std::optional<Result<std::shared_ptr<const Json>>> answer;
    const MonoTime deadline =
        timeout_s > 0 ? MonoTime{mono_now().ns + static_cast<std::int64_t>(timeout_s * 1e9)} : MonoTime{};
    client_->request(
        method, params,
        [&](auto got) {
            answer = std::move(got);
            reactor_->stop();
        },
        deadline);
    const io::TimerId timer = reactor_->every(expiry_period_ns, [this] { client_->expire(mono_now()); });
    while (!answer && !closed_) reactor_->run();
    reactor_->cancel(timer);
    if (!answer) return fail(Code::not_found, "the peer went away");
    return std::move(*answer);
}

void Peer::run() {
    if (!closed_) reactor_->run();
}

void Peer::stop() {
    reactor_->stop();
}

}  // namespace labdeck::app
