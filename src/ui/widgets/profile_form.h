// profile_form.h - a profile as a form: its name, its scripts in the order in which they start, and whether
// it starts with the user's session.
//
// Rows are put in order by dragging, by their arrows, or by Ctrl and the arrow keys. Keeps what it does not
// know: it starts from the definition as it came.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ui/panel.h"
#include "ui/supervisor_view.h"
#include "ui/widgets/filter_box.h"
#include "ui/widgets/form_foot.h"

namespace labdeck::ui {

class ProfileForm {
public:
    /// Null for a new profile, which then has `ids` at first.
    explicit ProfileForm(const Json& definition, std::vector<std::string> ids = {});

    /// False when it is done: saved, or given up.
    bool draw(PanelContext& context, const std::string& rect);

    /// "Edit Radio rig" or "Add a profile".
    std::string title() const;
    /// The definition with the changes.
    Json gather() const;
    bool changed() const;

private:
    bool is_new() const noexcept { return !original_.is_object(); }
    void draw_name(PanelContext& context, const std::string& rect, float label_width);
    void draw_order(PanelContext& context, const std::string& rect, float height);
    void draw_row(PanelContext& context, std::size_t index, const std::string& rect);
    void draw_row_buttons(std::size_t index, const std::string& rect);
    void draw_others(PanelContext& context, const std::string& rect, float height);
    void take_keys();
    void show_focus();
    void move(std::size_t index, int by);
    void take_away(std::size_t index);
    void save(PanelContext& context);

    Json original_;
    std::string name_;
    bool auto_start_ = false;
    std::vector<std::string> ids_;
    std::vector<std::string> ids_before_;
    std::size_t focus_ = 0;
    bool scroll_wish_ = false;  ///< The focus went where it may not be seen.
    /// What a hand on a row asked for; done between frames, as the rows are being gone through.
    std::size_t moved_ = 0;
    int moved_by_ = 0;  ///< 0 for nothing.
    std::size_t gone_;  ///< ids_.size() or more for nothing.
    FilterBox filter_;
    std::string name_refusal_;
    std::string trouble_;
    FormFoot foot_;
};

}  // namespace labdeck::ui
