#include "hub/updating.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/assert.h"
#include "hub/core.h"
#include "updates/fetch.h"

namespace labdeck::hub {

using contract::Caller;
using contract::Json;
using contract::Responder;

namespace {

/// The answer is to be on its way before everything ends.
constexpr std::int64_t restart_delay_ns = 100'000'000;

std::string cache_folder() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
        return std::string(cache) + "/labdeck/updates";
    }
    const char* home = std::getenv("HOME");
    return std::string(home != nullptr ? home : "/tmp") + "/.cache/labdeck/updates";
}

updates::UpdaterOptions options_of(const std::string& version) {
    const auto current = updates::Version::parse(version);
    LD_ASSERT(current.has_value());
    return {*current, own_program(), cache_folder()};
}

/// A member that is a string; others are for the settings' own checks.
const std::string* text_in(const Json& patch, const char* key) {
    const auto at = patch.find(key);
    return at != patch.end() && at->is_string() && !at->get_ref<const std::string&>().empty()
               ? at->get_ptr<const std::string*>()
               : nullptr;
}

template <typename Check>
Result<> check_setting(const Json& patch, const char* key, Check check) {
    const std::string* const text = text_in(patch, key);
    if (text == nullptr) return {};
    const auto checked = check(*text);
    if (!checked) return fail(contract::bad_arg(key, std::string(key) + " " + checked.error().message));
    return {};
}

}  // namespace

Updating::Updating(Core& core, io::Reactor& hub)
    : core_(core),
      hub_(hub),
      updater_(std::make_unique<updates::Updater>(
          options_of(core.options().version),
          updates::UpdaterHooks{
              [&core](const Json& params) { core.publish("updates", params); },
              [&core](std::string_view level, std::string text) { core.log(level, std::move(text)); }},
          hub)) {}

Result<> Updating::check_settings(const Json& patch) {
    LD_TRY(check_setting(patch, "updateFeed", updates::check_feed_url));
    LD_TRY(check_setting(patch, "updatePublicKey", updates::PublicKey::parse));
    return check_setting(patch, "updateChannel", [](const std::string& name) -> Result<> {
        if (updates::is_channel(name)) return {};
        return fail(Code::bad_arg, "is 1 to 32 of a-z, 0-9 and the hyphen");
    });
}

updates::FeedSettings Updating::feed() const {
    // What the program was built with stands where the settings say nothing.
    updates::FeedSettings feed{LABDECK_UPDATE_FEED, LABDECK_UPDATE_PUBLIC_KEY, ""};
    const Json settings = core_.supervision().settings();
    if (const auto* url = text_in(settings, "updateFeed")) feed.url = *url;
    if (const auto* key = text_in(settings, "updatePublicKey")) feed.key = *key;
    if (const auto* channel = text_in(settings, "updateChannel")) feed.channel = *channel;
    return feed;
}

void Updating::install(const Responder& responder) {
    if (!core_.options().restart) {
        return responder.error(
            {Code::denied, "this hub cannot be started again: it only makes a picture", 0, {}});
    }
    updater_->install([this, responder](Result<Json> result) {
        const bool done = result.has_value();
        responder.answer(std::move(result));
        if (done) hub_.after(restart_delay_ns, core_.options().restart);
    });
}

void Updating::bind(contract::Dispatcher& table) {
    const auto bind =
        [&](std::string_view method,
            void (updates::Updater::*call)(const updates::FeedSettings&, const updates::Updater::Answer&)) {
            table.bind(method, [this, call](const Json&, const Caller&, const Responder& responder) {
                ((*updater_).*call)(
                    feed(), [responder](Result<Json> result) { responder.answer(std::move(result)); });
            });
        };
    bind("updates.check", &updates::Updater::check);
    bind("updates.download", &updates::Updater::download);
    table.bind("updates.quitAndInstall",
               [this](const Json&, const Caller&, const Responder& responder) { install(responder); });
    table.bind("updates.status", [this](const Json&, const Caller&, const Responder& responder) {
        responder.ok(updater_->status());
    });
}

}  // namespace labdeck::hub
