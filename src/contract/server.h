// server.h - one connection, seen from the side that answers.
//
// No sockets: whoever owns the transport pushes received bytes in and gives a
// function that takes the bytes to send. Bad lines are answered and the
// connection lives on. One thread. Not to be destroyed from within receive() or
// finish(), so neither by a handler nor by the function that sends.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "contract/dispatcher.h"
#include "contract/envelope.h"
#include "contract/framing.h"

namespace labdeck::contract {

class ServerEnd {
public:
    /// Takes one or more whole lines with their newlines, to be sent in this order.
    using Send = std::function<void(std::string lines)>;
    /// Where what goes wrong with a notification is told.
    using Log = std::function<void(std::string text)>;

    /// `dispatcher` must outlive this.
    ServerEnd(const Dispatcher& dispatcher, Send send, Log log);
    ServerEnd(const ServerEnd&) = delete;
    ServerEnd& operator=(const ServerEnd&) = delete;
    ~ServerEnd();

    void receive(std::string_view bytes);
    /// The peer closed its side: a last line without a newline is still read.
    void finish();
    /// For the in-process transport, which has no bytes: as if the request's line had come. A request
    /// without an id is a notification: `responder` is not used, what goes wrong goes to the log.
    void receive(const Request& request, const Responder& responder);

    /// Adds a topic, in its canonical spelling or an alias. Calls add up.
    void subscribe(std::string_view topic);
    /// All that are subscribed, canonical, sorted.
    const std::set<std::string, std::less<>>& topics() const noexcept { return topics_; }
    bool subscribed(std::string_view event) const;
    /// Sends an event if this client subscribed to it.
    void publish(std::string_view event, const Json& params);
    /// The same with the line encoded once for many clients: `line` is encode_event() and a newline.
    void publish_encoded(std::string_view event, const std::string& line);
    /// Sends an event whether subscribed or not (stream.*, pty.* to the client that opened them).
    void push(std::string_view event, const Json& params);

    std::weak_ptr<void> alive() const { return alive_; }

private:
    void handle_line(std::string_view line);
    void too_long();
    void handle_notification(const Request& request);
    Caller caller();
    void send_line(std::string line);

    const Dispatcher& dispatcher_;
    Send send_;
    Log log_;
    LineSplitter splitter_;
    LineSplitter::Handler on_line_;
    std::set<std::string, std::less<>> topics_;
    std::shared_ptr<void> alive_ = std::make_shared<int>(0);
};

}  // namespace labdeck::contract
