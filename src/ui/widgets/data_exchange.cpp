#include "ui/widgets/data_exchange.h"

#include <fmt/format.h>
#include <imgui.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <utility>

#include "ui/json_reading.h"
#include "ui/rects.h"
#include "ui/supervisor_view.h"
#include "ui/text_file.h"
#include "ui/widgets/state_mark.h"
#include "ui/widgets/status_facts.h"

namespace labdeck::ui {

namespace {

constexpr std::size_t names_max = 12;

/// The name that goes with an id in a list of scripts or profiles; empty when it is not there.
std::string name_in(const Json& list, const std::string& id) {
    if (!list.is_array()) return {};
    for (const Json& item : list) {
        if (text_member_of(item, "id") == id) return text_member_of(item, "name");
    }
    return {};
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
                              if (!answer) return;
                              state->preview = **answer;
                              state->fresh = true;
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

std::string DataExchange::name_of(const SupervisorView& supervisor, const Json& item) const {
    if (item.is_object()) {
        const std::string name = text_member_of(item, "name");
        const std::string to = text_member_of(item, "newId");
        return to.empty() ? name : fmt::format("{} (as {})", name, to);
    }
    const std::string id = item.is_string() ? item.get<std::string>() : item.dump();
    for (const char* list : {"scripts", "profiles"}) {
        if (std::string name = name_in(member_of(data_, list), id); !name.empty()) return name;
    }
    const ScriptView* const script = supervisor.script(id);
    return script != nullptr ? script->name : id;
}

std::vector<DataExchange::Line> DataExchange::lines_of(const SupervisorView& supervisor, const Json& preview,
                                                       const std::string& of) const {
    std::vector<Line> lines;
    if (!preview.is_object()) return lines;
    for (const auto& [key, value] : preview.items()) {
        const std::string what = of.empty() ? words_of(key) : fmt::format("{} {}", of, words_of(key));
        if (value.is_object()) {
            const auto inner = lines_of(supervisor, value, what);
            lines.insert(lines.end(), inner.begin(), inner.end());
        }
        if (!value.is_array() || value.empty()) continue;
        std::string names;
        for (std::size_t i = 0; i < std::min(value.size(), names_max); ++i)
            names += fmt::format("{}{}", i == 0 ? "" : ", ", name_of(supervisor, value[i]));
        if (value.size() > names_max) names += fmt::format(" and {} more", value.size() - names_max);
        lines.push_back({fmt::format("{} ({})", what, value.size()), std::move(names)});
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
    if (std::exchange(state_->fresh, false))
        lines_ = lines_of(context.bench.supervisor(), state_->preview, {});
    if (lines_.empty()) ImGui::TextDisabled("Nothing: all of it is kept already.");
    for (const Line& line : lines_) {
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
