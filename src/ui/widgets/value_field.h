// value_field.h - one value that a person can set: its limits, its editor, and what is wrong with it.
//
// Made from the JSON with which action.list describes an argument and config.get an
// entry: name, label, type, required, default, min, max, choices, unit, help.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "contract/json.h"
#include "ui/panel.h"

namespace labdeck::ui {

enum class FieldType : unsigned char { string, integer, number, boolean, choice, json };

struct FieldSpec {
    std::string name;
    std::string label;
    FieldType type = FieldType::string;
    bool required = false;
    std::optional<double> min;
    std::optional<double> max;
    std::vector<Json> choices;
    std::string unit;
    std::string help;

    /// Reads a description; a missing or unknown type is taken from `value`.
    static FieldSpec of(const Json& description, const Json& value);
};

class ValueField {
public:
    enum class Event : unsigned char {
        none,
        edited,
        committed
    };  ///< committed: the user is done with this edit.

    ValueField(FieldSpec spec, const Json& value);

    const FieldSpec& spec() const noexcept { return spec_; }
    /// Label, editor, unit, and beside them what is wrong. `rect` names the editor for note_rect().
    Event draw(PanelContext& context, const std::string& rect, float label_width);

    /// What is set, typed as the spec says; null for an optional value that is left empty. The error says
    /// what to type instead.
    Result<Json> value() const;
    /// Shown beside the field, which is marked, until the next edit.
    void refuse(std::string why) { refusal_ = std::move(why); }
    const std::string& refusal() const noexcept { return refusal_; }
    /// Marks the field like a refused one, for a reason that the caller tells.
    void mark(bool on) noexcept { marked_ = on; }
    void set(const Json& value);
    bool active() const noexcept { return active_; }

private:
    Event draw_editor(PanelContext& context, float width);
    Event draw_text(float width);
    Event draw_number(PanelContext& context, float width);
    Event draw_choice(float width);
    Result<Json> number_value() const;
    std::string range_text() const;
    std::string limits_text() const;
    void draw_hint(float left) const;
    void draw_refusal(PanelContext& context, const std::string& rect, float left);

    FieldSpec spec_;
    std::string text_;
    bool flag_ = false;
    int choice_ = -1;
    bool active_ = false;
    bool marked_ = false;
    std::string refusal_;
};

/// A JSON value as people read it: strings without quotes, true as "yes".
std::string shown_value(const Json& value);

}  // namespace labdeck::ui
