// age_badge.h - says how old what a pane shows is, in words and not by colour alone.
#pragma once

#include <string>

#include "ui/panel.h"

namespace labdeck::ui {

/// Of one source, as the last frame showed it.
DataAge age_of(const SourceView& source, MonoTime now);
/// Of a panel that shows every source: behind as soon as one is, else that of the newest byte.
DataAge age_of_all(const BenchState& bench, MonoTime now);

/// "live 4 ms", "behind 12.4 s", "quiet 12 s", or "no data yet". Whole seconds where a finer figure would ask
/// for a frame of its own.
std::string age_text_of(const DataAge& age);

/// Draws the badge so that it ends at `right` (a window x), in the middle of a line that begins at `top` and
/// is `height` high. True when "jump to live" was clicked; only a panel that is behind has that button.
bool age_badge(const DataAge& age, const PanelContext& context, float right, float top, float height);

}  // namespace labdeck::ui
