#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "model/row_text.h"
#include "ui/panel.h"
#include "ui/rects.h"
#include "ui/widgets/age_badge.h"
#include "ui/widgets/axis_ticks.h"
#include "ui/widgets/sparkline.h"
#include "ui/widgets/tile.h"

namespace labdeck::ui {
namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t sparkline_span_ns = 60 * ns_per_s;
constexpr const char* icon_tiles = "\xef\x80\x89";
constexpr float tile_width_min_px = 264;
constexpr float tile_gap_px = 6;
constexpr float heading_px = 26;
constexpr float app_height_px = 92;
constexpr float source_height_px = 92;
constexpr float process_height_px = 52;
constexpr std::size_t last_line_columns = 240;

/// Where a tile's words go: lines from the top, between two edges.
struct Tile {
    PanelContext& context;
    ImDrawList& list;
    ImVec2 min;
    ImVec2 max;
    float pad;

    const Theme& theme() const { return context.theme; }
    float left() const { return min.x + pad; }
    float right() const { return max.x - pad; }
    float line(int i) const {
        return min.y + pad * 0.75F + static_cast<float>(i) * std::round(19.5F * context.scale);
    }
};

std::string text_of(const Json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

struct AppState {
    TileMark mark = TileMark::off;
    std::string text;
};

AppState state_of(const AppView& app) {
    if (!app.banner.empty())
        return {TileMark::fault, app.provider_state.empty() ? "down" : app.provider_state};
    if (!app.provider_up)
        return {TileMark::waiting, app.provider_state.empty() ? "waiting" : app.provider_state};
    if (!text_of(app.status, "error").empty()) return {TileMark::fault, "error"};
    if (!app.status.is_object()) return {TileMark::waiting, "asking"};
    const auto running = app.status.find("running");
    const bool on = running != app.status.end() && *running == true;
    return on ? AppState{TileMark::on, "running"} : AppState{TileMark::off, "stopped"};
}

AppState state_of(const SourceView& source) {
    switch (source.counters->state.load(std::memory_order_relaxed)) {
        case data::SourceState::open:
            return {TileMark::on, "open"};
        case data::SourceState::lost:
            return {TileMark::fault, "lost"};
        case data::SourceState::closed:
            return {TileMark::off, "closed"};
    }
    return {};
}

class OverviewPanel final : public Panel {
public:
    std::string_view id() const override { return "overview"; }
    std::string_view title() const override { return "Overview"; }
    std::string_view icon() const override { return icon_tiles; }
    void draw(PanelContext& context) override;
    DataAge age(const PanelContext& context) const override { return age_of_all(context.bench, context.now); }

private:
    /// Lays `count` tiles out below `y_`, and calls draw_tile(tile, index) for those that are seen.
    template <typename DrawTile>
    void section(PanelContext& context, const char* title, std::size_t count, float height,
                 DrawTile draw_tile);
    void draw_head(Tile& tile, TileMark mark, std::string_view name, std::string_view right_text,
                   ImU32 right_colour);
    void draw_app(Tile& tile, AppView& app);
    void draw_source(Tile& tile, SourceView& source);
    void draw_process(Tile& tile, const ProcessView& process);
    void draw_last_line(Tile& tile, int line, std::string_view raw);

    float y_ = 0;  ///< Within the scrolled content.
    std::string text_;
};

void draw_centred(const ImFont& font, float width, ImU32 colour, const std::string& text) {
    ImGui::PushFont(const_cast<ImFont*>(&font));
    ImGui::SetCursorPosX(std::max(0.0F, (width - ImGui::CalcTextSize(text.c_str()).x) / 2));
    ImGui::PushStyleColor(ImGuiCol_Text, colour);
    ImGui::TextUnformatted(text.c_str());
    ImGui::PopStyleColor();
    ImGui::PopFont();
}

void draw_empty(PanelContext& context) {
    const float width = ImGui::GetContentRegionAvail().x;
    const Theme& theme = context.theme;
    ImGui::Dummy({1, std::max(0.0F, ImGui::GetContentRegionAvail().y * 0.5F - 84 * context.scale)});
    draw_centred(*context.fonts.bold, width, theme.text, "This bench is empty");
    ImGui::Spacing();
    for (const char* line :
         {"A bench is made of providers, which host apps and simulators,",
          "of virtual cables between serial ports,", "and of commands whose output is kept."}) {
        draw_centred(*context.fonts.text, width, theme.text_dim, line);
    }
    ImGui::Spacing();
    ImGui::Spacing();
    draw_centred(*context.fonts.text, width, theme.text_dim, "To see one at work:");
    draw_centred(*context.fonts.mono, width, theme.accent, "labdeck --demo");
    draw_centred(*context.fonts.text, width, theme.text_dim, "Your own goes into the workspace's folder:");
    draw_centred(*context.fonts.mono, width, theme.accent, "labdeck.json");
}

void OverviewPanel::draw(PanelContext& context) {
    BenchState& bench = context.bench;
    // The console itself is always watched and makes no bench yet.
    const bool empty = bench.apps().empty() && bench.sources().empty() && bench.processes().size() <= 1;
    if (empty) return draw_empty(context);
    ImGui::BeginChild("tiles", {0, 0}, false, ImGuiWindowFlags_None);
    y_ = 0;
    section(context, "Apps", bench.apps().size(), app_height_px,
            [&](Tile& tile, std::size_t i) { draw_app(tile, *bench.apps()[i]); });
    section(context, "Sources", bench.sources().size(), source_height_px,
            [&](Tile& tile, std::size_t i) { draw_source(tile, *bench.sources()[i]); });
    section(context, "Processes", bench.processes().size(), process_height_px,
            [&](Tile& tile, std::size_t i) { draw_process(tile, *bench.processes()[i]); });
    ImGui::SetCursorPos({0, y_});
    ImGui::Dummy({1, 1});
    ImGui::EndChild();
}

template <typename DrawTile>
void OverviewPanel::section(PanelContext& context, const char* title, std::size_t count, float height,
                            DrawTile draw_tile) {
    if (count == 0) return;
    const float s = context.scale;
    const float gap = std::round(tile_gap_px * s);
    const float width = ImGui::GetContentRegionAvail().x;
    const auto columns = std::max<std::size_t>(
        1, std::min(count, static_cast<std::size_t>((width + gap) / (tile_width_min_px * s + gap))));
    const float tile_width =
        std::floor((width - gap * static_cast<float>(columns - 1)) / static_cast<float>(columns));
    const float step = std::round(height * s) + gap;
    const float scroll = ImGui::GetScrollY();
    const ImVec2 origin{ImGui::GetWindowPos().x + ImGui::GetStyle().WindowPadding.x * 0,
                        ImGui::GetWindowPos().y - scroll};
    const float seen_to = scroll + ImGui::GetWindowHeight();
    ImDrawList& list = *ImGui::GetWindowDrawList();

    const std::string heading = fmt::format("{}  {}", title, count);
    list.AddText(context.fonts.bold, context.fonts.bold->FontSize, {origin.x, origin.y + y_ + 4 * s},
                 context.theme.text_dim, heading.c_str());
    y_ += std::round(heading_px * s);

    const std::size_t rows = (count + columns - 1) / columns;
    const auto row_at = [&](float y) { return static_cast<std::size_t>(std::max(0.0F, (y - y_) / step)); };
    for (std::size_t row = row_at(scroll); row < rows && y_ + static_cast<float>(row) * step < seen_to;
         ++row) {
        for (std::size_t i = row * columns; i < std::min(count, (row + 1) * columns); ++i) {
            const ImVec2 min{origin.x + static_cast<float>(i % columns) * (tile_width + gap),
                             origin.y + y_ + static_cast<float>(row) * step};
            const ImVec2 max{min.x + tile_width, min.y + step - gap};
            list.AddRectFilled(min, max, mix(context.theme.panel, context.theme.text_dim, 0.07F), 4 * s);
            Tile tile{context, list, min, max, std::round(9 * s)};
            draw_tile(tile, i);
        }
    }
    y_ += static_cast<float>(rows) * step + gap;
}

void OverviewPanel::draw_head(Tile& tile, TileMark mark, std::string_view name, std::string_view right_text,
                              ImU32 right_colour) {
    const Fonts& fonts = tile.context.fonts;
    const float s = tile.context.scale;
    draw_tile_mark(tile.list, {tile.left() + 4 * s, tile.line(0) + fonts.bold->FontSize / 2}, 4 * s, mark,
                   tile_mark_colour(mark, tile.theme()));
    const float edge =
        draw_right(tile.list, *fonts.text, tile.right(), tile.line(0), right_colour, right_text);
    draw_clipped(tile.list, *fonts.bold, {tile.left() + 15 * s, tile.line(0)}, edge - 8 * s,
                 tile.theme().text, name);
}

void OverviewPanel::draw_last_line(Tile& tile, int line, std::string_view raw) {
    text_.clear();
    model::append_columns(raw, 0, last_line_columns, text_);
    draw_clipped(tile.list, *tile.context.fonts.mono, {tile.left(), tile.line(line) + tile.context.scale},
                 tile.right(), tile.theme().text_dim, text_);
}

void draw_trend(Tile& tile, const model::Series& series, ImU32 colour, ImVec2 min, ImVec2 max,
                double top_min) {
    const SparklineStyle style{.colour = colour,
                               .fill = with_alpha(colour, 0.16F),
                               .line_px = std::max(1.0F, 1.25F * tile.context.scale),
                               .top_min = top_min};
    draw_sparkline(tile.list, series, tile.context.now, sparkline_span_ns, min, max, style);
}

void OverviewPanel::draw_app(Tile& tile, AppView& app) {
    BenchState& bench = tile.context.bench;
    const Theme& theme = tile.theme();
    const Fonts& fonts = tile.context.fonts;
    const float s = tile.context.scale;
    const AppState state = state_of(app);

    ImGui::SetCursorScreenPos(tile.min);
    ImGui::PushID(app.id.c_str());
    if (ImGui::InvisibleButton("select", {tile.max.x - tile.min.x, tile.max.y - tile.min.y})) {
        bench.selected_app = app.id;
    }
    ImGui::PopID();
    note_rect("overview/app/" + app.id);
    const bool selected = bench.selected_app == app.id;
    if (selected || ImGui::IsItemHovered()) {
        tile.list.AddRect(tile.min, tile.max, with_alpha(theme.accent, selected ? 1.0F : 0.5F), 4 * s, 0,
                          std::max(1.0F, std::floor(1.25F * s)));
    }
    const bool says = state.mark == TileMark::on || state.mark == TileMark::fault;
    draw_head(tile, state.mark, app.title, state.text,
              says ? tile_mark_colour(state.mark, theme) : theme.text_dim);

    std::string facts = app.provider;
    if (app.status.is_object()) {
        const auto pid = app.status.find("pid");
        if (pid != app.status.end() && pid->is_number_integer())
            facts += fmt::format("  pid {}", pid->get<long long>());
    }
    for (const auto& process : bench.processes()) {
        if (process->name != app.provider || !process->alive) continue;
        facts += fmt::format("  {}  {}", value_text(process->cpu_percent.last_value(), Unit::percent),
                             value_text(process->memory_mib.last_value(), Unit::mebibytes));
    }
    draw_clipped(tile.list, *fonts.text, {tile.left(), tile.line(1)}, tile.right(), theme.text_dim, facts);

    const float middle = std::round(tile.left() + (tile.right() - tile.left()) * 0.45F);
    double rate = 0;
    bool any = false;
    for (const auto& port : bench.ports()) {
        if (port->app != app.id || port->bytes_per_second.count() == 0) continue;
        rate += port->bytes_per_second.last_value();
        if (!any) {
            draw_trend(tile, port->bytes_per_second, theme.series[0], {middle, tile.line(2)},
                       {tile.right(), tile.line(2) + 16 * s}, 100);
        }
        any = true;
    }
    draw_clipped(tile.list, *fonts.text, {tile.left(), tile.line(2)}, middle - 4 * s,
                 any ? theme.text : theme.text_dim,
                 any ? value_text(rate, Unit::bytes_per_second) : "no traffic yet");

    const std::string error = app.banner.empty() ? text_of(app.status, "error") : app.banner;
    if (error.empty()) return draw_last_line(tile, 3, app.last_line);
    draw_clipped(tile.list, *fonts.text, {tile.left(), tile.line(3)}, tile.right(), theme.bad, error);
    note_rect("overview/error/" + app.id);
}

std::string lost_text(const data::SourceCounters& counters) {
    std::string text;
    for (std::size_t i = 1; i < data::loss_stage_count; ++i) {
        const std::uint64_t lost = counters.lost[i].load(std::memory_order_relaxed);
        if (lost == 0) continue;
        if (!text.empty()) text += ", ";
        text +=
            fmt::format("{} {}", bytes_text(lost), data::loss_stage_name(static_cast<data::LossStage>(i)));
    }
    return text;
}

void OverviewPanel::draw_source(Tile& tile, SourceView& source) {
    const Theme& theme = tile.theme();
    const Fonts& fonts = tile.context.fonts;
    const float s = tile.context.scale;
    const data::SourceCounters& counters = *source.counters;
    const AppState state = state_of(source);
    const std::string_view kind = data::source_kind_name(source.info.kind);
    draw_head(tile, state.mark, source.info.name,
              state.mark == TileMark::on ? std::string(kind) : fmt::format("{} {}", kind, state.text),
              state.mark == TileMark::fault ? theme.bad : theme.text_dim);

    const float middle = std::round(tile.left() + (tile.right() - tile.left()) * 0.45F);
    const double rate = source.bytes_per_second.count() > 0 ? source.bytes_per_second.last_value() : 0;
    const double lines = source.lines_per_second.count() > 0 ? source.lines_per_second.last_value() : 0;
    const float after =
        draw_clipped(tile.list, *fonts.bold, {tile.left(), tile.line(1)}, middle,
                     rate > 0 ? theme.text : theme.text_dim, value_text(rate, Unit::bytes_per_second));
    if (lines > 0) {
        draw_clipped(tile.list, *fonts.text, {after + 7 * s, tile.line(1)}, middle - 2 * s, theme.text_dim,
                     count_text(static_cast<std::uint64_t>(lines + 0.5)) + " lines/s");
    }
    draw_trend(tile, source.bytes_per_second, theme.series[0], {middle, tile.line(1)},
               {tile.right(), tile.line(1) + 16 * s}, 100);

    const std::string lost = lost_text(counters);
    const std::string age = age_text_of(age_of(source, tile.context.now));
    const float edge =
        draw_right(tile.list, *fonts.text, tile.right(), tile.line(2), theme.text_dim, age) - 8 * s;
    if (lost.empty()) {
        const std::string totals =
            fmt::format("{}  {} lines", bytes_text(counters.bytes.load(std::memory_order_relaxed)),
                        count_text(counters.lines.load(std::memory_order_relaxed)));
        draw_clipped(tile.list, *fonts.text, {tile.left(), tile.line(2)}, edge, theme.text_dim, totals);
    } else {
        const std::string words =
            fmt::format("{}  lost {}", bytes_text(counters.bytes.load(std::memory_order_relaxed)), lost);
        draw_clipped(tile.list, *fonts.text, {tile.left(), tile.line(2)}, edge, theme.bad, words);
    }
    if (source.tail->rows() > 0) draw_last_line(tile, 3, source.tail->row(source.tail->end_row() - 1).text);
}

void OverviewPanel::draw_process(Tile& tile, const ProcessView& process) {
    const Theme& theme = tile.theme();
    const Fonts& fonts = tile.context.fonts;
    const float s = tile.context.scale;
    const AppState state =
        process.alive ? AppState{TileMark::on, "running"} : AppState{TileMark::off, "ended"};
    draw_head(tile, process.alive ? TileMark::on : TileMark::off, process.name,
              fmt::format("pid {}{}", process.pid, process.alive ? "" : " ended"), theme.text_dim);
    if (process.cpu_percent.count() == 0) return;
    const float width = tile.right() - tile.left();
    const float half = std::round(tile.left() + width / 2);
    const auto figure = [&](float from, float to, const model::Series& series, Unit unit, ImU32 colour,
                            double top) {
        const float label = std::round(58 * s);
        draw_clipped(tile.list, *fonts.text, {from, tile.line(1)}, from + label, theme.text,
                     value_text(series.last_value(), unit));
        draw_trend(tile, series, colour, {from + label + 3 * s, tile.line(1)}, {to, tile.line(1) + 16 * s},
                   top);
    };
    figure(tile.left(), half - 5 * s, process.cpu_percent, Unit::percent, theme.series[2], 10);
    figure(half + 5 * s, tile.right(), process.memory_mib, Unit::mebibytes, theme.series[4], 16);
}

}  // namespace

std::unique_ptr<Panel> make_overview_panel() {
    return std::make_unique<OverviewPanel>();
}

}  // namespace labdeck::ui
