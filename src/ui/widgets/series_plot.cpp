#include "ui/widgets/series_plot.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace labdeck::ui {
namespace {

constexpr float zoom_per_notch = 0.8F;

// Sizes at scale 1; everything that is drawn begins on a whole pixel.
float px(const PlotContext& context, float size) {
    return std::floor(size * context.scale + 0.5F);
}

ImVec2 text_size(ImFont* font, std::string_view text) {
    return font->CalcTextSizeA(font->FontSize, FLT_MAX, 0, text.data(), text.data() + text.size());
}

void put_text(ImDrawList& list, ImFont* font, ImVec2 at, ImU32 colour, std::string_view text) {
    list.AddText(font, font->FontSize, {std::floor(at.x), std::floor(at.y)}, colour, text.data(),
                 text.data() + text.size());
}

// The widest that value_text() gives, so that figures which change do not move their neighbours.
std::string_view widest_value(Unit unit) {
    switch (unit) {
        case Unit::percent:
            return "100.0 %";
        case Unit::bytes_per_second:
            return "99.9 MB/s";
        case Unit::mebibytes:
            return "999.9 MiB";
        case Unit::per_second:
            return "99.9 k/s";
        case Unit::milliseconds:
            return "99.9 ms";
        case Unit::plain:
            return "99.9 k";
    }
    return "";
}

// Seconds that local time is ahead of UTC.
std::int64_t local_offset_ns(WallTime time) {
    const std::time_t seconds = time.ns / 1'000'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    return local.tm_gmtoff * 1'000'000'000LL;
}

std::int64_t round_up_to(std::int64_t value, std::int64_t step) {
    const std::int64_t rest = value % step;
    return rest == 0 ? value : value - rest + (value > 0 ? step : 0);
}

// What a pixel column shows of a series: one value, or all from smallest to largest.
std::string text_at(const model::Series& series, MonoTime from, MonoTime to, MonoTime time, Unit unit) {
    const model::Series::Range range = series.range(from, to);
    if (!range.empty && range.max > range.min)
        return fmt::format("{} … {}", value_text(range.min, unit), value_text(range.max, unit));
    MonoTime at;
    double value = 0;
    if (time < series.first_time() || time > series.last_time() || !series.nearest(time, at, value))
        return "-";
    return value_text(value, unit);
}

}  // namespace

void SeriesPlot::set_hidden(std::string_view label, bool hidden) {
    if (hidden) {
        hidden_.emplace(label);
    } else if (const auto found = hidden_.find(label); found != hidden_.end()) {
        hidden_.erase(found);
    }
}

void SeriesPlot::draw(const PlotContext& context, TimeAxis& axis, std::span<const PlotLine> lines,
                      ImVec2 size, const std::deque<TimeMark>& marks) {
    ImGui::PushID(this);
    const ImVec2 at{std::floor(ImGui::GetCursorScreenPos().x), std::floor(ImGui::GetCursorScreenPos().y)};
    const float line_height = context.fonts.text->FontSize;
    const float header = draw_header(context, lines, at, size.x);
    min_ = {at.x + px(context, 52), at.y + header + px(context, 6)};
    max_ = {std::floor(at.x + size.x - px(context, 12)),
            std::floor(at.y + size.y - line_height - px(context, 6))};
    max_ = {std::max(max_.x, min_.x + 16), std::max(max_.y, min_.y + 16)};

    ImGui::SetCursorScreenPos(min_);
    ImGui::InvisibleButton("area", {max_.x - min_.x, max_.y - min_.y});
    view_ = axis.view(static_cast<double>(max_.x - min_.x));
    take_input(axis);
    view_ = axis.view(static_cast<double>(max_.x - min_.x));

    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddRectFilled(min_, max_, context.theme.plot_background);
    fit_values(lines, line_height);
    draw_marks(context, marks, axis.now());
    draw_value_grid(context);
    draw_time_grid(context, axis);
    draw_lines(context, lines);
    draw_mark_labels(context);
    draw_cursor(context, axis, lines);
    if (!any_samples_)
        draw_empty(context, lines.empty() ? "nothing to show yet" : "no samples in this window");
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy(size);
    ImGui::PopID();
}

void SeriesPlot::draw_empty(const PlotContext& context, std::string_view text) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 size = text_size(context.fonts.text, text);
    const ImVec2 at{std::floor((min_.x + max_.x - size.x) / 2), std::floor((min_.y + max_.y - size.y) / 2)};
    const float room = px(context, 6);
    list.AddRectFilled({at.x - room, at.y}, {at.x + size.x + room, at.y + size.y},
                       context.theme.plot_background);
    put_text(list, context.fonts.text, at, context.theme.text_dim, text);
}

