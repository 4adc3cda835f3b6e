#include "ui/widgets/age_badge.h"

#include <fmt/format.h>

#include <algorithm>

#include "ui/rects.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t quiet_after_ns = 2'000 * ns_per_ms;
// Three frames: less is only what came while the last one was drawn.
constexpr std::int64_t behind_after_ns = 50 * ns_per_ms;

ImU32 colour_of(DataAge::Kind kind, const Theme& theme) {
    switch (kind) {
        case DataAge::Kind::none:
            return theme.text_dim;
        case DataAge::Kind::live:
            return theme.good;
        case DataAge::Kind::behind:
            return theme.warn;
        case DataAge::Kind::quiet:
            return theme.text_dim;
    }
    return theme.text_dim;
}

/// Full disc: live; ring: quiet or nothing yet; triangle: behind.
void draw_mark(ImDrawList& list, ImVec2 centre, float radius, DataAge::Kind kind, ImU32 colour) {
    if (kind == DataAge::Kind::live) {
        list.AddCircleFilled(centre, radius, colour, 12);
    } else if (kind == DataAge::Kind::behind) {
        list.AddTriangleFilled({centre.x, centre.y - radius * 1.2F},
                               {centre.x + radius * 1.2F, centre.y + radius},
                               {centre.x - radius * 1.2F, centre.y + radius}, colour);
    } else {
        list.AddCircle(centre, radius, colour, 12, std::max(1.0F, radius * 0.4F));
    }
}

}  // namespace

DataAge age_of(const SourceView& source, MonoTime now) {
    if (source.shown.ns == 0) return {};
    const std::int64_t since = now.ns - source.shown.ns;
    if (source.backlog_ns() > behind_after_ns && since > behind_after_ns)
        return {DataAge::Kind::behind, since};
    if (since >= quiet_after_ns) return {DataAge::Kind::quiet, since};
    return {DataAge::Kind::live, source.shown_age_ns};
}

DataAge age_of_all(const BenchState& bench, MonoTime now) {
    DataAge newest;
    for (const auto& source : bench.sources()) {
        const DataAge age = age_of(*source, now);
        if (age.kind == DataAge::Kind::none) continue;
        const bool first = newest.kind == DataAge::Kind::none;
        if (age.kind == DataAge::Kind::behind) {
            if (newest.kind != DataAge::Kind::behind || age.age_ns > newest.age_ns) newest = age;
        } else if (newest.kind != DataAge::Kind::behind &&
                   (first || (age.kind == newest.kind ? age.age_ns < newest.age_ns
                                                      : age.kind == DataAge::Kind::live))) {
            newest = age;
        }
    }
    return newest;
}

std::string age_text_of(const DataAge& age) {
    switch (age.kind) {
        case DataAge::Kind::none:
            return "no data yet";
        case DataAge::Kind::live:
            return age.age_ns < ns_per_ms ? "live < 1 ms" : "live " + age_text(age.age_ns);
        case DataAge::Kind::behind:
            return "behind " + age_text(age.age_ns);
        case DataAge::Kind::quiet:
            if (age.age_ns < 60'000 * ns_per_ms)
                return fmt::format("quiet {} s", age.age_ns / (1'000 * ns_per_ms));
            return "quiet " + age_text(age.age_ns);
    }
    return {};
}

bool age_badge(const DataAge& age, const PanelContext& context, float right, float top, float height) {
    const Theme& theme = context.theme;
    const float s = context.scale;
    const std::string text = age_text_of(age);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    bool jump = false;
    if (age.kind == DataAge::Kind::behind) {
        const char* const label = "jump to live";
        const ImVec2 size{ImGui::CalcTextSize(label).x + 14 * s, height - 6 * s};
        right -= size.x;
        ImGui::SetCursorScreenPos({right, top + 3 * s});
        ImGui::PushStyleColor(ImGuiCol_Button, with_alpha(theme.warn, 0.25F));
        jump = ImGui::Button(label, size);
        note_rect("jump_to_live");
        ImGui::PopStyleColor();
        right -= 8 * s;
    }
    const ImVec2 words = ImGui::CalcTextSize(text.c_str());
    const float x = right - words.x;
    const ImU32 colour = colour_of(age.kind, theme);
    draw_mark(list, {x - 9 * s, top + height / 2}, 3.5F * s, age.kind, colour);
    list.AddText({x, top + (height - words.y) / 2},
                 age.kind == DataAge::Kind::behind ? theme.warn : theme.text_dim, text.c_str());
    return jump;
}

}  // namespace labdeck::ui
