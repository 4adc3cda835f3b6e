// launch.h - from a script's definition to what is started.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/child_process.h"
#include "supervise/records.h"

namespace labdeck::supervise {

/// A command line as a shell would cut it: blanks part, '…' and "…" and \ hold together. Nothing is expanded.
/// E_BAD_ARG for a quote without its end.
Result<std::vector<std::string>> split_words(std::string_view line);

/// What is started. With an interpreter: its words, the arguments, the command as the last. Without: the
/// command as the program where arguments are given, else the command cut into words. A cwd that is not
/// absolute stands below `root`, and none is `root` itself. Secrets without a value are left out of the
/// environment.
Result<io::SpawnRequest> launch_of(const ScriptDefinition& script, const std::string& root);

/// The same without what is started: where, and with which variables.
io::SpawnRequest surroundings_of(const ScriptDefinition& script, const std::string& root);

}  // namespace labdeck::supervise
