#include <fmt/format.h>
#include <imgui.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "model/merged_rows.h"
#include "model/row_text.h"
#include "ui/panel.h"
#include "ui/rects.h"
#include "ui/widgets/age_badge.h"
#include "ui/widgets/filter_box.h"
#include "ui/widgets/grouped.h"
#include "ui/widgets/log_view.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t filter_budget_ns = 2'000'000;
constexpr std::size_t sample_bytes = 1024;
constexpr std::size_t sample_bytes_min = 16;
constexpr const char* follow_icon = "\xEF\x84\x83";
constexpr const char* following_icon = "\xEF\x81\x8B";

enum class ViewAs : unsigned char { by_content, text, hex };

/// What the panel remembers of a source.
struct LaneState {
    SourceView* source = nullptr;  ///< Looked up anew each frame.
    ViewAs view_as = ViewAs::by_content;
    model::RowsAs content = model::RowsAs::text;
    bool content_known = false;
    bool filtered = false;  ///< The last scan() reached both ends.
    std::optional<model::SourceRows> rows;
    model::RowFilter filter;
};

class LogsPanel final : public Panel {
public:
    std::string_view id() const override { return "logs"; }
    std::string_view title() const override { return "Logs"; }
    std::string_view icon() const override { return "\xEF\x83\xB6"; }
    void draw(PanelContext& context) override;
    DataAge age(const PanelContext& context) const override;
    void jump_to_live() override { view_.follow(); }
    MonoTime wants_frame(const PanelContext& context) const override {
        return scanning_ ? context.now : MonoTime{};
    }

private:
    void look_at_sources(BenchState& bench);
    static void look_at_content(LaneState& lane);
    void scan(MonoTime deadline);
    void draw_toolbar(PanelContext& context);
    void draw_source_combo(PanelContext& context);
    void draw_source_item(const Theme& theme, SourceId id, const std::string& label, std::uint64_t lost);
    void draw_view_combo(PanelContext& context);
    void draw_follow_button(PanelContext& context);
    void draw_count(PanelContext& context) const;
    void draw_empty(const Theme& theme) const;
    bool is_shown(SourceId id) const { return !picked_ || id == picked_; }
    std::vector<model::RowLane> shown_lanes() const;
    std::vector<LaneLabel> labels(const Theme& theme) const;

    std::map<SourceId, LaneState> lanes_;
    SourceId picked_;  ///< 0: all, merged by read time.
    FilterBox filter_;
    LogView view_{"logs"};
    bool scanning_ = false;
};

void LogsPanel::look_at_sources(BenchState& bench) {
    for (auto& [id, lane] : lanes_) lane.source = nullptr;
    for (const auto& source : bench.sources()) {
        LaneState& lane = lanes_[source->info.id];
        if (!lane.source && !lane.filter.matcher() && filter_.matcher()) lane.filter.set(filter_.matcher());
        lane.source = source.get();
        look_at_content(lane);
        const model::RowsAs as = lane.view_as == ViewAs::by_content ? lane.content
                                 : lane.view_as == ViewAs::hex      ? model::RowsAs::hex
                                                                    : model::RowsAs::text;
        const bool other = lane.rows && lane.rows->as() != as;
        lane.rows.emplace(*source->tail, as);
        if (other) lane.filter.set(filter_.matcher());
        if (other && is_shown(source->info.id)) view_.reset();
    }
    std::erase_if(lanes_, [](const auto& entry) { return entry.second.source == nullptr; });
    if (picked_ && !lanes_.contains(picked_)) {
        picked_ = {};
        view_.reset();
    }
}

void LogsPanel::look_at_content(LaneState& lane) {
    if (lane.content_known) return;
    const model::Tail& tail = *lane.source->tail;
    std::array<char, sample_bytes> sample;
    const std::size_t got = tail.bytes_at(tail.first_byte(), sample.size(), sample.data());
    lane.content_known = got == sample.size();
    if (got < sample_bytes_min) return;
    lane.content = model::looks_binary({sample.data(), got}) ? model::RowsAs::hex : model::RowsAs::text;
}

