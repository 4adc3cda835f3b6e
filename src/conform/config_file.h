// config_file.h - the files of settings as they were found, to be put back.
//
// A provider's config.set may write a file anew in another layout, or make one that was not there.
// Thread: one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "contract/json.h"

namespace labdeck::conform {

class ConfigFiles {
public:
    /// Puts every file back.
    ~ConfigFiles() { restore(); }
    ConfigFiles() = default;
    ConfigFiles(const ConfigFiles&) = delete;
    ConfigFiles& operator=(const ConfigFiles&) = delete;

    /// Remembers the settings file among the `paths` of a config.get response: the one named "config", or the
    /// first that ends in .json. Empty when there is none, or it is beyond 1 MiB. Once a path.
    std::string keep(const contract::Json& view);
    /// The bytes that are there now; nothing when there is no file.
    static std::optional<std::string> read(const std::string& path);
    /// Writes what was kept where it differs, and removes what was not there.
    void restore();

private:
    struct Kept {
        std::optional<std::string> bytes;
        bool folder_was_there = true;
    };
    std::map<std::string, Kept> files_;
};

}  // namespace labdeck::conform
