#include "ui/desktop.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

namespace labdeck::ui {

namespace {

void run_opener(std::string folder) {
    std::string program = "xdg-open";
    char* const arguments[] = {program.data(), folder.data(), nullptr};
    pid_t pid = 0;
    if (::posix_spawnp(&pid, program.c_str(), nullptr, nullptr, arguments, environ) != 0) return;
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

void open_in_file_manager(const std::string& folder) {
    try {
        std::thread(run_opener, folder).detach();
    } catch (const std::system_error&) {
        // Out of threads: the path can still be copied.
    }
}

}  // namespace labdeck::ui