float SeriesPlot::draw_header(const PlotContext& context, std::span<const PlotLine> lines, ImVec2 at,
                              float width) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float row = context.fonts.text->FontSize + px(context, 6);
    put_text(list, context.fonts.bold, {at.x, at.y + px(context, 3)}, context.theme.text, title_);
    const float title = text_size(context.fonts.bold, title_).x;
    const float value = text_size(context.fonts.text, widest_value(options_.unit)).x;
    // The same for all titles up to this width, so that legends stand in one column.
    float x = at.x + std::max(title + px(context, 16), px(context, 92));
    const float left = x;
    float y = at.y;
    pointed_at_.clear();
    for (const PlotLine& line : lines) {
        const float item =
            std::floor(px(context, 10 + 6 + 8 + 8) + text_size(context.fonts.text, line.label).x + value);
        if (x > left && x + item > at.x + width) {
            x = left;
            y += row;
        }
        if (draw_legend_item(context, line, {x, y}, {item, row})) set_hidden(line.label, !hidden(line.label));
        x += item + px(context, 6);
    }
    return y + row - at.y;
}

bool SeriesPlot::draw_legend_item(const PlotContext& context, const PlotLine& line, ImVec2 at, ImVec2 size) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    ImGui::PushID(line.label.data(), line.label.data() + line.label.size());
    ImGui::SetCursorScreenPos(at);
    const bool clicked = ImGui::InvisibleButton("legend", size);
    if (ImGui::IsItemHovered()) {
        pointed_at_ = line.label;
        list.AddRectFilled(at, {at.x + size.x, at.y + size.y}, context.theme.panel_header, px(context, 3));
        ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
    }
    ImGui::PopID();
    const bool off = hidden(line.label);
    const float side = px(context, 10);
    const ImVec2 swatch{at.x + px(context, 4), std::floor(at.y + (size.y - side) / 2)};
    const ImVec2 swatch_end{swatch.x + side, swatch.y + side};
    if (off) {
        list.AddRect(swatch, swatch_end, context.theme.text_dim, px(context, 2), 0, px(context, 1));
    } else {
        list.AddRectFilled(swatch, swatch_end, line.colour, px(context, 2));
    }
    const float text_y = at.y + px(context, 3);
    const float text_x = swatch_end.x + px(context, 6);
    put_text(list, context.fonts.text, {text_x, text_y}, off ? context.theme.text_dim : context.theme.text,
             line.label);
    const bool known = line.series->count() > line.series->first();
    const std::string value = line.ended ? "ended"
                              : known    ? value_text(line.series->last_value(), options_.unit)
                                         : "-";
    const float value_x = text_x + text_size(context.fonts.text, line.label).x + px(context, 8);
    put_text(list, context.fonts.text, {value_x, text_y}, context.theme.text_dim, value);
    return clicked;
}

void SeriesPlot::take_input(TimeAxis& axis) {
    const ImGuiIO& io = ImGui::GetIO();
    hovered_ = ImGui::IsItemHovered();
    // Else the wheel would also scroll the panel.
    ImGui::SetItemKeyOwner(ImGuiKey_MouseWheelY);
    const MonoTime pointed = view_.time(static_cast<double>(io.MousePos.x - min_.x));
    if (hovered_ && io.MouseWheel != 0)
        axis.zoom(std::pow(zoom_per_notch, io.MouseWheel), std::min(pointed, axis.right()));
    if (hovered_ && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) axis.reset();
    if (ImGui::IsItemActive()) {
        const float total = ImGui::GetMouseDragDelta(ImGuiMouseButton_Left).x;
        const auto moved = static_cast<double>(total - dragged_px_);
        dragged_px_ = total;
        if (moved != 0) axis.pan(static_cast<std::int64_t>(std::llround(-moved * view_.ns_per_px)));
    } else {
        dragged_px_ = 0;
    }
    if (hovered_) axis.set_cursor(pointed);
}

void SeriesPlot::fit_values(std::span<const PlotLine> lines, float line_height) {
    double low = 0;
    double high = 0;
    any_samples_ = false;
    for (const PlotLine& line : lines) {
        if (hidden(line.label)) continue;
        const auto range =
            line.series->range(view_.time(0), view_.time(static_cast<double>(max_.x - min_.x)));
        if (range.empty) continue;
        low = any_samples_ ? std::min(low, range.min) : range.min;
        high = any_samples_ ? std::max(high, range.max) : range.max;
        any_samples_ = true;
    }
    const int intervals = std::clamp(static_cast<int>((max_.y - min_.y) / (line_height * 2.2F)), 1, 8);
    if (any_samples_ || range_.top() <= range_.bottom())
        range_.fit(low, std::max(high, low), intervals, options_.unit, options_.range);
    ticks_ = value_ticks(range_.bottom(), range_.top(), intervals, options_.unit);
}

