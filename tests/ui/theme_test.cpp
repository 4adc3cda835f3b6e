#include "ui/theme.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

namespace labdeck::ui {
namespace {

double luminance(ImU32 colour) {
    const auto channel = [colour](unsigned shift) {
        const double c = ((colour >> shift) & 0xffU) / 255.0;
        return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * channel(0) + 0.7152 * channel(8) + 0.0722 * channel(16);
}

/// As WCAG 2 counts it: 4.5 for text, 3 for marks and lines.
double contrast(ImU32 a, ImU32 b) {
    const double la = luminance(a), lb = luminance(b);
    return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

TEST_SUITE("ui/theme") {
    TEST_CASE("every text can be read on everything that it stands on") {
        for (const ThemeName name : {ThemeName::dark, ThemeName::light}) {
            const Theme& t = theme(name);
            for (const ImU32 back :
                 {t.panel, t.panel_header, t.background, mix(t.panel, t.text_dim, 0.07F)}) {
                for (const ImU32 text : {t.text, t.text_dim, t.bad, t.good, t.warn, t.info, t.accent}) {
                    CHECK(contrast(text, back) >= 4.5);
                }
            }
            for (const ImU32 text : {t.log_error, t.log_warn, t.log_info, t.log_debug}) {
                CHECK(contrast(text, t.panel) >= 4.5);
            }
        }
    }
    TEST_CASE("every series stands out from its plot") {
        for (const ThemeName name : {ThemeName::dark, ThemeName::light}) {
            for (const ImU32 line : theme(name).series)
                CHECK(contrast(line, theme(name).plot_background) >= 3);
        }
    }
    TEST_CASE("alpha and mixing leave the other channels alone") {
        CHECK(with_alpha(0xff112233U, 0.5F) == 0x80112233U);
        CHECK(mix(0xff000000U, 0xffffffffU, 0) == 0xff000000U);
        CHECK(mix(0xff000000U, 0xffffffffU, 1) == 0xffffffffU);
    }
}

}  // namespace
}  // namespace labdeck::ui
