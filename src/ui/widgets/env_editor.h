// env_editor.h - names and values of an environment as rows, secret ones masked until somebody looks.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ui/panel.h"

namespace labdeck::ui {

class EnvEditor {
public:
    /// From an object of names and values. What is no text (a secret that is kept elsewhere) stays as it is
    /// until somebody types in its place.
    explicit EnvEditor(const Json& env = Json::object());

    void draw(PanelContext& context, const std::string& rect);
    /// An object; the error says which name is wrong.
    Result<Json> value() const;

private:
    struct Row {
        std::string name;
        std::string text;
        Json kept;  ///< What stood there and is no text; null for none.
        bool shown = false;
    };
    /// False when the row is to go.
    bool draw_row(PanelContext& context, Row& row, const std::string& rect);
    void draw_eye(Row& row, float width, const std::string& rect);

    std::vector<Row> rows_;
};

}  // namespace labdeck::ui
