// talk.h - a conversation with a provider under test.
//
// Gives every request an id of its own, sorts what comes back into answers, events and what is
// neither, and keeps a transcript of the check at hand. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conform/outcome.h"
#include "conform/subject.h"
#include "contract/json.h"

namespace labdeck::conform {

using contract::Json;

struct Settings {
    std::vector<std::string> command;
    std::string app;       ///< Only this one; empty for all that app.list names.
    std::string slow;      ///< The action that outlasts its time-out.
    double timeout_s = 5;  ///< How long an answer may take.
};

/// What went out and came in during one check, the ends of it, each line shortened.
struct Transcript {
    std::deque<std::string> sent;
    std::deque<std::string> received;
};

class Talk {
public:
    /// Fails when the program cannot be started.
    [[nodiscard]] static Result<std::unique_ptr<Talk>> start(const Settings& settings);

    /// The response of one call. A fault when it is refused, wrongly shaped, or does not come.
    Outcome<Json> ask(std::string_view method, const Json& params);
    Outcome<Json> ask(std::string_view method);
    /// The call must be refused with this code; `key`, if any, must be what details.key names. The error.
    Outcome<Json> refused(std::string_view method, const Json& params, std::string_view code,
                          std::string_view key = {});

    /// Sends a request and gives its id as it stands on the wire, for answer().
    std::string request(std::string_view method, const Json& params);
    std::string request(std::string_view method);
    /// The whole answer to this id: its shape is checked. "null" is an id as well.
    Outcome<Json> answer(const std::string& id);
    /// Sends this line, to which an answer with this id is due. Empty id: none is due; "*": one with any id
    /// is, and answer("*") gives it.
    void send_line(std::string_view line, const std::string& id);
    /// Sends bytes as they are: half a line, say.
    void send_bytes(std::string_view bytes);
    /// Sends a line that is no request: one E_BAD_ARG with this id must come, and a ping be answered after
    /// it.
    Outcome<> bad_line(std::string_view line, const std::string& id = "null");

    /// Listens for this long, or until `enough` says so; what comes is sorted. False at the provider's end.
    bool listen(std::int64_t ns, const std::function<bool()>& enough = {});
    /// Fails unless ping is answered: the provider is alive and has said all that it had to say before.
    Outcome<> settle();

    struct Event {
        std::string name;
        std::shared_ptr<const Json> params;
    };
    /// The latest 4,096.
    const std::deque<Event>& events() const noexcept { return events_; }
    void forget_events() { events_.clear(); }
    std::uint64_t event_count() const noexcept { return event_count_; }
    bool subscribed() const noexcept { return subscribed_; }
    /// Subscribes to all topics. Skips when the provider has no events.
    Outcome<> subscribe();

    /// Answers that nobody waited for, and lines that are no message: how many, and the first.
    struct Stray {
        std::uint64_t count = 0;
        std::string first;
    };
    /// Counts on from an earlier incarnation of the provider.
    void inherit(const Talk& earlier);
    const Stray& stray_answers() const noexcept { return stray_answers_; }
    const Stray& rubbish() const noexcept { return rubbish_; }

    Subject& subject() noexcept { return *subject_; }
    bool over() const noexcept { return over_; }
    const Settings& settings() const noexcept { return settings_; }
    std::int64_t patience_ns() const noexcept { return static_cast<std::int64_t>(settings_.timeout_s * 1e9); }

    const Transcript& transcript() const noexcept { return transcript_; }
    void begin_transcript() { transcript_ = {}; }
    /// True when an answer did not come in time since take_timed_out() was called last.
    bool timed_out() const noexcept { return timed_out_; }
    bool take_timed_out() { return std::exchange(timed_out_, false); }

    static Outcome<> drop(Outcome<Json>&& outcome);

private:
    Talk(const Settings& settings, std::unique_ptr<Subject> subject);
    enum class Turn : unsigned char { heard, silence, end };
    Turn turn(MonoTime deadline);
    void sort(const std::string& line);
    void sort_answer(const std::string& line, Json message, const std::string& raw_id);
    void note(std::deque<std::string>& side, std::string_view line);

    const Settings settings_;
    std::unique_ptr<Subject> subject_;
    Transcript transcript_;
    std::map<std::string, int> due_;  ///< Ids that are to be answered, and how often.
    std::multimap<std::string, std::shared_ptr<Json>> answers_;
    std::deque<Event> events_;
    std::uint64_t event_count_ = 0;
    Stray stray_answers_;
    Stray rubbish_;
    std::uint64_t last_id_ = 0;
    bool subscribed_ = false;
    bool over_ = false;
    bool timed_out_ = false;
};

/// An id's text in the one spelling that equal ids share: strings by their value, integers by their digits.
std::string id_text(const Json& id, std::string_view raw);

}  // namespace labdeck::conform
