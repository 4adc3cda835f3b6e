// bench_state.h - what the window knows of the bench.
//
// Fed from three places: the in-process contract link (apps, jobs, events), the
// inbox (sources, samples) and the sources' feeds (Blocks). Panels read it and ask
// for things through request(); nothing here or in a panel ever waits.
//
// Thread: ui, all of it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/thread_role.h"
#include "contract/local_link.h"
#include "data/window_inbox.h"
#include "model/series.h"
#include "model/tail.h"
#include "ui/fault_marks.h"
#include "ui/notices.h"
#include "ui/updates_view.h"

namespace labdeck::ui {

using contract::Json;

/// One source with its tail and its rates.
struct SourceView {
    data::SourceInfo info;
    std::shared_ptr<const data::SourceCounters> counters;
    std::unique_ptr<model::Tail> tail;
    model::Series bytes_per_second;
    model::Series lines_per_second;
    std::uint64_t counted_bytes = 0;  ///< As of the last rate sample.
    std::uint64_t counted_lines = 0;
    MonoTime shown;                 ///< Read time of the newest byte when the last frame was presented.
    std::int64_t shown_age_ns = 0;  ///< How old that byte was when it was first presented.
    MonoTime presented = {};        ///< When that was; with Witness::rows only, as the next.
    std::string newest_row = {};    ///< The beginning of the newest whole row of that frame.

