#include "bench_apps/stderr_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace labdeck::bench_apps {

StderrLog::StderrLog(int fd) : fd_(fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return;
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) != 0) return;
    flags_ = flags;
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

StderrLog::~StderrLog() {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_);
}

void StderrLog::write(WallTime time, LogLevel level, std::string_view app, std::string_view text) {
    std::string line = fmt::format("{} {} {}: {}\n", rfc3339(time), log_level_word(level), app, text);
    // One entry is one line, whatever came in with the text.
    std::replace(line.begin(), line.end() - 1, '\n', ' ');
    if (dropped_lines_ > 0) {
        line =
            fmt::format("{} WARN {}: {} lines dropped, nobody read\n", rfc3339(time), app, dropped_lines_) +
            line;
    }
    if (write_line(std::move(line))) {
        dropped_lines_ = 0;
    } else {
        ++dropped_lines_;
    }
}

/// False when nothing of it could be written.
bool StderrLog::write_line(std::string line) {
    const std::size_t before = rest_.size();
    rest_ += line;
    const ssize_t n = ::write(fd_, rest_.data(), rest_.size());
    const std::size_t done = n > 0 ? static_cast<std::size_t>(n) : 0;
    if (done <= before) {
        // The new line waits for nobody; what had begun must still be ended.
        rest_.resize(before);
        rest_.erase(0, done);
        return false;
    }
    rest_.erase(0, done);
    return true;
}

}  // namespace labdeck::bench_apps