float SeriesPlot::y_of(double value) const {
    const double part = (value - range_.bottom()) / (range_.top() - range_.bottom());
    return max_.y - static_cast<float>(part) * (max_.y - min_.y);
}

void SeriesPlot::draw_value_grid(const PlotContext& context) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float thick = std::max(1.0F, std::floor(context.scale));
    ImFont* font = context.fonts.text;
    const auto steps = static_cast<int>(std::floor((range_.top() - range_.bottom()) / ticks_.step + 1e-6));
    for (int i = 0; i <= steps; ++i) {
        const double value = range_.bottom() + i * ticks_.step;
        const float y = std::min(std::floor(y_of(value)), max_.y - thick);
        list.AddRectFilled({min_.x, y}, {max_.x, y + thick}, context.theme.grid_line);
        std::string text = ticks_.label(value);
        const float wide = text_size(font, text).x;
        const float text_y = y - font->FontSize / 2;
        put_text(list, font, {min_.x - px(context, 6) - wide, text_y}, context.theme.text_dim, text);
    }
    if (ticks_.unit.empty()) return;
    const ImVec2 unit = text_size(font, ticks_.unit);
    put_text(list, font, {min_.x - px(context, 6) - unit.x, max_.y + px(context, 4)}, context.theme.text_dim,
             ticks_.unit);
}

void SeriesPlot::draw_time_grid(const PlotContext& context, const TimeAxis& axis) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    ImFont* font = context.fonts.text;
    const float width = max_.x - min_.x;
    const bool relative = axis.labels == TimeAxis::Labels::relative;
    const float label_px = text_size(font, "-00:00:00.000").x + px(context, 16);
    const std::int64_t step = time_step(axis.span_ns(), std::max(1, static_cast<int>(width / label_px)));
    const MonoTime left = view_.time(0);
    const MonoTime right = axis.right();
    const std::int64_t to_wall = wall_of(right).ns - right.ns;
    const std::int64_t to_local = relative ? -right.ns : to_wall + local_offset_ns({right.ns + to_wall});
    const float thick = std::max(1.0F, std::floor(context.scale));
    for (std::int64_t at = round_up_to(left.ns + to_local, step);; at += step) {
        const MonoTime time{at - to_local};
        const auto x = min_.x + static_cast<float>(view_.x(time));
        if (x > max_.x + 0.5F) break;
        const float grid_x = std::min(std::floor(x), max_.x - thick);
        list.AddRectFilled({grid_x, min_.y}, {grid_x + thick, max_.y}, context.theme.grid_line);
        const std::string text = relative ? relative_label(-at, step) : time_label({time.ns + to_wall}, step);
        const float wide = text_size(font, text).x;
        const float text_x = std::min(grid_x - wide / 2, max_.x + px(context, 10) - wide);
        // The unit of the values stands to the left of the first time.
        if (text_x < min_.x) continue;
        put_text(list, font, {text_x, max_.y + px(context, 4)}, context.theme.text_dim, text);
    }
}

void SeriesPlot::draw_lines(const PlotContext& context, std::span<const PlotLine> lines) {
    batch_.begin(context.renderer, min_, max_, view_, range_.bottom(), range_.top());
    const float pixel = context.scale * ImGui::GetIO().DisplayFramebufferScale.x;
    for (const PlotLine& line : lines) {
        if (hidden(line.label)) continue;
        gfx::SeriesStyle style;
        style.rgba = line.colour;
        style.background = context.theme.plot_background;
        style.line_px = (line.label == pointed_at_ ? 2.75F : 1.5F) * pixel;
        style.band_alpha = 0.55F;
        style.column_px = std::max(1.0F, std::floor(pixel));
        batch_.add(*line.series, style);
    }
    batch_.submit(*ImGui::GetWindowDrawList());
}

// A strip along the top and a tint below it, bounded on both sides: seen without colour as well.
void SeriesPlot::draw_marks(const PlotContext& context, const std::deque<TimeMark>& marks, MonoTime now) {
    shown_marks_.clear();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float thick = std::max(1.0F, std::floor(context.scale));
    for (const TimeMark& mark : marks) {
        const MonoTime until = mark.on() ? now : mark.to;
        const float from = std::floor(min_.x + static_cast<float>(view_.x(mark.from)));
        const float to = std::floor(min_.x + static_cast<float>(view_.x(until)));
        if (to < min_.x || from >= max_.x) continue;
        const float left = std::max(from, min_.x);
        const float right = std::min(std::max(to, left + 2 * thick), max_.x);
        list.AddRectFilled({left, min_.y}, {right, max_.y}, with_alpha(context.theme.warn, 0.10F));
        list.AddRectFilled({left, min_.y}, {right, min_.y + px(context, 3)}, context.theme.warn);
        const ImU32 edge = with_alpha(context.theme.warn, 0.55F);
        if (from >= min_.x) list.AddRectFilled({left, min_.y}, {left + thick, max_.y}, edge);
        if (!mark.on() && to < max_.x) list.AddRectFilled({right - thick, min_.y}, {right, max_.y}, edge);
        shown_marks_.push_back({&mark, left, right});
    }
}

