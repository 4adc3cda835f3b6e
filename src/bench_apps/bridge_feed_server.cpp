#include "bench_apps/bridge_feed_server.h"

#include <sys/socket.h>

#include <filesystem>
#include <limits>
#include <utility>

namespace labdeck::bench_apps {

namespace {

/// Seconds of reports at the fastest poll; a station that is further behind judges nothing any more.
constexpr std::size_t pending_bytes_max = 4U << 20;

}  // namespace

BridgeFeedServer::BridgeFeedServer(io::Reactor& reactor, std::string boot_id, Handler handler)
    : reactor_(reactor), boot_id_(std::move(boot_id)), handler_(std::move(handler)) {}

Result<std::unique_ptr<BridgeFeedServer>> BridgeFeedServer::start(io::Reactor& reactor,
                                                                  const std::string& path,
                                                                  std::string boot_id, Handler handler) {
    std::error_code made;
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::filesystem::create_directories(folder, made);
    if (made) return fail(os_error_value("make the folder " + folder.string(), made.value()));
    std::unique_ptr<BridgeFeedServer> server(
        new BridgeFeedServer(reactor, std::move(boot_id), std::move(handler)));
    server->listener_ = LD_TRY(io::UnixListener::create(
        reactor, path, [self = server.get()](UniqueFd peer) { self->welcome(std::move(peer)); }));
    return server;
}

void BridgeFeedServer::welcome(UniqueFd peer) {
    if (station_) {
        const std::string refusal = refused_line("another station is connected to the bridge");
        // One short line into an empty socket; a peer that is gone already needs none.
        (void)::send(peer.get(), refusal.data(), refusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    feed_ = {};
    lines_.emplace(bridge_feed_line_max);
    station_ = std::make_unique<io::ByteChannel>(
        reactor_, std::move(peer), UniqueFd(),
        io::ByteChannel::Handler{[this](std::string_view bytes) { receive(bytes); },
                                 [this](const Error& why) { hang_up(why.message); }},
        io::ByteChannel::Limits{.pending_bytes_max = pending_bytes_max});
    station_->send(hello_line(boot_id_));
    handler_.changed(true, {});
}

void BridgeFeedServer::receive(std::string_view bytes) {
    std::vector<BridgeRequest> requests;
    lines_->feed(bytes, {[&](std::string_view line) {
                             if (const auto request = request_of(line)) {
                                 requests.push_back(*request);
                             } else {
                                 ++counters_.bad_lines;
                             }
                         },
                         [this] { ++counters_.bad_lines; }});
    counters_.requests += requests.size();
    for (const BridgeRequest& request : requests) handler_.asked(request);
}

void BridgeFeedServer::hang_up(const std::string& why) {
    station_.reset();
    handler_.changed(false, why);
}

void BridgeFeedServer::tell(const BridgeMachine& bridge, std::span<const BridgeRecord> records,
                            std::span<const BridgeMachine::TripResult> trips, MonoTime now) {
    if (!station_) return;
    std::string lines;
    for (const BridgeReport& report : feed_.collect(bridge, records, trips, now)) {
        lines += report_line(report);
        ++counters_.reports;
    }
    if (!lines.empty()) station_->send(lines);
}

MonoTime BridgeFeedServer::next_event() const noexcept {
    return station_ ? feed_.next_event() : MonoTime{std::numeric_limits<std::int64_t>::max()};
}

}  // namespace labdeck::bench_apps
