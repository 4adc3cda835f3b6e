#include "ui/widgets/script_facts.h"

#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "ui/json_reading.h"
#include "ui/widgets/axis_ticks.h"

namespace labdeck::ui {

namespace {

constexpr double mib = 1'048'576;

bool known(const ScriptView& script, const model::Series& series) {
    return script.up() && series.count() > 0 && !std::isnan(series.last_value());
}

void add(std::string& text, const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += ", ";
    text += part;
}

}  // namespace

Mark mark_of_script(const ScriptView& script) noexcept {
    switch (script.status) {
        case ScriptStatus::running:
            return Mark::running;
        case ScriptStatus::starting:
        case ScriptStatus::stopping:
            return Mark::waiting;
        case ScriptStatus::backoff:
            return Mark::warning;
        case ScriptStatus::failed:
            return Mark::failed;
        case ScriptStatus::exited:
            return script.exit_code.value_or(0) == 0 ? Mark::done : Mark::warning;
        case ScriptStatus::stopped:
            break;
    }
    return Mark::idle;
}

std::string seconds_text(std::int64_t ms) {
    const std::int64_t seconds = std::max<std::int64_t>(0, ms) / 1000;
    if (seconds < 60) return fmt::format("{} s", seconds);
    return age_text(seconds * 1'000'000'000);
}

std::string countdown_text(std::int64_t ms) {
    return seconds_text(ms + 999);
}

std::string cpu_text(const ScriptView& script) {
    if (!known(script, script.cpu_percent)) return {};
    return fmt::format("{:.1f} %", script.cpu_percent.last_value());
}

std::string memory_text(const ScriptView& script) {
    if (!known(script, script.memory_mb)) return {};
    // The wire counts megabytes, Overview and Charts show MiB of the same process.
    return value_text(script.memory_mb.last_value() * 1e6 / mib, Unit::mebibytes);
}

std::string note_of_script(const ScriptView& script, MonoTime now) {
    std::string note;
    if (const auto left = script.restart_in_ms_at(now))
        note = fmt::format("restart in {}", countdown_text(*left));
    const bool over = !script.up() && script.status != ScriptStatus::stopped;
    // A reason, where there is one, says how it ended.
    if (over && script.exit_code && script.reason.empty())
        add(note, fmt::format("exit {}", *script.exit_code));
    add(note, script.reason);
    if (script.up() && script.healthy == false) add(note, script.health_reason);
    return note;
}

void draw_script_tooltip(const PanelContext& context, const ScriptView& script) {
    if (!ImGui::BeginTooltip()) return;
    ImGui::PushTextWrapPos(420 * context.scale);
    ImGui::TextUnformatted(script.name.c_str());
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
    ImGui::Text("%s   %s", script.id.c_str(), std::string(script_status_name(script.status)).c_str());
    const std::string command = text_member_of(script.definition, "command");
    if (!command.empty()) ImGui::TextWrapped("%s", command.c_str());
    if (script.pid != 0) ImGui::Text("process %lld", static_cast<long long>(script.pid));
    if (!memory_text(script).empty())
        ImGui::Text("%s, measured as %s", memory_text(script).c_str(),
                    script.memory_kind.empty() ? "unknown" : script.memory_kind.c_str());
    if (script.retries > 0) ImGui::Text("%lld retries", static_cast<long long>(script.retries));
    if (script.healthy)
        ImGui::TextWrapped("%s %s", *script.healthy ? "healthy" : "unhealthy:", script.health_reason.c_str());
    const std::string note = note_of_script(script, context.now);
    if (!note.empty()) ImGui::TextWrapped("%s", note.c_str());
    ImGui::PopStyleColor();
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
}

}  // namespace labdeck::ui
