// script_table.h - scripts as rows with how they do, below the profiles that they are in.
//
// Draws the rows that are seen and no others. Columns that a narrow pane has no room for are left out; what
// they say is in the tooltip of the script's name. Mouse and keys select; what is to be done with the
// selection is the panel's to do.
#pragma once

#include <imgui.h>

#include <string>

#include "ui/panel.h"
#include "ui/widgets/script_rows.h"

namespace labdeck::ui {

/// What a hand on the table asks for. Methods are the contract's, for the selection or a profile.
struct ScriptTableAsks {
    std::string_view method = {};
    std::string_view profile_method = {};
    std::string profile;
    std::string profile_edit;
    std::string profile_remove;
    std::string edit;  ///< A script's id.
    std::string remove;
};

class ScriptTable {
public:
    /// `name` is the panel's, for note_rect().
    explicit ScriptTable(std::string name) : name_(std::move(name)) {}

    /// Whose keys the arrows, Space and Enter are: the table's own, or also those of the window around it.
    enum class Keys : unsigned char { own, here };
    ScriptTableAsks draw(PanelContext& context, ScriptRows& rows, ImVec2 size, Keys keys);

    /// Scrolls to the row that has the focus.
    void show_focus() noexcept { scroll_wish_ = true; }

    /// A row of the last frame shows time that runs.
    bool counts() const noexcept { return counts_; }

private:
    /// Which columns there is room for, best known first.
    struct Columns {
        bool wide = false;    ///< Lines of load, a note.
        bool middle = false;  ///< Process id, retries.
        bool health = false;
    };

    void set_up_columns(float scale) const;
    void draw_titles(ScriptRows& rows);
    void take_keys(ScriptRows& rows, ScriptTableAsks& asks);
    void draw_group(PanelContext& context, ScriptRows& rows, std::size_t group, ScriptTableAsks& asks);
    static void draw_group_menu(const ProfileView& profile, const std::string& rect, ScriptTableAsks& asks);
    void draw_script(PanelContext& context, ScriptRows& rows, std::size_t row, ScriptTableAsks& asks);
    void draw_select(PanelContext& context, ScriptRows& rows, std::size_t row, ScriptTableAsks& asks);
    void draw_menu(PanelContext& context, ScriptRows& rows, const ScriptView& script, ScriptTableAsks& asks);
    void draw_status(PanelContext& context, const ScriptView& script);
    void draw_load(PanelContext& context, const ScriptView& script, const model::Series& series,
                   const std::string& text, double top_min) const;
    void draw_health(PanelContext& context, const ScriptView& script) const;

    const std::string name_;
    Columns columns_;
    std::string new_profile_;  ///< A name that is being typed.
    float row_height_ = 0;
    bool counts_ = false;
    bool has_keys_ = false;
    bool scroll_wish_ = false;
};

/// One line that ends in an ellipsis where the column ends. True when it had to.
bool draw_cut(const std::string& text, ImU32 colour);
/// The same, whole in a tooltip then.
void draw_cell(const std::string& text, ImU32 colour);

}  // namespace labdeck::ui
