// theme.h - every colour, size and font of the window, in one table.
#pragma once

#include <imgui.h>

#include <array>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace labdeck::ui {

enum class ThemeName : unsigned char { dark, light };

/// Colours by what they mean. Series colours are safe for the colour-blind in both themes.
struct Theme {
    ImU32 background, panel, panel_header, border, text, text_dim, accent;
    ImU32 good, warn, bad, info;
    ImU32 log_error, log_warn, log_info, log_debug;
    ImU32 grid_line, plot_background, cursor;
    std::array<ImU32, 8> series;
};

const Theme& theme(ThemeName name) noexcept;

struct Fonts {
    ImFont* text = nullptr;
    ImFont* bold = nullptr;
    ImFont* large = nullptr;  ///< Figures on tiles.
    ImFont* mono = nullptr;
};

/// Builds the atlas for `scale` (Inter, JetBrains Mono, Font Awesome merged into text and bold) and sets
/// ImGui's style from the theme, scaled. Call with a current ImGui context, before the backend's device
/// objects are made, or after they were destroyed.
Result<Fonts> apply_theme(ThemeName name, float scale);

/// The style alone, when the theme changes and the scale does not.
void apply_style(ThemeName name, float scale);

/// `colour` with its opacity multiplied by `alpha`, and `a` mixed with `share` of `b`.
ImU32 with_alpha(ImU32 colour, float alpha) noexcept;
ImU32 mix(ImU32 a, ImU32 b, float share) noexcept;

}  // namespace labdeck::ui
