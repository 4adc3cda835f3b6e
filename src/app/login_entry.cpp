#include "app/login_entry.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "io/whole_file.h"
#include "store/rotating_log.h"

namespace labdeck::app {

namespace {

bool is_one_line(const std::string& text) {
    return text.find_first_of("\r\n") == std::string::npos;
}

/// A string value: the backslash is the only character of ours that means something there.
std::string value_text(const std::string& text) {
    std::string value;
    for (const char c : text) {
        if (c == '\\') value += '\\';
        // A line break would begin another key.
        value += c == '\n' || c == '\r' ? ' ' : c;
    }
    return value;
}

/// One word of Exec: quoted as there, and then again as a string value.
std::string exec_word(const std::string& word) {
    std::string quoted;
    for (const char c : word) {
        if (c == '"' || c == '`' || c == '$' || c == '\\') quoted += '\\';
        if (c == '%') quoted += '%';
        quoted += c;
    }
    return '"' + value_text(quoted) + '"';
}

std::string config_folder() {
    if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config == '/')
        return config;
    const char* home = std::getenv("HOME");
    return std::string(home != nullptr ? home : "/tmp") + "/.config";
}

}  // namespace

Result<std::string> login_entry_text(const std::string& program, const std::string& root,
                                     const std::vector<std::string>& profiles) {
    if (!is_one_line(program) || !is_one_line(root))
        return fail(Code::denied, "a path with a line break cannot stand in an autostart entry");
    const std::string name = std::filesystem::path(root).filename();
    return fmt::format(
        "[Desktop Entry]\nType=Application\nVersion=1.5\nName=Labdeck ({})\nComment=Starts {}\n"
        "Exec={} console --workspace {}\nTerminal=false\n",
        value_text(name), value_text(fmt::format("{}", fmt::join(profiles, ", "))), exec_word(program),
        exec_word(root));
}

std::string login_entry_path(const std::string& root) {
    return fmt::format("{}/autostart/labdeck-{}.desktop", config_folder(), store::log_name(root));
}

Result<> keep_login_entry(const std::string& program, const std::string& root,
                          const std::vector<std::string>& profiles) {
    const std::string path = login_entry_path(root);
    if (!profiles.empty())
        return io::replace_whole_file(path, LD_TRY(login_entry_text(program, root, profiles)));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return os_error("delete " + path);
    return {};
}

}  // namespace labdeck::app
