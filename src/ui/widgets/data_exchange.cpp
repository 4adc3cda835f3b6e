#include "ui/widgets/data_exchange.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/supervisor_view.h"
#include "ui/text_file.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/status_facts.h"

namespace labdeck::ui {

namespace {

constexpr std::size_t names_max = 12;

/// "plc, ble and 3 more", of ids, of names, or of objects that have either.
std::string list_text(const Json& list) {
    std::string text;
    std::size_t told = 0;
    for (const Json& item : list) {
        if (told == names_max) break;
        std::string name = item.is_string() ? item.get<std::string>() : text_member_of(item, "name");
        if (name.empty()) name = text_member_of(item, "id");
        if (name.empty()) name = item.dump();
        text += told++ == 0 ? name : fmt::format(", {}", name);
    }
    if (list.size() > told) text += fmt::format(" and {} more", list.size() - told);
    return text;
}

}  // namespace

void DataExchange::say(std::string message, bool wrong) const {
    state_->message = std::move(message);
    state_->wrong = wrong;
}

Json DataExchange::params() const {
    return {{"data", data_}, {"mode", replace_ ? "replace" : "merge"}};
}

void DataExchange::write(PanelContext& context) {
    say("Asking for what is kept...", false);
    context.bench.request(
        "data.export", Json::object(),
        [weak = std::weak_ptr(state_), path = path_](const Result<std::shared_ptr<const Json>>& answer) {
            const auto state = weak.lock();
            if (!state) return;
            Result<> written = answer ? write_text_file(path, (*answer)->dump(2) + "\n")
                                      : Result<>(tl::unexpected<Error>(answer.error()));
            state->wrong = !written;
            state->message =
                written ? fmt::format("Written to {}. No secret is in it.", path) : written.error().message;
        });
}

void DataExchange::read(PanelContext& context) {
    const auto text = read_text_file(path_);
    if (!text) return say(text.error().message, true);
    auto data = contract::parse_json(*text);
    if (!data) return say(fmt::format("{}: {}", path_, data.error().message), true);
    if (!data->is_object()) return say(fmt::format("{} holds no object", path_), true);
    data_ = std::move(*data);
    ask_preview(context);
}

void DataExchange::ask_preview(PanelContext& context) {
    state_->step = Step::asked;
    say("Asking what would change...", false);
    context.bench.request("data.preview", params(),
                          [weak = std::weak_ptr(state_)](const Result<std::shared_ptr<const Json>>& answer) {
                              const auto state = weak.lock();
                              if (!state) return;
                              state->step = answer ? Step::preview : Step::file;
                              state->wrong = !answer;
                              state->message = answer ? std::string() : answer.error().message;
                              if (answer) state->preview = **answer;
                          });
}

void DataExchange::import(PanelContext& context) {
    say("Taking it in...", false);
    context.bench.supervisor().change(
        "data.import", params(),
        [weak = std::weak_ptr(state_)](const Result<std::shared_ptr<const Json>>& answer) {
            const auto state = weak.lock();
            if (!state) return;
            state->step = Step::file;
            state->wrong = !answer;
            state->message = answer ? std::string("Taken in.") : answer.error().message;
        });
}

std::vector<DataExchange::Line> DataExchange::lines_of(const Json& preview) {
    std::vector<Line> lines;
    if (!preview.is_object()) return lines;
    for (const auto& [key, value] : preview.items()) {
        if (value.is_structured() && value.empty()) continue;
        if (value.is_array()) {
            lines.push_back({fmt::format("{} ({})", words_of(key), value.size()), list_text(value)});
        } else if (value.is_number() && value != 0) {
            lines.push_back({words_of(key), value.dump()});
        } else if (value.is_object()) {
            std::string names;
            for (const auto& [from, to] : value.items())
                names += fmt::format("{}{}: {}", names.empty() ? "" : ", ", from,
                                     to.is_string() ? to.get<std::string>() : to.dump());
            lines.push_back({words_of(key), std::move(names)});
        }
    }
    return lines;
}

bool DataExchange::draw(PanelContext& context, const std::string& rect) {
    draw_path(context, rect);
    if (state_->step == Step::preview) draw_preview(context, rect);
    if (!state_->message.empty()) {
        ImGui::Spacing();
        if (state_->wrong) draw_mark(context, Mark::failed);
        ImGui::PushStyleColor(ImGuiCol_Text, state_->wrong ? context.theme.bad : context.theme.text);
        ImGui::TextWrapped("%s", state_->message.c_str());
        ImGui::PopStyleColor();
        note_rect(rect + "/message");
    }
    ImGui::Spacing();
    ImGui::Separator();
    const float width = 110 * context.scale;
    if (state_->step == Step::preview) {
        if (ImGui::Button("Take it in", {width, 0})) import(context);
        note_rect(rect + "/import");
        ImGui::SameLine();
    }
    const bool stays = !ImGui::Button("Close", {width, 0});
    note_rect(rect + "/close");
    return stays;
}

void DataExchange::draw_path(PanelContext& context, const std::string& rect) {
    ImGui::TextWrapped("Scripts, profiles and settings as one file. Secret values are never written.");
    ImGui::Spacing();
    ImGui::SetNextItemWidth(-FLT_MIN);
    if (ImGui::InputTextWithHint("##path", "/path/to/scripts.json", &path_)) {
        state_->step = Step::file;
        state_->message.clear();
    }
    note_rect(rect + "/path");
    draw_mode(context, rect);
    const float width = 110 * context.scale;
    ImGui::BeginDisabled(path_.empty() || state_->step == Step::asked);
    if (ImGui::Button("Export", {width, 0})) write(context);
    ImGui::SetItemTooltip("Writes what is kept to this file.");
    note_rect(rect + "/export");
    ImGui::SameLine();
    if (ImGui::Button("Look", {width, 0})) read(context);
    ImGui::SetItemTooltip("Reads the file and shows what would change. Nothing is taken in yet.");
    note_rect(rect + "/look");
    ImGui::EndDisabled();
}

void DataExchange::draw_mode(PanelContext& context, const std::string& rect) {
    const bool before = replace_;
    if (ImGui::RadioButton("Merge", !replace_)) replace_ = false;
    ImGui::SetItemTooltip("Adds what is new; what is kept stays.");
    note_rect(rect + "/merge");
    ImGui::SameLine();
    if (ImGui::RadioButton("Replace", replace_)) replace_ = true;
    ImGui::SetItemTooltip("Puts the file in the place of all that is kept.");
    note_rect(rect + "/replace");
    ImGui::SameLine();
    ImGui::TextDisabled("when it is taken in");
    // What was shown was said of the other way.
    if (before != replace_ && state_->step == Step::preview) ask_preview(context);
}

void DataExchange::draw_preview(PanelContext& context, const std::string& rect) {
    ImGui::Spacing();
    ImGui::SeparatorText("This would change");
    const std::vector<Line> lines = lines_of(state_->preview);
    if (lines.empty()) ImGui::TextDisabled("Nothing: all of it is kept already.");
    for (const Line& line : lines) {
        ImGui::TextUnformatted(line.what.c_str());
        ImGui::SameLine(
            std::max(200 * context.scale, ImGui::CalcTextSize(line.what.c_str()).x + 24 * context.scale));
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        ImGui::TextWrapped("%s", line.names.c_str());
        ImGui::PopStyleColor();
    }
    ImGui::Dummy({0, 0});
    note_rect(rect + "/preview");
}

}  // namespace labdeck::ui
