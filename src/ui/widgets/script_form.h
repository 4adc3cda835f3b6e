// script_form.h - a script's definition as a form, for a new one or for one that is kept.
//
// Keeps what it does not know: it starts from the definition as it came and writes only what somebody
// changed. A field that is as it was is neither added nor taken away.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ui/panel.h"
#include "ui/supervisor_view.h"
#include "ui/widgets/env_editor.h"
#include "ui/widgets/form_foot.h"
#include "ui/widgets/value_field.h"

namespace labdeck::ui {

class ScriptForm {
public:
    /// Null for a new script.
    explicit ScriptForm(const Json& definition);

    /// False when it is done: saved, or given up.
    bool draw(PanelContext& context, const std::string& rect);

    bool is_new() const noexcept { return !original_.is_object(); }
    /// "Edit plc" or "Add a script".
    std::string title() const;
    /// The definition with the changes; the error stands beside its field already.
    Result<Json> gather();
    /// Shows an error of the hub beside the field that its details name, or on top of the form.
    void take_error(const Error& error);
    /// Something is other than it was when the form was opened.
    bool changed() const;
    /// Somebody wants its place: it asks first when something was changed.
    void leave() { foot_.leave(changed()); }
    bool asks() const noexcept { return foot_.asks(); }

private:
    struct Field {
        std::string path;  ///< "healthCheck.port"
        const char* section = nullptr;
        ValueField field;
        Json before;  ///< What it showed at first.
    };

    void draw_section(PanelContext& context, const char* section, const std::string& rect, float label_width);
    void draw_args(PanelContext& context, const std::string& rect, float label_width);
    void draw_env(PanelContext& context, const std::string& rect, float label_width);
    void save(PanelContext& context);
    bool gather_args(Json& definition);
    bool gather_env(Json& definition);

    Json original_;
    std::vector<Field> fields_;
    std::string args_;  ///< One a line.
    std::string args_before_;
    bool args_editable_ = true;  ///< None has a line break in itself.
    std::string args_refusal_;
    EnvEditor env_;
    Json env_before_;
    std::string env_refusal_;
    std::string trouble_;
    FormFoot foot_;
};

}  // namespace labdeck::ui
