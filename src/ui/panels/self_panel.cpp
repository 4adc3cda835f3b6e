#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "ui/panel.h"
#include "ui/rects.h"
#include "ui/widgets/age_badge.h"
#include "ui/widgets/axis_ticks.h"
#include "ui/widgets/sparkline.h"
#include "ui/widgets/tile.h"

namespace labdeck::ui {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t trend_span_ns = 120 * ns_per_s;
constexpr std::int64_t quiet_after_ns = 3 * ns_per_s;
constexpr const char* icon_heart = "\xef\x88\x9e";
constexpr float tile_width_min_px = 190;
constexpr float tile_height_px = 62;

/// One figure of the console's own, with its trend where it has one.
struct Figure {
    const char* title;
    std::string value;
    const model::Series* trend = nullptr;
    double top_min = 1;
    bool bad = false;
};

class SelfPanel final : public Panel {
public:
    std::string_view id() const override { return "self"; }
    std::string_view title() const override { return "Console"; }
    std::string_view icon() const override { return icon_heart; }
    void draw(PanelContext& context) override;
    DataAge age(const PanelContext& context) const override;

private:
    std::vector<Figure> figures(PanelContext& context) const;
    void draw_figures(PanelContext& context) const;
    void draw_figure(PanelContext& context, const Figure& figure, ImVec2 min, ImVec2 max) const;
    void draw_ledger(PanelContext& context) const;
    void draw_feeds(PanelContext& context) const;
};

DataAge SelfPanel::age(const PanelContext& context) const {
    const data::SampleBatch* const batch = context.bench.last_samples();
    if (batch == nullptr) return {};
    const std::int64_t age = context.now.ns - batch->time.ns;
    return {age > quiet_after_ns ? DataAge::Kind::quiet : DataAge::Kind::live, age};
}

std::string latest(const model::Series& series, Unit unit) {
    return series.count() == 0 ? "–" : value_text(series.last_value(), unit);
}

std::vector<Figure> SelfPanel::figures(PanelContext& context) const {
    BenchState& bench = context.bench;
    const SelfView& self = bench.self();
    std::vector<Figure> all = {
        {"Frame, CPU", latest(self.frame_cpu_ms, Unit::milliseconds), &self.frame_cpu_ms, 2},
        {"Frames a second", latest(self.frames_per_second, Unit::plain), &self.frames_per_second, 10},
    };
    if (!bench.processes().empty()) {
        const ProcessView& console = *bench.processes().front();
        all.push_back({"Console, CPU", latest(console.cpu_percent, Unit::percent), &console.cpu_percent, 5});
        all.push_back(
            {console.memory_kind == data::MemoryKind::pss ? "Console, memory (PSS)" : "Console, memory (RSS)",
             latest(console.memory_mib, Unit::mebibytes), &console.memory_mib, 64});
    }
    all.push_back({"Tails hold", latest(self.held_mib, Unit::mebibytes), &self.held_mib, 16});
    all.push_back({"Blocks waiting", latest(self.queue_blocks, Unit::plain), &self.queue_blocks, 16});
    const std::int64_t click = self.last_click_to_wire_ns;
    all.push_back(
        {"Last click to wire", click < 0 ? "–" : fmt::format("{:.2f} ms", static_cast<double>(click) / 1e6)});
    all.push_back(
        {"Events dropped", fmt::format("{}", self.dropped_events), nullptr, 1, self.dropped_events > 0});
    return all;
}

void SelfPanel::draw_figure(PanelContext& context, const Figure& figure, ImVec2 min, ImVec2 max) const {
    const Theme& theme = context.theme;
    const float s = context.scale;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(min, max, mix(theme.panel, theme.text_dim, 0.07F), 4 * s);
    const float left = min.x + 9 * s;
    const float right = max.x - 9 * s;
    draw_clipped(list, *context.fonts.text, {left, min.y + 6 * s}, right, theme.text_dim, figure.title);
    const float end = draw_clipped(list, *context.fonts.large, {left, min.y + 27 * s}, right,
                                   figure.bad ? theme.bad : theme.text, figure.value);
    if (figure.trend == nullptr) return;
    const ImU32 colour = theme.series[0];
    const SparklineStyle style{.colour = colour,
                               .fill = with_alpha(colour, 0.16F),
                               .line_px = std::max(1.0F, 1.25F * s),
                               .top_min = figure.top_min};
    const float from = std::max(end + 10 * s, min.x + (max.x - min.x) * 0.5F);
    if (from + 20 * s < right) {
        draw_sparkline(list, *figure.trend, context.now, trend_span_ns, {from, min.y + 29 * s},
                       {right, max.y - 9 * s}, style);
    }
}

void SelfPanel::draw_figures(PanelContext& context) const {
    const float s = context.scale;
    const float gap = std::round(6 * s);
    const float width = ImGui::GetContentRegionAvail().x;
    const auto all = figures(context);
    const auto columns = std::clamp<std::size_t>(
        static_cast<std::size_t>((width + gap) / (tile_width_min_px * s + gap)), 1, 4);
    const float tile =
        std::floor((width - gap * static_cast<float>(columns - 1)) / static_cast<float>(columns));
    const float height = std::round(tile_height_px * s);
    const ImVec2 origin = ImGui::GetCursorScreenPos();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const ImVec2 min{origin.x + static_cast<float>(i % columns) * (tile + gap),
                         origin.y + static_cast<float>(i / columns) * (height + gap)};
        draw_figure(context, all[i], min, {min.x + tile, min.y + height});
    }
    const auto rows = static_cast<float>((all.size() + columns - 1) / columns);
    ImGui::Dummy({width, rows * (height + gap)});
}

