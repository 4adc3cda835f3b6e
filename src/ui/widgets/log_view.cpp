#include "ui/widgets/log_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "model/row_text.h"
#include "ui/rects.h"
#include "ui/widgets/grouped.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t wheel_rows = 3;
constexpr std::int64_t wheel_columns = 8;
constexpr std::uint64_t copied_rows_max = 100'000;
constexpr std::size_t time_columns = 12;
constexpr std::size_t name_columns_max = 16;
constexpr float gutter_columns = 2.6F;
constexpr float bar_width = 10;
// A drift below this would only make the last digit flicker.
constexpr std::int64_t wall_drift_ns_max = 1'000'000;

struct LevelLook {
    char letter;
    ImU32 colour;
};

LevelLook look_of(model::Level level, const Theme& theme) {
    switch (level) {
        case model::Level::error:
            return {'E', theme.log_error};
        case model::Level::warn:
            return {'W', theme.log_warn};
        case model::Level::info:
            return {'I', theme.log_info};
        case model::Level::debug:
            return {'D', theme.log_debug};
        case model::Level::none:
            break;
    }
    return {' ', theme.text_dim};
}

std::size_t columns_in(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

/// The frame's geometry.
struct LogView::Area {
    const Theme& theme;
    ImDrawList* list;
    ImFont* font;
    float font_size;
    float scale;
    ImVec2 min;  ///< Of the rows; the bars lie right of and below max.
    ImVec2 max;
    float row_height;
    float column_width;
    float time_x;
    float name_x;
    float text_x;
    std::size_t name_columns;

    void text(float x, float y, ImU32 colour, std::string_view text) const {
        list->AddText(font, font_size, {x, y}, colour, text.data(), text.data() + text.size());
    }
};

void LogView::reset() {
    following_ = true;
    top_.reset();
    newest_shown_.reset();
    selected_from_.reset();
    selected_to_.reset();
    pending_rows_ = 0;
    pending_index_.reset();
    first_column_ = 0;
    widest_ = 0;
}

void LogView::draw(PanelContext& context, model::MergedRows& rows, const std::vector<LaneLabel>& labels,
                   const model::RowMatcher* matcher) {
    const ImVec2 min = ImGui::GetCursorScreenPos();
    const ImVec2 room = ImGui::GetContentRegionAvail();
    const float bar = bar_width * context.scale;
    ImFont* const font = context.fonts.mono != nullptr ? context.fonts.mono : ImGui::GetFont();
    const float column = font->CalcTextSizeA(font->FontSize, FLT_MAX, 0, "0").x;
    Area area{context.theme,
              ImGui::GetWindowDrawList(),
              font,
              font->FontSize,
              context.scale,
              min,
              {},
              0,
              column,
              0,
              0,
              0,
              0};
    area.max = {min.x + std::max(1.0F, room.x - bar), min.y + std::max(1.0F, room.y - bar)};
    area.row_height = std::ceil(font->FontSize * 1.2F);
    area.time_x = min.x + gutter_columns * column;
    area.name_x = area.time_x + (time_columns + 1) * column;
    for (const LaneLabel& label : labels)
        area.name_columns = std::max(area.name_columns, columns_in(label.name));
    area.name_columns = std::min(area.name_columns, name_columns_max);
    area.text_x =
        area.name_x + (area.name_columns > 0 ? static_cast<float>(area.name_columns + 1) * column : 0);
    page_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>((area.max.y - min.y) / area.row_height));
    columns_ = static_cast<std::uint64_t>(std::max(1.0F, (area.max.x - area.text_x) / column));

    ImGui::InvisibleButton("rows", {area.max.x - min.x, area.max.y - min.y});
    note_rect(name_ + "/rows");
    const bool hovered = ImGui::IsItemHovered();
    select_by_mouse(area);
    if (hovered) take_wheel();
    if (ImGui::IsWindowFocused(ImGuiFocusedFlags_ChildWindows) && !ImGui::GetIO().WantTextInput)
        take_keys(rows);

    const std::int64_t offset_ns = wall_of(context.now).ns - context.now.ns;
    if (std::llabs(offset_ns - wall_offset_ns_) > wall_drift_ns_max) wall_offset_ns_ = offset_ns;
    collect(rows);
    draw_lines(area, rows, labels, matcher);
    draw_bars(area, rows.size());
}

void LogView::take_wheel() {
    const ImGuiIO& io = ImGui::GetIO();
    const float sideways = io.KeyShift ? io.MouseWheel : io.MouseWheelH;
    if (sideways != 0)
        scroll_columns(static_cast<std::int64_t>(-sideways * static_cast<float>(wheel_columns)));
    if (io.KeyShift) return;
    // Touch pads send fractions; they add up to whole rows.
    wheel_ += io.MouseWheel * static_cast<float>(wheel_rows);
    const float whole = std::trunc(wheel_);
    wheel_ -= whole;
    pending_rows_ -= static_cast<std::int64_t>(whole);
}

