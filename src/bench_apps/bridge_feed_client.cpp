#include "bench_apps/bridge_feed_client.h"

#include <utility>

#include "io/unix_socket.h"

namespace labdeck::bench_apps {

namespace {

constexpr std::int64_t retry_ns = 1'000'000'000;

}  // namespace

BridgeFeedClient::BridgeFeedClient(io::Reactor& reactor, std::string path, Handler handler)
    : reactor_(reactor), path_(std::move(path)), handler_(std::move(handler)) {
    retry_ = reactor_.after(0, [this] {
        retry_ = 0;
        connect();
    });
}

BridgeFeedClient::~BridgeFeedClient() {
    if (retry_ != 0) reactor_.cancel(retry_);
}

void BridgeFeedClient::connect() {
    Result<UniqueFd> socket = io::connect_unix(path_);
    if (!socket) return lose(socket.error().message);
    lines_.emplace(bridge_feed_line_max);
    channel_ = std::make_unique<io::ByteChannel>(
        reactor_, std::move(*socket), UniqueFd(),
        io::ByteChannel::Handler{[this](std::string_view bytes) { receive(bytes); },
                                 [this](const Error& why) { lose(why.message); }},
        io::ByteChannel::Limits{});
}

void BridgeFeedClient::receive(std::string_view bytes) {
    counters_.rx_bytes += bytes.size();
    lines_->feed(bytes, {[this](std::string_view line) {
                             if (fault_.empty()) take_line(line);
                         },
                         [this] {
                             ++counters_.bad_lines;
                             fault_ = "the bridge sent a line that is too long";
                         }});
    if (!fault_.empty()) lose(std::exchange(fault_, {}));
}

void BridgeFeedClient::take_line(std::string_view line) {
    const Result<BridgeFeedLine> read = feed_line_of(line);
    if (!read) {
        ++counters_.bad_lines;
        // What a line that cannot be read had to tell is lost; a new connection begins without a hole.
        fault_ = "the bridge is not understood: " + read.error().message;
    } else if (read->refused) {
        fault_ = *read->refused;
    } else if (read->boot_id) {
        greeted_ = true;
        why_down_.clear();
        handler_.up(*read->boot_id);
    } else if (read->report && greeted_) {
        ++counters_.reports;
        handler_.report(*read->report);
    }
}

void BridgeFeedClient::lose(const std::string& why) {
    channel_.reset();
    if (std::exchange(greeted_, false)) ++counters_.losses;
    retry_ = reactor_.after(retry_ns, [this] {
        retry_ = 0;
        connect();
    });
    if (std::exchange(why_down_, why) != why) handler_.down(why);
}

void BridgeFeedClient::send(const BridgeRequest& request) {
    if (!greeted_) return;
    const std::string line = request_line(request);
    ++counters_.requests;
    counters_.tx_bytes += line.size();
    channel_->send(line);
}

}  // namespace labdeck::bench_apps
