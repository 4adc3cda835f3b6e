// client.h - one connection, seen from the side that asks.
//
// No sockets, no thread: bytes in, lines out, callbacks on the caller's thread.
// One end serves one connection. Callbacks may ask again; they may not destroy it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "contract/envelope.h"
#include "contract/framing.h"

namespace labdeck::contract {

class ClientEnd {
public:
    using Send = std::function<void(std::string lines)>;
    using OnAnswer = std::function<void(Result<std::shared_ptr<const Json>> answer)>;
    /// A good response as it was spelled, which may stand in another line as it is and is valid during the
    /// call only; or what request() would give.
    using Passed = std::variant<std::string_view, Result<std::shared_ptr<const Json>>>;
    using OnPassed = std::function<void(const Passed& answer)>;
    using OnEvent = std::function<void(const Event& event)>;
    /// Lines that are no message, and answers to nothing asked. For the log.
    using OnNoise = std::function<void(std::string_view line, const Error& why)>;

    explicit ClientEnd(Send send);
    ClientEnd(const ClientEnd&) = delete;
    ClientEnd& operator=(const ClientEnd&) = delete;
    ~ClientEnd() = default;

    void on_event(OnEvent handler) { on_event_ = std::move(handler); }
    void on_noise(OnNoise handler) { on_noise_ = std::move(handler); }

    /// `deadline` {0}: none. The answer comes once: what was answered, E_TIMEOUT by expire(), or
    /// what close() says. At once, before this returns, where the request is too long to be sent or
    /// the connection is closed already.
    void request(std::string_view method, const Json& params, OnAnswer on_answer, MonoTime deadline = {});
    /// The same for whoever passes questions and answers on and hardly looks at them. REQUIRES: `params_text`
    /// is one JSON object without a line break.
    void pass_on(std::string_view method, std::string_view params_text, OnPassed on_passed,
                 MonoTime deadline = {});
    void notify(std::string_view method, const Json& params);

    void receive(std::string_view bytes);
    /// Ends every request whose deadline has passed with E_TIMEOUT. Returns when to come again, {0} for not
    /// at all: the next deadline, or one before it that was met. Looks at the requests only when it must.
    MonoTime expire(MonoTime now);
    /// The connection is gone: every pending request ends with `why`, and so does every later one.
    void close(const Error& why);
    std::size_t pending() const noexcept { return pending_.size(); }

private:
    struct Pending {
        OnAnswer on_answer;  ///< Or on_passed.
        OnPassed on_passed;
        MonoTime deadline;
        void give(Result<std::shared_ptr<const Json>> answer) const;
    };
    void ask(std::uint64_t id, std::string line, Pending pending);
    bool pass_answer(std::string_view line);
    void note_deadline(MonoTime deadline);
    void handle_line(std::string_view line);
    void handle_answer(std::string_view line, Answer& answer);
    void noise(std::string_view line, const Error& why);

    Send send_;
    OnEvent on_event_;
    OnNoise on_noise_;
    LineSplitter splitter_;
    LineSplitter::Handler on_line_;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Pending> pending_;
    bool passes_answers_ = false;  ///< Somebody does not want trees.
    MonoTime no_deadline_before_;  ///< {0}: there is none at all.
    std::optional<Error> closed_;
};

/// Reads a `ping` answer and refuses a peer that speaks another interface or another major version,
/// saying which and what was expected.
Result<> check_peer(const Json& ping_response);

}  // namespace labdeck::contract
