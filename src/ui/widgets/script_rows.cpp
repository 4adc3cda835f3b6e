#include "ui/widgets/script_rows.h"

#include <algorithm>
#include <cctype>

#include "ui/json_reading.h"

namespace labdeck::ui {

namespace {

char lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool before_by_name(const ScriptView* a, const ScriptView* b) {
    return std::lexicographical_compare(a->name.begin(), a->name.end(), b->name.begin(), b->name.end(),
                                        [](char x, char y) { return lower(x) < lower(y); });
}

bool passes(const ScriptView& script, std::string_view group, const model::RowMatcher* matcher) {
    if (matcher == nullptr || matcher->matches(script.name) || matcher->matches(group)) return true;
    return matcher->matches(text_member_of(script.definition, "command"));
}

std::string_view id_of(const ScriptGroup& group) {
    return group.profile != nullptr ? std::string_view(group.profile->id) : std::string_view();
}

}  // namespace

void ScriptRows::update(const SupervisorView& supervisor,
                        const std::shared_ptr<const model::RowMatcher>& matcher) {
    if (!stale_ && built_revision_ == supervisor.revision() && built_matcher_ == matcher) return;
    stale_ = false;
    built_revision_ = supervisor.revision();
    built_matcher_ = matcher;
    build(supervisor, matcher.get());
    keep_what_is_shown();
}

void ScriptRows::build(const SupervisorView& supervisor, const model::RowMatcher* matcher) {
    groups_.clear();
    std::set<std::string_view> placed;
    for (const ProfileView& profile : supervisor.profiles()) {
        ScriptGroup group{.profile = &profile, .scripts = {}, .folded = folded_.contains(profile.id)};
        for (const std::string& id : profile.script_ids) {
            const ScriptView* const script = supervisor.script(id);
            if (script == nullptr) continue;
            placed.insert(script->id);
            if (passes(*script, profile.name, matcher)) group.scripts.push_back(script);
        }
        // An empty profile can still be seen; one in which nothing was found cannot.
        if (matcher == nullptr || !group.scripts.empty()) groups_.push_back(std::move(group));
    }
    ScriptGroup rest{.profile = nullptr, .scripts = {}, .folded = folded_.contains("")};
    for (const auto& script : supervisor.scripts()) {
        if (!placed.contains(script->id) && passes(*script, {}, matcher))
            rest.scripts.push_back(script.get());
    }
    const bool heads = !groups_.empty();
    if (!heads || !rest.scripts.empty()) groups_.push_back(std::move(rest));
    rows_.clear();
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        ScriptGroup& group = groups_[i];
        sort(group.scripts);
        if (heads) rows_.push_back({nullptr, i});
        if (heads && group.folded) continue;
        for (const ScriptView* script : group.scripts) rows_.push_back({script, i});
    }
}

void ScriptRows::sort(std::vector<const ScriptView*>& scripts) const {
    if (order_ == Order::kept) return;
    std::stable_sort(scripts.begin(), scripts.end(), [this](const auto* a, const auto* b) {
        return order_ == Order::by_name ? before_by_name(a, b) : before_by_name(b, a);
    });
}

void ScriptRows::keep_what_is_shown() {
    std::set<std::string_view> shown;
    for (const ScriptRow& row : rows_) {
        if (row.script != nullptr) shown.insert(row.script->id);
    }
    std::erase_if(selected_, [&](const std::string& id) { return !shown.contains(id); });
    focus_ = row_of(focus_place_);
}

void ScriptRows::set_order(Order order) {
    stale_ = stale_ || order_ != order;
    order_ = order;
}

void ScriptRows::turn_fold(std::size_t group) {
    if (group >= groups_.size()) return;
    const std::string id(id_of(groups_[group]));
    if (folded_.erase(id) == 0) folded_.insert(id);
    stale_ = true;
}

ScriptRows::Place ScriptRows::place_of(std::size_t row) const {
    if (row >= rows_.size() || rows_[row].script == nullptr) return {};
    return {std::string(id_of(groups_[rows_[row].group])), rows_[row].script->id};
}

std::size_t ScriptRows::row_of(const Place& place) const {
    const auto at = std::find_if(rows_.begin(), rows_.end(), [&](const ScriptRow& row) {
        return row.script != nullptr && row.script->id == place.script &&
               id_of(groups_[row.group]) == place.group;
    });
    return static_cast<std::size_t>(at - rows_.begin());
}

std::vector<std::string> ScriptRows::selection() const {
    std::vector<std::string> ids;
    std::set<std::string_view> taken;
    for (const ScriptRow& row : rows_) {
        if (row.script == nullptr || !selected(*row.script)) continue;
        if (taken.insert(row.script->id).second) ids.push_back(row.script->id);
    }
    return ids;
}

const ScriptView* ScriptRows::focused() const {
    return focus_ < rows_.size() ? rows_[focus_].script : nullptr;
}

void ScriptRows::click(std::size_t row, Click click) {
    if (row >= rows_.size() || rows_[row].script == nullptr) return;
    const std::string& id = rows_[row].script->id;
    focus_ = row;
    focus_place_ = place_of(row);
    const std::size_t anchor = row_of(anchor_);
    if (click == Click::extend && anchor < rows_.size()) {
        selected_.clear();
        return select_range(std::min(anchor, row), std::max(anchor, row));
    }
    anchor_ = focus_place_;
    if (click == Click::toggle && selected_.erase(id) > 0) return;
    if (click != Click::toggle) selected_.clear();
    selected_.insert(id);
}

void ScriptRows::select_range(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i <= to; ++i) {
        if (rows_[i].script != nullptr) selected_.insert(rows_[i].script->id);
    }
}

void ScriptRows::select_all() {
    if (!rows_.empty()) select_range(0, rows_.size() - 1);
}

void ScriptRows::select_only(const std::string& id) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (rows_[i].script != nullptr && rows_[i].script->id == id) return click(i, Click::only);
    }
}

bool ScriptRows::reveal(const std::string& id, const SupervisorView& supervisor,
                        const std::shared_ptr<const model::RowMatcher>& matcher) {
    bool placed = false;
    for (const ProfileView& profile : supervisor.profiles()) {
        const auto& ids = profile.script_ids;
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
        placed = true;
        folded_.erase(profile.id);
    }
    if (!placed) folded_.erase("");
    stale_ = true;
    update(supervisor, matcher);
    select_only(id);
    return focused() != nullptr && focused()->id == id;
}

void ScriptRows::move(int by, Click click_kind) {
    const int step = by < 0 ? -1 : 1;
    const int count = static_cast<int>(rows_.size());
    int at = focus_ < rows_.size() ? static_cast<int>(focus_) : (step > 0 ? -1 : count);
    int found = -1;
    for (int left = std::abs(by); left > 0;) {
        at += step;
        if (at < 0 || at >= count) break;
        if (rows_[static_cast<std::size_t>(at)].script == nullptr) continue;
        found = at;
        --left;
    }
    if (found >= 0) click(static_cast<std::size_t>(found), click_kind);
}

void ScriptRows::toggle_focused() {
    if (focused() != nullptr) click(focus_, Click::toggle);
}

}  // namespace labdeck::ui
