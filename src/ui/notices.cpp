#include "ui/notices.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "contract/secret_names.h"
#include "ui/json_reading.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
/// What comes within this after the first is told with it.
constexpr std::int64_t gather_ns = 300 * ns_per_ms;
/// And after something was told, nothing for so long: a storm is told in a few pieces.
constexpr std::int64_t calm_ns = 2'000 * ns_per_ms;
/// Up for so long, a script that fails as it did before is news.
constexpr std::int64_t settled_ns = 60'000 * ns_per_ms;
constexpr double usual_probe_ms = 5'000;
constexpr std::size_t singly_max = 2;
constexpr std::size_t names_max = 4;
constexpr std::size_t text_max = 400;
/// So that what became of it stands beside the name, in one line.
constexpr std::size_t name_max = 32;
constexpr const char* mask = "***";

// The words of the supervisor's reasons.
constexpr std::string_view crash_loop_word = "crash-loop";
constexpr std::string_view unkillable_word = "unkillable";

std::string several_title(Notice::Kind kind, std::size_t count) {
    using enum Notice::Kind;
    switch (kind) {
        case unkillable:
            return fmt::format("{} scripts cannot be killed", count);
        case crash_loop:
            return fmt::format("{} scripts are in a crash loop", count);
        case script_failed:
            return fmt::format("{} scripts failed", count);
        case provider_died:
            return fmt::format("{} providers are down", count);
        case unhealthy:
            return fmt::format("{} scripts are unhealthy", count);
        case healthy_again:
            return fmt::format("{} scripts are healthy again", count);
        case provider_back:
            return fmt::format("{} providers are back", count);
        case update_available:
            break;
    }
    return fmt::format("{} updates are available", count);
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
        text.replace(at, what.size(), with);
}

/// "http://user:word@host" has a secret before its @.
void hide_users_of_urls(std::string& text) {
    constexpr std::string_view begins = "://";
    for (std::size_t at = 0; (at = text.find(begins, at)) != std::string::npos;) {
        at += begins.size();
        const std::size_t end = std::min(text.find_first_of("/?# \t\n\"'", at), text.size());
        const std::size_t user_end = text.substr(at, end - at).rfind('@');
        if (user_end != std::string::npos) text.replace(at, user_end, mask);
    }
}

/// One line, of a length that can be read.
std::string tidy(std::string text, std::size_t bytes_max = text_max) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    if (text.size() <= bytes_max) return text;
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return text.substr(0, end) + "\xe2\x80\xa6";
}

std::int64_t probe_interval_ns(const ScriptView& script) {
    const Json& check = member_of(script.definition, "healthCheck");
    const double ms = number_member_of(check, "intervalMs").value_or(usual_probe_ms);
    return static_cast<std::int64_t>(std::clamp(ms, 0.0, 1e9)) * ns_per_ms;
}

std::string name_of(const ScriptView& script) {
    return tidy(without_secrets(script.name, member_of(script.definition, "env")), name_max);
}

Notice notice_of(const ScriptView& script, Notice::Kind kind, std::string_view what, const std::string& why) {
    return {.kind = kind,
            .title = fmt::format("{} {}", name_of(script), what),
            .text = tidy(without_secrets(why, member_of(script.definition, "env"))),
            .script = script.id,
            .app = {}};
}

}  // namespace

std::string without_secrets(std::string text, const Json& env) {
    if (env.is_object()) {
        std::vector<std::string_view> secrets;
        for (const auto& [name, value] : env.items()) {
            if (value.is_string() && contract::looks_secret(name))
                secrets.push_back(value.get_ref<const std::string&>());
        }
        // The longer first: one may be in another.
        std::sort(secrets.begin(), secrets.end(), [](auto a, auto b) { return a.size() > b.size(); });
        for (const std::string_view secret : secrets) {
            if (!secret.empty()) replace_all(text, secret, mask);
        }
    }
    hide_users_of_urls(text);
    return text;
}

Notice::Level Notice::level() const noexcept {
    switch (kind) {
        case Kind::unkillable:
        case Kind::crash_loop:
        case Kind::script_failed:
        case Kind::provider_died:
            return Level::error;
        case Kind::unhealthy:
            return Level::warning;
        case Kind::healthy_again:
        case Kind::provider_back:
            return Level::good;
        case Kind::update_available:
            break;
    }
    return Level::info;
}

void Notices::put(Known& known, Notice notice, const std::string& name, MonoTime now) {
    std::string said = fmt::format("{}: {}", notice.title, notice.text);
    if (said == known.last) return;
    known.last = std::move(said);
    Group& group = waiting_[static_cast<std::size_t>(notice.kind)];
    ++group.count;
    if (group.names.size() < names_max) group.names.push_back(name);
    notice.time = now;
    if (group.first.size() < singly_max) group.first.push_back(std::move(notice));
    if (due_.ns == 0) due_ = {std::max(now.ns + gather_ns, told_.ns == 0 ? 0 : told_.ns + calm_ns)};
}

