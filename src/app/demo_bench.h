// demo_bench.h - the bench that the program brings along.
#pragma once

#include <string>

#include "base/result.h"

namespace labdeck::app {

/// Writes the demo bench (its labdeck.json and config/) to `root` where they are not there yet, so that what
/// was changed in it stays.
Result<> write_demo_bench(const std::string& root);

/// Where --demo lives: demo/ in the program's data folder.
std::string demo_workspace();

}  // namespace labdeck::app
