#include "ui/theme.h"

#include <imgui_freetype.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "assets.h"

namespace labdeck::ui {

namespace {

/// 0xRRGGBB as it is written everywhere else, to ImGui's 0xAABBGGRR.
constexpr ImU32 rgb(std::uint32_t hex) {
    return 0xff000000U | ((hex & 0xffU) << 16U) | (hex & 0xff00U) | ((hex >> 16U) & 0xffU);
}

constexpr Theme dark_theme = {
    .background = rgb(0x0d1116),
    .panel = rgb(0x151a21),
    .panel_header = rgb(0x1b222b),
    .border = rgb(0x2a323d),
    .text = rgb(0xe2e7ed),
    .text_dim = rgb(0x93a0af),
    .accent = rgb(0x5aa9f0),
    .good = rgb(0x45c08f),
    .warn = rgb(0xe8b04a),
    .bad = rgb(0xff7169),
    .info = rgb(0x6cb2f2),
    .log_error = rgb(0xff8078),
    .log_warn = rgb(0xf0c05a),
    .log_info = rgb(0xd3dae2),
    .log_debug = rgb(0x8391a1),
    .grid_line = rgb(0x252d37),
    .plot_background = rgb(0x10151b),
    .cursor = rgb(0xe2e7ed),
    .series = {rgb(0x56b4e9), rgb(0xe69f00), rgb(0x2fc39a), rgb(0xf0e442), rgb(0xe183b8), rgb(0xf2783c),
               rgb(0x98a4ff), rgb(0xb9c2cc)},
};

constexpr Theme light_theme = {
    .background = rgb(0xe3e8ed),
    .panel = rgb(0xfdfdfe),
    .panel_header = rgb(0xf1f4f7),
    .border = rgb(0xc9d1da),
    .text = rgb(0x17202a),
    .text_dim = rgb(0x52606f),
    .accent = rgb(0x1462b0),
    .good = rgb(0x0c7450),
    .warn = rgb(0x8a5800),
    .bad = rgb(0xb9251b),
    .info = rgb(0x1462b0),
    .log_error = rgb(0xae1d14),
    .log_warn = rgb(0x835300),
    .log_info = rgb(0x17202a),
    .log_debug = rgb(0x667280),
    .grid_line = rgb(0xe1e6eb),
    .plot_background = rgb(0xffffff),
    .cursor = rgb(0x17202a),
    .series = {rgb(0x0072b2), rgb(0xb86e00), rgb(0x00805e), rgb(0x857600), rgb(0xb0478a), rgb(0xc43e1c),
               rgb(0x4b55c8), rgb(0x5a6572)},
};

// Latin, Greek, Cyrillic, punctuation, currency, letter-like signs, arrows, mathematics, boxes, blocks,
// shapes and the replacement character. Static, as the atlas reads them when it is built.
constexpr ImWchar text_ranges[] = {0x0020, 0x017f, 0x0370, 0x03ff, 0x0400, 0x045f, 0x2010, 0x2027,
                                   0x2030, 0x205e, 0x2070, 0x209c, 0x20a0, 0x20bf, 0x2100, 0x2126,
                                   0x2190, 0x21ff, 0x2200, 0x22ff, 0x2300, 0x23ff, 0x2500, 0x259f,
                                   0x25a0, 0x25ff, 0x2713, 0x2717, 0xfffd, 0xfffd, 0};
constexpr ImWchar figure_ranges[] = {0x0020, 0x00ff, 0x2013, 0x2026, 0x2190, 0x2193, 0x2212,
                                     0x2212, 0x221e, 0x221e, 0xfffd, 0xfffd, 0};
constexpr ImWchar icon_ranges[] = {0xf000, 0xf2e0, 0};

constexpr float text_px = 14;
constexpr float large_px = 22;
constexpr float mono_px = 13;

Result<ImFont*> add_font(std::string_view asset, float px, const ImWchar* ranges, bool merge) {
    const auto bytes = assets::find(asset);
    if (bytes.empty()) return fail(Code::internal, "font " + std::string(asset) + " is missing or empty");
    ImFontConfig config;
    config.FontDataOwnedByAtlas = false;
    config.MergeMode = merge;
    config.FontBuilderFlags = ImGuiFreeTypeBuilderFlags_LightHinting;
    config.OversampleH = config.OversampleV = 1;
    config.PixelSnapH = true;
    if (ranges == icon_ranges) {
        // Icons stand a little low beside the letters, and take one width so that columns of them line up.
        config.GlyphOffset.y = std::round(px * 0.06F);
        config.GlyphMinAdvanceX = std::round(px * 1.1F);
    }
    ImFont* const font = ImGui::GetIO().Fonts->AddFontFromMemoryTTF(
        const_cast<std::byte*>(bytes.data()), static_cast<int>(bytes.size()), px, &config, ranges);
    if (font == nullptr) return fail(Code::internal, "font " + std::string(asset) + " cannot be read");
    return font;
}

/// Gives all digits one width, so that a figure that changes does not make its neighbours jump.
void make_digits_tabular(ImFont& font) {
    float widest = 0;
    for (ImWchar c = '0'; c <= '9'; ++c) {
        if (const ImFontGlyph* glyph = font.FindGlyphNoFallback(c))
            widest = std::max(widest, glyph->AdvanceX);
    }
    for (ImWchar c = '0'; c <= '9'; ++c) {
        auto* const glyph = const_cast<ImFontGlyph*>(font.FindGlyphNoFallback(c));
        if (glyph == nullptr) continue;
        const float shift = std::floor((widest - glyph->AdvanceX) / 2);
        glyph->X0 += shift;
        glyph->X1 += shift;
        glyph->AdvanceX = widest;
        font.IndexAdvanceX[c] = widest;
    }
}

Result<Fonts> build_fonts(float scale) {
    ImFontAtlas& atlas = *ImGui::GetIO().Fonts;
    atlas.Clear();
    atlas.Flags |= ImFontAtlasFlags_NoPowerOfTwoHeight;
    atlas.TexGlyphPadding = 1;
    atlas.TexDesiredWidth = scale > 2 ? 4096 : 2048;
    const auto px = [scale](float size) { return std::round(size * scale); };
    Fonts fonts;
    fonts.text = LD_TRY(add_font("fonts/sans", px(text_px), text_ranges, false));
    LD_TRY(add_font("fonts/icons", px(text_px), icon_ranges, true));
    fonts.bold = LD_TRY(add_font("fonts/sans_bold", px(text_px), text_ranges, false));
    LD_TRY(add_font("fonts/icons", px(text_px), icon_ranges, true));
    fonts.large = LD_TRY(add_font("fonts/sans_bold", px(large_px), figure_ranges, false));
    fonts.mono = LD_TRY(add_font("fonts/mono", px(mono_px), text_ranges, false));
    if (!atlas.Build()) return fail(Code::internal, "the font atlas cannot be built");
    for (ImFont* font : {fonts.text, fonts.bold, fonts.large}) make_digits_tabular(*font);
    return fonts;
}

ImVec4 vec(ImU32 colour) {
    return ImGui::ColorConvertU32ToFloat4(colour);
}

void set_colours(ImGuiStyle& style, const Theme& theme) {
    ImVec4* const c = style.Colors;
    c[ImGuiCol_Text] = vec(theme.text);
    c[ImGuiCol_TextDisabled] = vec(theme.text_dim);
    c[ImGuiCol_WindowBg] = vec(theme.background);
    // The frame is cleared to the panels' colour: to paint it again under each child costs most of a frame in
    // software GL.
    c[ImGuiCol_ChildBg] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_PopupBg] = vec(theme.panel_header);
    c[ImGuiCol_Border] = vec(theme.border);
    c[ImGuiCol_FrameBg] = vec(mix(theme.panel, theme.text_dim, 0.12F));
    c[ImGuiCol_FrameBgHovered] = vec(mix(theme.panel, theme.accent, 0.22F));
    c[ImGuiCol_FrameBgActive] = vec(mix(theme.panel, theme.accent, 0.34F));
    c[ImGuiCol_TitleBg] = c[ImGuiCol_TitleBgActive] = c[ImGuiCol_MenuBarBg] = vec(theme.panel_header);
    c[ImGuiCol_ScrollbarBg] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_ScrollbarGrab] = vec(with_alpha(theme.text_dim, 0.45F));
    c[ImGuiCol_ScrollbarGrabHovered] = vec(with_alpha(theme.text_dim, 0.7F));
    c[ImGuiCol_ScrollbarGrabActive] = vec(theme.accent);
    c[ImGuiCol_CheckMark] = c[ImGuiCol_SliderGrab] = c[ImGuiCol_SliderGrabActive] = vec(theme.accent);
    c[ImGuiCol_Button] = vec(mix(theme.panel, theme.text_dim, 0.18F));
    c[ImGuiCol_ButtonHovered] = vec(mix(theme.panel, theme.accent, 0.32F));
    c[ImGuiCol_ButtonActive] = vec(mix(theme.panel, theme.accent, 0.48F));
    c[ImGuiCol_Header] = vec(mix(theme.panel, theme.accent, 0.2F));
    c[ImGuiCol_HeaderHovered] = vec(mix(theme.panel, theme.accent, 0.28F));
    c[ImGuiCol_HeaderActive] = vec(mix(theme.panel, theme.accent, 0.36F));
    c[ImGuiCol_Separator] = vec(theme.border);
    c[ImGuiCol_SeparatorHovered] = c[ImGuiCol_SeparatorActive] = vec(theme.accent);
    c[ImGuiCol_Tab] = vec(theme.panel_header);
    c[ImGuiCol_TabHovered] = c[ImGuiCol_TabActive] = vec(mix(theme.panel, theme.accent, 0.3F));
    c[ImGuiCol_TabUnfocused] = vec(theme.panel_header);
    c[ImGuiCol_TabUnfocusedActive] = vec(mix(theme.panel, theme.accent, 0.18F));
    c[ImGuiCol_PlotLines] = c[ImGuiCol_PlotHistogram] = vec(theme.accent);
    c[ImGuiCol_TableHeaderBg] = vec(theme.panel_header);
    c[ImGuiCol_TableBorderStrong] = c[ImGuiCol_TableBorderLight] = vec(theme.border);
    c[ImGuiCol_TableRowBg] = ImVec4(0, 0, 0, 0);
    c[ImGuiCol_TableRowBgAlt] = vec(with_alpha(theme.text_dim, 0.05F));
    c[ImGuiCol_TextSelectedBg] = vec(with_alpha(theme.accent, 0.35F));
    c[ImGuiCol_NavHighlight] = vec(theme.accent);
    c[ImGuiCol_ModalWindowDimBg] = vec(with_alpha(theme.background, 0.6F));
}

