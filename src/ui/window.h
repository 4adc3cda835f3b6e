// window.h - the frame loop: GLFW window, ImGui, and sleep when nothing changes.
#pragma once

#include "base/result.h"
#include "ui/console.h"

namespace labdeck::ui {

/// Runs until the window is closed. Needs a display: Code::not_found with a clear text when there is none.
/// Binds the ui role to the calling thread.
Result<> run_window(Console& console);

/// Wakes the loop from any thread. Harmless before run_window() and after it.
void wake_window() noexcept;

/// Ends run_window() (and take_shot()) from any thread, as closing the window does.
void close_window() noexcept;
bool close_wanted() noexcept;

}  // namespace labdeck::ui