    /// How much newer the newest byte that was read is than the newest one in the tail; 0 when it has all.
    std::int64_t backlog_ns() const noexcept;
};

/// A watched process (the console itself is the first) with its load.
struct ProcessView {
    std::string name;
    pid_t pid = 0;
    bool alive = true;
    data::MemoryKind memory_kind = data::MemoryKind::rss;
    model::Series cpu_percent;
    model::Series memory_mib;
};

/// One direction-agnostic port of an app, from its `traffic` events.
struct PortView {
    std::string app;
    std::string port;
    std::uint64_t rx_bytes = 0, tx_bytes = 0, rx_frames = 0, tx_frames = 0, errors = 0;
    MonoTime last;
    model::Series bytes_per_second;
    model::Series messages_per_second;
    WallTime counted = {};  ///< When its app took the counters of the last rate sample.
};

struct JobView {
    std::string job_id;
    std::string app;
    std::string action;
    std::string state;  ///< queued running succeeded failed timeout canceled
    std::string error;
    MonoTime changed;
    std::string refused_key = {};  ///< The argument that an E_BAD_ARG names; empty for none.
    std::string refused_why = {};
};

/// An app as last heard of. What it said last stays when its provider dies; the banner says since when.
struct AppView {
    std::string id;
    std::string title;
    std::string provider;
    Json status;           ///< Last good status.get response, null before the first.
    MonoTime status_time;  ///< When that came.
    bool provider_up = false;
    std::string provider_state;  ///< In the hub's words: up, starting, backoff, failed …
    std::string banner;  ///< Empty while all is well: "simulators: killed by SIGKILL, restarting in 1 s".
    MonoTime banner_since;
    Json actions;                   ///< The array of action.list.
    Json config;                    ///< The response of config.get.
    std::deque<JobView> jobs;       ///< Newest first, at most 200.
    std::string last_line;          ///< The newest `log` event's text.
    bool status_asked = false;      ///< A status.get is on its way;
    bool status_stale = false;      ///< and something changed since.
    MonoTime status_asked_at = {};  ///< When the last one was sent.
};

/// What the console says about itself; filled by the frame loop.
struct SelfView {
    model::Series frame_cpu_ms{"frame CPU", "ms", 65'536};  ///< NewFrame to Render, window thread.
    model::Series frames_per_second{"frames", "1/s", 65'536};
    model::Series queue_blocks{"blocks waiting", "blocks", 65'536};
    model::Series held_mib{"tails", "MiB", 65'536};
    std::uint64_t frames = 0;
    std::int64_t first_frame_process_cpu_ns =
        0;                                    ///< What the process had used when the first frame was shown.
    std::int64_t last_click_to_wire_ns = -1;  ///< -1 before the first.
    std::uint64_t dropped_events = 0;
};

class SupervisorView;

/// Pointers to sources, processes, ports and apps are good until the next drain().
class BenchState {
public:
    BenchState(contract::LocalLink& link, data::WindowInbox& inbox);
    ~BenchState();
    BenchState(const BenchState&) = delete;
    BenchState& operator=(const BenchState&) = delete;

    /// Takes what has come, at most for `budget_ns`. Returns true when anything that a panel may show
    /// changed.
    bool drain(std::int64_t budget_ns);
    /// The last drain() ran out of its budget: more is there, and nobody will wake the window for it.
    bool backlog() const noexcept { return backlog_; }
    /// Adds a sample to every rate series when it is time: five times a second while counters move, else with
    /// each batch of the sampler. Returns when it wants to be called again without news, {0} for never.
    MonoTime sample_rates(MonoTime now);
    /// A frame was presented: whatever is drained is now what the user sees.
    enum class Witness : unsigned char {
        none,
        rows,  ///< Also keeps each source's newest row, so that its age can be checked against a stamp in it.
    };
    void presented(MonoTime when, Witness witness = Witness::none);

    std::vector<std::unique_ptr<SourceView>>& sources() { return sources_; }
    std::vector<std::unique_ptr<ProcessView>>& processes() { return processes_; }
    std::vector<std::unique_ptr<PortView>>& ports() { return ports_; }
    std::vector<std::unique_ptr<AppView>>& apps() { return apps_; }
    model::Series& machine_cpu() { return machine_cpu_; }
    model::Series& machine_memory_mib() { return machine_memory_mib_; }
    const data::SampleBatch* last_samples() const { return last_samples_.get(); }
    SupervisorView& supervisor() { return *supervisor_; }
    const SupervisorView& supervisor() const { return *supervisor_; }
    UpdatesView& updates() { return updates_; }
    SelfView& self() { return self_; }
    const SelfView& self() const { return self_; }
    const std::vector<std::unique_ptr<SourceView>>& sources() const { return sources_; }
    const std::vector<std::unique_ptr<AppView>>& apps() const { return apps_; }
    /// False until the hub has said which apps there are.
    bool apps_known() const noexcept { return apps_known_; }
    SourceView* source(SourceId id);
    AppView* app(std::string_view id);

    /// Fire and forget, or with an answer later on this thread. Errors without a handler become a notice.
    void request(std::string_view method, const Json& params, contract::ClientEnd::OnAnswer on_answer = {});
    /// action.invoke; the job appears in the app's list at once.
    void invoke(const std::string& app, const std::string& action, const Json& args);
    void refresh_app(const std::string& app);
    /// Asks for the app's status if the last time was `period_ns` ago, for what no event tells of: registers,
    /// a level, seconds that are left. Returns when to call again; {0} while the app's provider is away.
    MonoTime keep_fresh(AppView& app, MonoTime now, std::int64_t period_ns);

    /// Bytes lost at any stage of any source: what the status line shows in red when it is not 0.
    std::uint64_t lost_bytes() const;
    using LossByStage = std::array<std::uint64_t, data::loss_stage_count>;
    LossByStage lost_by_stage() const;

    /// The app that a click chose, for every panel that shows one app; empty for none.
    std::string selected_app;

    /// The script that a click wants shown, until a panel of scripts has taken it; empty for none.
    std::string wanted_script;
    /// What somebody is to be told although he does not look.
    Notices& news() { return news_; }
    /// When which fault was on.
    const std::deque<TimeMark>& fault_marks() const { return fault_marks_.all(); }

    /// Short messages for the status line, newest last, at most 100.
    struct Notice {
        MonoTime time;
        bool error = false;
        std::string text;
    };
    std::deque<Notice>& notices() { return notices_; }
    void note(std::string text, bool error);

private:
    bool take_inbox();
    bool drain_feeds(MonoTime deadline);
    void handle_event(const contract::Event& event);
    void handle_status(const Json& params);
    void take_status(AppView& view, const Json& status);
    void handle_provider_state(AppView& app, const Json& params, const std::string& state);
    void handle_log(const Json& params);
    void handle_update(const Json& params);
    void handle_job(const Json& params);
    void handle_traffic(const Json& params);
    void handle_samples(std::shared_ptr<const data::SampleBatch> batch);
    void handle_apps(const Json& response);
    static void take_job_list(AppView& app, const Json& response);
    void add_source(data::SourceAdded added);
    void remove_source(SourceId id);
    void ask_apps();
    void ask_status(const std::string& app);
    void sample_source(SourceView& source, MonoTime now, double seconds);
    /// Calls `use(answer)` on this object if it still lives.
    template <typename Use>
    contract::ClientEnd::OnAnswer answered(Use use);

    contract::LocalLink& link_;
    data::WindowInbox& inbox_;
    std::vector<std::unique_ptr<SourceView>> sources_;
    std::vector<std::unique_ptr<ProcessView>> processes_;
    std::vector<std::unique_ptr<PortView>> ports_;
    std::vector<std::unique_ptr<AppView>> apps_;
    model::Series machine_cpu_{"machine", "%", 65'536};
    model::Series machine_memory_mib_{"machine", "MiB", 65'536};
    std::shared_ptr<const data::SampleBatch> last_samples_;
    std::unique_ptr<SupervisorView> supervisor_;
    UpdatesView updates_{*this};
    SelfView self_;
    Notices news_;
    FaultMarks fault_marks_;
    std::deque<Notice> notices_;
    LossByStage lost_of_removed_{};
    MonoTime last_rates_;
    MonoTime last_batch_;
    std::uint64_t frames_at_batch_ = 0;
    std::uint64_t jobs_asked_ = 0;
    std::size_t first_feed_ = 0;  ///< Where the next drain() begins, so that a short budget is shared.
    bool rates_moving_ = false;
    bool batch_came_ = false;
    bool backlog_ = false;
    bool apps_known_ = false;
    bool apps_asked_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace labdeck::ui
