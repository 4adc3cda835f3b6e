#include "ui/widgets/axis_ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace labdeck::ui {
namespace {

struct Prefix {
    double per_unit;
    const char* name;
};
constexpr std::array<Prefix, 5> si{{{1, ""}, {1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}}};
constexpr std::array<Prefix, 3> binary{{{1, "MiB"}, {1024, "GiB"}, {1024.0 * 1024, "TiB"}}};

template <typename Prefixes>
const Prefix& prefix_for(const Prefixes& prefixes, double size) {
    std::size_t i = 0;
    while (i + 1 < prefixes.size() && size >= prefixes[i + 1].per_unit) ++i;
    return prefixes[i];
}

struct Scale {
    double per_unit;
    std::string unit;
};

Scale scale_for(double size, Unit unit) {
    const Prefix& thousand = prefix_for(si, size);
    switch (unit) {
        case Unit::percent:
            return {1, "%"};
        case Unit::milliseconds:
            return {1, "ms"};
        case Unit::bytes_per_second:
            return {thousand.per_unit, std::string(thousand.name) + "B/s"};
        case Unit::per_second:
            return {thousand.per_unit, std::string(thousand.name) + "/s"};
        case Unit::plain:
            return {thousand.per_unit, thousand.name};
        case Unit::mebibytes: {
            const Prefix& power = prefix_for(binary, size);
            return {power.per_unit, power.name};
        }
    }
    return {1, ""};
}

double round_up_125(double value) {
    const double power = std::pow(10, std::floor(std::log10(value)));
    // A little less than the factor: 0.2 / 0.1 is 2.0000000000000004 somewhere.
    for (const double factor : {1.0, 2.0, 5.0})
        if (value <= power * factor * (1 + 1e-9)) return power * factor;
    return power * 10;
}

constexpr std::int64_t ns_per_ms = 1'000'000;
constexpr std::int64_t ns_per_s = 1'000'000'000;
constexpr std::int64_t ns_per_min = 60 * ns_per_s;
constexpr std::int64_t ns_per_h = 60 * ns_per_min;

}  // namespace

std::string value_text(double value, Unit unit) {
    if (!std::isfinite(value)) return "-";
    const double size = std::abs(value);
    // What would be rounded to 1000 of a unit is one of the next.
    const Scale scale = scale_for(size * 1.0005, unit);
    const double shown = value / scale.per_unit;
    const double shown_size = std::abs(shown);
    const bool counted = scale.per_unit == 1 && (unit == Unit::bytes_per_second || unit == Unit::plain);
    const int decimals = shown_size >= 99.95 || counted               ? 0
                         : shown_size >= 9.995 || scale.per_unit == 1 ? 1
                                                                      : 2;
    const std::string number = fmt::format("{:.{}f}", shown_size < 1e-12 ? 0.0 : shown, decimals);
    return scale.unit.empty() ? number : number + " " + scale.unit;
}

std::string ValueTicks::label(double value) const {
    const double shown = value / per_unit;
    return fmt::format("{:.{}f}", std::abs(shown) < step / per_unit * 1e-6 ? 0.0 : shown, decimals);
}

ValueTicks value_ticks(double bottom, double top, int intervals_max, Unit unit) {
    const Scale scale = scale_for(std::max(std::abs(bottom), std::abs(top)) * 0.9999, unit);
    const double wish = std::max(top - bottom, 1e-12) / scale.per_unit / std::max(intervals_max, 1);
    const double step = round_up_125(wish);
    ValueTicks ticks;
    ticks.step = step * scale.per_unit;
    ticks.per_unit = scale.per_unit;
    ticks.decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
    ticks.unit = scale.unit;
    return ticks;
}

void ValueRange::fit(double min, double max, int intervals_max, Unit unit, const Wish& wish) {
    const bool from_zero = wish.floor_zero && min >= 0;
    const double low = from_zero ? 0 : min;
    const double high = std::max({max, wish.top_min, low + std::max(std::abs(low) * 1e-6, 1e-9)});
    const double room = (high - low) * 0.05;
    const double needed_bottom = from_zero ? 0 : low - room;
    const double needed_top = high == wish.top_min ? high : high + room;
    const bool inside = bottom_ <= low && high <= top_;
    const bool too_wide = needed_top - needed_bottom < (top_ - bottom_) * 0.45;
    if (inside && !too_wide && top_ > bottom_) return;
    const double step = value_ticks(needed_bottom, needed_top, intervals_max, unit).step;
    bottom_ = std::floor(needed_bottom / step + 1e-9) * step;
    top_ = std::ceil(needed_top / step - 1e-9) * step;
}

std::int64_t time_step(std::int64_t span_ns, int intervals_max) {
    const double wish = static_cast<double>(span_ns) / std::max(intervals_max, 1);
    if (wish <= 0.5 * static_cast<double>(ns_per_s)) {
        return std::max<std::int64_t>(std::llround(round_up_125(std::max(wish, 1.0))), 1);
    }
    constexpr std::array<std::int64_t, 18> steps{
        ns_per_s,   2 * ns_per_s,   5 * ns_per_s,   10 * ns_per_s,   15 * ns_per_s,   30 * ns_per_s,
        ns_per_min, 2 * ns_per_min, 5 * ns_per_min, 10 * ns_per_min, 15 * ns_per_min, 30 * ns_per_min,
        ns_per_h,   2 * ns_per_h,   3 * ns_per_h,   6 * ns_per_h,    12 * ns_per_h,   24 * ns_per_h};
    const auto fits = std::find_if(steps.begin(), steps.end(),
                                   [&](std::int64_t step) { return static_cast<double>(step) >= wish; });
    return fits != steps.end()
               ? *fits
               : steps.back() *
                     static_cast<std::int64_t>(std::ceil(wish / static_cast<double>(steps.back())));
}

std::string time_label(WallTime time, std::int64_t step_ns) {
    // clock_text() cuts; a stamp that fell a hair short of a round time is not to read 16:20:04.999.
    std::string text = clock_text({time.ns + ns_per_ms / 2});
    if (step_ns >= ns_per_min) return text.substr(0, 5);
    if (step_ns >= ns_per_s) return text.substr(0, 8);
    if (step_ns >= 100 * ns_per_ms) return text.substr(0, 10);
    return text;
}

std::string relative_label(std::int64_t before_ns, std::int64_t step_ns) {
    if (before_ns < step_ns / 2) return "now";
    const double seconds = static_cast<double>(before_ns) / static_cast<double>(ns_per_s);
    if (step_ns < ns_per_ms) return fmt::format("-{:.1f} ms", seconds * 1e3);
    if (step_ns < 100 * ns_per_ms) return fmt::format("-{:.0f} ms", seconds * 1e3);
    if (step_ns < ns_per_s) return fmt::format("-{:.1f} s", seconds);
    const std::int64_t whole = (before_ns + ns_per_s / 2) / ns_per_s;
    if (whole < 60) return fmt::format("-{} s", whole);
    if (step_ns >= ns_per_h) return fmt::format("-{} h", whole / 3600);
    if (step_ns >= ns_per_min && whole < 7200) return fmt::format("-{} min", whole / 60);
    if (step_ns >= ns_per_min) return fmt::format("-{}:{:02} h", whole / 3600, whole / 60 % 60);
    return fmt::format("-{}:{:02}", whole / 60, whole % 60);
}

}  // namespace labdeck::ui
