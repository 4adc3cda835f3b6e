// job_watch.h - the jobs of the bench that are not over yet, so that none is left without a final state.
//
// A provider ends its own jobs. Where it cannot, because it died or because it let a job outlast its
// time-out, the hub does, and keeps what it said: the provider, started again, knows nothing of it. Started
// again it may also count its jobs from one again, so an id is of an app, and of one life of its provider.
// Thread: hub.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
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

    /// False for an event of a job whose end was told by an event before: nothing comes after that.
    bool may_tell(const std::string& app, const contract::Json& job);
    /// The job with "canceled" where its provider writes "cancelled"; nothing for all others. So also with
    /// the jobs of a list.
    static std::optional<contract::Json> respelled(const contract::Json& job);
    /// An answer of action.list: the time-outs that hold for jobs which do not tell their own.
    void know_actions(const std::string& app, const contract::Json& response);

    /// The provider of these apps is gone: its jobs are failed. They come back as action.job.get answers
    /// them.
    Ended lose(const std::vector<std::string>& apps, const Error& why);
    /// Ends the jobs that should have been `timeout` by themselves.
    Ended expire(MonoTime now);

    /// Jobs, by app and id, that have no deadline and of which nothing was heard for five seconds: a provider
    /// that says nothing by itself is to be asked. Each again five seconds later, few at a time.
    std::vector<std::pair<std::string, std::string>> to_ask(MonoTime now);

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
        MonoTime heard;     ///< Or asked for.
    };
    std::shared_ptr<const contract::Json> end(const std::string& app, const Open& open,
                                              std::string_view state, const Error& why);
    /// The latest of something, bounded.
    struct Latest {
        std::deque<Key> order;
        std::set<Key> keys;
        bool add(const Key& key);
        void forget(const std::function<bool(const Key&)>& which);
    };
    std::deque<EndedJob>::const_iterator find_ended(std::string_view app, std::string_view job_id) const;

    std::map<Key, Open> open_;
    std::deque<EndedJob> ended_;               ///< The newest first.
    Latest over_;                              ///< Ended by their providers.
    Latest told_;                              ///< Whose end was told by an event.
    std::map<Key, std::int64_t> timeouts_ms_;  ///< By app and action.
};

}  // namespace labdeck::hub
