// notices.h - what somebody should be told although he does not look: made out of how scripts and providers
// do, each time that they say so.
//
// Told are a script that failed, one in a crash loop, one that stays unhealthy and one that is well again,
// one that cannot be killed, a provider that died and one that is back. A stop that somebody wanted is never
// told, nor the same of one script or provider twice in a row, unless it was up for a minute in between. What
// comes at about the same time is told at once: "12 scripts failed". No secret is in it.
//
// Bounded: what is remembered is one state a script and provider, and what waits a few notices a kind.
//
// No ImGui and no clock. Thread: ui.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "contract/json.h"

namespace labdeck::ui {

struct ScriptView;

struct Notice {
    enum class Kind : unsigned char {
        unkillable,
        crash_loop,
        script_failed,
        provider_died,
        unhealthy,
        healthy_again,
        provider_back,
        update_available,
    };
    enum class Level : unsigned char { error, warning, good, info };

    Kind kind = Kind::script_failed;
    std::string title;      ///< "adapter failed"; one line.
    std::string text;       ///< Why: "exit 3"; may be empty.
    std::string script;     ///< An id: the first one's, where it is about several. Empty for none.
    std::string app;        ///< An app of the provider that it is about; empty for none.
    std::size_t count = 1;  ///< Scripts or providers that it is about.
    MonoTime time = {};

    Level level() const noexcept;
};

class Notices {
public:
    /// After each snapshot of a script, with what it says now.
    void script(const ScriptView& script, MonoTime now);
    /// The script is not kept any more.
    void forget_script(const std::string& id);
    /// A provider's state in the hub's words, with one of its apps and what is wrong.
    void provider(const std::string& name, const std::string& app, std::string_view state,
                  const std::string& why, MonoTime now);
    /// Anything else that is made elsewhere; not the same twice in a row.
    void add(Notice notice, MonoTime now);

    /// What is to be told now, the worst first; to be called at due() or later. Mostly empty.
    std::vector<Notice> take(MonoTime now);
    /// When take() will have something; {0} while nothing waits.
    MonoTime due() const noexcept { return due_; }

private:
    /// What is known of a script or a provider.
    struct Known {
        std::string state;
        MonoTime unhealthy_since = {};  ///< {0}: it is not.
        bool told_unhealthy = false;
        bool told_unkillable = false;
        bool told_down = false;
        MonoTime up_since = {};
        std::string last;  ///< The last notice of it, so that it does not come twice in a row.
    };
    /// What waits of one kind.
    struct Group {
        std::vector<Notice> first;       ///< As many as are told one by one.
        std::vector<std::string> names;  ///< As many as are named when they are told together.
        std::size_t count = 0;
    };

    void health(const ScriptView& script, Known& known, MonoTime now);
    void put(Known& known, Notice notice, const std::string& name, MonoTime now);

    static constexpr std::size_t kinds = static_cast<std::size_t>(Notice::Kind::update_available) + 1;
    std::map<std::string, Known, std::less<>> scripts_;
    std::map<std::string, Known, std::less<>> providers_;
    Known others_;
    std::array<Group, kinds> waiting_;
    MonoTime due_ = {};
    MonoTime told_ = {};  ///< When take() gave something last.
};

/// `text` without the values that names in `env` say are secret, and without the user of a URL.
std::string without_secrets(std::string text, const contract::Json& env);

}  // namespace labdeck::ui
