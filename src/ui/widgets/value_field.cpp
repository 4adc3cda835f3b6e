#include "ui/widgets/value_field.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ui/rects.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

namespace {

// Beyond this a pixel of a slider stands for hundreds of values, and nobody wants a baud rate of 114,983.
constexpr double slider_span_max = 70'000;

FieldType type_of_value(const Json& value) {
    if (value.is_boolean()) return FieldType::boolean;
    if (value.is_number_integer()) return FieldType::integer;
    if (value.is_number()) return FieldType::number;
    if (value.is_structured()) return FieldType::json;
    return FieldType::string;
}

FieldType type_of(const Json& description, const Json& value) {
    if (description.contains("choices") && !description["choices"].empty()) return FieldType::choice;
    const std::string name = description.value("type", std::string());
    if (name == "int" || name == "integer") return FieldType::integer;
    if (name == "number" || name == "float" || name == "double") return FieldType::number;
    if (name == "bool" || name == "boolean") return FieldType::boolean;
    if (name == "enum") return FieldType::choice;
    if (name == "object" || name == "array") return FieldType::json;
    if (name == "string") return FieldType::string;
    return type_of_value(value);
}

std::optional<double> number_of(const Json& description, const char* key) {
    const auto found = description.find(key);
    if (found == description.end() || !found->is_number()) return std::nullopt;
    return found->get<double>();
}

std::string text_of(const Json& description, const char* key) {
    const auto found = description.find(key);
    return found != description.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t");
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

template <typename Number>
bool parse(const std::string& text, Number& out) {
    const char* const begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(begin, end, out);
    return result.ec == std::errc() && result.ptr == end;
}

/// Registers are often typed as they stand in a data sheet: 0x1F.
bool parse_integer(const std::string& text, std::int64_t& out) {
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (!hex) return parse(text, out);
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data() + 2, end, out, 16);
    return result.ec == std::errc() && result.ptr == end && text.size() > 2;
}

}  // namespace

std::string shown_value(const Json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
    return contract::dump_line(value);
}

FieldSpec FieldSpec::of(const Json& description, const Json& value) {
    FieldSpec spec;
    if (!description.is_object()) return spec;
    spec.name = text_of(description, "name");
    if (spec.name.empty()) spec.name = text_of(description, "key");
    spec.label = text_of(description, "label");
    if (spec.label.empty()) spec.label = spec.name;
    spec.type = type_of(description, value);
    if (const auto required = description.find("required"); required != description.end()) {
        spec.required = required->is_boolean() && required->get<bool>();
    }
    spec.min = number_of(description, "min");
    spec.max = number_of(description, "max");
    spec.unit = text_of(description, "unit");
    spec.help = text_of(description, "help");
    for (const char* key : {"choices", "enum"}) {
        const auto found = description.find(key);
        if (found == description.end() || !found->is_array() || !spec.choices.empty()) continue;
        spec.choices.assign(found->begin(), found->end());
        spec.type = FieldType::choice;
    }
    return spec;
}

ValueField::ValueField(FieldSpec spec, const Json& value) : spec_(std::move(spec)) {
    set(value);
}

void ValueField::set(const Json& value) {
    flag_ = value.is_boolean() && value.get<bool>();
    const auto found = std::find(spec_.choices.begin(), spec_.choices.end(), value);
    choice_ = found == spec_.choices.end() ? -1 : static_cast<int>(found - spec_.choices.begin());
    if (choice_ < 0 && spec_.required && !spec_.choices.empty()) choice_ = 0;
    text_ = value.is_number_float() ? fmt::format("{}", value.get<double>()) : shown_value(value);
}

std::string ValueField::range_text() const {
    const std::string unit = spec_.unit.empty() ? "" : " " + spec_.unit;
    const auto text = [](double value) { return fmt::format("{:.15g}", value); };
    if (spec_.min && spec_.max)
        return fmt::format("from {} to {}{}", text(*spec_.min), text(*spec_.max), unit);
    if (spec_.min) return fmt::format("at least {}{}", text(*spec_.min), unit);
    if (spec_.max) return fmt::format("at most {}{}", text(*spec_.max), unit);
    return spec_.type == FieldType::integer ? "a whole number" : "a number";
}

