#include "conform/config_file.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "conform/shape.h"

namespace labdeck::conform {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kept_bytes_max = 1U << 20;

std::string settings_path(const contract::Json& view) {
    if (!view.contains("paths") || !view["paths"].is_array()) return {};
    std::string json_file;
    for (const contract::Json& one : view["paths"]) {
        const std::string path = one.is_string() ? one.get<std::string>() : text_of(one, "path");
        if (text_of(one, "name") == "config") return path;
        if (json_file.empty() && path.ends_with(".json")) json_file = path;
    }
    return json_file;
}

}  // namespace

std::string ConfigFiles::keep(const contract::Json& view) {
    const std::string path = settings_path(view);
    if (path.empty() || files_.contains(path)) return path;
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    const bool there = fs::exists(status);
    if (there && (!fs::is_regular_file(status) || fs::file_size(path, failed) > kept_bytes_max)) return {};
    files_[path] = {read(path), fs::exists(fs::path(path).parent_path(), failed)};
    return path;
}

std::optional<std::string> ConfigFiles::read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void ConfigFiles::restore() {
    std::error_code ignored;
    for (const auto& [path, kept] : files_) {
        if (read(path) == kept.bytes) continue;
        if (!kept.bytes) {
            fs::remove(path, ignored);
            if (!kept.folder_was_there) fs::remove(fs::path(path).parent_path(), ignored);  // Only if empty.
            continue;
        }
        const std::string making = path + ".conform";
        std::ofstream out(making, std::ios::binary);
        out << *kept.bytes;
        out.close();
        if (out) fs::rename(making, path, ignored);
        if (!out || ignored) fs::remove(making, ignored);
    }
}

}  // namespace labdeck::conform
