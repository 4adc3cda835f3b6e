// bridge_feed_server.h - the bridge's socket for the station that judges its devices.
//
// One station at a time: two that hold the link and ask for round trips would judge each other. A second is
// told so and hung up on. Thread: the reactor's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bench_apps/bridge_feed.h"
#include "contract/framing.h"
#include "io/byte_channel.h"
#include "io/reactor.h"
#include "io/unix_socket.h"

namespace labdeck::bench_apps {

class BridgeFeedServer {
public:
    struct Handler {
        std::function<void(const BridgeRequest& request)> asked;
        /// A station came or went; what it asked to be held is to be let go when it went.
        std::function<void(bool there, const std::string& why)> changed;
    };
    struct Counters {
        std::uint64_t reports = 0;
        std::uint64_t requests = 0;
        std::uint64_t bad_lines = 0;
    };

    /// Makes the folder when it is missing. E_BUSY when somebody listens there already.
    [[nodiscard]] static Result<std::unique_ptr<BridgeFeedServer>> start(io::Reactor& reactor,
                                                                         const std::string& path,
                                                                         std::string boot_id,
                                                                         Handler handler);
    BridgeFeedServer(const BridgeFeedServer&) = delete;
    BridgeFeedServer& operator=(const BridgeFeedServer&) = delete;

    /// Sends what there is to tell; nothing while nobody listens.
    void tell(const BridgeMachine& bridge, std::span<const BridgeRecord> records,
              std::span<const BridgeMachine::TripResult> trips, MonoTime now);
    /// When tell() is to be called even if nothing happens.
    MonoTime next_event() const noexcept;
    bool connected() const noexcept { return station_ != nullptr; }
    const Counters& counters() const noexcept { return counters_; }

private:
    BridgeFeedServer(io::Reactor& reactor, std::string boot_id, Handler handler);
    void welcome(UniqueFd peer);
    void receive(std::string_view bytes);
    void hang_up(const std::string& why);

    io::Reactor& reactor_;
    const std::string boot_id_;
    const Handler handler_;
    Counters counters_;
    BridgeFeed feed_;
    std::optional<contract::LineSplitter> lines_;  ///< Of the station that is connected.
    std::unique_ptr<io::ByteChannel> station_;
    std::unique_ptr<io::UnixListener> listener_;
};

}  // namespace labdeck::bench_apps