// Each in the first row in which it touches no other; what finds no room is told under the pointer.
void SeriesPlot::draw_mark_labels(const PlotContext& context) {
    constexpr int rows_max = 3;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    ImFont* const font = context.fonts.text;
    const float row_height = font->FontSize + px(context, 2);
    std::array<float, rows_max> ends;
    ends.fill(min_.x);
    list.PushClipRect(min_, max_, true);
    for (const ShownMark& shown : shown_marks_) {
        const float wide = text_size(font, shown.mark->label).x + px(context, 8);
        // One that has gone on since before the left edge keeps its name in sight.
        const float x = std::max(min_.x, std::min(shown.from_x, max_.x - wide));
        const auto row = std::find_if(ends.begin(), ends.end(), [&](float end) { return end <= x; });
        if (row == ends.end()) continue;
        *row = x + wide;
        const float y = min_.y + px(context, 4) + static_cast<float>(row - ends.begin()) * row_height;
        list.AddRectFilled({x + px(context, 2), y}, {x + wide, y + row_height},
                           with_alpha(context.theme.plot_background, 0.8F));
        put_text(list, font, {x + px(context, 5), y}, context.theme.warn, shown.mark->label);
    }
    list.PopClipRect();
}

void SeriesPlot::draw_cursor(const PlotContext& context, const TimeAxis& axis,
                             std::span<const PlotLine> lines) {
    const auto time = axis.cursor();
    if (!time) return;
    const float x = std::floor(min_.x + static_cast<float>(view_.x(*time)));
    if (x < min_.x || x >= max_.x) return;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float thick = std::max(1.0F, std::floor(context.scale));
    list.AddRectFilled({x, min_.y}, {x + thick, max_.y}, context.theme.cursor);
    list.PushClipRect(min_, max_, true);
    for (const PlotLine& line : lines) {
        MonoTime at;
        double value = 0;
        if (hidden(line.label) || !line.series->nearest(*time, at, value)) continue;
        const ImVec2 dot{min_.x + static_cast<float>(view_.x(at)), y_of(value)};
        if (std::abs(dot.x - x) < px(context, 12)) list.AddCircleFilled(dot, 3 * context.scale, line.colour);
    }
    list.PopClipRect();
    if (hovered_) draw_tooltip(context, *time, lines);
}

void SeriesPlot::draw_tooltip(const PlotContext& context, MonoTime time, std::span<const PlotLine> lines) {
    if (!ImGui::BeginTooltip()) return;
    const MonoTime from{time.ns - static_cast<std::int64_t>(view_.ns_per_px / 2)};
    const MonoTime to{time.ns + static_cast<std::int64_t>(view_.ns_per_px / 2)};
    ImGui::TextUnformatted(clock_text(wall_of(time)).c_str());
    if (ImGui::BeginTable("values", 2, ImGuiTableFlags_SizingFixedFit)) {
        for (const PlotLine& line : lines) {
            if (hidden(line.label)) continue;
            ImGui::TableNextColumn();
            const ImVec2 at = ImGui::GetCursorScreenPos();
            const float side = px(context, 10);
            const float top = at.y + std::floor((ImGui::GetTextLineHeight() - side) / 2);
            ImGui::GetWindowDrawList()->AddRectFilled({at.x, top}, {at.x + side, top + side}, line.colour,
                                                      px(context, 2));
            ImGui::SetCursorScreenPos({at.x + side + px(context, 6), at.y});
            ImGui::TextUnformatted(line.label.data(), line.label.data() + line.label.size());
            ImGui::TableNextColumn();
            const std::string value = text_at(*line.series, from, to, time, options_.unit);
            ImGui::TextUnformatted(value.c_str());
        }
        ImGui::EndTable();
    }
    for (const ShownMark& shown : shown_marks_) {
        const bool over = time >= shown.mark->from && (shown.mark->on() || time <= shown.mark->to);
        if (over)
            ImGui::TextColored(ImGui::ColorConvertU32ToFloat4(context.theme.warn), "%s",
                               shown.mark->label.c_str());
    }
    ImGui::EndTooltip();
}

}  // namespace labdeck::ui
