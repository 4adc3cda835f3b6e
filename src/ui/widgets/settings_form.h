// settings_form.h - the settings as a form: of the window, of notifications, of logs and of updates.
//
// Sends only what somebody changed. What is not set shows what holds then, and stays not set.
#pragma once

#include <string>
#include <vector>

#include "ui/panel.h"
#include "ui/supervisor_view.h"
#include "ui/widgets/form_foot.h"
#include "ui/widgets/updates_box.h"
#include "ui/widgets/value_field.h"

namespace labdeck::ui {

class SettingsForm {
public:
    /// AppSettings, as settings.get gives them.
    explicit SettingsForm(const Json& settings);

    /// False when it is done: saved, or given up.
    bool draw(PanelContext& context, const std::string& rect);

    /// What was changed, for settings.update; the error stands beside its field already.
    Result<Json> gather();
    /// Shows an error of the hub beside the field that its details name, or on top of the form.
    void take_error(const Error& error);
    bool changed() const;

private:
    struct Field {
        const char* section;
        ValueField field;
        Json before;  ///< What it showed at first.
    };

    std::vector<Field> fields_;
    std::string trouble_;
    UpdatesBox updates_;
    FormFoot foot_;
};

}  // namespace labdeck::ui