Result<Json> ValueField::number_value() const {
    const std::string text = trimmed(text_);
    double number = 0;
    std::int64_t integer = 0;
    const bool whole = spec_.type == FieldType::integer;
    const bool read = whole ? parse_integer(text, integer) : parse(text, number);
    if (whole) number = static_cast<double>(integer);
    if (!read || !std::isfinite(number)) {
        return fail(Code::bad_arg, fmt::format("{}, please", whole ? "a whole number" : "a number"));
    }
    if ((spec_.min && number < *spec_.min) || (spec_.max && number > *spec_.max)) {
        return fail(Code::bad_arg, range_text());
    }
    if (whole) return Json(integer);
    return Json(number);
}

Result<Json> ValueField::value() const {
    switch (spec_.type) {
        case FieldType::boolean:
            return Json(flag_);
        case FieldType::choice:
            if (choice_ >= 0) return spec_.choices[static_cast<std::size_t>(choice_)];
            if (spec_.required) return fail(Code::bad_arg, "needed");
            return Json();
        case FieldType::integer:
        case FieldType::number:
            if (trimmed(text_).empty() && !spec_.required) return Json();
            if (trimmed(text_).empty()) return fail(Code::bad_arg, "needed: " + range_text());
            return number_value();
        case FieldType::json:
            return contract::parse_json(text_);
        case FieldType::string:
            break;
    }
    if (text_.empty() && spec_.required) return fail(Code::bad_arg, "needed");
    return Json(text_);
}

ValueField::Event ValueField::draw(PanelContext& context, const std::string& rect, float label_width) {
    const Theme& theme = context.theme;
    ImGui::PushID(rect.c_str());
    const float begin = ImGui::GetCursorPosX();
    ImGui::AlignTextToFramePadding();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::PushClipRect(at, {at.x + label_width - 4 * context.scale, at.y + ImGui::GetFrameHeight()}, true);
    ImGui::TextUnformatted(spec_.label.c_str());
    ImGui::PopClipRect();
    const std::string help = spec_.help.empty() ? spec_.label : spec_.label + "\n" + spec_.help;
    ImGui::SetItemTooltip("%s", help.c_str());
    ImGui::SameLine(begin + label_width);

    const float unit =
        spec_.unit.empty() ? 0 : ImGui::CalcTextSize(spec_.unit.c_str()).x + ImGui::GetStyle().ItemSpacing.x;
    const float width =
        std::clamp(ImGui::GetContentRegionAvail().x - unit, 60 * context.scale, 320 * context.scale);
    const bool wrong = marked_ || !refusal_.empty();
    if (wrong) {
        ImGui::PushStyleColor(ImGuiCol_FrameBg, with_alpha(theme.bad, 0.24F));
        ImGui::PushStyleColor(ImGuiCol_Border, theme.bad);
        ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, std::max(1.5F, 1.5F * context.scale));
    }
    active_ = false;
    ImGui::BeginGroup();
    const Event event = draw_editor(context, width);
    ImGui::EndGroup();
    if (wrong) {
        ImGui::PopStyleVar();
        ImGui::PopStyleColor(2);
    }
    note_rect(rect);
    draw_hint(begin + label_width);
    if (event != Event::none) {
        const auto now = value();
        refusal_ = now ? std::string() : now.error().message;
    }
    if (!refusal_.empty()) draw_refusal(context, rect, begin + label_width);
    ImGui::PopID();
    return event;
}

std::string ValueField::limits_text() const {
    const auto text = [](double value) { return fmt::format("{:.15g}", value); };
    if (spec_.min && spec_.max) return fmt::format("{} to {}", text(*spec_.min), text(*spec_.max));
    if (spec_.min) return fmt::format("{} or more", text(*spec_.min));
    if (spec_.max) return fmt::format("up to {}", text(*spec_.max));
    return {};
}

