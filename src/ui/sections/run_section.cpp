#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/sections/app_section.h"
#include "ui/widgets/file_actions.h"
#include "ui/widgets/limit_bar.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/status_facts.h"
#include "ui/widgets/value_field.h"

namespace labdeck::ui {

namespace {

constexpr std::array<std::string_view, 2> shown_keys = {"lastRun", "runs"};
constexpr std::array<const char*, 3> file_kinds = {"json", "csv", "junit"};
constexpr std::size_t runs_max = 100;
constexpr float runs_seen = 6;

Mark mark_of_verdict(std::string_view verdict) {
    if (verdict == "pass" || verdict == "passed" || verdict == "ok") return Mark::done;
    if (verdict == "fail" || verdict == "failed" || verdict == "error") return Mark::failed;
    if (verdict == "running") return Mark::running;
    if (verdict == "aborted" || verdict == "canceled") return Mark::warning;
    return verdict == "skipped" ? Mark::idle : Mark::waiting;
}

/// The verdict once there is one, else how far it is.
std::string said_of(const Json& of) {
    std::string verdict = text_member_of(of, "verdict");
    if (verdict.empty()) verdict = text_member_of(of, "state");
    return verdict.empty() ? "waiting" : verdict;
}

void draw_verdict(const PanelContext& context, const std::string& verdict) {
    const Mark mark = mark_of_verdict(verdict);
    draw_mark(context, mark);
    ImGui::PushStyleColor(ImGuiCol_Text, mark_colour(context.theme, mark));
    ImGui::TextUnformatted(verdict.c_str());
    ImGui::PopStyleColor();
}

std::string number_text(const std::optional<double>& number) {
    if (!number) return {};
    // Four figures tell a measured value from its limit; whole numbers are written out.
    const bool whole = *number == std::floor(*number) && std::abs(*number) < 1e15;
    return whole ? fmt::format("{:.0f}", *number) : fmt::format("{:.4g}", *number);
}

/// "11400 to 12600", "up to 50", or nothing.
std::string limits_text(const LimitBar& bar) {
    if (bar.lower && bar.upper) return number_text(bar.lower) + " to " + number_text(bar.upper);
    if (bar.lower) return number_text(bar.lower) + " or more";
    return bar.upper ? "up to " + number_text(bar.upper) : std::string();
}

/// "2 of 10 steps failed".
std::string summary_of(const Json& steps) {
    if (!steps.is_array() || steps.empty()) return {};
    const auto count = [&](Mark mark) {
        return std::count_if(steps.begin(), steps.end(),
                             [mark](const Json& step) { return mark_of_verdict(said_of(step)) == mark; });
    };
    const auto failed = count(Mark::failed);
    if (failed > 0) return fmt::format("{} of {} steps failed", failed, steps.size());
    return fmt::format("{} of {} steps passed", count(Mark::done), steps.size());
}

class RunSection final : public AppSection {
public:
    const char* title() const override { return "Run"; }
    bool there(const AppView& app) const override {
        return member_of(app.status, "lastRun").is_object() || member_of(app.status, "runs").is_array();
    }
    std::span<const std::string_view> keys() const override { return shown_keys; }
    void draw(PanelContext& context, const AppView& app, const std::string& rect) override;

private:
    static void draw_run(PanelContext& context, const Json& run, const std::string& rect);
    static void draw_steps(PanelContext& context, const Json& steps, const std::string& rect);
    static void draw_step(PanelContext& context, const Json& step, const std::string& rect);
    static void draw_runs(PanelContext& context, const Json& runs, const std::string& rect);
    static bool draw_files(PanelContext& context, const Json& files, const std::string& rect);
};

void RunSection::draw(PanelContext& context, const AppView& app, const std::string& rect) {
    const Json& run = member_of(app.status, "lastRun");
    if (run.is_object()) draw_run(context, run, rect + "/run");
    const Json& runs = member_of(app.status, "runs");
    if (runs.is_array() && !runs.empty()) draw_runs(context, runs, rect + "/runs");
}

void RunSection::draw_run(PanelContext& context, const Json& run, const std::string& rect) {
    const Json& steps = member_of(run, "steps");
    if (context.fonts.bold != nullptr) ImGui::PushFont(context.fonts.bold);
    draw_verdict(context, said_of(run));
    note_rect(rect + "/verdict");
    if (context.fonts.bold != nullptr) ImGui::PopFont();
    ImGui::SameLine(0, 12 * context.scale);
    ImGui::TextUnformatted(summary_of(steps).c_str());
    ImGui::SameLine(0, 12 * context.scale);
    ImGui::TextDisabled("%s", text_member_of(run, "id").c_str());
    if (steps.is_array() && !steps.empty()) draw_steps(context, steps, rect);
    (void)draw_files(context, member_of(run, "files"), rect);
}

void RunSection::draw_steps(PanelContext& context, const Json& steps, const std::string& rect) {
    const float room = ImGui::GetContentRegionAvail().x;
    const bool wide = room >= 460 * context.scale;
    const ImGuiTableFlags flags =
        ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_BordersInnerV;
    if (!ImGui::BeginTable("steps", wide ? 6 : 4, flags)) return;
    ImGui::TableSetupColumn("Step", 0, 1.9F);
    ImGui::TableSetupColumn("Verdict", 0, 0.8F);
    ImGui::TableSetupColumn("Value", 0, 1.0F);
    ImGui::TableSetupColumn("Limits", 0, 1.3F);
    if (wide) ImGui::TableSetupColumn("Within", 0, 1.3F);
    if (wide) ImGui::TableSetupColumn("Took", 0, 0.7F);
    ImGui::TableHeadersRow();
    int index = 0;
    for (const Json& step : steps) {
        ImGui::PushID(index);
        draw_step(context, step, fmt::format("{}/step/{}", rect, index++));
        ImGui::PopID();
    }
    ImGui::EndTable();
}

void RunSection::draw_step(PanelContext& context, const Json& step, const std::string& rect) {
    const LimitBar bar{number_member_of(step, "value"), number_member_of(step, "lower"),
                       number_member_of(step, "upper")};
    const std::string unit = text_member_of(step, "unit");
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    const std::string title = text_member_of(step, "title");
    ImGui::TextWrapped("%s", (title.empty() ? text_member_of(step, "name") : title).c_str());
    ImGui::TableNextColumn();
    draw_verdict(context, said_of(step));
    note_rect(rect);
    ImGui::TableNextColumn();
    const std::string value = bar.value ? number_text(bar.value) : shown_value(member_of(step, "value"));
    ImGui::Text("%s %s", value.empty() ? "-" : value.c_str(), value.empty() ? "" : unit.c_str());
    ImGui::TableNextColumn();
    ImGui::TextDisabled("%s", limits_text(bar).c_str());
    if (ImGui::TableGetColumnCount() < 6) return;
    ImGui::TableNextColumn();
    draw_limit_bar(context, bar, ImGui::GetContentRegionAvail().x);
    if (bar.lower || bar.upper) {
        ImGui::SetItemTooltip("%s %s\n%s %s", value.c_str(), unit.c_str(), limits_text(bar).c_str(),
                              unit.c_str());
        note_rect(rect + "/bar");
    }
    ImGui::TableNextColumn();
    if (const auto ms = number_member_of(step, "durationMs"))
        ImGui::TextUnformatted(age_text(static_cast<std::int64_t>(std::clamp(*ms, 0.0, 1e12) * 1e6)).c_str());
}

bool RunSection::draw_files(PanelContext& context, const Json& files, const std::string& rect) {
    bool any = false;
    for (const char* kind : file_kinds) {
        const std::string path = text_member_of(files, kind);
        if (path.empty()) continue;
        if (any) ImGui::SameLine(0, 18 * context.scale);
        // What does not fit beside the others goes below them.
        if (any && ImGui::GetContentRegionAvail().x < 210 * context.scale) ImGui::NewLine();
        draw_file_actions(context, kind, path, rect + "/" + kind);
        any = true;
    }
    return any;
}

void RunSection::draw_runs(PanelContext& context, const Json& runs, const std::string& rect) {
    ImGui::Spacing();
    const std::size_t count = std::min(runs.size(), runs_max);
    ImGui::TextUnformatted(fmt::format("Earlier runs ({})", runs.size()).c_str());
    const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
    const ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingStretchProp |
                                  ImGuiTableFlags_ScrollY | ImGuiTableFlags_BordersInnerV;
    const float height = row * (std::min(runs_seen, static_cast<float>(count)) + 1.5F);
    if (!ImGui::BeginTable("runs", 4, flags, {0, height})) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("Run", 0, 1.4F);
    ImGui::TableSetupColumn("Verdict", 0, 0.8F);
    ImGui::TableSetupColumn("Finished", 0, 1.3F);
    ImGui::TableSetupColumn("Report", 0, 1.4F);
    ImGui::TableHeadersRow();
    for (std::size_t i = 0; i < count; ++i) {
        const Json& run = runs[i];
        const std::string id = text_member_of(run, "id");
        const std::string finished = text_member_of(run, "finishedAt");
        ImGui::PushID(static_cast<int>(i));
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        ImGui::TextUnformatted(id.c_str());
        ImGui::TableNextColumn();
        draw_verdict(context, said_of(run));
        note_rect(rect + "/" + id);
        ImGui::TableNextColumn();
        // To the second, without the T.
        ImGui::TextUnformatted(finished.size() < 19
                                   ? finished.c_str()
                                   : (finished.substr(0, 10) + " " + finished.substr(11, 8)).c_str());
        ImGui::TableNextColumn();
        for (const char* kind : file_kinds) {
            const std::string path = text_member_of(member_of(run, "files"), kind);
            if (path.empty()) continue;
            draw_file_actions(context, {}, path, rect + "/" + id + "/" + kind);
            break;
        }
        ImGui::PopID();
    }
    ImGui::EndTable();
}

}  // namespace

std::unique_ptr<AppSection> make_run_section() {
    return std::make_unique<RunSection>();
}

}  // namespace labdeck::ui
