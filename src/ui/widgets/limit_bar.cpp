#include "ui/widgets/limit_bar.h"

#include <imgui.h>

#include <algorithm>
#include <cmath>

namespace labdeck::ui {

namespace {

struct Ends {
    double left = 0;
    double right = 1;
};

Ends ends_of(const LimitBar& bar) noexcept {
    if (bar.lower && bar.upper) {
        const double span = std::max(*bar.upper - *bar.lower, 1e-9);
        return {*bar.lower - span / 2, *bar.upper + span / 2};
    }
    const double limit = bar.lower ? *bar.lower : *bar.upper;
    const double room = std::max(std::abs(limit), 1e-9);
    return bar.lower ? Ends{limit - room / 3, limit + room} : Ends{limit - room, limit + room / 3};
}

}  // namespace

double LimitBar::share_of(double at) const noexcept {
    const Ends ends = ends_of(*this);
    return std::clamp((at - ends.left) / (ends.right - ends.left), 0.0, 1.0);
}

bool LimitBar::within() const noexcept {
    return value && (!lower || *value >= *lower) && (!upper || *value <= *upper);
}

void draw_limit_bar(const PanelContext& context, const LimitBar& bar, float width) {
    const float height = ImGui::GetTextLineHeight();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    ImGui::Dummy({width, height});
    if (!bar.lower && !bar.upper) return;
    const float pad = height * 0.4F;
    const float middle = at.y + height / 2;
    const auto x_of = [&](double value) {
        return at.x + pad + static_cast<float>(bar.share_of(value)) * (width - 2 * pad);
    };
    const Theme& theme = context.theme;
    ImDrawList* const list = ImGui::GetWindowDrawList();
    const float line = std::max(1.0F, context.scale);
    const float left = bar.lower ? x_of(*bar.lower) : at.x + pad;
    const float right = bar.upper ? x_of(*bar.upper) : at.x + width - pad;
    const float half = height * 0.16F;
    list->AddRectFilled({at.x + pad, middle - half}, {at.x + width - pad, middle + half},
                        with_alpha(theme.border, 0.6F));
    list->AddRectFilled({left, middle - half}, {right, middle + half}, with_alpha(theme.info, 0.45F));
    const float tick = height * 0.38F;
    if (bar.lower) list->AddLine({left, middle - tick}, {left, middle + tick}, theme.text_dim, 1.5F * line);
    if (bar.upper) list->AddLine({right, middle - tick}, {right, middle + tick}, theme.text_dim, 1.5F * line);
    if (!bar.value) return;
    const float x = x_of(*bar.value);
    const float r = height * 0.32F;
    if (bar.within()) {
        list->AddQuadFilled({x, middle - r}, {x + r, middle}, {x, middle + r}, {x - r, middle}, theme.good);
        list->AddQuad({x, middle - r}, {x + r, middle}, {x, middle + r}, {x - r, middle}, theme.panel, line);
        return;
    }
    list->AddLine({x - r, middle - r}, {x + r, middle + r}, theme.bad, 2.2F * line);
    list->AddLine({x - r, middle + r}, {x + r, middle - r}, theme.bad, 2.2F * line);
}

}  // namespace labdeck::ui
