#include "ui/widgets/job_table.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "ui/rects.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/value_field.h"

namespace labdeck::ui {

namespace {

constexpr int asked_max = 4;
constexpr std::size_t shown_bytes_max = 400;
constexpr std::size_t output_bytes_max = 2000;
constexpr float rows_seen = 7;

/// One that was asked for and that the app has not taken yet; see BenchState::invoke().
bool is_placeholder(const JobView& job) {
    return job.job_id.empty() || job.job_id.starts_with("asked-");
}

bool is_over(std::string_view state) {
    return state != "running" && state != "queued";
}

std::string text_member(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string shortened(std::string text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) return text;
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
    return text.substr(0, bytes_max) + "...";
}

}  // namespace

std::int64_t wall_ns_of_rfc3339(const std::string& text) noexcept {
    std::tm day{};
    double seconds = 0;
    char zone = 0;
    const int read = std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lf%c", &day.tm_year, &day.tm_mon,
                                 &day.tm_mday, &day.tm_hour, &day.tm_min, &seconds, &zone);
    if (read != 7 || zone != 'Z') return 0;
    day.tm_year -= 1900;
    day.tm_mon -= 1;
    return static_cast<std::int64_t>(timegm(&day)) * 1'000'000'000 + std::llround(seconds * 1000) * 1'000'000;
}

bool JobTable::any_running(const AppView& app) {
    return std::any_of(app.jobs.begin(), app.jobs.end(),
                       [](const JobView& job) { return !is_over(job.state); });
}

void JobTable::take_answer(Known& known, const std::string& job, const Json& answer) {
    const auto found = known.jobs.find(job);
    if (found == known.jobs.end() || !answer.is_object()) return;
    Details& details = found->second;
    details.started_ns = wall_ns_of_rfc3339(text_member(answer, "startedAt"));
    details.finished_ns = wall_ns_of_rfc3339(text_member(answer, "finishedAt"));
    const auto result = answer.find("result");
    if (result != answer.end() && !result->is_null() && !(result->is_structured() && result->empty())) {
        details.result = shortened(shown_value(*result), shown_bytes_max);
    }
    details.output =
        shortened(text_member(answer, "stdout") + text_member(answer, "stderr"), output_bytes_max);
}

void JobTable::ask(BenchState& bench, const std::string& app, const JobView& job) {
    Details& details = known_->jobs[job.job_id];
    if (is_placeholder(job) || details.state == job.state || known_->asked >= asked_max) return;
    details.state = job.state;
    ++known_->asked;
    const Json params = {{"appId", app}, {"jobId", job.job_id}};
    bench.request(
        "action.job.get", params,
        [weak = std::weak_ptr(known_), id = job.job_id](const Result<std::shared_ptr<const Json>>& answer) {
            const auto known = weak.lock();
            if (!known) return;
            --known->asked;
            // A job that is no longer kept has nothing more to tell: the row shows what the list says.
            if (answer) take_answer(*known, id, **answer);
        });
}

void JobTable::forget_old(const AppView& app) {
    if (known_->jobs.size() <= app.jobs.size() + 64) return;
    std::erase_if(known_->jobs, [&](const auto& entry) {
        return std::none_of(app.jobs.begin(), app.jobs.end(),
                            [&](const JobView& job) { return job.job_id == entry.first; });
    });
}

void JobTable::draw(PanelContext& context, const AppView& app, const std::string& rect) {
    if (app.jobs.empty()) {
        ImGui::TextDisabled("No jobs yet.");
        return;
    }
    forget_old(app);
    const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
    const float height = row * (std::min(rows_seen, static_cast<float>(app.jobs.size())) + 1.5F);
    const ImGuiTableFlags flags = ImGuiTableFlags_ScrollY | ImGuiTableFlags_RowBg |
                                  ImGuiTableFlags_Resizable | ImGuiTableFlags_SizingStretchProp |
                                  ImGuiTableFlags_BordersInnerV;
    if (!ImGui::BeginTable("jobs", 5, flags, {0, height})) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("State", 0, 1.3F);
    ImGui::TableSetupColumn("Action", 0, 1.3F);
    ImGui::TableSetupColumn("Started", 0, 1.1F);
    ImGui::TableSetupColumn("Took", 0, 0.8F);
    ImGui::TableSetupColumn("Result", 0, 2.2F);
    ImGui::TableHeadersRow();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(app.jobs.size()), row);
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            ImGui::PushID(i);
            draw_row(context, app, app.jobs[static_cast<std::size_t>(i)], rect);
            ImGui::PopID();
        }
    }
    ImGui::EndTable();
}

void JobTable::draw_row(PanelContext& context, const AppView& app, const JobView& job,
                        const std::string& rect) {
    ask(context.bench, app.id, job);
    const Details& details = known_->jobs[job.job_id];
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    draw_mark(context, mark_of_job(job.state));
    ImGui::TextUnformatted(job.state.c_str());
    ImGui::TableNextColumn();
    ImGui::TextUnformatted(job.action.c_str());
    ImGui::SetItemTooltip("%s", job.job_id.c_str());
    ImGui::TableNextColumn();
    if (details.started_ns != 0)
        ImGui::TextUnformatted(clock_text(WallTime{details.started_ns}).substr(0, 8).c_str());
    ImGui::TableNextColumn();
    if (details.started_ns != 0) {
        const std::int64_t end_ns = details.finished_ns != 0 ? details.finished_ns : wall_of(context.now).ns;
        if (details.finished_ns != 0 || !is_over(job.state)) {
            ImGui::TextUnformatted(age_text(std::max<std::int64_t>(0, end_ns - details.started_ns)).c_str());
        }
    }
    ImGui::TableNextColumn();
    if (!is_over(job.state)) {
        draw_cancel(context, app, job, rect);
    } else {
        draw_outcome(context, job, details);
    }
}

void JobTable::draw_cancel(PanelContext& context, const AppView& app, const JobView& job,
                           const std::string& rect) {
    if (is_placeholder(job)) return ImGui::TextDisabled("asked");
    // SmallButton keeps the row's height, which the clipper counts on.
    if (ImGui::SmallButton("Cancel")) {
        context.bench.request("action.job.cancel", Json{{"appId", app.id}, {"jobId", job.job_id}});
    }
    note_rect(rect + "/cancel/" + job.job_id);
}

void JobTable::draw_outcome(PanelContext& context, const JobView& job, const Details& details) const {
    const bool error = !job.error.empty();
    const std::string& text = error ? job.error : details.result;
    if (error) ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    // One line whatever the text holds: the clipper counts on rows of one height.
    const std::size_t line = text.find('\n');
    ImGui::TextUnformatted(text.data(), text.data() + std::min(text.size(), line));
    if (error) ImGui::PopStyleColor();
    if (!ImGui::IsItemHovered() || (text.empty() && details.output.empty()) || !ImGui::BeginTooltip()) return;
    ImGui::PushTextWrapPos(480 * context.scale);
    ImGui::TextUnformatted(text.c_str());
    if (!details.output.empty()) ImGui::TextUnformatted(details.output.c_str());
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
}

}  // namespace labdeck::ui
