#include "ui/fault_marks.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "ui/json_reading.h"

namespace labdeck::ui {

void FaultMarks::take(const std::string& app, const contract::Json& faults, MonoTime now) {
    const std::string prefix = app + ' ';
    std::set<std::string> listed;
    if (faults.is_array()) {
        for (const contract::Json& fault : faults) {
            const std::string kind = text_member_of(fault, "kind");
            if (!kind.empty()) listed.insert(prefix + kind);
        }
    }
    for (TimeMark& mark : marks_) {
        if (!mark.on() || !mark.label.starts_with(prefix)) continue;
        // What is on already is no news, and what is listed no more is over.
        if (listed.erase(mark.label) == 0) mark.to = now;
    }
    for (const std::string& label : listed) marks_.push_back({label, now});
    while (marks_.size() > marks_max) marks_.pop_front();
}

}  // namespace labdeck::ui
