// status_facts.h - a status answer as a table of named facts.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "contract/json.h"
#include "ui/panel.h"

namespace labdeck::ui {

struct Fact {
    std::string label;  ///< "ports / b / rx bytes"
    std::string value;
    bool bad = false;  ///< Counts losses or errors, and there were some.
};

/// Every scalar of `status`, in its order, but for the top-level keys in `shown_elsewhere`. At most 300.
std::vector<Fact> facts_of(const contract::Json& status,
                           const std::vector<std::string_view>& shown_elsewhere);

/// "bytesPerSecond" becomes "bytes per second".
std::string words_of(std::string_view key);

void draw_facts(const PanelContext& context, const std::vector<Fact>& facts);

}  // namespace labdeck::ui
