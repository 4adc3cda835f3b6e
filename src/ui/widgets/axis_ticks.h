// axis_ticks.h - round numbers for axes, and values as people read them: "1.2 MB/s", "640 MiB", "16:20:05".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace labdeck::ui {

/// How a value's unit is spelled when it grows.
enum class Unit : unsigned char {
    percent,           ///< 12.5 %
    bytes_per_second,  ///< 980 B/s, 1.2 MB/s: powers of 1,000
    mebibytes,         ///< The value is in MiB: 640 MiB, 1.50 GiB
    per_second,        ///< 120 /s, 12.5 k/s
    milliseconds,      ///< 0.42 ms
    plain,             ///< 120, 12.5 k
};

/// Three significant digits with the prefix that suits the value; "-" for what is not a number.
std::string value_text(double value, Unit unit);

/// Tick marks of a value axis that share one unit and one number of decimals.
struct ValueTicks {
    double step = 1;
    double per_unit = 1;  ///< Divide by it for the label.
    int decimals = 0;
    std::string unit;  ///< Of the whole axis: "kB/s".
    std::string label(double value) const;
};

/// At most `intervals_max` steps of 1, 2 or 5 times a power of ten (of the shown unit) between bottom and
/// top.
ValueTicks value_ticks(double bottom, double top, int intervals_max, Unit unit);

/// The shown range of a value axis: round numbers with room above, which do not change while the data stays
/// in them.
class ValueRange {
public:
    struct Wish {
        bool floor_zero = true;  ///< The bottom is 0, or lower when a value is.
        double top_min = 0;      ///< The top is never lower: noise around nothing is not to fill the plot.
    };
    /// Smallest and largest of what is shown. Grows at once; shrinks when less than half would be used.
    void fit(double min, double max, int intervals_max, Unit unit, const Wish& wish);
    double bottom() const noexcept { return bottom_; }
    double top() const noexcept { return top_; }

private:
    double bottom_ = 0;
    double top_ = 0;
};

/// Step of a time axis in ns: 1-2-5 below a second, then 1, 2, 5, 10, 15, 30 s, minutes and hours alike.
std::int64_t time_step(std::int64_t span_ns, int intervals_max);

/// "16:20", "16:20:05" or "16:20:05.250", as fine as the step asks for.
std::string time_label(WallTime time, std::int64_t step_ns);
/// "-30 s", "-1:30", "-250 ms", "now": time before the right edge.
std::string relative_label(std::int64_t before_ns, std::int64_t step_ns);

}  // namespace labdeck::ui