void LogView::scroll_columns(std::int64_t columns) {
    const std::int64_t last =
        std::max<std::int64_t>(0, static_cast<std::int64_t>(widest_) - static_cast<std::int64_t>(columns_));
    const std::int64_t to = static_cast<std::int64_t>(first_column_) + columns;
    first_column_ =
        static_cast<std::uint64_t>(std::clamp<std::int64_t>(to, 0, std::max<std::int64_t>(last, 0)));
}

void LogView::take_keys(model::MergedRows& rows) {
    const auto page = static_cast<std::int64_t>(page_);
    if (ImGui::IsKeyPressed(ImGuiKey_UpArrow)) --pending_rows_;
    if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++pending_rows_;
    if (ImGui::IsKeyPressed(ImGuiKey_PageUp)) pending_rows_ -= std::max<std::int64_t>(1, page - 1);
    if (ImGui::IsKeyPressed(ImGuiKey_PageDown)) pending_rows_ += std::max<std::int64_t>(1, page - 1);
    if (ImGui::IsKeyPressed(ImGuiKey_LeftArrow)) scroll_columns(-wheel_columns);
    if (ImGui::IsKeyPressed(ImGuiKey_RightArrow)) scroll_columns(wheel_columns);
    if (ImGui::IsKeyPressed(ImGuiKey_Home) && rows.size() > page_) pending_index_ = 0;
    if (ImGui::IsKeyPressed(ImGuiKey_End)) follow();
    if (ImGui::IsKeyPressed(ImGuiKey_Escape)) selected_from_.reset();
    if (ImGui::GetIO().KeyCtrl && ImGui::IsKeyPressed(ImGuiKey_C, false) && selected_from_) {
        ImGui::SetClipboardText(selected_text(rows).c_str());
    }
}

void LogView::apply_scrolling(model::MergedRows& rows) {
    if (rows.size() <= page_) {
        pending_rows_ = 0;
        pending_index_.reset();
    }
    if (pending_index_) {
        following_ = false;
        rows.seek_index(*pending_index_);
        if (const auto row = rows.next()) top_ = row->key;
        pending_index_.reset();
    }
    if (following_ && pending_rows_ < 0) following_ = false;
    if (following_ || !top_) {
        following_ = true;
        return;
    }
    rows.seek(*top_);
    for (; pending_rows_ < 0; ++pending_rows_) {
        const auto row = rows.previous();
        if (!row) break;
        top_ = row->key;
    }
    for (std::int64_t i = 0; i < pending_rows_; ++i) {
        if (!rows.next()) break;
    }
}

void LogView::collect(model::MergedRows& rows) {
    lines_.clear();
    apply_scrolling(rows);
    if (!following_) {
        position_ = rows.index();
        collect_down(rows);
        // Scrolled down to the newest row: from here on the view goes along again.
        if (pending_rows_ > 0 && (lines_.size() < page_ || !rows_below_)) following_ = true;
    }
    pending_rows_ = 0;
    if (following_) collect_up(rows);
    top_.reset();
    newest_shown_.reset();
    if (lines_.empty()) return;
    top_ = lines_.front().key;
    newest_shown_ = MonoTime{lines_.back().key.time_ns};
}

void LogView::collect_down(model::MergedRows& rows) {
    while (lines_.size() < page_) {
        const auto row = rows.next();
        if (!row) break;
        if (rows.lanes()[row->lane].rows->gap(row->key.number) != nullptr)
            lines_.push_back({row->lane, row->key, true});
        if (lines_.size() < page_) lines_.push_back({row->lane, row->key, false});
    }
    rows_below_ = rows.next().has_value();
}

void LogView::collect_up(model::MergedRows& rows) {
    lines_.clear();
    rows.seek_end();
    while (lines_.size() < page_) {
        const auto row = rows.previous();
        if (!row) break;
        lines_.push_back({row->lane, row->key, false});
        const bool gap = rows.lanes()[row->lane].rows->gap(row->key.number) != nullptr;
        if (gap && lines_.size() < page_) lines_.push_back({row->lane, row->key, true});
    }
    std::reverse(lines_.begin(), lines_.end());
    position_ = rows.index();
    rows_below_ = false;
}

void LogView::select_by_mouse(const Area& area) {
    const bool pressed = ImGui::IsItemActivated();
    selecting_ = ImGui::IsItemActive();
    if (!selecting_ || lines_.empty()) return;
    const float y = std::max(0.0F, ImGui::GetIO().MousePos.y - area.min.y);
    const std::size_t index = std::min(lines_.size() - 1, static_cast<std::size_t>(y / area.row_height));
    const model::RowKey& key = lines_[index].key;
    const bool extend = ImGui::GetIO().KeyShift && selected_from_;
    if (pressed && !extend) selected_from_ = key;
    // Rows that run away cannot be marked, so marking more than one of them holds the view.
    if (extend || (!pressed && selected_to_ && key != *selected_to_)) hold();
    selected_to_ = key;
}

bool LogView::selected(const model::RowKey& key) const {
    if (!selected_from_ || !selected_to_) return false;
    return key >= std::min(*selected_from_, *selected_to_) && key <= std::max(*selected_from_, *selected_to_);
}

