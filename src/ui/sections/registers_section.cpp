#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <array>
#include <charconv>
#include <optional>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/sections/app_section.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/toggle.h"

namespace labdeck::ui {

namespace {

constexpr std::array<std::string_view, 1> shown_keys = {"registers"};
constexpr const char* action_name = "set_register";

struct Bank {
    const char* key;   ///< In the status.
    const char* bank;  ///< As set_register has it.
    const char* title;
    bool coils;
};
constexpr std::array<Bank, 3> banks = {{{"input", "input", "Input registers", false},
                                        {"holding", "holding", "Holding registers", false},
                                        {"coils", "coil", "Coils", true}}};

std::string value_text(const Json& value) {
    if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
    if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
    return value.is_number() ? fmt::format("{:.6g}", value.get<double>()) : "-";
}

bool is_on(const Json& value) {
    return value.is_boolean() ? value.get<bool>() : value.is_number() && value.get<double>() != 0;
}

/// What stands behind the number that goes over the wire: "mV", or "= 25.1 °C" for 251 tenths.
std::string meaning_of(const Json& row) {
    std::string unit = text_member_of(row, "unit");
    const double scale = number_member_of(row, "scale").value_or(1);
    const auto value = number_member_of(row, "value");
    if (scale == 1 || !value) return unit;
    return fmt::format("= {:.6g} {}", *value * scale, unit);
}

class RegistersSection final : public AppSection {
public:
    const char* title() const override { return "Registers"; }
    bool there(const AppView& app) const override { return !member_of(app.status, "registers").empty(); }
    std::span<const std::string_view> keys() const override { return shown_keys; }
    void draw(PanelContext& context, const AppView& app, const std::string& rect) override;

private:
    void draw_bank(PanelContext& context, const AppView& app, const Bank& bank, const std::string& rect);
    void draw_row(PanelContext& context, const AppView& app, const Bank& bank, const Json& row,
                  const std::string& rect);
    void draw_value(PanelContext& context, const AppView& app, const Bank& bank, std::int64_t address,
                    const Json& value, const std::string& rect);
    void draw_editor(PanelContext& context, const AppView& app, const Bank& bank, std::int64_t address,
                     const std::string& rect);
    void draw_answer(PanelContext& context, const AppView& app, const std::string& rect);
    /// What was typed; none, with a refusal, when it is no value for a register.
    std::optional<std::int64_t> typed();
    void send(PanelContext& context, const AppView& app, const Bank& bank, std::int64_t address,
              std::int64_t value);

