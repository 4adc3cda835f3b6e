// login_entry.h - what starts a bench when its user logs in: an entry for the desktop's autostart.
//
// Desktop Application Autostart Specification 0.5 and Desktop Entry Specification 1.5, of freedesktop.org.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace labdeck::app {

/// The entry's text. `profiles` are the names of what it starts, for people. Nothing when `program` or `root`
/// cannot stand in an entry: there is a line break in it.
[[nodiscard]] Result<std::string> login_entry_text(const std::string& program, const std::string& root,
                                                   const std::vector<std::string>& profiles);

/// Where the entry of a workspace is: below XDG_CONFIG_HOME, or ~/.config.
std::string login_entry_path(const std::string& root);

/// Writes the entry of the workspace, or takes it away where there are no profiles.
[[nodiscard]] Result<> keep_login_entry(const std::string& program, const std::string& root,
                                        const std::vector<std::string>& profiles);

}  // namespace labdeck::app
