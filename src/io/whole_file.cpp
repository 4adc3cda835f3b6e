#include "io/whole_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>

#include "base/unique_fd.h"

namespace labdeck::io {

namespace fs = std::filesystem;

namespace {

/// While it lives, a write beyond the process's limit on file sizes is EFBIG and not a signal that kills.
class WithoutSizeSignal {
public:
    WithoutSizeSignal() {
        sigemptyset(&signal_);
        sigaddset(&signal_, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    }
    ~WithoutSizeSignal() {
        const timespec at_once{};
        if (sigismember(&before_, SIGXFSZ) == 0) {
            while (sigtimedwait(&signal_, nullptr, &at_once) < 0 && errno == EINTR) continue;
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    WithoutSizeSignal(const WithoutSizeSignal&) = delete;
    WithoutSizeSignal& operator=(const WithoutSizeSignal&) = delete;

private:
    sigset_t signal_{};
    sigset_t before_{};
};

Result<> write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("write " + path);
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

Result<> fill(int fd, std::string_view text, mode_t mode, const std::string& path) {
    if (Result<> written = write_all(fd, text, path); !written) return written;
    if (::fchmod(fd, mode) != 0) return os_error("set the permissions of " + path);
    if (::fsync(fd) != 0) return os_error("write " + path);
    return {};
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!fd) return os_error("open " + path);
    struct stat about {};
    if (::fstat(fd.get(), &about) != 0) return os_error("look at " + path);
    if (S_ISDIR(about.st_mode)) return fail(Code::io, path + " is a folder; a file is wanted there");
    if (!S_ISREG(about.st_mode)) return fail(Code::io, path + " is no plain file; put one there");
    std::string text;
    std::array<char, 16 << 10> buffer;
    while (true) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("read " + path);
        if (n == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(n));
        if (text.size() > bytes_max) {
            return fail(Code::io, path + " is longer than " + std::to_string(bytes_max) +
                                      " bytes, the most that is read");
        }
    }
}

Result<> replace_whole_file(const std::string& path, std::string_view text) {
    std::error_code failed;
    fs::path target = fs::canonical(path, failed);
    if (failed) target = path;
    fs::create_directories(target.parent_path(), failed);
    if (failed) {
        return fail(os_error_value("make the folder " + target.parent_path().string(), failed.value()));
    }
    struct stat about {};
    const bool there = ::stat(target.c_str(), &about) == 0;
    if (there && !S_ISREG(about.st_mode)) {
        return fail(Code::io, path + " is no plain file; it is not replaced");
    }
    const std::string making = target.string() + "." + std::to_string(::getpid()) + ".new";
    const WithoutSizeSignal guard;
    UniqueFd fd(::open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return os_error("write " + making);
    Result<> done = fill(fd.get(), text, there ? about.st_mode & 07777U : 0644U, making);
    if (done && ::rename(making.c_str(), target.c_str()) != 0) done = os_error("replace " + path);
    if (!done) {
        ::unlink(making.c_str());
        return done;
    }
    const UniqueFd folder(::open(target.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A file system that cannot sync a folder has still renamed.
    if (folder) (void)::fsync(folder.get());
    return {};
}

}  // namespace labdeck::io
