// app_config.h - an app's settings: a JSON file that people may edit, and the fields it may have.
//
// The file is read anew whenever somebody asks, so that an edit by hand is seen. Writing
// keeps the keys that are not known here, and the order of all. A running app is not touched.
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

namespace labdeck::bench_apps {

class AppConfig {
public:
    /// What the file says now, with defaults where it says nothing or nothing valid.
    struct Values {
        std::shared_ptr<const Json> tree;    ///< The file's object; {} when it is not readable.
        std::shared_ptr<const Json> fields;  ///< One member for each field.
        std::vector<std::string> errors;     ///< Empty when all is well.
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
    Result<> write(const Json& tree) const;
    Json paths(const Values& now) const;

    const std::string app_id_;
    const std::span<const FieldSpec> fields_;
    const std::filesystem::path root_;
    const std::filesystem::path file_;
};

}  // namespace labdeck::bench_apps
