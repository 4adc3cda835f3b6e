#include "updates/updater.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/clock.h"
#include "base/thread_role.h"
#include "updates/fetch.h"
#include "updates/package.h"

namespace labdeck::updates {

namespace {

constexpr std::array<std::string_view, 6> state_names = {"idle",       "none",      "available",
                                                         "downloaded", "installed", "error"};
constexpr std::array<std::string_view, 4> task_names = {"", "check", "download", "install"};

Error about(std::string_view setting, const Error& error) {
    return {error.code, fmt::format("the setting {} {}", setting, error.message), error.os, {}};
}

Json info_of(const Release& release) {
    return {{"version", release.version.text()},
            {"channel", release.channel},
            {"size", release.size},
            {"published", release.published},
            {"notes", release.notes}};
}

/// For the answers of the contract that are never an error.
Json answer_of(const Result<>& result) {
    if (result) return {{"ok", true}};
    return {{"ok", false}, {"error", result.error().message}};
}

}  // namespace

Updater::Updater(UpdaterOptions options, UpdaterHooks hooks, io::Reactor& hub)
    : options_(std::move(options)), hooks_(std::move(hooks)), hub_(hub) {}

Updater::~Updater() {
    *alive_ = false;
    if (answer_) answer_(fail(Code::canceled, "Labdeck is ending"));
}

Result<Updater::Look> Updater::look_at(const FeedSettings& feed, const std::stop_token& stop) {
    Look look;
    look.channel = feed.channel.empty() ? "stable" : feed.channel;
    if (!is_channel(look.channel))
        return fail(Code::bad_arg, "the setting updateChannel is 1 to 32 of a-z, 0-9 and the hyphen");
    if (feed.url.empty())
        return fail(Code::not_found,
                    "no feed is set: settings.update updateFeed=https://… updatePublicKey=…");
    if (feed.key.empty()) {
        return fail(Code::denied,
                    "no key is set to check the feed's signatures with: settings.update updatePublicKey=…");
    }
    const auto key = PublicKey::parse(feed.key);
    if (!key) return fail(about("updatePublicKey", key.error()));
    auto url = manifest_url(feed.url);
    if (!url) return fail(about("updateFeed", url.error()));
    look.manifest = std::move(*url);

    std::string text;
    FetchRequest request{look.manifest, 0, manifest_bytes_max};
    request.stop = stop;
    FetchResult got = fetch(request, [&](std::string_view bytes) -> Result<> {
        text += bytes;
        return {};
    });
    if (got.end != FetchEnd::done) return fail(std::move(got.error));
    std::vector<Release> releases = LD_TRY(read_manifest(text, look.channel, own_platform(), *key));
    if (!releases.empty()) look.newest = std::move(releases.front());
    return look;
}

void Updater::begin(Task task, const Answer& answer, Work work) {
    task_ = task;
    answer_ = answer;
    // An earlier thread has ended: it has posted its last word.
    thread_ = std::jthread(
        [this, work = std::move(work), alive = alive_, poster = hub_.poster()](const std::stop_token& stop) {
            name_this_thread("update");
            poster.post([this, alive, result = work(stop)] {
                if (!*alive) return;
                task_ = Task::none;
                const Answer last = std::exchange(answer_, nullptr);
                last(result());
            });
        });
}

Error Updater::under_way() const {
    return {Code::busy, fmt::format("a {} is under way", task_names[static_cast<std::size_t>(task_)]), 0, {}};
}

void Updater::tell(std::string_view type, Json info) const {
    hooks_.publish({{"type", type}, {"info", std::move(info)}});
}

bool Updater::is_newer(const std::optional<Release>& release) const {
    return release && release->version > options_.current;
}

Result<> Updater::looked(const Look& look) {
    if (is_newer(look.newest)) {
        const bool same = release_ && release_->sha256 == look.newest->sha256 && state_ == State::downloaded;
        release_ = look.newest;
        if (!same) {
            state_ = State::available;
            file_.clear();
        }
        return {};
    }
    state_ = State::none;
    release_.reset();
    file_.clear();
    const std::string current = options_.current.text();
    if (!look.newest) {
        return fail(Code::not_found,
                    fmt::format("the channel {} has nothing for {}", look.channel, own_platform()));
    }
    return fail(Code::denied, fmt::format("the newest of the channel {} is {}, and this is {}: nothing older "
                                          "takes its place",
                                          look.channel, look.newest->version.text(), current));
}

tl::unexpected<Error> Updater::failed(Error error) {
    state_ = State::error;
    trouble_ = error.message;
    hooks_.log("warning", fmt::format("no update: {}", error.message));
    hooks_.publish({{"type", "error"}, {"message", error.message}});
    return fail(std::move(error));
}

void Updater::check(const FeedSettings& feed, const Answer& answer) {
    if (task_ != Task::none) return answer(answer_of(fail(under_way())));
    begin(Task::check, answer, [this, feed](const std::stop_token& stop) -> Outcome {
        return [this, look = look_at(feed, stop)]() -> Result<Json> {
            if (!look) return answer_of(failed(look.error()));
            const Result<> newer = looked(*look);
            if (newer) {
                tell("available", info_of(*release_));
            } else {
                tell("none", {{"version", options_.current.text()}, {"why", newer.error().message}});
            }
            return answer_of({});
        };
    });
}

std::function<void(std::uint64_t)> Updater::progress_of(const Release& release) {
    struct Rate {
        MonoTime began = mono_now();
        std::optional<std::uint64_t> bytes_then;
        MonoTime told;
    };
    return [this, release, alive = alive_, poster = hub_.poster(),
            rate = std::make_shared<Rate>()](std::uint64_t bytes) {
        if (!rate->bytes_then) rate->bytes_then = bytes;
        const MonoTime now = mono_now();
        if (now.ns - rate->told.ns < progress_period_ns && bytes < release.size) return;
        rate->told = now;
        const double seconds = static_cast<double>(now.ns - rate->began.ns) / 1e9;
        const double per_second =
            seconds > 0 ? static_cast<double>(bytes - std::min(bytes, *rate->bytes_then)) / seconds : 0;
        poster.post([this, alive, bytes, size = release.size, version = release.version.text(),
                     whole = static_cast<std::uint64_t>(per_second)] {
            if (!*alive) return;
            bytes_ = bytes;
            tell("progress",
                 {{"version", version}, {"bytes", bytes}, {"size", size}, {"bytesPerSecond", whole}});
        });
    };
}

Result<> Updater::fetched(const Look& look, Result<std::string> file) {
    if (!is_newer(look.newest)) return failed(looked(look).error());
    release_ = look.newest;
    file_.clear();
    if (!file) return failed(std::move(file).error());
    file_ = std::move(*file);
    state_ = State::downloaded;
    hooks_.log("info", fmt::format("version {} is downloaded", release_->version.text()));
    tell("downloaded", info_of(*release_));
    return {};
}

void Updater::download(const FeedSettings& feed, const Answer& answer) {
    if (task_ != Task::none) return answer(answer_of(fail(under_way())));
    bytes_ = 0;
    begin(Task::download, answer, [this, feed](const std::stop_token& stop) -> Outcome {
        const Result<Look> look = look_at(feed, stop);
        if (!look) return [this, look]() -> Result<Json> { return answer_of(failed(look.error())); };
        Result<std::string> file;
        if (is_newer(look->newest)) {
            auto url = resolve_url(look->manifest, look->newest->file);
            if (url) {
                DownloadRequest request{std::move(*url), options_.folder};
                request.stop = stop;
                file = updates::download(*look->newest, request, progress_of(*look->newest));
            } else {
                file = fail(std::move(url).error());
            }
        }
        return [this, look, file]() -> Result<Json> { return answer_of(fetched(*look, file)); };
    });
}

void Updater::install(const Answer& answer) {
    if (task_ != Task::none) return answer(fail(under_way()));
    if (state_ != State::downloaded) {
        return answer(fail(Code::not_found, "nothing is downloaded: updates.download comes first"));
    }
    begin(Task::install, answer,
          [this, release = *release_, file = file_](const std::stop_token& stop) -> Outcome {
              return [this, version = release.version.text(),
                      done = updates::install(release, file, options_.program, stop)]() -> Result<Json> {
                  if (!done) return failed(done.error());
                  state_ = State::installed;
                  hooks_.log("info", fmt::format("version {} is in place; {}.previous is {}", version,
                                                 options_.program, options_.current.text()));
                  return Json(nullptr);
              };
          });
}

Json Updater::status() const {
    Json json{{"current", options_.current.text()},
              {"program", options_.program},
              {"platform", own_platform()},
              {"state", state_names[static_cast<std::size_t>(state_)]},
              {"busy", task_names[static_cast<std::size_t>(task_)]}};
    if (task_ == Task::download) json["bytes"] = bytes_;
    if (release_) json["info"] = info_of(*release_);
    if (state_ == State::error) json["error"] = trouble_;
    return json;
}

}  // namespace labdeck::updates