    const Bank* edited_bank_ = nullptr;
    std::int64_t edited_address_ = 0;
    std::string text_;
    std::string refusal_;
    bool focus_ = false;
    bool editable_ = false;
    double min_ = 0;
    double max_ = 65'535;
    std::string sent_;  ///< "input 3", what was sent last.
};

void RegistersSection::draw(PanelContext& context, const AppView& app, const std::string& rect) {
    const Json& action = action_named(app.actions, action_name);
    editable_ = action.is_object() && app.provider_up;
    min_ = number_member_of(arg_named(action, "value"), "min").value_or(0);
    max_ = number_member_of(arg_named(action, "value"), "max").value_or(65'535);
    if (editable_) ImGui::TextDisabled("Click a value to change it: %.0f to %.0f, or 0x...", min_, max_);
    draw_answer(context, app, rect);
    const bool two = ImGui::GetContentRegionAvail().x >= 560 * context.scale;
    if (!two || !ImGui::BeginTable("banks", 2, ImGuiTableFlags_SizingStretchSame)) {
        for (const Bank& bank : banks) draw_bank(context, app, bank, rect);
        return;
    }
    ImGui::TableNextColumn();
    draw_bank(context, app, banks[0], rect);
    ImGui::TableNextColumn();
    draw_bank(context, app, banks[1], rect);
    draw_bank(context, app, banks[2], rect);
    ImGui::EndTable();
}

void RegistersSection::draw_bank(PanelContext& context, const AppView& app, const Bank& bank,
                                 const std::string& rect) {
    const Json& rows = member_of(member_of(app.status, "registers"), bank.key);
    if (!rows.is_array() || rows.empty()) return;
    ImGui::TextUnformatted(bank.title);
    const ImGuiTableFlags flags =
        ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_BordersInnerV;
    if (!ImGui::BeginTable(bank.key, 3, flags)) return;
    ImGui::TableSetupColumn("No.", ImGuiTableColumnFlags_WidthFixed, 40 * context.scale);
    ImGui::TableSetupColumn("Name", ImGuiTableColumnFlags_WidthStretch, 1.2F);
    ImGui::TableSetupColumn("Value", ImGuiTableColumnFlags_WidthStretch, 1.0F);
    ImGui::TableHeadersRow();
    for (const Json& row : rows) draw_row(context, app, bank, row, rect);
    ImGui::EndTable();
}

void RegistersSection::draw_row(PanelContext& context, const AppView& app, const Bank& bank, const Json& row,
                                const std::string& rect) {
    const auto number = number_member_of(row, "address");
    if (!number || *number < 0 || *number > 65'535) return;
    const auto address = static_cast<std::int64_t>(*number);
    ImGui::PushID(static_cast<int>(address));
    ImGui::TableNextRow();
    ImGui::TableNextColumn();
    ImGui::TextDisabled("%d", static_cast<int>(address));
    ImGui::TableNextColumn();
    ImGui::TextUnformatted(text_member_of(row, "name").c_str());
    ImGui::TableNextColumn();
    const std::string own = fmt::format("{}/registers/{}/{}", rect, bank.bank, address);
    if (&bank == edited_bank_ && address == edited_address_) {
        draw_editor(context, app, bank, address, own);
    } else {
        draw_value(context, app, bank, address, member_of(row, "value"), own);
    }
    if (const std::string meant = meaning_of(row); !meant.empty() && !bank.coils) {
        ImGui::SameLine();
        ImGui::TextDisabled("%s", meant.c_str());
    }
    ImGui::PopID();
}

void RegistersSection::draw_value(PanelContext& context, const AppView& app, const Bank& bank,
                                  std::int64_t address, const Json& value, const std::string& rect) {
    ImGui::BeginDisabled(!editable_);
    if (bank.coils) {
        const bool on = is_on(value);
        if (draw_toggle(context, "##coil", on, context.theme.info))
            send(context, app, bank, address, on ? 0 : 1);
    } else {
        const float width = 64 * context.scale;
        const std::string text = value_text(value);
        if (ImGui::Selectable((text + "##value").c_str(), false, 0, {width, 0})) {
            edited_bank_ = &bank;
            edited_address_ = address;
            text_ = text;
            refusal_.clear();
            focus_ = true;
        }
        if (value.is_number_integer())
            ImGui::SetItemTooltip("%s", fmt::format("0x{:04X}", value.get<std::int64_t>() & 0xffff).c_str());
    }
    ImGui::EndDisabled();
    note_rect(rect);
}

void RegistersSection::draw_editor(PanelContext& context, const AppView& app, const Bank& bank,
                                   std::int64_t address, const std::string& rect) {
    const bool wrong = !refusal_.empty();
    if (wrong) ImGui::PushStyleColor(ImGuiCol_FrameBg, with_alpha(context.theme.bad, 0.24F));
    ImGui::SetNextItemWidth(74 * context.scale);
    if (focus_) ImGui::SetKeyboardFocusHere();
    const bool entered = ImGui::InputText(
        "##edit", &text_, ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_AutoSelectAll);
    if (ImGui::IsItemEdited()) (void)typed();
    const bool left = !focus_ && !ImGui::IsItemActive();
    focus_ = focus_ && !ImGui::IsItemActive();
    if (wrong) ImGui::PopStyleColor();
    note_rect(rect);
    if (wrong) {
        draw_mark(context, Mark::failed);
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
        ImGui::TextWrapped("%s", refusal_.c_str());
        ImGui::PopStyleColor();
        note_rect(rect + "/refusal");
    }
    if (entered) {
        const auto value = typed();
        focus_ = !value;
        if (!value) return;
        send(context, app, bank, address, *value);
        edited_bank_ = nullptr;
    } else if (left) {
        // Escape, or a click elsewhere: nothing is sent that was not entered.
        edited_bank_ = nullptr;
    }
}

std::optional<std::int64_t> RegistersSection::typed() {
    std::string_view text = text_;
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size() && !text.empty();
    const auto number = static_cast<double>(value);
    const bool good = whole && number >= min_ && number <= max_;
    refusal_ = good ? std::string() : fmt::format("a whole number, {:.0f} to {:.0f}", min_, max_);
    if (!good) return std::nullopt;
    return value;
}

void RegistersSection::send(PanelContext& context, const AppView& app, const Bank& bank, std::int64_t address,
                            std::int64_t value) {
    sent_ = fmt::format("{} {}", bank.bank, address);
    context.bench.invoke(app.id, action_name,
                         Json{{"register", address}, {"value", value}, {"bank", bank.bank}});
}

/// What became of the last edit, while it is on its way or when it went wrong.
void RegistersSection::draw_answer(PanelContext& context, const AppView& app, const std::string& rect) {
    if (sent_.empty()) return;
    for (const JobView& job : app.jobs) {
        if (job.action != action_name) continue;
        if (job.error.empty()) return;
        draw_mark(context, mark_of_job(job.state));
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
        ImGui::TextWrapped("%s: %s", sent_.c_str(), job.error.c_str());
        ImGui::PopStyleColor();
        note_rect(rect + "/registers/answer");
        return;
    }
}

}  // namespace

std::unique_ptr<AppSection> make_registers_section() {
    return std::make_unique<RegistersSection>();
}

}  // namespace labdeck::ui
