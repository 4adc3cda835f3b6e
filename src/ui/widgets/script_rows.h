// script_rows.h - which scripts a list shows, in which order and below which profile, and which are selected.
//
// Made anew when the scripts, the filter, the order or a fold is another, not each frame. What is selected
// is always among what is shown: nobody stops a script that he does not see.
//
// No ImGui here.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/row_filter.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {

/// A script, or the head of its group.
struct ScriptRow {
    const ScriptView* script = nullptr;  ///< Null for a head.
    std::size_t group = 0;
};

/// A profile's scripts; the last one has those of no profile.
struct ScriptGroup {
    const ProfileView* profile = nullptr;
    std::vector<const ScriptView*> scripts;  ///< Those that pass the filter.
    bool folded = false;

    std::string_view name() const noexcept {
        return profile != nullptr ? std::string_view(profile->name) : "Other scripts";
    }
};

class ScriptRows {
public:
    enum class Order : unsigned char { kept, by_name, by_name_down };
    enum class Click : unsigned char { only, toggle, extend };

    /// To be called before the rows of a frame are looked at.
    void update(const SupervisorView& supervisor, const std::shared_ptr<const model::RowMatcher>& matcher);
    Order order() const noexcept { return order_; }
    void set_order(Order order);
    void turn_fold(std::size_t group);

    const std::vector<ScriptRow>& rows() const noexcept { return rows_; }
    const std::vector<ScriptGroup>& groups() const noexcept { return groups_; }

    bool selected(const ScriptView& script) const { return selected_.contains(script.id); }
    /// In the order in which they are shown, each once.
    std::vector<std::string> selection() const;
    std::size_t selected_count() const noexcept { return selected_.size(); }
    void click(std::size_t row, Click click);
    void select_all();
    void select_only(const std::string& id);
    /// Unfolds where it is and selects it. False when the filter leaves it out, or it is not there.
    bool reveal(const std::string& id, const SupervisorView& supervisor,
                const std::shared_ptr<const model::RowMatcher>& matcher);
    /// Moves the focus by so many scripts, and the selection with it.
    void move(int by, Click click);
    void toggle_focused();
    /// The row that has the focus; rows().size() for none.
    std::size_t focus() const noexcept { return focus_; }
    const ScriptView* focused() const;

private:
    struct Place {
        std::string group;
        std::string script;
    };

    void build(const SupervisorView& supervisor, const model::RowMatcher* matcher);
    void keep_what_is_shown();
    void sort(std::vector<const ScriptView*>& scripts) const;
    Place place_of(std::size_t row) const;
    std::size_t row_of(const Place& place) const;
    void select_range(std::size_t from, std::size_t to);

    Order order_ = Order::kept;
    std::set<std::string, std::less<>> folded_;  ///< Ids of profiles; "" for the rest.
    std::vector<ScriptGroup> groups_;
    std::vector<ScriptRow> rows_;
    std::set<std::string, std::less<>> selected_;
    std::size_t focus_ = 0;
    Place focus_place_;
    Place anchor_;  ///< Where a range begins.
    std::uint64_t built_revision_ = 0;
    std::shared_ptr<const model::RowMatcher> built_matcher_;
    bool stale_ = true;
};

}  // namespace labdeck::ui
