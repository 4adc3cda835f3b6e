// peer.h - a command-line client's connection: to a hub's socket, or to a provider of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/commands.h"
#include "base/result.h"
#include "contract/client.h"
#include "io/byte_channel.h"
#include "io/child_process.h"
#include "io/reactor.h"

namespace labdeck::app {

/// Connects, pings, and refuses a peer of another interface. Runs on the caller's thread: answers come while
/// run_until() runs.
class Peer {
public:
    /// Code::not_found when nobody is there to talk to.
    [[nodiscard]] static Result<std::unique_ptr<Peer>> connect(const PeerArgs& args);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    contract::ClientEnd& client() { return *client_; }

    /// One call, waited for. `timeout_s` 0 waits for ever.
    Result<std::shared_ptr<const contract::Json>> call(const std::string& method,
                                                       const contract::Json& params, double timeout_s);
    /// Runs the connection until stop(), or until the peer closes.
    void run();
    /// Thread: any.
    void stop();
    bool closed() const noexcept { return closed_; }

private:
    explicit Peer(std::unique_ptr<io::Reactor> reactor) : reactor_(std::move(reactor)) {}
    void open(UniqueFd in, UniqueFd out);

    std::unique_ptr<io::Reactor> reactor_;
    std::optional<io::ChildProcess> child_;
    std::unique_ptr<contract::ClientEnd> client_;
    std::unique_ptr<io::ByteChannel> channel_;
    bool closed_ = false;
};

}  // namespace labdeck::app
