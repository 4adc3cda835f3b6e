#include "io/tree_lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <utility>

#include "io/proc_text.h"
#include "keeper/message.h"

namespace labdeck::io {

namespace {

/// FNV-1a: the same in every version of Labdeck.
off_t byte_of(std::string_view name) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return static_cast<off_t>(hash >> 2);
}

/// Whether the process has, where a keeper has it, a descriptor that locks this byte of this file.
bool holds(pid_t pid, off_t byte, const struct stat& file) {
    struct stat its {};
    const std::string fd = fmt::format("/proc/{}/fd/{}", pid, keeper::lock_fd);
    if (::stat(fd.c_str(), &its) != 0 || its.st_dev != file.st_dev || its.st_ino != file.st_ino) return false;
    // proc_pid_fdinfo(5): "lock: 1: OFDLCK ADVISORY WRITE -1 08:01:131073 FIRST LAST".
    return proc_text(fmt::format("/proc/{}/fdinfo/{}", pid, keeper::lock_fd))
               .find(fmt::format(" {} {}\n", byte, byte)) != std::string::npos;
}

}  // namespace

TreeLock::TreeLock(std::string path, std::string_view name) : path_(std::move(path)), byte_(byte_of(name)) {}

Result<UniqueFd> TreeLock::take() const {
    UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return os_error("open " + path_);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte_;
    lock.l_len = 1;
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0) return fd;
    if (errno == EAGAIN || errno == EACCES) return fail(Code::busy, path_ + " is held");
    return os_error("lock " + path_);
}

pid_t TreeLock::wake_holder() const {
    struct stat file {};
    if (::stat(path_.c_str(), &file) != 0) return 0;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
    if (!folder) return 0;
    while (const dirent* const entry = ::readdir(folder.get())) {
        const std::string_view name(entry->d_name);
        pid_t pid = 0;
        std::from_chars(name.data(), name.data() + name.size(), pid);
        if (pid <= 0 || !holds(pid, byte_, file)) continue;
        // The descriptor first, so that who is woken is who was looked at.
        const UniqueFd holder(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
        if (!holder || !holds(pid, byte_, file)) continue;
        ::syscall(SYS_pidfd_send_signal, holder.get(), SIGCONT, nullptr, 0U);
        return pid;
    }
    return 0;
}

}  // namespace labdeck::io