void Notices::add(Notice notice, MonoTime now) {
    const std::string name = notice.title;
    put(others_, std::move(notice), name, now);
}

void Notices::script(const ScriptView& script, MonoTime now) {
    Known& known = scripts_[script.id];
    const std::string_view state = script_status_name(script.status);
    const bool another = known.state != state;
    known.state = state;
    if (script.status != ScriptStatus::running) {
        known.up_since = {};
    } else if (known.up_since.ns == 0) {
        known.up_since = now;
    } else if (now.ns - known.up_since.ns >= settled_ns && !known.told_unhealthy) {
        known.last.clear();
    }
    using enum Notice::Kind;
    if (script.status == ScriptStatus::failed && another) {
        const bool loop = script.reason.starts_with(crash_loop_word);
        put(known,
            loop ? notice_of(script, crash_loop, "is in a crash loop", script.reason)
                 : notice_of(script, script_failed, "failed", script.reason),
            name_of(script), now);
    }
    const bool stuck = script.status == ScriptStatus::stopping && script.reason.starts_with(unkillable_word);
    if (stuck && !known.told_unkillable)
        put(known, notice_of(script, unkillable, "cannot be killed", script.reason), name_of(script), now);
    known.told_unkillable = stuck;
    health(script, known, now);
}

void Notices::health(const ScriptView& script, Known& known, MonoTime now) {
    // Ended while it was unhealthy: that it is well later is no return.
    if (!script.up() && script.status != ScriptStatus::backoff) known.told_unhealthy = false;
    const bool asked = script.status == ScriptStatus::running && script.healthy;
    if (!asked || *script.healthy) known.unhealthy_since = {};
    if (!asked) return;
    using enum Notice::Kind;
    if (*script.healthy) {
        if (std::exchange(known.told_unhealthy, false))
            put(known, notice_of(script, healthy_again, "is healthy again", {}), name_of(script), now);
        return;
    }
    if (known.unhealthy_since.ns == 0) known.unhealthy_since = now;
    const bool lasts = now.ns - known.unhealthy_since.ns > probe_interval_ns(script);
    if (!lasts || std::exchange(known.told_unhealthy, true)) return;
    put(known, notice_of(script, unhealthy, "is unhealthy", script.health_reason), name_of(script), now);
}

void Notices::forget_script(const std::string& id) {
    scripts_.erase(id);
}

void Notices::provider(const std::string& name, const std::string& app, std::string_view state,
                       const std::string& why, MonoTime now) {
    Known& known = providers_[name];
    const std::string before = std::exchange(known.state, std::string(state));
    if (state == "up") {
        if (known.up_since.ns == 0) known.up_since = now;
        if (std::exchange(known.told_down, false)) {
            put(known,
                Notice{.kind = Notice::Kind::provider_back,
                       .title = fmt::format("{} is back", tidy(name, name_max)),
                       .text = {},
                       .script = {},
                       .app = app},
                name, now);
        }
        return;
    }
    if (known.up_since.ns != 0 && now.ns - known.up_since.ns >= settled_ns) known.last.clear();
    known.up_since = {};
    // On its way up or down because somebody wants that.
    if (state == "starting" || state == "stopping" || state == "stopped") return;
    // It has several apps, and each tells.
    const bool given_up = state == "failed" && before != state;
    if (std::exchange(known.told_down, true) && !given_up) return;
    put(known,
        Notice{.kind = Notice::Kind::provider_died,
               .title = fmt::format("{} is {}", tidy(name, name_max), given_up ? "given up" : "down"),
               .text = tidy(without_secrets(why, Json())),
               .script = {},
               .app = app},
        name, now);
}

std::vector<Notice> Notices::take(MonoTime now) {
    std::vector<Notice> told;
    if (due_.ns == 0 || now < due_) return told;
    due_ = {};
    told_ = now;
    for (Group& group : waiting_) {
        if (group.count > singly_max) {
            Notice all = std::move(group.first.front());
            all.title = several_title(all.kind, group.count);
            all.text.clear();
            for (const std::string& name : group.names)
                all.text += fmt::format("{}{}", all.text.empty() ? "" : ", ", name);
            if (group.count > group.names.size())
                all.text += fmt::format(" and {} more", group.count - group.names.size());
            all.text = tidy(all.text);
            all.count = group.count;
            told.push_back(std::move(all));
        } else {
            for (Notice& notice : group.first) told.push_back(std::move(notice));
        }
        group = {};
    }
    return told;
}

}  // namespace labdeck::ui
