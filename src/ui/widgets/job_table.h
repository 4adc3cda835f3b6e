// job_table.h - an app's jobs, newest first.
//
// What the job list does not carry (times, result) is asked for with action.job.get,
// once for each state of a job and only for rows that are seen.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "ui/panel.h"

namespace labdeck::ui {

class JobTable {
public:
    void draw(PanelContext& context, const AppView& app, const std::string& rect);
    /// Whether a time on it counts up.
    static bool any_running(const AppView& app);

private:
    struct Details {
        std::string state;            ///< That they were asked for.
        std::int64_t started_ns = 0;  ///< Wall clock; 0: not known.
        std::int64_t finished_ns = 0;
        std::string result;
        std::string output;
    };
    struct Known {
        std::map<std::string, Details, std::less<>> jobs;
        int asked = 0;
    };
    static void take_answer(Known& known, const std::string& job, const Json& answer);
    void ask(BenchState& bench, const std::string& app, const JobView& job);
    void draw_row(PanelContext& context, const AppView& app, const JobView& job, const std::string& rect);
    void draw_outcome(PanelContext& context, const JobView& job, const Details& details) const;
    void draw_cancel(PanelContext& context, const AppView& app, const JobView& job, const std::string& rect);
    void forget_old(const AppView& app);

    std::shared_ptr<Known> known_ = std::make_shared<Known>();
};

/// Reads "2026-02-17T16:20:00.123Z"; 0 for anything else.
std::int64_t wall_ns_of_rfc3339(const std::string& text) noexcept;

}  // namespace labdeck::ui
