#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include "gfx/series_renderer.h"
#include "ui/panel.h"
#include "ui/widgets/series_plot.h"

namespace labdeck::ui {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
// Load is sampled once a second; three missed samples are a silence.
constexpr std::int64_t quiet_after_ns = 3 * ns_per_s;
constexpr const char* icon_chart = "\xef\x88\x81";
constexpr const char* icon_pause = "\xef\x81\x8c";
constexpr const char* icon_play = "\xef\x81\x8b";
constexpr const char* icon_clock = "\xef\x80\x97";

struct Window {
    const char* label;
    std::int64_t span_ns;
};
constexpr std::array<Window, 4> windows{
    {{"10 s", 10 * ns_per_s}, {"1 min", 60 * ns_per_s}, {"5 min", 300 * ns_per_s}, {"1 h", 3600 * ns_per_s}}};

// Gives each name a colour and keeps it, so that a source has the same one in every plot and after others
// have gone.
class Colours {
public:
    ImU32 of(const Theme& theme, const std::string& name) {
        const auto slot = slots_.try_emplace(name, slots_.size()).first->second;
        return theme.series[slot % theme.series.size()];
    }

private:
    std::map<std::string, std::size_t> slots_;
};

// What the panel shows in this frame. Labels live here because lines only point at them.
struct Lines {
    std::deque<std::string> labels;
    std::vector<PlotLine> cpu, memory, bytes, messages;

    const std::string& label(std::string text) { return labels.emplace_back(std::move(text)); }
};

class ChartsPanel final : public Panel {
public:
    std::string_view id() const override { return "charts"; }
    std::string_view title() const override { return "Charts"; }
    std::string_view icon() const override { return icon_chart; }
    void draw(PanelContext& context) override;
    DataAge age(const PanelContext& context) const override;
    void jump_to_live() override { axis_.go_live(); }

private:
    void collect(PanelContext& context);
    void collect_load(PanelContext& context);
    void collect_traffic(PanelContext& context);
    void let_go(gfx::SeriesRenderer* renderer);
    void draw_toolbar(const PanelContext& context);
    void draw_state(const PanelContext& context);
    void draw_plots(const PanelContext& context);

    TimeAxis axis_;
    SeriesPlot cpu_{"CPU", {Unit::percent, {true, 10}}};
    SeriesPlot memory_{"Memory", {Unit::mebibytes, {true, 16}}};
    SeriesPlot bytes_{"Bytes/s", {Unit::bytes_per_second, {true, 100}}};
    SeriesPlot messages_{"Messages/s", {Unit::per_second, {true, 10}}};
    Colours load_colours_;
    Colours traffic_colours_;
    Lines lines_;
    std::set<const void*> shown_;  ///< What the renderer may have buffers for.
};

void ChartsPanel::draw(PanelContext& context) {
    axis_.begin_frame(context.now);
    collect(context);
    let_go(context.series);
    draw_toolbar(context);
    ImGui::BeginChild("plots", {0, 0}, false, ImGuiWindowFlags_None);
    draw_plots(context);
    ImGui::EndChild();
}

void ChartsPanel::collect(PanelContext& context) {
    lines_ = {};
    collect_load(context);
    collect_traffic(context);
}

void ChartsPanel::collect_load(PanelContext& context) {
    BenchState& bench = context.bench;
    lines_.cpu.push_back(
        {&bench.machine_cpu(), lines_.label("machine"), load_colours_.of(context.theme, "machine")});
    std::set<std::string> taken{"machine"};
    for (const auto& process : bench.processes()) {
        // A restarted process has a new number and, often, its old name.
        std::string name = process->name;
        if (!taken.insert(name).second) name += " " + std::to_string(process->pid);
        const std::string& label = lines_.label(std::move(name));
        const ImU32 colour = load_colours_.of(context.theme, label);
        lines_.cpu.push_back({&process->cpu_percent, label, colour, !process->alive});
        lines_.memory.push_back({&process->memory_mib, label, colour, !process->alive});
    }
}

void ChartsPanel::collect_traffic(PanelContext& context) {
    std::set<std::string> taken;
    const auto add = [&](std::string name, const std::string& otherwise, const model::Series& bytes,
                         const model::Series& messages, bool ended) {
        if (!taken.insert(name).second) name += " " + otherwise;
        const std::string& label = lines_.label(std::move(name));
        const ImU32 colour = traffic_colours_.of(context.theme, label);
        lines_.bytes.push_back({&bytes, label, colour, ended});
        lines_.messages.push_back({&messages, label, colour, ended});
    };
    for (const auto& source : context.bench.sources()) {
        const bool closed = source->counters && source->counters->state.load() == data::SourceState::closed;
        add(source->info.name, data::source_id_text(source->info.id), source->bytes_per_second,
            source->lines_per_second, closed);
    }
    for (const auto& port : context.bench.ports())
        add(port->app + " " + port->port, "port", port->bytes_per_second, port->messages_per_second, false);
}

// A series that has gone must not keep its memory on the GPU.
void ChartsPanel::let_go(gfx::SeriesRenderer* renderer) {
    std::set<const void*> now;
    for (const auto* lines : {&lines_.cpu, &lines_.memory, &lines_.bytes, &lines_.messages})
        for (const PlotLine& line : *lines) now.insert(line.series);
    for (const void* key : shown_)
        if (renderer != nullptr && !now.contains(key)) renderer->forget(key);
    shown_ = std::move(now);
}

void ChartsPanel::draw_toolbar(const PanelContext& context) {
    const float gap = std::floor(4 * context.scale);
    const auto button = [&](const std::string& label, bool chosen, const char* tip) {
        const ImVec4 accent = ImGui::ColorConvertU32ToFloat4(context.theme.accent);
        if (chosen) ImGui::PushStyleColor(ImGuiCol_Button, {accent.x, accent.y, accent.z, 0.45F});
        const bool clicked = ImGui::Button(label.c_str());
        if (chosen) ImGui::PopStyleColor();
        ImGui::SetItemTooltip("%s", tip);
        ImGui::SameLine(0, gap);
        return clicked;
    };
    for (const Window& window : windows) {
        const bool chosen = axis_.span_ns() == window.span_ns;
        if (button(window.label, chosen, "How much time the charts show")) axis_.set_span(window.span_ns);
    }
    const bool relative = axis_.labels == TimeAxis::Labels::relative;
    if (button(icon_clock, !relative, "Time of day, or time before the right edge"))
        axis_.labels = relative ? TimeAxis::Labels::clock : TimeAxis::Labels::relative;
    if (axis_.live()) {
        if (button(std::string(icon_pause) + "  Pause###run", false,
                   "Hold the view; samples go on being kept"))
            axis_.hold();
    } else if (button(std::string(icon_play) + "  Live###run", true, "Follow the newest samples")) {
        axis_.reset();
    }
    draw_state(context);
    ImGui::NewLine();
}

void ChartsPanel::draw_state(const PanelContext& context) {
    if (axis_.live()) return;
    const std::string text = "held, " + age_text(axis_.now().ns - axis_.right().ns) + " ago";
    // Left out rather than cut off in a narrow pane: the badge of the pane says it too.
    if (ImGui::CalcTextSize(text.c_str()).x + 12 * context.scale > ImGui::GetContentRegionAvail().x) return;
    ImGui::SetCursorPosX(ImGui::GetCursorPosX() + 8 * context.scale);
    ImGui::AlignTextToFramePadding();
    ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(context.theme.warn), "%s", text.c_str());
    ImGui::SameLine();
}

