#include "ui/text_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace labdeck::ui {

Result<std::string> read_text_file(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) return fail(Code::not_found, fmt::format("there is no {}", path));
    if (!std::filesystem::is_regular_file(status))
        return fail(Code::bad_arg, fmt::format("{} is no plain file", path));
    const auto size = std::filesystem::file_size(path, error);
    if (error) return fail(Code::io, fmt::format("{}: {}", path, error.message()));
    if (size > text_file_bytes_max)
        return fail(Code::bad_arg, fmt::format("{} is larger than {} MiB", path, text_file_bytes_max >> 20U));
    std::ifstream file(path, std::ios::binary);
    std::string text(static_cast<std::size_t>(size), '\0');
    file.read(text.data(), static_cast<std::streamsize>(size));
    if (!file) return fail(Code::io, fmt::format("{} cannot be read", path));
    return text;
}

Result<> write_text_file(const std::string& path, std::string_view text) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        return fail(Code::bad_arg, fmt::format("{} is no plain file", path));
    const std::string temporary = fmt::format("{}.tmp", path);
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (!file) return fail(Code::io, fmt::format("{} cannot be written", temporary));
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
        return fail(Code::io, fmt::format("{} cannot be replaced", path));
    return {};
}

}  // namespace labdeck::ui
