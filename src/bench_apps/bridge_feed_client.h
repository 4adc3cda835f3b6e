// bridge_feed_client.h - the station's end of the bridge's socket: connected, and again when it went away.
//
// Thread: the reactor's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bench_apps/bridge_feed.h"
#include "contract/framing.h"
#include "io/byte_channel.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

class BridgeFeedClient {
public:
    struct Handler {
        /// The bridge has greeted; its reports follow.
        std::function<void(const std::string& boot_id)> up;
        /// Why there is no bridge: once for each new reason while it is tried again each second.
        std::function<void(const std::string& why)> down;
        std::function<void(const BridgeReport& report)> report;
    };
    struct Counters {
        std::uint64_t rx_bytes = 0, tx_bytes = 0, reports = 0, requests = 0, bad_lines = 0;
        std::uint64_t losses = 0;  ///< Times that a bridge which had greeted went away.
    };

    /// None of the handler's calls come from within the constructor or send().
    BridgeFeedClient(io::Reactor& reactor, std::string path, Handler handler);
    ~BridgeFeedClient();
    BridgeFeedClient(const BridgeFeedClient&) = delete;
    BridgeFeedClient& operator=(const BridgeFeedClient&) = delete;

    /// Nothing while the bridge has not greeted.
    void send(const BridgeRequest& request);
    bool is_up() const noexcept { return greeted_; }
    const Counters& counters() const noexcept { return counters_; }

private:
    void connect();
    void receive(std::string_view bytes);
    void take_line(std::string_view line);
    void lose(const std::string& why);

    io::Reactor& reactor_;
    const std::string path_;
    const Handler handler_;
    Counters counters_;
    std::unique_ptr<io::ByteChannel> channel_;
    std::optional<contract::LineSplitter> lines_;
    bool greeted_ = false;
    std::string why_down_;
    std::string fault_;  ///< Why this end is to hang up, set while a line is taken.
    io::TimerId retry_ = 0;
};

}  // namespace labdeck::bench_apps
