// filter_box.h - a pattern with its two switches, and what is wrong with it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "model/row_filter.h"
#include "ui/panel.h"

namespace labdeck::ui {

class FilterBox {
public:
    /// Draws box and switches in one line, at least `width` wide. True when matcher() is another one now.
    /// `name` is the panel's, for note_rect().
    bool draw(PanelContext& context, std::string_view name, float width);

    void clear();

    /// Null for an empty pattern. While the pattern is no valid expression: the last one that was.
    const std::shared_ptr<const model::RowMatcher>& matcher() const noexcept { return matcher_; }
    const std::string& error() const noexcept { return error_; }

private:
    bool compile();

    std::string pattern_;
    bool regex_ = false;
    bool exact_case_ = false;
    std::string error_;
    std::shared_ptr<const model::RowMatcher> matcher_;
};

}  // namespace labdeck::ui