void ChartsPanel::draw_plots(const PanelContext& context) {
    struct Shown {
        SeriesPlot& plot;
        const std::vector<PlotLine>& lines;
    };
    const std::array<Shown, 4> plots{
        {{cpu_, lines_.cpu}, {memory_, lines_.memory}, {bytes_, lines_.bytes}, {messages_, lines_.messages}}};
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float gap = std::floor(14 * context.scale);
    const int columns = room.x >= 1200 * context.scale ? 2 : 1;
    const int rows = static_cast<int>(plots.size()) / columns;
    const auto count = static_cast<float>(columns);
    const float width = std::floor((room.x - gap * (count - 1)) / count);
    const float fitting =
        std::floor((room.y - gap * static_cast<float>(rows - 1)) / static_cast<float>(rows));
    const float height = std::max(fitting, std::floor(170 * context.scale));
    const PlotContext plot_context{context.theme, context.fonts, context.scale, context.series};
    const ImVec2 start = ImGui::GetCursorPos();
    for (int i = 0; i < static_cast<int>(plots.size()); ++i) {
        ImGui::SetCursorPos({start.x + static_cast<float>(i % columns) * (width + gap),
                             start.y + static_cast<float>(i / columns) * (height + gap)});
        const Shown& shown = plots[static_cast<std::size_t>(i)];
        shown.plot.draw(plot_context, axis_, shown.lines, {width, height}, context.bench.fault_marks());
    }
}

DataAge ChartsPanel::age(const PanelContext& context) const {
    // From the bench, not from the lines of the last frame: a source may have gone since.
    MonoTime newest = context.bench.machine_cpu().last_time();
    const auto see = [&](const model::Series& series) { newest = std::max(newest, series.last_time()); };
    for (const auto& process : context.bench.processes()) see(process->cpu_percent);
    for (const auto& source : context.bench.sources()) see(source->bytes_per_second);
    for (const auto& port : context.bench.ports()) see(port->bytes_per_second);
    if (newest.ns == 0) return {};
    if (!axis_.live() && newest > axis_.right())
        return {DataAge::Kind::behind, context.now.ns - axis_.right().ns};
    const std::int64_t age_ns = std::max<std::int64_t>(context.now.ns - newest.ns, 0);
    return {age_ns > quiet_after_ns ? DataAge::Kind::quiet : DataAge::Kind::live, age_ns};
}

}  // namespace

std::unique_ptr<Panel> make_charts_panel() {
    return std::make_unique<ChartsPanel>();
}

}  // namespace labdeck::ui
