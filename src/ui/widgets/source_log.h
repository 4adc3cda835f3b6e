// source_log.h - the rows of one source, where another part of a panel says which.
#pragma once

#include <optional>
#include <string>

#include "model/source_rows.h"
#include "ui/panel.h"
#include "ui/widgets/log_view.h"

namespace labdeck::ui {

class SourceLog {
public:
    /// `name` is the panel's, for note_rect().
    explicit SourceLog(std::string name) : name_(name), view_(std::move(name)) {}

    /// Fills the rest of the current window: a line with `title`, then the source's rows, or `empty` in their
    /// place.
    void draw(PanelContext& context, SourceId id, const std::string& title, const std::string& empty);

    void follow() noexcept { view_.follow(); }
    /// Stands at older rows while newer ones come.
    bool behind() const noexcept { return !view_.following() && view_.rows_below(); }
    std::optional<MonoTime> newest_shown() const noexcept { return view_.newest_shown(); }
    SourceId source() const noexcept { return source_; }

private:
    void draw_title(PanelContext& context, const std::string& title, const SourceView* source);

    const std::string name_;
    SourceId source_;
    std::optional<model::SourceRows> rows_;
    LogView view_;
};

}  // namespace labdeck::ui
