// desktop.h - what the window asks of the desktop it is on.
#pragma once

#include <string>

namespace labdeck::ui {

/// Shows a folder in the desktop's file manager (xdg-open). Returns at once: the program is started and
/// waited for on a thread of its own, and a desktop without one does nothing. Thread: any.
void open_in_file_manager(const std::string& folder);

}  // namespace labdeck::ui
