// log_view.h - rows of one or more sources, newest at the bottom, as a fixed grid of mono text.
//
// Follows the newest row until somebody scrolls up; then the top row stays where it is
// whatever comes in. A frame looks at the rows that it shows and at no other, and in
// those at the columns that it shows, so its cost does not grow with the log.
#pragma once

#include <imgui.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/merged_rows.h"
#include "ui/panel.h"
#include "ui/widgets/row_scrollbar.h"

namespace labdeck::ui {

/// How a lane is labelled; the same order as the lanes.
struct LaneLabel {
    std::string_view name;
    ImU32 colour = 0;
};

class LogView {
public:
    /// `name` is the panel's, for note_rect().
    explicit LogView(std::string name) : name_(std::move(name)) {}

    /// Fills the rest of the current window. `labels` is empty when there is but one source and no need to
    /// name it.
    void draw(PanelContext& context, model::MergedRows& rows, const std::vector<LaneLabel>& labels,
              const model::RowMatcher* matcher);

    bool following() const noexcept { return following_; }
    void follow() noexcept { following_ = true; }
    /// Stays at the rows of the last frame, unless they are all that there is.
    void hold() noexcept { following_ = following_ && lines_.size() < page_; }
    /// Other rows than before: follow them, with nothing selected.
    void reset();

    /// The row at the top of the last frame, and the read time of the newest one in it; none when it was
    /// empty.
    const std::optional<model::RowKey>& top() const noexcept { return top_; }
    std::optional<MonoTime> newest_shown() const noexcept { return newest_shown_; }
    /// Whether rows stood below the last frame's.
    bool rows_below() const noexcept { return rows_below_; }
    std::uint64_t page_rows() const noexcept { return page_; }

    /// The selected rows as text, at most 100,000 of them. Empty without a selection.
    std::string selected_text(model::MergedRows& rows) const;

private:
    struct Line {
        std::size_t lane = 0;
        model::RowKey key;
        bool gap = false;  ///< Says what was lost before the row of `key`, takes a line of its own.
    };
    struct Area;

    void take_keys(model::MergedRows& rows);
    void take_wheel();
    void scroll_columns(std::int64_t columns);
    void apply_scrolling(model::MergedRows& rows);
    void collect(model::MergedRows& rows);
    void collect_down(model::MergedRows& rows);
    void collect_up(model::MergedRows& rows);
    void select_by_mouse(const Area& area);
    void draw_lines(const Area& area, model::MergedRows& rows, const std::vector<LaneLabel>& labels,
                    const model::RowMatcher* matcher);
    void draw_row(const Area& area, float y, const Line& line, const model::RowLane& lane,
                  const LaneLabel* label, const model::RowMatcher* matcher);
    void draw_matches(const Area& area, ImVec2 at, const model::RowMatcher& matcher) const;
    void draw_bars(const Area& area, std::uint64_t total);
    bool selected(const model::RowKey& key) const;

    const std::string name_;
    bool following_ = true;
    std::optional<model::RowKey> top_;
    std::optional<MonoTime> newest_shown_;
    bool rows_below_ = false;
    std::uint64_t page_ = 0;
    std::uint64_t position_ = 0;  ///< Rows above the top one.
    std::int64_t pending_rows_ = 0;
    std::optional<std::uint64_t> pending_index_;
    float wheel_ = 0;
    std::uint64_t first_column_ = 0;
    std::uint64_t widest_ = 0;  ///< Bytes of the longest row in the last frame.
    std::uint64_t columns_ = 0;
    std::optional<model::RowKey> selected_from_;
    std::optional<model::RowKey> selected_to_;
    bool selecting_ = false;
    std::vector<Line> lines_;
    std::string text_;
    std::int64_t wall_offset_ns_ = 0;
    RowScrollbar vertical_bar_;
    RowScrollbar horizontal_bar_;
};

}  // namespace labdeck::ui
