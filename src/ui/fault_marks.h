// fault_marks.h - when which fault of a simulator was on, for charts to show.
//
// From what apps say of themselves: `faults[]` of their status, each with a `kind`. Times are those at which
// that was heard.
//
// No ImGui and no clock. Thread: ui.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "base/clock.h"
#include "contract/json.h"

namespace labdeck::ui {

struct TimeMark {
    std::string label;  ///< "plc-simulator crc".
    MonoTime from;
    MonoTime to = {};  ///< {0}: it goes on.

    bool on() const noexcept { return to.ns == 0; }
};

class FaultMarks {
public:
    static constexpr std::size_t marks_max = 256;

    /// What `app` says of its faults now; null and whatever is no list stand for none.
    void take(const std::string& app, const contract::Json& faults, MonoTime now);
    /// In the order of their beginning. The oldest go when there are more than marks_max.
    const std::deque<TimeMark>& all() const noexcept { return marks_; }

private:
    std::deque<TimeMark> marks_;
};

}  // namespace labdeck::ui
