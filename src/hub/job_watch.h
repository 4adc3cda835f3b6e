// job_watch.h - the jobs of the bench that are not over yet, so that none is left without a final state.
//
// A provider ends its own jobs. Where it cannot, because it died or because it let a job outlast its
// time-out, the hub does, and keeps what it said: the provider, started again, knows nothing of it. Started
// again it may also count its jobs from one again, so an id is of an app, and of one life of its provider.
// Thread: hub.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "contract/json.h"

namespace labdeck::hub {

class JobWatch {
public:
    using Ended = std::vector<std::shared_ptr<const contract::Json>>;
    /// A job to which the hub gave its final state.
    struct EndedJob {
        std::string app;
        std::shared_ptr<const contract::Json> job;
        bool provider_gone = false;  ///< Whoever speaks of this id from now on means another job.
    };

    /// A job was accepted or changed: an answer of action.invoke or action.job.get, or the params of
    /// job.changed. Parts of it may be missing. What is final stays so in this life of its provider: an
    /// answer that calls it queued may come behind the event that called it done.
    void note(const std::string& app, const contract::Json& job, MonoTime now);
    /// False for news of a job to which the hub has given its final state already.
    bool news(const std::string& app, const contract::Json& job) const;

    /// The provider of these apps is gone: its jobs are failed. They come back as action.job.get answers
    /// them.
    Ended lose(const std::vector<std::string>& apps, const Error& why);
    /// Ends the jobs that should have been `timeout` by themselves.
    Ended expire(MonoTime now);

    /// A job that the hub ended; null for any other.
    std::shared_ptr<const contract::Json> find(std::string_view app, std::string_view job_id) const;
    /// All that the hub ended, the newest first, the latest 1,000.
    const std::deque<EndedJob>& ended() const noexcept { return ended_; }
    std::size_t open() const noexcept { return open_.size(); }

private:
    using Key = std::pair<std::string, std::string>;  ///< App and job.
    struct Open {
        std::shared_ptr<contract::Json> job;
        MonoTime deadline;  ///< {0}: none that is known.
    };
    std::shared_ptr<const contract::Json> end(const std::string& app, const Open& open,
                                              std::string_view state, const Error& why);
    void note_over(Key key);
    std::deque<EndedJob>::const_iterator find_ended(std::string_view app, std::string_view job_id) const;

    std::map<Key, Open> open_;
    std::deque<EndedJob> ended_;  ///< The newest first.
    std::deque<Key> over_;        ///< Ended by their providers, the newest last.
    std::set<Key> over_keys_;     ///< The same.
};

}  // namespace labdeck::hub
