// script_facts.h - how a script does, in words: what the table's cells and tooltips say.
#pragma once

#include <string>
#include <string_view>

#include "ui/panel.h"
#include "ui/supervisor_view.h"
#include "ui/widgets/state_mark.h"

namespace labdeck::ui {

Mark mark_of_script(const ScriptView& script) noexcept;

/// "45 s", "3 min 20 s", "5 h 02 min": whole seconds, so that it changes once a second at most.
std::string seconds_text(std::int64_t ms);
/// Rounded up, so that it ends with 1 s and not with a second of 0.
std::string countdown_text(std::int64_t ms);
/// "12.5 %", "80.1 MiB"; empty for what does not run.
std::string cpu_text(const ScriptView& script);
std::string memory_text(const ScriptView& script);

/// "restart in 4 s, exit 1"; "exit 0".
std::string note_of_script(const ScriptView& script, MonoTime now);

/// All of it: also what a narrow table has no columns for.
void draw_script_tooltip(const PanelContext& context, const ScriptView& script);

}  // namespace labdeck::ui
