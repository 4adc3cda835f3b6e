#include "ui/widgets/status_facts.h"

#include <imgui.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "ui/widgets/value_field.h"

namespace labdeck::ui {

namespace {

using contract::Json;

constexpr std::size_t facts_max = 300;

bool ends_with_word(std::string_view key, std::string_view word) {
    std::string lower(key);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::string_view(lower).ends_with(word);
}

bool counts_harm(std::string_view key) {
    constexpr std::string_view words[] = {"lost",    "loss",     "losses",     "errors",  "drops",
                                          "dropped", "timeouts", "exceptions", "overruns"};
    return std::any_of(std::begin(words), std::end(words),
                       [&](auto word) { return ends_with_word(key, word); });
}

/// Long counts are grouped by thousands; what only looks like a count (a pid, a TCP port, a baud rate) is
/// not.
std::string number_text(std::string_view key, const Json& value) {
    std::string text = shown_value(value);
    const bool name = ends_with_word(key, "pid") || ends_with_word(key, "port") ||
                      ends_with_word(key, "baud") || ends_with_word(key, "version");
    const std::size_t begin = text.starts_with('-') ? 1 : 0;
    if (!value.is_number_integer() || name || text.size() - begin < 5) return text;
    for (std::size_t i = text.size(); i > begin + 3; i -= 3) text.insert(i - 3, ",");
    return text;
}

bool all_scalars(const Json& array) {
    return std::none_of(array.begin(), array.end(), [](const Json& item) { return item.is_structured(); });
}

void add(const Json& value, std::string_view key, const std::string& label, std::vector<Fact>& out) {
    if (out.size() >= facts_max) return;
    if (value.is_object()) {
        for (const auto& [name, child] : value.items()) add(child, name, label + " / " + words_of(name), out);
    } else if (value.is_array() && !all_scalars(value)) {
        std::size_t index = 0;
        for (const Json& item : value) add(item, key, label + " " + std::to_string(++index), out);
    } else if (value.is_array()) {
        std::string list;
        for (const Json& item : value) list += (list.empty() ? "" : ", ") + shown_value(item);
        out.push_back({label, list.empty() ? "none" : list, false});
    } else {
        const bool harm = value.is_number() && value.get<double>() > 0 && counts_harm(key);
        std::string text = value.is_number() ? number_text(key, value) : shown_value(value);
        out.push_back({label, text.empty() ? "-" : std::move(text), harm});
    }
}

}  // namespace

std::string words_of(std::string_view key) {
    std::string words;
    for (std::size_t i = 0; i < key.size(); ++i) {
        const auto c = static_cast<unsigned char>(key[i]);
        const bool begins =
            std::isupper(c) != 0 && i > 0 && std::isupper(static_cast<unsigned char>(key[i - 1])) == 0;
        if (begins) words.push_back(' ');
        const bool single =
            begins && (i + 1 == key.size() || std::isupper(static_cast<unsigned char>(key[i + 1])) == 0);
        words.push_back(single ? static_cast<char>(std::tolower(c)) : static_cast<char>(c));
    }
    return words;
}

std::vector<Fact> facts_of(const Json& status, const std::vector<std::string_view>& shown_elsewhere) {
    std::vector<Fact> out;
    if (!status.is_object()) return out;
    for (const auto& [key, value] : status.items()) {
        if (std::find(shown_elsewhere.begin(), shown_elsewhere.end(), key) != shown_elsewhere.end()) continue;
        add(value, key, words_of(key), out);
    }
    return out;
}

void draw_facts(const PanelContext& context, const std::vector<Fact>& facts) {
    if (!ImGui::BeginTable("facts", 2, ImGuiTableFlags_RowBg | ImGuiTableFlags_SizingStretchProp)) return;
    ImGui::TableSetupColumn("fact", ImGuiTableColumnFlags_WidthStretch, 0.45F);
    ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthStretch, 0.55F);
    for (const Fact& fact : facts) {
        ImGui::TableNextRow();
        ImGui::TableNextColumn();
        ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text_dim);
        ImGui::TextWrapped("%s", fact.label.c_str());
        ImGui::PopStyleColor();
        ImGui::TableNextColumn();
        if (fact.bad) ImGui::PushStyleColor(ImGuiCol_Text, context.theme.bad);
        ImGui::TextWrapped("%s%s", fact.bad ? "! " : "", fact.value.c_str());
        if (fact.bad) ImGui::PopStyleColor();
    }
    ImGui::EndTable();
}

}  // namespace labdeck::ui
