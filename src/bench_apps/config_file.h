// config_file.h - an app's settings file as somebody left it: its values, and everything that is wrong with
// it.
//
// Whatever is in the file's place, reading it gives an object: the file's own when it is JSON, else an empty
// one.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench_apps/field_spec.h"
#include "contract/json_schema.h"
#include "contract/json_text.h"

namespace labdeck::bench_apps {

/// One thing that is wrong in a settings file.
struct ConfigFault {
    std::string key;                           ///< The setting; empty when it is about the whole file.
    std::string pointer;                       ///< JSON pointer to the value; "" is the whole.
    std::optional<contract::TextPlace> place;  ///< None when the file could not be read at all.
    std::string message;                       ///< What is wrong and what to do; without the place.
};

class ConfigFile {
public:
    /// No longer than this is read.
    static constexpr std::size_t bytes_max = 1U << 20;

    /// Reads and checks the file. `shown` is its name in messages. Never fails: what is wrong is in faults().
    static ConfigFile read(const std::filesystem::path& path, std::string shown,
                           std::span<const FieldSpec> fields, const contract::JsonSchema& schema);

    /// False when there is nothing of that name, which is no fault.
    bool there() const noexcept { return there_; }
    /// The file holds a JSON object, so that one of its members can be changed.
    bool usable() const noexcept { return map_.has_value(); }
    const Json& tree() const noexcept { return tree_; }
    /// In the order of their places; those without one first.
    const std::vector<ConfigFault>& faults() const noexcept { return faults_; }
    const ConfigFault* fault_of_key(std::string_view key) const noexcept;
    /// Where the setting's value stands; none when the file does not have it.
    std::optional<contract::TextPlace> place_of_key(std::string_view key) const;

    /// "config/bridge.json:3:12: baud must be …".
    std::string line_of(const ConfigFault& fault) const;
    /// {key, pointer, file, line, column, message}; line and column only where there is a place.
    Json json_of(const ConfigFault& fault) const;

    /// The file's text with one member changed or added, all else as it is. Requires usable().
    std::string with(std::string_view key, const Json& value) const;

private:
    void check(std::span<const FieldSpec> fields, const contract::JsonSchema& schema);
    void add(std::string key, std::string pointer, std::optional<std::size_t> byte, std::string message);
    void note_duplicates();

    std::filesystem::path path_;
    std::string shown_;
    std::string text_;
    bool there_ = true;
    Json tree_ = Json::object();
    std::optional<contract::JsonText> map_;
    std::vector<ConfigFault> faults_;
};

}  // namespace labdeck::bench_apps
