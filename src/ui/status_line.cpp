#include "ui/status_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ui/rects.h"
#include "ui/widgets/axis_ticks.h"
#include "ui/widgets/pane_grid.h"
#include "ui/widgets/tile.h"

namespace labdeck::ui {

namespace {

constexpr const char* icon_flask = "\xef\x83\x83";
constexpr const char* icon_sun = "\xef\x86\x85";
constexpr const char* icon_moon = "\xef\x86\x86";
constexpr const char* icon_grid = "\xef\x80\x8a";
constexpr const char* icon_warning = "\xef\x81\xb1";
constexpr std::int64_t notice_shown_ns = 60'000'000'000;

/// Puts one text after another, with air between them.
struct Line {
    ImDrawList& list;
    const Theme& theme;
    float x, right, y, gap;

    void add(const ImFont& font, ImU32 colour, std::string_view text) {
        if (x >= right) return;
        x = draw_clipped(list, font, {x, y}, right, colour, text) + gap;
    }
};

std::string plural(std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void add_load(Line& line, PanelContext& context) {
    BenchState& bench = context.bench;
    const ImFont& font = *context.fonts.text;
    if (bench.machine_cpu().count() > 0) {
        line.add(font, line.theme.text_dim,
                 "CPU " + value_text(bench.machine_cpu().last_value(), Unit::percent));
    }
    const SelfView& self = bench.self();
    if (self.frames_per_second.count() > 0) {
        line.add(font, line.theme.text_dim,
                 plural(static_cast<std::size_t>(self.frames_per_second.last_value() + 0.5), "frame") + "/s");
    }
    if (self.last_click_to_wire_ns >= 0) {
        line.add(font, line.theme.text_dim,
                 fmt::format("click→wire {:.2f} ms", static_cast<double>(self.last_click_to_wire_ns) / 1e6));
    }
}

void add_losses(Line& line, PanelContext& context) {
    const std::uint64_t lost = context.bench.lost_bytes();
    if (lost == 0) return line.add(*context.fonts.text, line.theme.text_dim, "no loss");
    const BenchState::LossByStage stages = context.bench.lost_by_stage();
    std::string text = fmt::format("{} lost {}", icon_warning, bytes_text(lost));
    const char* separator = ": ";
    for (std::size_t i = 1; i < stages.size(); ++i) {
        if (stages[i] == 0) continue;
        text += separator;
        text += data::loss_stage_name(static_cast<data::LossStage>(i));
        separator = ", ";
    }
    line.add(*context.fonts.bold, line.theme.bad, text);
}

void add_notice(Line& line, PanelContext& context) {
    const auto& notices = context.bench.notices();
    if (notices.empty()) return;
    const BenchState::Notice& newest = notices.back();
    // Errors stay until something newer is to be said.
    if (!newest.error && context.now.ns - newest.time.ns > notice_shown_ns) return;
    const ImU32 colour = newest.error ? line.theme.bad : line.theme.text;
    line.add(*context.fonts.text, colour,
             newest.error ? fmt::format("{} {}", icon_warning, newest.text) : newest.text);
}

/// Buttons from right to left. Returns where they begin.
float draw_buttons(PanelContext& context, const ConsoleOptions& options, std::string_view layout, ImVec2 min,
                   ImVec2 size, StatusLineAsks& asks) {
    const float s = context.scale;
    const ImVec2 mouse_room{std::round(26 * s), size.y - 2 * s};
    float x = min.x + size.x - 8 * s;
    const std::string clock = clock_text(wall_now()).substr(0, 8);
    x = draw_right(*ImGui::GetWindowDrawList(), *context.fonts.text, x,
                   min.y + (size.y - context.fonts.text->FontSize) / 2, context.theme.text_dim, clock) -
        8 * s;

    ImGui::PushStyleColor(ImGuiCol_Button, 0);
    x -= mouse_room.x;
    ImGui::SetCursorScreenPos({x, min.y + s});
    const bool light = options.theme == ThemeName::light;
    asks.toggle_theme =
        ImGui::Button(fmt::format("{}##theme", light ? icon_moon : icon_sun).c_str(), mouse_room);
    note_rect("status/theme");
    if (ImGui::IsItemHovered()) ImGui::SetTooltip(light ? "Dark theme" : "Light theme");

    const std::string label = fmt::format("{} {}##layout", icon_grid, layout);
    const float width = ImGui::CalcTextSize(label.c_str(), nullptr, true).x + 14 * s;
    x -= width + 2 * s;
    ImGui::SetCursorScreenPos({x, min.y + s});
    if (ImGui::Button(label.c_str(), {width, mouse_room.y})) ImGui::OpenPopup("layouts");
    note_rect("status/layout");
    ImGui::PopStyleColor();
    if (ImGui::BeginPopup("layouts")) {
        for (const GridPreset& preset : grid_presets()) {
            const std::string words = fmt::format("{}   {} x {}", preset.id, preset.rows, preset.columns);
            if (ImGui::MenuItem(words.c_str(), nullptr, preset.id == layout)) asks.layout = preset.id;
            note_rect(fmt::format("status/layout/{}", preset.id));
        }
        ImGui::EndPopup();
    }
    return x;
}

}  // namespace

StatusLineAsks draw_status_line(PanelContext& context, const ConsoleOptions& options, std::string_view layout,
                                ImVec2 min, ImVec2 size) {
    StatusLineAsks asks;
    const Theme& theme = context.theme;
    const float s = context.scale;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(min, {min.x + size.x, min.y + size.y}, theme.panel_header);
    list.AddRectFilled(min, {min.x + size.x, min.y + std::max(1.0F, std::floor(s))}, theme.border);
    const float right = draw_buttons(context, options, layout, min, size, asks);

    BenchState& bench = context.bench;
    Line line{
        list,  theme, min.x + 10 * s, right - 10 * s, min.y + (size.y - context.fonts.text->FontSize) / 2,
        16 * s};
    const std::string name = options.workspace_name.empty() ? "labdeck" : options.workspace_name;
    line.add(*context.fonts.bold, theme.text, fmt::format("{} {}", icon_flask, name));
    line.add(
        *context.fonts.text, theme.text_dim,
        fmt::format("{}, {}", plural(bench.apps().size(), "app"), plural(bench.sources().size(), "source")));
    add_load(line, context);
    add_losses(line, context);
    add_notice(line, context);
    return asks;
}

}  // namespace labdeck::ui