void heading(const PanelContext& context, const char* text) {
    ImGui::PushFont(context.fonts.bold);
    ImGui::TextDisabled("%s", text);
    ImGui::PopFont();
}

void SelfPanel::draw_ledger(PanelContext& context) const {
    heading(context, "Loss ledger");
    if (context.bench.lost_bytes() == 0) {
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.good);
        ImGui::TextUnformatted("complete: no byte was lost at any stage");
        ImGui::PopStyleColor();
        return;
    }
    constexpr ImGuiTableFlags flags = ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH;
    if (!ImGui::BeginTable("ledger", 3, flags)) return;
    for (const char* column : {"Source", "Stage", "Bytes"}) ImGui::TableSetupColumn(column);
    ImGui::TableHeadersRow();
    for (const auto& source : context.bench.sources()) {
        for (std::size_t i = 1; i < data::loss_stage_count; ++i) {
            const std::uint64_t lost = source->counters->lost[i].load(std::memory_order_relaxed);
            if (lost == 0) continue;
            ImGui::TableNextRow();
            ImGui::TableNextColumn();
            ImGui::TextUnformatted(source->info.name.c_str());
            ImGui::TableNextColumn();
            const std::string_view stage = data::loss_stage_name(static_cast<data::LossStage>(i));
            ImGui::TextUnformatted(stage.data(), stage.data() + stage.size());
            ImGui::TableNextColumn();
            ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(context.theme.bad), "%s",
                               bytes_text(lost).c_str());
        }
    }
    ImGui::EndTable();
}

void SelfPanel::draw_feeds(PanelContext& context) const {
    const auto& sources = context.bench.sources();
    if (sources.empty()) return;
    heading(context, "Feeds");
    constexpr ImGuiTableFlags flags =
        ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerH | ImGuiTableFlags_ScrollY;
    const float rest = ImGui::GetContentRegionAvail().y;
    if (!ImGui::BeginTable("feeds", 5, flags, {0, std::max(rest, 120 * context.scale)})) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("Source", ImGuiTableColumnFlags_WidthStretch, 3);
    for (const char* column : {"Waiting", "Held", "Read", "Age"}) {
        ImGui::TableSetupColumn(column, ImGuiTableColumnFlags_WidthStretch, 1.2F);
    }
    ImGui::TableHeadersRow();
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(sources.size()));
    while (clipper.Step()) {
        for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
            const SourceView& source = *sources[static_cast<std::size_t>(i)];
            const std::array<std::string, 5> cells = {
                source.info.name,
                fmt::format("{} / {}", source.tail->feed()->size(), source.tail->feed()->blocks_max()),
                fmt::format("{:.1f} MiB", static_cast<double>(source.tail->held_bytes()) / 1'048'576.0),
                bytes_text(source.counters->bytes.load(std::memory_order_relaxed)),
                age_text_of(age_of(source, context.now))};
            ImGui::TableNextRow();
            for (const std::string& cell : cells) {
                ImGui::TableNextColumn();
                ImGui::TextUnformatted(cell.data(), cell.data() + cell.size());
            }
        }
    }
    ImGui::EndTable();
}

void SelfPanel::draw(PanelContext& context) {
    ImGui::BeginChild("self", {0, 0}, false, ImGuiWindowFlags_None);
    draw_figures(context);
    draw_ledger(context);
    ImGui::Spacing();
    draw_feeds(context);
    ImGui::EndChild();
}

}  // namespace

std::unique_ptr<Panel> make_self_panel() {
    return std::make_unique<SelfPanel>();
}

}  // namespace labdeck::ui
