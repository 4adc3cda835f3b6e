#include "ui/widgets/toast_stack.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/rects.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t shown_ns = 6'000'000'000;
/// What is left once the mouse has gone.
constexpr std::int64_t after_hover_ns = 2'000'000'000;
constexpr float width_px = 380;
constexpr float gap_px = 8;
constexpr float stripe_px = 4;
constexpr float lines_max = 3;
constexpr float close_px = 22;
constexpr const char* close_icon = "\xef\x80\x8d";

Mark mark_of(Notice::Level level) {
    switch (level) {
        case Notice::Level::error:
            return Mark::failed;
        case Notice::Level::warning:
            return Mark::warning;
        case Notice::Level::good:
            return Mark::done;
        case Notice::Level::info:
            break;
    }
    return Mark::waiting;
}

/// How large a notice is, and what is where in it.
struct Shape {
    Shape(const Notice& notice, float s)
        : padding{std::round(12 * s), std::round(10 * s)},
          line(ImGui::GetTextLineHeight()),
          mark(line + ImGui::GetStyle().ItemInnerSpacing.x) {
        const float width = std::round(std::min(width_px * s, ImGui::GetIO().DisplaySize.x * 0.9F));
        text_width = width - 2 * padding.x - mark;
        if (!notice.text.empty()) {
            whole_text = ImGui::CalcTextSize(notice.text.c_str(), nullptr, false, text_width).y;
            between = std::round(4 * s);
        }
        text_height = std::min(whole_text, lines_max * line);
        close = std::round(close_px * s);
        size = {width, 2 * padding.y + line + between + text_height};
    }
    ImVec2 padding;
    float line;
    float mark;  ///< Its width, with the gap behind it.
    float text_width = 0;
    float whole_text = 0;
    float text_height = 0;
    float between = 0;
    float close = 0;
    ImVec2 size;
};

void draw_words(const PanelContext& context, const Notice& notice, const Shape& shape, ImVec2 min) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    ImGui::SetCursorScreenPos({min.x + shape.padding.x, min.y + shape.padding.y});
    draw_mark(context, mark_of(notice.level()));
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float end = min.x + shape.size.x - shape.close - std::round(8 * context.scale);
    ImGui::PushFont(context.fonts.bold);
    ImGui::PushStyleColor(ImGuiCol_Text, context.theme.text);
    ImGui::RenderTextEllipsis(&list, at, {end, at.y + shape.line}, end, end, notice.title.c_str(), nullptr,
                              nullptr);
    ImGui::PopStyleColor();
    ImGui::PopFont();
    if (notice.text.empty()) return;
    const ImVec2 below{at.x, at.y + shape.line + shape.between};
    const ImVec4 clip{below.x, below.y, below.x + shape.text_width, below.y + shape.text_height};
    list.AddText(ImGui::GetFont(), ImGui::GetFontSize(), below, context.theme.text_dim, notice.text.c_str(),
                 nullptr, shape.text_width, &clip);
}

}  // namespace

void ToastStack::add(Notice notice, MonoTime now) {
    const bool stays = notice.level() == Notice::Level::error;
    toasts_.push_back({.notice = std::move(notice),
                       .number = next_number_++,
                       .until = stays ? MonoTime{} : MonoTime{now.ns + shown_ns}});
    if (toasts_.size() > shown_max) toasts_.pop_front();
}

MonoTime ToastStack::wants_frame() const noexcept {
    MonoTime next{};
    for (const Toast& toast : toasts_) {
        // The mouse that leaves it is a frame of its own.
        if (toast.held || toast.until.ns == 0) continue;
        if (next.ns == 0 || toast.until < next) next = toast.until;
    }
    return next;
}

std::optional<Notice> ToastStack::draw(PanelContext& context, ImVec2 corner) {
    std::erase_if(toasts_, [&](const Toast& toast) {
        return !toast.held && toast.until.ns != 0 && toast.until <= context.now;
    });
    std::optional<Notice> opened;
    std::optional<std::uint64_t> gone;
    for (std::size_t place = 0; place < toasts_.size(); ++place) {
        Toast& toast = toasts_[toasts_.size() - 1 - place];
        const Touch touch = draw_toast(context, toast, place, corner);
        if (touch == Touch::none) continue;
        gone = toast.number;
        if (touch == Touch::open) opened = toast.notice;
    }
    if (gone) std::erase_if(toasts_, [&](const Toast& toast) { return toast.number == *gone; });
    return opened;
}

ToastStack::Touch ToastStack::take_touch(const std::string& rect, ImVec2 min, ImVec2 size, float s) {
    ImGui::SetCursorScreenPos(min);
    ImGui::SetNextItemAllowOverlap();
    Touch touch = ImGui::InvisibleButton("open", size) ? Touch::open : Touch::none;
    note_rect(rect);
    const float side = std::round(close_px * s);
    ImGui::SetCursorScreenPos({min.x + size.x - side - std::round(4 * s), min.y + std::round(5 * s)});
    ImGui::PushStyleColor(ImGuiCol_Button, 0);
    if (ImGui::Button(close_icon, {side, side})) touch = Touch::dismiss;
    ImGui::PopStyleColor();
    note_rect(rect + "/close");
    return touch;
}

ToastStack::Touch ToastStack::draw_toast(PanelContext& context, Toast& toast, std::size_t place,
                                         ImVec2& corner) {
    const float s = context.scale;
    const Shape shape(toast.notice, s);
    const ImVec2 min{std::round(corner.x - shape.size.x), std::round(corner.y - shape.size.y)};
    corner.y = min.y - std::round(gap_px * s);
    const ImU32 colour = mark_colour(context.theme, mark_of(toast.notice.level()));
    ImGui::SetNextWindowPos(min);
    ImGui::SetNextWindowSize(shape.size);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, shape.padding);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowMinSize, ImVec2{1, 1});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, std::max(1.0F, std::floor(s)));
    ImGui::PushStyleColor(ImGuiCol_WindowBg, mix(context.theme.panel_header, colour, 0.08F));
    constexpr ImGuiWindowFlags flags =
        ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove | ImGuiWindowFlags_NoSavedSettings |
        ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoFocusOnAppearing | ImGuiWindowFlags_NoScrollWithMouse;
    ImGui::Begin(fmt::format("toast/{}", toast.number).c_str(), nullptr, flags);
    ImGui::PopStyleColor();
    ImGui::PopStyleVar(3);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.PushClipRect(min, {min.x + shape.size.x, min.y + shape.size.y});
    list.AddRectFilled(min, {min.x + std::round(stripe_px * s), min.y + shape.size.y}, colour);
    list.PopClipRect();
    const Touch touch = take_touch(fmt::format("toast/{}", place), min, shape.size, s);
    const bool hovered = ImGui::IsWindowHovered(ImGuiHoveredFlags_AllowWhenBlockedByActiveItem);
    if (toast.held && !hovered && toast.until.ns != 0)
        toast.until = {std::max(toast.until.ns, context.now.ns + after_hover_ns)};
    toast.held = hovered;
    draw_words(context, toast.notice, shape, min);
    ImGui::End();
    return touch;
}

}  // namespace labdeck::ui