std::string LogView::selected_text(model::MergedRows& rows) const {
    std::string out;
    if (!selected_from_ || !selected_to_) return out;
    const model::RowKey last = std::max(*selected_from_, *selected_to_);
    rows.seek(std::min(*selected_from_, *selected_to_));
    for (std::uint64_t i = 0; i < copied_rows_max; ++i) {
        const auto row = rows.next();
        if (!row || row->key > last) break;
        model::append_columns(rows.lanes()[row->lane].rows->text(row->key.number), 0, SIZE_MAX, out);
        out.push_back('\n');
    }
    return out;
}

void LogView::draw_lines(const Area& area, model::MergedRows& rows, const std::vector<LaneLabel>& labels,
                         const model::RowMatcher* matcher) {
    area.list->PushClipRect(area.min, area.max, true);
    widest_ = 0;
    float y = area.min.y;
    for (const Line& line : lines_) {
        const model::RowLane& lane = rows.lanes()[line.lane];
        if (line.gap) {
            const data::Gap gap = *lane.rows->gap(line.key.number);
            const std::string amount =
                gap.bytes > 0 ? fmt::format("{} bytes", grouped(gap.bytes)) : "an unknown number of bytes";
            const auto stage = data::loss_stage_name(gap.stage);
            area.list->AddRectFilled({area.min.x, y}, {area.max.x, y + area.row_height},
                                     with_alpha(area.theme.bad, 0.24F));
            area.text(area.min.x + area.column_width * 0.8F, y, area.theme.bad, "!");
            area.text(area.time_x, y, area.theme.bad, fmt::format("lost {}: {}", amount, stage));
        } else {
            draw_row(area, y, line, lane, labels.empty() ? nullptr : &labels[line.lane], matcher);
        }
        y += area.row_height;
    }
    area.list->PopClipRect();
}

void LogView::draw_row(const Area& area, float y, const Line& line, const model::RowLane& lane,
                       const LaneLabel* label, const model::RowMatcher* matcher) {
    const std::string_view raw = lane.rows->text(line.key.number);
    const bool hex = lane.rows->as() == model::RowsAs::hex;
    const model::Level level = hex ? model::Level::none : model::level_of(raw);
    const LevelLook look = look_of(level, area.theme);
    if (selected(line.key)) {
        area.list->AddRectFilled({area.min.x, y}, {area.max.x, y + area.row_height},
                                 with_alpha(area.theme.accent, 0.28F));
    }
    if (level >= model::Level::warn) {
        area.list->AddRectFilled({area.min.x, y}, {area.min.x + 3 * area.scale, y + area.row_height},
                                 look.colour);
    }
    if (level != model::Level::none) {
        area.text(area.min.x + area.column_width * 0.8F, y, look.colour, {&look.letter, 1});
    }
    area.text(area.time_x, y, area.theme.text_dim, clock_text(WallTime{line.key.time_ns + wall_offset_ns_}));
    if (label != nullptr) {
        text_.clear();
        model::append_columns(label->name, 0, area.name_columns, text_);
        area.text(area.name_x, y, label->colour, text_);
    }
    widest_ = std::max<std::uint64_t>(widest_, raw.size());
    text_.clear();
    model::append_columns(raw, first_column_, columns_ + 1, text_);
    if (matcher != nullptr) draw_matches(area, {area.text_x, y}, *matcher);
    const bool loud = level == model::Level::error || level == model::Level::warn;
    const ImU32 quiet = level == model::Level::debug ? area.theme.text_dim : area.theme.text;
    area.text(area.text_x, y, loud ? look.colour : quiet, text_);
}

void LogView::draw_matches(const Area& area, ImVec2 at, const model::RowMatcher& matcher) const {
    std::size_t from = 0;
    std::size_t column = 0;
    for (;;) {
        const auto found = matcher.find(text_, from);
        if (found.begin == std::string_view::npos) return;
        const std::string_view text = text_;
        column += columns_in(text.substr(from, found.begin - from));
        const std::size_t width = columns_in(text.substr(found.begin, found.end - found.begin));
        const float x = at.x + static_cast<float>(column) * area.column_width;
        area.list->AddRectFilled({x, at.y},
                                 {x + static_cast<float>(width) * area.column_width, at.y + area.row_height},
                                 with_alpha(area.theme.warn, 0.32F));
        column += width;
        from = found.end;
    }
}

void LogView::draw_bars(const Area& area, std::uint64_t total) {
    const float bar = bar_width * area.scale;
    const auto wanted =
        vertical_bar_.draw("rows bar", Axis::vertical, {area.max.x, area.min.y},
                           {area.max.x + bar, area.max.y}, {position_, page_, total}, area.theme, area.scale);
    if (wanted) {
        pending_index_ = *wanted;
        if (*wanted + page_ >= total) {
            pending_index_.reset();
            follow();
        }
    }
    const auto column = horizontal_bar_.draw("columns bar", Axis::horizontal, {area.text_x, area.max.y},
                                             {area.max.x, area.max.y + bar},
                                             {first_column_, columns_, widest_}, area.theme, area.scale);
    if (column) first_column_ = *column;
}

}  // namespace labdeck::ui
