// job_watch.h - the jobs of the bench that are not over yet, so that none is left without a final state.
//
// A provider ends its own jobs. Where it cannot, because it died or because it let a job outlast its
// time-out, the hub does, and keeps what it said: the provider, started again, knows nothing of it.
// Thread: hub.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "contract/json.h"

namespace labdeck::hub {

class JobWatch {
public:
    using Ended = std::vector<std::shared_ptr<const contract::Json>>;

    /// A job was accepted or changed: an answer of action.invoke or action.job.get, or the params of
    /// job.changed. Parts of it may be missing. What is final is forgotten.
    void note(const std::string& app, const contract::Json& job, MonoTime now);
    /// False for news of a job to which the hub has given its final state already.
    bool news(const contract::Json& job) const;

    /// The provider of these apps is gone: its jobs are failed. They come back as action.job.get answers
    /// them.
    Ended lose(const std::vector<std::string>& apps, const Error& why);
    /// Ends the jobs that should have been `timeout` by themselves.
    Ended expire(MonoTime now);

    /// A job that the hub ended; null for any other.
    std::shared_ptr<const contract::Json> find(std::string_view app, std::string_view job_id) const;
    /// All that the hub ended, the newest first, the latest 1,000.
    const std::deque<std::shared_ptr<const contract::Json>>& ended() const noexcept { return ended_; }
    std::size_t open() const noexcept { return open_.size(); }

private:
    struct Open {
        std::string app;
        std::shared_ptr<contract::Json> job;
        MonoTime deadline;  ///< {0}: none that is known.
    };
    std::shared_ptr<const contract::Json> end(const Open& open, std::string_view state, const Error& why);

    std::map<std::string, Open, std::less<>> open_;  ///< By the job's id.
    std::deque<std::shared_ptr<const contract::Json>> ended_;
};

}  // namespace labdeck::hub