/// The unit and, where there is room for it, what may be typed.
void ValueField::draw_hint(float left) const {
    std::string hint = spec_.unit;
    std::string limits = limits_text();
    const bool typed = spec_.type != FieldType::boolean && spec_.type != FieldType::choice;
    if (spec_.required && typed && trimmed(text_).empty())
        limits = limits.empty() ? "needed" : "needed, " + limits;
    if (!limits.empty()) hint += (hint.empty() ? "" : ", ") + limits;
    if (hint.empty()) return;
    ImGui::SameLine();
    const float room = ImGui::GetContentRegionAvail().x;
    if (ImGui::CalcTextSize(hint.c_str()).x <= room) return ImGui::TextDisabled("%s", hint.c_str());
    if (!spec_.unit.empty()) ImGui::TextDisabled("%s", spec_.unit.c_str());
    if (spec_.unit.empty()) ImGui::NewLine();
    if (limits.empty()) return;
    ImGui::SetCursorPosX(left);
    ImGui::TextDisabled("%s", limits.c_str());
}

void ValueField::draw_refusal(PanelContext& context, const std::string& rect, float left) {
    // Beside the field where there is room for it, else below.
    const float mark = ImGui::GetTextLineHeight() + ImGui::GetStyle().ItemInnerSpacing.x;
    const float needed = ImGui::CalcTextSize(refusal_.c_str()).x + mark;
    ImGui::SameLine();
    if (ImGui::GetContentRegionAvail().x < needed) {
        ImGui::NewLine();
        ImGui::SetCursorPosX(left);
    }
    draw_mark(context, Mark::failed);
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
    ImGui::TextWrapped("%s", refusal_.c_str());
    ImGui::PopStyleColor();
    note_rect(rect + "/refusal");
}

ValueField::Event ValueField::draw_editor(PanelContext& context, float width) {
    switch (spec_.type) {
        case FieldType::boolean: {
            const bool clicked = ImGui::Checkbox("##flag", &flag_);
            return clicked ? Event::committed : Event::none;
        }
        case FieldType::choice:
            return draw_choice(width);
        case FieldType::integer:
        case FieldType::number:
            return draw_number(context, width);
        case FieldType::string:
        case FieldType::json:
            break;
    }
    return draw_text(width);
}

ValueField::Event ValueField::draw_text(float width) {
    ImGui::SetNextItemWidth(width);
    const bool entered = ImGui::InputText("##text", &text_, ImGuiInputTextFlags_EnterReturnsTrue);
    const bool edited = ImGui::IsItemEdited();
    active_ = ImGui::IsItemActive();
    if (entered || ImGui::IsItemDeactivatedAfterEdit()) return Event::committed;
    return edited ? Event::edited : Event::none;
}

ValueField::Event ValueField::draw_number(PanelContext& context, float width) {
    const double span = spec_.min && spec_.max ? *spec_.max - *spec_.min : 0;
    const bool slider = span > 0 && span <= slider_span_max && width > 150 * context.scale;
    const float box = slider ? 80 * context.scale : std::min(width, 140 * context.scale);
    Event event = draw_text(box);
    if (!slider) return event;
    ImGui::SameLine(0, ImGui::GetStyle().ItemInnerSpacing.x);
    ImGui::SetNextItemWidth(width - box - ImGui::GetStyle().ItemInnerSpacing.x);
    const auto now = number_value();
    double number = now ? now->get<double>() : *spec_.min;
    if (ImGui::SliderScalar("##slide", ImGuiDataType_Double, &number, &*spec_.min, &*spec_.max, "",
                            ImGuiSliderFlags_NoInput)) {
        text_ = spec_.type == FieldType::integer ? fmt::format("{}", std::llround(number))
                                                 : fmt::format("{:.4g}", number);
        event = Event::edited;
    }
    active_ = active_ || ImGui::IsItemActive();
    if (ImGui::IsItemDeactivatedAfterEdit()) event = Event::committed;
    return event;
}

ValueField::Event ValueField::draw_choice(float width) {
    ImGui::SetNextItemWidth(width);
    const std::string shown =
        choice_ < 0 ? text_ : shown_value(spec_.choices[static_cast<std::size_t>(choice_)]);
    if (!ImGui::BeginCombo("##choice", shown.c_str())) return Event::none;
    active_ = true;
    Event event = Event::none;
    for (std::size_t i = 0; i < spec_.choices.size(); ++i) {
        ImGui::PushID(static_cast<int>(i));
        if (ImGui::Selectable(shown_value(spec_.choices[i]).c_str(), choice_ == static_cast<int>(i))) {
            choice_ = static_cast<int>(i);
            event = Event::committed;
        }
        ImGui::PopID();
    }
    ImGui::EndCombo();
    return event;
}

}  // namespace labdeck::ui
