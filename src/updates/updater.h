// updater.h - looks for a newer program, fetches it, puts it in place; one of them at a time.
//
// Owns a thread while it is at work; what it knows belongs to the hub. Nothing is done unasked: no look at
// the feed but by check() and download().
//
// Thread: hub.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "contract/json.h"
#include "io/reactor.h"
#include "updates/release.h"

namespace labdeck::updates {

using contract::Json;

/// Where updates come from, and whom to believe. What is missing is an error of check(), and of nothing else.
struct FeedSettings {
    std::string url;      ///< Of a folder or of its manifest.json.
    std::string key;      ///< Ed25519, base64.
    std::string channel;  ///< "stable" when it is empty.
};

struct UpdaterOptions {
    Version current;
    std::string program;  ///< Absolute; what is replaced.
    std::string folder;   ///< For what was fetched.
};

struct UpdaterHooks {
    /// The contract's event `updates`: available, none, progress, downloaded, error.
    std::function<void(const Json& params)> publish;
    std::function<void(std::string_view level, std::string text)> log;
};

class Updater {
public:
    using Answer = std::function<void(Result<Json>)>;

    Updater(UpdaterOptions options, UpdaterHooks hooks, io::Reactor& hub);
    /// Gives up what is under way, within a second or two.
    ~Updater();
    Updater(const Updater&) = delete;
    Updater& operator=(const Updater&) = delete;

    /// Both answer {ok, error?} when they are done, and never an Error.
    void check(const FeedSettings& feed, const Answer& answer);
    /// Looks first, always: a feed may have moved on.
    void download(const FeedSettings& feed, const Answer& answer);
    /// Answers null when the new program is in place: the caller then restarts. E_NOT_FOUND when nothing was
    /// downloaded, E_BUSY while something else is under way, E_DENIED for a program that is not what it
    /// should be.
    void install(const Answer& answer);
    /// {current, program, platform, state, busy, …}: where it stands, for whoever comes late.
    Json status() const;

    static constexpr std::int64_t progress_period_ns = 250'000'000;

private:
    enum class State : unsigned char { idle, none, available, downloaded, installed, error };
    enum class Task : unsigned char { none, check, download, install };
    /// What a look at the feed found.
    struct Look {
        std::string manifest;  ///< Its URL.
        std::string channel;
        std::optional<Release> newest;
    };
    /// Done on the thread; what it returns is done on the hub, and gives the answer.
    using Outcome = std::function<Result<Json>()>;
    using Work = std::function<Outcome(const std::stop_token&)>;

    static Result<Look> look_at(const FeedSettings& feed, const std::stop_token& stop);
    void begin(Task task, const Answer& answer, Work work);
    Error under_way() const;
    void tell(std::string_view type, Json info) const;
    bool is_newer(const std::optional<Release>& release) const;
    /// What a look comes to; the error of a download when there is nothing newer.
    Result<> looked(const Look& look);
    Result<> fetched(const Look& look, Result<std::string> file);
    tl::unexpected<Error> failed(Error error);
    /// Thread: the updater's own.
    std::function<void(std::uint64_t bytes)> progress_of(const Release& release);

    const UpdaterOptions options_;
    const UpdaterHooks hooks_;
    io::Reactor& hub_;
    State state_ = State::idle;
    Task task_ = Task::none;
    Answer answer_;  ///< Of the task that is under way.
    std::string trouble_;
    std::optional<Release> release_;  ///< The newest, when it is newer than we are.
    std::string file_;                ///< Of release_, when it is downloaded.
    std::uint64_t bytes_ = 0;         ///< Of the download that is under way.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::jthread thread_;
};

}  // namespace labdeck::updates
