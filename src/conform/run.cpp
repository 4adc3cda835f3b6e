#include "conform/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "conform/checks.h"
#include "conform/report.h"
#include "conform/shape.h"

namespace labdeck::conform {

namespace {

/// More than this, and what is left would tell nothing new but take its time.
constexpr int time_outs_max = 12;
constexpr int starts_max = 24;
/// So many checks in a row without a single byte, and the provider counts as mute.
constexpr int unheard_max = 3;

class Run {
public:
    Run(const Settings& settings, std::FILE* out) : settings_(settings), report_(out) {}

    Verdict go() {
        if (!start()) return nobody();
        find_apps();
        for (const Check& check : check_table()) {
            const bool each = check.scope == Scope::each_app;
            for (std::size_t i = 0; i < (each ? std::max<std::size_t>(apps_.size(), 1) : 1); ++i) {
                if (!one(check, i)) return bail_out();
            }
            if (!said_something_ && talk_->over()) return nobody();
        }
        files_.restore();
        report_.finish();
        return report_.failures() == 0 ? Verdict::conforms : Verdict::fails;
    }

private:
    bool start() {
        if (++starts_ > starts_max) {
            why_ = fmt::format("the provider was started {} times", starts_max);
            return false;
        }
        auto talk = Talk::start(settings_);
        if (!talk) {
            why_ = talk.error().message;
            return false;
        }
        if (talk_) (*talk)->inherit(*talk_);
        talk_ = std::move(*talk);
        return true;
    }

    Verdict nobody() {
        if (why_.empty())
            why_ = "the provider ended before it had said anything: " + talk_->subject().how_it_is();
        report_.bail_out(why_);
        return Verdict::nobody;
    }

    Verdict bail_out() {
        files_.restore();
        // What it wrote is known, however it behaves now.
        for (const Check& check : check_table()) {
            if (check.run != stdout_is_messages_alone) continue;
            Context context{*talk_, {}, files_};
            const Outcome<> outcome = check.run(context);
            if (!outcome) report_.failed(check.name, outcome.error(), {});
        }
        report_.bail_out(why_);
        return Verdict::fails;
    }

    /// The app that was named, else what app.list says. Nothing is judged yet.
    void find_apps() {
        if (!settings_.app.empty()) {
            apps_.push_back(settings_.app);
            return;
        }
        const Outcome<Json> list = talk_->ask("app.list");
        said_something_ = talk_->subject().heard() > 0;
        if (!list || !list->is_object() || !list->contains("apps") || !(*list)["apps"].is_array()) return;
        for (const Json& app : (*list)["apps"]) {
            if (const std::string id = text_of(app, "appId"); !id.empty()) apps_.push_back(id);
        }
    }

    /// A provider that ended is started again, and so is one that does not answer any more.
    bool make_ready() {
        if (!talk_->over() && talk_->take_timed_out()) {
            if (++time_outs_ > time_outs_max) {
                why_ = fmt::format("{} answers did not come in time", time_outs_);
                return false;
            }
            // Until its first word it may still be starting: it is asked on until it counts as mute.
            if (!said_something_ || talk_->settle()) return true;
            return start();
        }
        return !talk_->over() || start();
    }

    /// Whether nothing will come of asking on. One that has spoken before is started anew and pinged
    /// as often: it may hang on some questions alone, or the machine be busy.
    bool is_mute() {
        if (mute_ || unheard_ < unheard_max) return mute_;
        unheard_ = 0;
        if (!said_something_) return mute_ = true;
        if (!start()) return false;
        for (int asked = 0; asked < unheard_max; ++asked) {
            const Outcome<> alive = talk_->settle();
            if (alive || talk_->over() || talk_->subject().heard() > 0) return false;
        }
        return mute_ = true;
    }

    bool one(const Check& check, std::size_t app_index) {
        const std::string app = app_index < apps_.size() ? apps_[app_index] : std::string();
        const std::string name = check.scope == Scope::each_app && !app.empty()
                                     ? fmt::format("{}: {}", app, check.name)
                                     : std::string(check.name);
        if (is_mute()) {
            report_.failed_unasked(name, "the provider does not answer");
            return true;
        }
        if (!make_ready()) return false;
        const std::uint64_t heard = talk_->subject().heard();
        talk_->begin_transcript();
        Context context{*talk_, app, files_};
        Outcome<> outcome = fault("an app to look at: app.list names one, or --app does");
        if (check.scope == Scope::provider || !app.empty()) outcome = look(check, context);
        // Dying over a question is a fault even where the question was answered.
        if (outcome && talk_->over()) {
            outcome = fault("the provider goes on", talk_->subject().how_it_is());
        }
        said_something_ = said_something_ || talk_->subject().heard() > 0;
        unheard_ = talk_->timed_out() && talk_->subject().heard() == heard ? unheard_ + 1 : 0;
        if (outcome) {
            report_.passed(name);
        } else if (outcome.error().skipped) {
            report_.skipped(name, outcome.error().expected);
        } else {
            report_.failed(name, outcome.error(), talk_->transcript());
        }
        return true;
    }

    static Outcome<> look(const Check& check, Context& context) {
        try {
            return check.run(context);
        } catch (const Json::exception& e) {
            // A message whose shape no check foresaw.
            return fault("a message of the shape that the contract gives it", e.what());
        }
    }

    const Settings settings_;
    Report report_;
    ConfigFiles files_;
    std::unique_ptr<Talk> talk_;
    std::vector<std::string> apps_;
    std::string why_;
    int starts_ = 0;
    int time_outs_ = 0;
    int unheard_ = 0;  ///< Checks in a row that waited in vain and heard nothing at all.
    bool said_something_ = false;
    bool mute_ = false;
};

}  // namespace

Verdict run(const Settings& settings, std::FILE* out) {
    return Run(settings, out).go();
}

}  // namespace labdeck::conform