void LogsPanel::scan(MonoTime deadline) {
    scanning_ = false;
    if (!filter_.matcher()) return;
    auto shown = std::count_if(lanes_.begin(), lanes_.end(),
                               [this](const auto& lane) { return is_shown(lane.first); });
    for (auto& [id, lane] : lanes_) {
        if (!is_shown(id)) continue;
        const std::int64_t left_ns = std::max<std::int64_t>(0, deadline.ns - mono_now().ns);
        const MonoTime until{mono_now().ns + left_ns / std::max<std::int64_t>(1, shown--)};
        lane.filtered = lane.filter.scan(*lane.rows, until);
        scanning_ = scanning_ || !lane.filtered;
    }
}

std::vector<model::RowLane> LogsPanel::shown_lanes() const {
    std::vector<model::RowLane> shown;
    for (const auto& [id, lane] : lanes_) {
        if (!is_shown(id)) continue;
        shown.push_back({id.value, &*lane.rows, lane.filter.matcher() ? &lane.filter : nullptr});
    }
    return shown;
}

std::vector<LaneLabel> LogsPanel::labels(const Theme& theme) const {
    std::vector<LaneLabel> labels;
    if (picked_) return labels;
    std::size_t index = 0;
    for (const auto& [id, lane] : lanes_) {
        labels.push_back({lane.source->info.name, theme.series[index++ % theme.series.size()]});
    }
    return labels;
}

void LogsPanel::draw(PanelContext& context) {
    look_at_sources(context.bench);
    draw_toolbar(context);
    scan({mono_now().ns + filter_budget_ns});
    model::MergedRows rows(shown_lanes());
    if (rows.size() == 0) draw_empty(context.theme);
    view_.draw(context, rows, labels(context.theme), filter_.matcher().get());
}

void LogsPanel::draw_toolbar(PanelContext& context) {
    const float gap = ImGui::GetStyle().ItemSpacing.x;
    const float width = ImGui::GetContentRegionAvail().x;
    const bool wide = width > 900 * context.scale;
    draw_source_combo(context);
    ImGui::SameLine();
    draw_follow_button(context);
    if (picked_) {
        ImGui::SameLine();
        draw_view_combo(context);
    }
    if (wide) ImGui::SameLine();
    const float left = ImGui::GetContentRegionAvail().x;
    const float count_width = 180 * context.scale;
    const float box = std::clamp(left - count_width - gap, 160 * context.scale, 520 * context.scale);
    if (filter_.draw(context, id(), box)) {
        for (auto& [id, lane] : lanes_) lane.filter.set(filter_.matcher());
        view_.reset();
    }
    ImGui::SameLine();
    draw_count(context);
    if (filter_.error().empty()) return;
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::TextWrapped("Not a valid expression, %s%s", filter_.error().c_str(),
                       filter_.matcher() ? "   (the last valid one still filters)" : "");
    ImGui::PopStyleColor();
    note_rect("logs/filter_error");
}

void LogsPanel::draw_source_item(const Theme& theme, SourceId id, const std::string& label,
                                 std::uint64_t lost) {
    ImGui::PushID(static_cast<int>(id.value));
    if (ImGui::Selectable(label.c_str(), picked_ == id) && picked_ != id) {
        picked_ = id;
        view_.reset();
    }
    if (lost > 0) {
        ImGui::SameLine();
        ImGui::PushStyleColor(ImGuiCol_Text, theme.bad);
        ImGui::Text("%s bytes lost", grouped(lost).c_str());
        ImGui::PopStyleColor();
    }
    ImGui::PopID();
}

void LogsPanel::draw_source_combo(PanelContext& context) {
    const auto found = lanes_.find(picked_);
    const std::string shown = found != lanes_.end()
                                  ? found->second.source->info.name
                                  : fmt::format("All {} sources, by read time", lanes_.size());
    const float width = ImGui::GetContentRegionAvail().x;
    ImGui::SetNextItemWidth(std::clamp(width * 0.35F, 150 * context.scale, 280 * context.scale));
    const bool open = ImGui::BeginCombo("##source", shown.c_str(), ImGuiComboFlags_HeightLarge);
    if (!open) note_rect("logs/source");
    if (!open) return;
    draw_source_item(context.theme, {}, fmt::format("All {} sources, by read time", lanes_.size()), 0);
    for (const auto& [id, lane] : lanes_) {
        const auto kind = data::source_kind_name(lane.source->info.kind);
        const std::string label = fmt::format("{}   {}, {} lines", lane.source->info.name, kind,
                                              grouped(lane.source->tail->lines_total()));
        const std::uint64_t lost = lane.source->counters ? lane.source->counters->lost_total() : 0;
        draw_source_item(context.theme, id, label, lost);
    }
    ImGui::EndCombo();
}

