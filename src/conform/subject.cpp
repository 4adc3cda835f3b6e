#include "conform/subject.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "contract/envelope.h"

namespace labdeck::conform {

namespace {

constexpr std::int64_t end_patience_ns = 1'000'000'000;
constexpr std::int64_t reap_period_ns = 2'000'000;
constexpr std::size_t write_bytes_max = 64U << 10;

}  // namespace

Result<std::unique_ptr<Subject>> Subject::start(const std::vector<std::string>& command) {
    io::SpawnRequest request;
    request.argv = command;
    request.stderr_to = STDERR_FILENO;
    return std::unique_ptr<Subject>(new Subject(LD_TRY(io::ChildProcess::spawn(request))));
}

Subject::Subject(io::ChildProcess child) : child_(std::move(child)), splitter_(contract::line_bytes_max) {
    on_line_.line = [this](std::string_view line) { lines_.emplace_back(std::string(line)); };
    on_line_.too_long = [this] { lines_.emplace_back(std::nullopt); };
}

Subject::~Subject() {
    pending_.clear();
    child_.stdin_fd.reset();
    child_.stdout_fd.reset();
    // The ChildProcess kills what is still there then.
    (void)ended({mono_now().ns + end_patience_ns});
}

Subject::Heard Subject::next(std::string& line, MonoTime deadline) {
    while (lines_.empty()) {
        if (!child_.stdout_fd) return Heard::end;
        if (!turn(deadline, true)) return Heard::silence;
    }
    // A flood must not keep us here past the deadline, so what is buffered counts as late as well.
    if (mono_now() >= deadline && lines_.size() > 1) return Heard::silence;
    const std::optional<std::string> next = std::move(lines_.front());
    lines_.pop_front();
    if (!next) return Heard::too_long;
    line = *next;
    return Heard::line;
}

bool Subject::turn(MonoTime deadline, bool read) {
    if (pending_.empty() && closing_) child_.stdin_fd.reset();
    const std::int64_t left_ns = deadline.ns - mono_now().ns;
    if (left_ns <= 0) return false;
    const bool writes = !pending_.empty() && child_.stdin_fd;
    std::array<pollfd, 2> watched{
        {{read ? child_.stdout_fd.get() : -1, POLLIN, 0}, {writes ? child_.stdin_fd.get() : -1, POLLOUT, 0}}};
    const timespec wait{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
    if (::ppoll(watched.data(), watched.size(), &wait, nullptr) < 0 && errno != EINTR) return false;
    if (watched[1].revents != 0) write_some();
    if (watched[0].revents != 0) read_some();
    return true;
}

void Subject::write_some() {
    const ssize_t n =
        ::write(child_.stdin_fd.get(), pending_.data(), std::min(pending_.size(), write_bytes_max));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n < 0) {
        // It reads no more; that it ended, if so, is seen on its stdout.
        pending_.clear();
        child_.stdin_fd.reset();
        return;
    }
    pending_.erase(0, static_cast<std::size_t>(n));
}

void Subject::read_some() {
    std::array<char, 64 << 10> buffer;
    const ssize_t n = ::read(child_.stdout_fd.get(), buffer.data(), buffer.size());
    if (n > 0) {
        heard_ += static_cast<std::uint64_t>(n);
        return splitter_.feed({buffer.data(), static_cast<std::size_t>(n)}, on_line_);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    splitter_.finish(on_line_);
    child_.stdout_fd.reset();
}

std::optional<io::ExitStatus> Subject::ended(MonoTime deadline) {
    io::ExitStatus status;
    while (!status_) {
        if (child_.reap(status)) {
            status_ = status;
            break;
        }
        const MonoTime now = mono_now();
        if (now >= deadline) break;
        // Its stdin still has to be fed, and no descriptor tells of both at once.
        (void)turn({std::min(deadline.ns, now.ns + reap_period_ns)}, false);
    }
    return status_;
}

std::string Subject::how_it_is() {
    const auto status = ended({mono_now().ns + end_patience_ns / 5});
    return status ? io::exit_text(*status) : "still running";
}

}  // namespace labdeck::conform
