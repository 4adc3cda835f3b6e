// The table of methods as people read it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "contract/method.h"

namespace labdeck::contract {

namespace {

std::string limits(const Param& param) {
    static constexpr Param unlimited;
    const bool numeric = param.type == ParamType::integer || param.type == ParamType::number;
    if (!numeric || (param.min == unlimited.min && param.max == unlimited.max)) return {};
    return fmt::format(" {}…{}", param.min, param.max);
}

/// "lines? integer 1…10000", "level debug|info".
std::string param_text(const Param& param) {
    const std::string_view mark = param.need == Need::optional ? "?" : "";
    if (!param.choices.empty()) return fmt::format("{}{} {}", param.name, mark, param.choices);
    return fmt::format("{}{} {}{}", param.name, mark, param_type_name(param.type), limits(param));
}

std::string names_of_params(const Method& method) {
    std::string out;
    for (const Param& param : method.params) {
        if (!out.empty()) out += ", ";
        out += param.name;
        if (param.need == Need::optional) out += '?';
    }
    return "{" + out + "}";
}

/// A table cell ends at a bar unless it is escaped, also within code.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string params_cell(const Method& method) {
    std::string out;
    for (const Param& param : method.params) {
        if (!out.empty()) out += "<br>";
        out += fmt::format("`{}` {}", cell(param_text(param)), cell(param.help));
    }
    return out.empty() ? "none" : out;
}

std::string spellings_cell(std::string_view spellings) {
    std::string out;
    for (std::size_t from = 0; from < spellings.size();) {
        const std::size_t to = std::min(spellings.find(' ', from), spellings.size());
        out += fmt::format("{}`{}`", out.empty() ? "" : " ", spellings.substr(from, to - from));
        from = to + 1;
    }
    return out;
}

/// The groups in the order of their first rows.
std::vector<std::string_view> groups() {
    std::vector<std::string_view> out;
    for (const Method& method : methods()) {
        if (std::find(out.begin(), out.end(), method.group) == out.end()) out.push_back(method.group);
    }
    return out;
}

void group_markdown(std::string_view group, std::string& out) {
    out += fmt::format("### {}\n\n", group);
    out += "| method | params | answer | what it does | also spelled |\n|---|---|---|---|---|\n";
    for (const Method& method : methods()) {
        if (method.group != group) continue;
        fmt::format_to(std::back_inserter(out), "| `{}` | {} | `{}` | {} | {} |\n", method.name,
                       params_cell(method), cell(method.response), cell(method.help),
                       spellings_cell(method.aliases));
    }
    out += '\n';
}

/// Columns of a terminal, not bytes: the dots of "…" are one.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

using Row = std::array<std::string, 3>;

void write_aligned(const std::vector<Row>& rows, std::string& out) {
    std::array<std::size_t, 2> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            out += row[i];
            out.append(widths[i] - width(row[i]) + 2, ' ');
        }
        out += row.back() + "\n";
    }
}

}  // namespace

std::string methods_markdown() {
    std::string out;
    for (const std::string_view group : groups()) group_markdown(group, out);
    out += "### Events\n\n| event | params | when | also spelled |\n|---|---|---|---|\n";
    for (const Topic& topic : topics()) {
        fmt::format_to(std::back_inserter(out), "| `{}` | `{}` | {} | {} |\n", topic.name, cell(topic.params),
                       cell(topic.help), spellings_cell(topic.aliases));
    }
    return out;
}

std::string methods_text() {
    std::vector<Row> rows;
    for (const Method& method : methods()) {
        rows.push_back({std::string(method.name), names_of_params(method), std::string(method.help)});
    }
    for (const Topic& topic : topics()) {
        rows.push_back(
            {"event " + std::string(topic.name), std::string(topic.params), std::string(topic.help)});
    }
    std::string out;
    write_aligned(rows, out);
    return out;
}

}  // namespace labdeck::contract
