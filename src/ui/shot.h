// shot.h - the console's picture without a window system (EGL, surfaceless).
#pragma once

#include <string>

#include "base/result.h"
#include "ui/console.h"

namespace labdeck::ui {

struct ShotRequest {
    std::string path;
    int width = 1920;
    int height = 1080;
    double after_seconds = 3;  ///< How long the bench runs before the picture.
};

/// Drains and draws like the window for after_seconds, then writes the PNG. Calls from the ui thread.
Result<> take_shot(Console& console, const ShotRequest& request);

}  // namespace labdeck::ui
