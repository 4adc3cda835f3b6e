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
    explicit ActionForm(const Json& action);

    const std::string& name() const noexcept { return name_; }
    const std::string& label() const noexcept { return label_; }
    const std::string& help() const noexcept { return help_; }
    bool has_fields() const noexcept { return !fields_.empty(); }

    /// Fields and a Run button. Gives the args when Run was pressed and every field is right; else each wrong
    /// field says what it wants.
    std::optional<Json> draw(PanelContext& context, const std::string& rect);

private:
    std::optional<Json> gather();

    std::string name_;
    std::string label_;
    std::string help_;
    std::vector<ValueField> fields_;
};

}  // namespace labdeck::ui