void LogsPanel::draw_follow_button(PanelContext& context) {
    if (view_.following()) {
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.good);
        // Clicking it holds the view where it is, as scrolling up does.
        if (ImGui::Button(fmt::format("{}  Following", following_icon).c_str())) view_.hold();
        ImGui::PopStyleColor();
        ImGui::SetItemTooltip("The newest row is kept in view. Scroll up to stay where you are.");
    } else {
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.warn);
        if (ImGui::Button(fmt::format("{}  Jump to live", follow_icon).c_str())) view_.follow();
        ImGui::PopStyleColor();
        ImGui::SetItemTooltip(
            "The view stays where it is while data keeps coming. End key: back to the newest row.");
    }
    note_rect("logs/follow");
}

void LogsPanel::draw_view_combo(PanelContext& context) {
    static constexpr std::array<const char*, 3> names = {"Auto", "Text", "Hex"};
    LaneState& lane = lanes_.at(picked_);
    ImGui::SetNextItemWidth(80 * context.scale);
    int chosen = static_cast<int>(lane.view_as);
    if (ImGui::Combo("##view", &chosen, names.data(), static_cast<int>(names.size()))) {
        lane.view_as = static_cast<ViewAs>(chosen);
    }
    ImGui::SetItemTooltip("Auto shows a source as hex when its first KiB is mostly no text");
    note_rect("logs/view");
}

void LogsPanel::draw_count(PanelContext& context) const {
    std::uint64_t all = 0;
    std::uint64_t shown = 0;
    std::uint64_t lost = 0;
    for (const auto& [id, lane] : lanes_) {
        if (is_shown(id) && lane.source->counters) lost += lane.source->counters->lost_total();
    }
    double looked_at = 0;
    for (const model::RowLane& lane : shown_lanes()) {
        const std::uint64_t rows = lane.rows->end() - lane.rows->first();
        all += rows;
        shown += lane.size();
        if (lane.filter != nullptr)
            looked_at += lane.filter->progress(*lane.rows) * static_cast<double>(rows);
    }
    std::string text = fmt::format("{} rows", grouped(all));
    if (filter_.matcher()) {
        text = fmt::format("{} of {}", grouped(shown), text);
        if (scanning_)
            text += fmt::format(", {:.0f} % searched",
                                100 * looked_at / static_cast<double>(std::max<std::uint64_t>(all, 1)));
    }
    ImGui::AlignTextToFramePadding();
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
    ImGui::TextUnformatted(text.c_str());
    ImGui::PopStyleColor();
    // Also told here because a filter hides the place of a loss with the row behind it.
    if (lost == 0) return;
    ImGui::SameLine();
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::Text("! %s bytes lost", grouped(lost).c_str());
    ImGui::PopStyleColor();
    note_rect("logs/lost");
}

void LogsPanel::draw_empty(const Theme& theme) const {
    std::string text = "Nothing was said yet. Rows appear here as soon as they are read.";
    if (lanes_.empty()) text = "No sources. Start a simulator, or open a port: what it says appears here.";
    if (filter_.matcher()) text = scanning_ ? "Searching..." : "No row matches the filter.";
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const ImVec2 size = ImGui::CalcTextSize(text.c_str(), nullptr, false, room.x * 0.9F);
    const ImVec2 from(at.x + std::max(0.0F, room.x - size.x) / 2, at.y + room.y * 0.4F);
    ImGui::GetWindowDrawList()->AddText(ImGui::GetFont(), ImGui::GetFontSize(), from, theme.text_dim,
                                        text.c_str(), nullptr, room.x * 0.9F);
}

DataAge LogsPanel::age(const PanelContext& context) const {
    if (!view_.following() && view_.rows_below() && view_.newest_shown()) {
        return {DataAge::Kind::behind, std::max<std::int64_t>(0, context.now.ns - view_.newest_shown()->ns)};
    }
    const auto found = lanes_.find(picked_);
    if (found == lanes_.end()) return age_of_all(context.bench, context.now);
    const SourceView* const source = context.bench.source(picked_);
    return source != nullptr ? age_of(*source, context.now) : DataAge{};
}

}  // namespace

std::unique_ptr<Panel> make_logs_panel() {
    return std::make_unique<LogsPanel>();
}

}  // namespace labdeck::ui
