// app_config.h - an app's settings: a JSON file that people may edit, and the fields it may have.
//
// The file is read anew whenever somebody asks, so that an edit by hand is seen. Writing changes the one
// value and keeps everything else as it was typed: unknown keys, the order of all, spaces and newlines. A
// running app is not touched, so it goes on with the last settings that were good. The fields are also the
// file's JSON Schema.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench_apps/field_spec.h"
#include "contract/json_schema.h"

namespace labdeck::bench_apps {

class ConfigFile;

class AppConfig {
public:
    /// What the file says now, with defaults where it says nothing or nothing valid.
    struct Values {
        std::shared_ptr<const Json> tree;    ///< The file's object; {} when it is not readable.
        std::shared_ptr<const Json> fields;  ///< One member for each field.
        std::vector<std::string> errors;     ///< "FILE:LINE:COLUMN: why; what to do"; empty when all is well.
        bool file_there = false;

        std::int64_t integer(std::string_view key) const;
        const Json& value(std::string_view key) const;
        double number(std::string_view key) const;
        bool flag(std::string_view key) const;
        std::string text(std::string_view key) const;
    };

    /// `fields` live as long as the program. `root` is the workspace.
    AppConfig(std::string app_id, std::span<const FieldSpec> fields, std::filesystem::path root,
              std::filesystem::path file);
    ~AppConfig();
    AppConfig(const AppConfig&) = delete;
    AppConfig& operator=(const AppConfig&) = delete;

    Values read() const;
    /// Writes the file with its defaults when there is none. Other files are left as they are.
    [[nodiscard]] Result<> make_if_missing() const;
    /// The response of config.get.
    Json view() const;
    /// The response of config.set. E_CONFIG_INVALID leaves the file as it was, to the byte.
    [[nodiscard]] Result<Json> set(std::string_view key, const Json& value,
                                   std::optional<std::int64_t> pid) const;

    /// A relative path lies in the workspace.
    std::string resolved(std::string_view path) const;
    const std::filesystem::path& file() const noexcept { return file_; }

private:
    const FieldSpec* field(std::string_view key) const noexcept;
    ConfigFile read_file() const;
    Values values_of(const ConfigFile& file) const;
    Result<> write(const Json& tree) const;
    Result<> put(const ConfigFile& file, std::string_view key, const Json& value) const;
    Json entry(const FieldSpec& field, const Values& now, const ConfigFile& file) const;
    Json paths(const Values& now, const ConfigFile& file) const;

    const std::string app_id_;
    const std::span<const FieldSpec> fields_;
    const std::filesystem::path root_;
    const std::filesystem::path file_;
    const std::unique_ptr<const Json> presets_;  ///< One member for each field.
    const std::unique_ptr<const Json> schema_json_;
    const contract::JsonSchema schema_;
};

}  // namespace labdeck::bench_apps