void set_sizes(ImGuiStyle& style, float scale) {
    style.WindowPadding = {8, 8};
    style.FramePadding = {7, 3};
    style.CellPadding = {6, 2};
    style.ItemSpacing = {7, 5};
    style.ItemInnerSpacing = {5, 4};
    style.IndentSpacing = 16;
    style.ScrollbarSize = 11;
    style.GrabMinSize = 9;
    style.WindowRounding = 0;
    style.ChildRounding = 0;
    style.FrameRounding = 3;
    style.PopupRounding = 4;
    style.ScrollbarRounding = 6;
    style.GrabRounding = 3;
    style.TabRounding = 3;
    style.ScaleAllSizes(scale);
    const float hairline = std::max(1.0F, std::floor(scale));
    style.WindowBorderSize = 0;
    style.ChildBorderSize = style.PopupBorderSize = hairline;
    style.FrameBorderSize = style.TabBorderSize = 0;
}

}  // namespace

const Theme& theme(ThemeName name) noexcept {
    return name == ThemeName::light ? light_theme : dark_theme;
}

ImU32 with_alpha(ImU32 colour, float alpha) noexcept {
    const auto a = static_cast<float>(colour >> 24U) * std::clamp(alpha, 0.0F, 1.0F);
    return (colour & 0x00ff'ffffU) | (static_cast<ImU32>(a + 0.5F) << 24U);
}

ImU32 mix(ImU32 a, ImU32 b, float share) noexcept {
    ImU32 result = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        const auto from = static_cast<float>((a >> shift) & 0xffU);
        const auto to = static_cast<float>((b >> shift) & 0xffU);
        result |= static_cast<ImU32>(from + (to - from) * share + 0.5F) << shift;
    }
    return result;
}

void apply_style(ThemeName name, float scale) {
    ImGuiStyle style;
    set_sizes(style, scale);
    set_colours(style, theme(name));
    style.AntiAliasedLinesUseTex = true;
    ImGui::GetStyle() = style;
}

Result<Fonts> apply_theme(ThemeName name, float scale) {
    apply_style(name, scale);
    return build_fonts(scale);
}

}  // namespace labdeck::ui
