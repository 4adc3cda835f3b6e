// image.h - where the keeper's program is, for those who start one.
#pragma once

#include <string>

#include "base/result.h"

namespace labdeck::keeper {

/// A path that execve() takes, valid while this process lives: a sealed file in memory, made of the bytes
/// that this program carries when it is first asked for. Fails where the system allows no such file, or none
/// to be run. Thread: any.
Result<std::string> program_path();

}  // namespace labdeck::keeper
