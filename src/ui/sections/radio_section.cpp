#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "model/series.h"
#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/sections/app_section.h"
#include "ui/widgets/sparkline.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

namespace {

constexpr std::array<std::string_view, 3> shown_keys = {"rssi", "link", "battery"};
constexpr std::int64_t history_ns = 60'000'000'000;
constexpr std::size_t samples_max = 4096;
// The sparkline begins at 0, which stands for a level at which no receiver hears anything.
constexpr double silence_dbm = -120;
constexpr double loud_dbm = -20;
constexpr double battery_low_percent = 20;

struct Level {
    double dbm_min;
    int bars;
    const char* word;
};
constexpr std::array<Level, 5> levels = {
    {{-55, 5, "strong"}, {-67, 4, "good"}, {-78, 3, "fair"}, {-88, 2, "weak"}, {-1e9, 1, "very weak"}}};

const Level& level_of(double dbm) {
    return *std::find_if(levels.begin(), levels.end(),
                         [dbm](const Level& level) { return dbm >= level.dbm_min; });
}

Mark mark_of_link(std::string_view link) {
    if (link == "connected") return Mark::running;
    if (link == "dropped" || link == "lost" || link == "failed") return Mark::warning;
    return link == "down" ? Mark::idle : Mark::waiting;
}

class RadioSection final : public AppSection {
public:
    const char* title() const override { return "Radio"; }
    bool there(const AppView& app) const override {
        return app.status.is_object() && app.status.contains("rssi");
    }
    std::span<const std::string_view> keys() const override { return shown_keys; }
    void draw(PanelContext& context, const AppView& app, const std::string& rect) override;

private:
    static void draw_level(const PanelContext& context, std::optional<double> rssi);
    void draw_history(const PanelContext& context);
    static void draw_bars(const PanelContext& context, int lit);
    static void draw_battery(const PanelContext& context, double percent);

    model::Series rssi_{"rssi", "dB", samples_max};
    MonoTime taken_;
};

void RadioSection::draw(PanelContext& context, const AppView& app, const std::string& rect) {
    const auto rssi = number_member_of(app.status, "rssi");
    if (app.status_time != taken_ && rssi) {
        taken_ = app.status_time;
        rssi_.push(taken_, std::clamp(*rssi, silence_dbm, loud_dbm) - silence_dbm);
    }
    if (!ImGui::BeginTable("radio", 2, ImGuiTableFlags_SizingFixedFit)) return;
    ImGui::TableSetupColumn("what", ImGuiTableColumnFlags_WidthFixed, 90 * context.scale);
    ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableNextColumn();
    ImGui::TextDisabled("Level");
    ImGui::TableNextColumn();
    draw_level(context, rssi);
    note_rect(rect + "/radio/rssi");
    ImGui::TableNextColumn();
    ImGui::TextDisabled("Last minute");
    ImGui::TableNextColumn();
    draw_history(context);
    if (const std::string link = text_member_of(app.status, "link"); !link.empty()) {
        ImGui::TableNextColumn();
        ImGui::TextDisabled("Link");
        ImGui::TableNextColumn();
        draw_mark(context, mark_of_link(link));
        ImGui::TextUnformatted(link.c_str());
        note_rect(rect + "/radio/link");
    }
    if (const auto percent = number_member_of(app.status, "battery")) {
        ImGui::TableNextColumn();
        ImGui::TextDisabled("Battery");
        ImGui::TableNextColumn();
        draw_battery(context, *percent);
        note_rect(rect + "/radio/battery");
    }
    ImGui::EndTable();
}

void RadioSection::draw_level(const PanelContext& context, std::optional<double> rssi) {
    if (!rssi) return ImGui::TextDisabled("not on the air");
    const Level& level = level_of(*rssi);
    draw_bars(context, level.bars);
    ImGui::Text("%.0f dBm, %s", *rssi, level.word);
}

/// The last minute, between the levels that its scale names.
void RadioSection::draw_history(const PanelContext& context) {
    const float height = 3 * ImGui::GetTextLineHeight();
    const float labels = ImGui::CalcTextSize("-120 dBm").x + ImGui::GetStyle().ItemSpacing.x;
    const float width = std::min(420 * context.scale, ImGui::GetContentRegionAvail().x - labels);
    if (width < 60 * context.scale) return;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 end(at.x + width, at.y + height);
    ImGui::Dummy({width + labels, height});
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(at, end, context.theme.plot_background);
    list.AddRect(at, end, context.theme.border);
    const SparklineStyle style{context.theme.series[0], with_alpha(context.theme.series[0], 0.15F),
                               1.5F * context.scale, loud_dbm - silence_dbm};
    draw_sparkline(list, rssi_, context.now, history_ns, at, end, style);
    const float left = end.x + ImGui::GetStyle().ItemSpacing.x;
    list.AddText({left, at.y}, context.theme.text_dim, fmt::format("{:.0f} dBm", loud_dbm).c_str());
    list.AddText({left, end.y - ImGui::GetTextLineHeight()}, context.theme.text_dim,
                 fmt::format("{:.0f} dBm", silence_dbm).c_str());
}

/// Steps that are filled up to the level and outlined beyond.
void RadioSection::draw_bars(const PanelContext& context, int lit) {
    const float height = ImGui::GetTextLineHeight();
    const float step = std::round(height * 0.32F);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImDrawList* const list = ImGui::GetWindowDrawList();
    for (int i = 0; i < 5; ++i) {
        const float top = at.y + height * (0.78F - 0.16F * static_cast<float>(i));
        const ImVec2 min(at.x + step * static_cast<float>(i), top);
        const ImVec2 max(min.x + step - std::max(1.0F, context.scale), at.y + height * 0.92F);
        if (i < lit) list->AddRectFilled(min, max, context.theme.info);
        if (i >= lit) list->AddRect(min, max, context.theme.text_dim);
    }
    ImGui::Dummy({step * 5, height});
    ImGui::SameLine();
}

void RadioSection::draw_battery(const PanelContext& context, double percent) {
    const double share = std::clamp(percent / 100, 0.0, 1.0);
    const bool low = percent < battery_low_percent;
    const float height = ImGui::GetTextLineHeight();
    const float width = height * 2.2F;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float line = std::max(1.0F, context.scale);
    ImDrawList* const list = ImGui::GetWindowDrawList();
    const ImVec2 min(at.x, at.y + height * 0.2F);
    const ImVec2 max(at.x + width, at.y + height * 0.85F);
    list->AddRect(min, max, context.theme.text_dim, 2 * line, 0, line);
    list->AddRectFilled({max.x, at.y + height * 0.4F}, {max.x + 2 * line, at.y + height * 0.65F},
                        context.theme.text_dim);
    const float inner = (width - 4 * line) * static_cast<float>(share);
    list->AddRectFilled({min.x + 2 * line, min.y + 2 * line}, {min.x + 2 * line + inner, max.y - 2 * line},
                        low ? context.theme.warn : context.theme.good);
    ImGui::Dummy({width + 2 * line, height});
    ImGui::SameLine();
    ImGui::Text("%.0f %%%s", percent, low ? ", low" : "");
}

}  // namespace

std::unique_ptr<AppSection> make_radio_section() {
    return std::make_unique<RadioSection>();
}

}  // namespace labdeck::ui
