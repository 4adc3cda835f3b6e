// action_form.h - an action's arguments as a form, from its row in action.list.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "ui/widgets/value_field.h"

namespace labdeck::ui {

class ActionForm {
public:
    /// From an action's row in action.list, but for the argument `without`, which the caller sets.
    explicit ActionForm(const Json& action, std::string_view without = {});

    const std::string& name() const noexcept { return name_; }
    const std::string& label() const noexcept { return label_; }
    const std::string& help() const noexcept { return help_; }
    bool has_fields() const noexcept { return !fields_.empty(); }

    void draw_fields(PanelContext& context, const std::string& rect);
    /// The args when every field is right; else each wrong field says what it wants.
    std::optional<Json> gather();
    /// Fields and a Run button. Gives the args when Run was pressed and every field is right; else each wrong
    /// field says what it wants.
    std::optional<Json> draw(PanelContext& context, const std::string& rect);
    /// Marks the field that the app refused in the newest job of this action, once a job. True when there was
    /// one.
    bool take_refusal(const AppView& app);

private:
    std::string name_;
    std::string label_;
    std::string help_;
    std::vector<ValueField> fields_;
    std::string refused_job_;  ///< Whose refusal was shown last.
};

}  // namespace labdeck::ui
