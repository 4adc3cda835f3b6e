#include "updates/package.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "io/child_process.h"
#include "updates/fetch.h"

namespace labdeck::updates {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t piece_bytes = 1U << 20;
constexpr std::int64_t trial_ns = 10'000'000'000;
constexpr std::size_t trial_bytes_max = 4096;
/// Another thread's child may hold our file open for writing, for the moment between its fork and its exec.
constexpr int busy_text_tries = 50;

class RemovedAtEnd {
public:
    explicit RemovedAtEnd(std::string path) : path_(std::move(path)) {}
    ~RemovedAtEnd() {
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    RemovedAtEnd(const RemovedAtEnd&) = delete;
    RemovedAtEnd& operator=(const RemovedAtEnd&) = delete;
    void keep() { path_.clear(); }

private:
    std::string path_;
};

Error canceled() {
    return {Code::canceled, "given up on request", 0, {}};
}

Result<> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return os_error("write " + path);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// Reads from where the descriptor stands to the end of the file, and hands it on.
Result<std::uint64_t> read_all(int fd, const std::string& path, const std::stop_token& stop,
                               const std::function<Result<>(std::string_view)>& sink) {
    std::string piece(piece_bytes, '\0');
    std::uint64_t bytes = 0;
    for (;;) {
        if (stop.stop_requested()) return fail(canceled());
        const ssize_t got = ::read(fd, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("read " + path);
        if (got == 0) return bytes;
        bytes += static_cast<std::uint64_t>(got);
        LD_TRY(sink({piece.data(), static_cast<std::size_t>(got)}));
    }
}

Result<> agree(const Release& release, std::uint64_t size, const std::string& sha256,
               const std::string& what) {
    if (size == release.size && sha256 == release.sha256) return {};
    return fail(Code::denied,
                fmt::format("{} is not what the feed has signed as {}: {} bytes with SHA-256 {}, and not {} "
                            "with {}; it is not used",
                            what, release.version.text(), size, sha256, release.size, release.sha256));
}

/// The file that grows. Holds its lock.
struct Part {
    UniqueFd fd;
    std::string path;
    std::uint64_t size = 0;
    Sha256 hash;

    Result<> restart() {
        if (::ftruncate(fd.get(), 0) != 0 || ::lseek(fd.get(), 0, SEEK_SET) != 0)
            return os_error("empty " + path);
        size = 0;
        hash = Sha256();
        return {};
    }
    Result<> append(std::string_view bytes) {
        LD_TRY(write_all(fd.get(), bytes, path));
        hash.add(bytes);
        size += bytes.size();
        return {};
    }
};

Result<Part> open_part(const std::string& path, std::uint64_t size_max, const std::stop_token& stop) {
    Part part;
    part.path = path;
    part.fd.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!part.fd) return os_error("open " + path);
    if (::flock(part.fd.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(Code::busy,
                    fmt::format("another Labdeck of yours is downloading this version, to {}", path));
    }
    part.size = LD_TRY(read_all(part.fd.get(), path, stop, [&](std::string_view bytes) -> Result<> {
        part.hash.add(bytes);
        return {};
    }));
    if (part.size > size_max) LD_TRY(part.restart());
    return part;
}

/// Waits, unless it is to stop.
Result<> pause(std::int64_t ms, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
    if (stop.stop_requested()) return fail(canceled());
    return {};
}

Result<> fetch_rest(Part& part, const Release& release, const DownloadRequest& request,
                    const std::function<void(std::uint64_t)>& on_progress) {
    int attempt = 1;
    while (part.size < release.size) {
        const std::uint64_t before = part.size;
        FetchRequest from{request.url, part.size, release.size - part.size};
        from.silence_s = request.silence_s;
        from.stop = request.stop;
        FetchResult result = fetch(from, [&](std::string_view bytes) -> Result<> {
            LD_TRY(part.append(bytes));
            on_progress(part.size);
            return {};
        });
        if (result.end == FetchEnd::no_ranges && before > 0) {
            LD_TRY(part.restart());
            continue;
        }
        if (result.end == FetchEnd::done && part.size < release.size) {
            result = {FetchEnd::broke_off, {Code::io, fmt::format("{}: ended early", request.url), 0, {}}};
        }
        if (result.end == FetchEnd::done) break;
        if (part.size > before) attempt = 0;
        if (result.end != FetchEnd::broke_off || ++attempt > attempts_max) {
            result.error.message += fmt::format("; {} of {} bytes are here and are kept for the next try",
                                                part.size, release.size);
            return fail(std::move(result.error));
        }
        LD_TRY(pause(request.pause_ms << std::max(0, attempt - 2), request.stop));
    }
    return {};
}

/// What earlier versions left. Whatever cannot be deleted stays.
void clear_others(const std::string& folder, const std::string& name) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        const std::string other = entry.path().filename();
        if (other.starts_with("labdeck-") && !other.starts_with(name)) ::unlink(entry.path().c_str());
    }
}

/// What it says when it is asked for its version; that it runs at all on this machine.
Result<std::string> version_of(const std::string& program, const std::stop_token& stop) {
    io::SpawnRequest request;
    request.argv = {program, "--version"};
    auto child = io::ChildProcess::spawn(request);
    for (int i = 1; !child && child.error().os == ETXTBSY && i < busy_text_tries; ++i) {
        LD_TRY(pause(20, stop));
        child = io::ChildProcess::spawn(request);
    }
    if (!child) return fail(std::move(child).error());
    child->stdin_fd.reset();
    std::string said;
    const std::int64_t until = mono_now().ns + trial_ns;
    std::array<char, trial_bytes_max> piece{};
    std::array<pollfd, 2> watched{{{child->stdout_fd.get(), POLLIN, 0}, {child->exit_fd(), POLLIN, 0}}};
    io::ExitStatus status;
    while (!child->reap(status)) {
        if (stop.stop_requested()) return fail(canceled());
        if (mono_now().ns > until || said.size() > trial_bytes_max)
            return fail(Code::denied, "it does not say its version");
        ::poll(watched.data(), watched.size(), 100);
        const ssize_t got = ::read(child->stdout_fd.get(), piece.data(), piece.size());
        if (got > 0) said.append(piece.data(), static_cast<std::size_t>(got));
        // Only its end is still waited for.
        if (got == 0) watched[0].fd = -1;
    }
    const ssize_t rest = ::read(child->stdout_fd.get(), piece.data(), piece.size());
    if (rest > 0) said.append(piece.data(), static_cast<std::size_t>(rest));
    if (status.signaled || status.code != 0)
        return fail(Code::denied,
                    fmt::format("asked for its version, it ends with {}", io::exit_text(status)));
    said.resize(std::min(said.size(), said.find_last_not_of(" \r\n") + 1));
    return said;
}

Result<> sync_folder_of(const std::string& path) {
    const std::string folder = fs::path(path).parent_path();
    const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return os_error("sync " + folder);
    return {};
}

/// The old program under a second name: the way back, by hand.
Result<> keep_previous(const std::string& program) {
    const std::string previous = program + ".previous";
    const std::string made = previous + ".new";
    ::unlink(made.c_str());
    if (::link(program.c_str(), made.c_str()) != 0) {
        std::error_code failed;
        fs::copy_file(program, made, failed);
        if (failed) return fail(os_error_value("copy " + program + " to " + made, failed.value()));
    }
    if (::rename(made.c_str(), previous.c_str()) != 0) return os_error("make " + previous);
    return {};
}

}  // namespace

Result<std::string> download(const Release& release, const DownloadRequest& request,
                             const std::function<void(std::uint64_t)>& on_progress) {
    std::error_code failed;
    fs::create_directories(request.folder, failed);
    if (failed) return fail(os_error_value("make " + request.folder, failed.value()));
    fs::permissions(request.folder, fs::perms::owner_all, failed);
    const std::string name =
        fmt::format("labdeck-{}-{}", release.version.text(), std::string_view(release.sha256).substr(0, 16));
    const std::string path = request.folder + '/' + name;
    clear_others(request.folder, name);

    // One that is whole already is looked at again, and not fetched.
    ::rename(path.c_str(), (path + ".part").c_str());
    Part part = LD_TRY(open_part(path + ".part", release.size, request.stop));
    on_progress(part.size);
    const bool was_kept = part.size > 0;
    LD_TRY(fetch_rest(part, release, request, on_progress));
    auto agrees = agree(release, part.size, part.hash.hex(), request.url);
    if (!agrees && was_kept) {
        // What was here before may be what is wrong.
        LD_TRY(part.restart());
        LD_TRY(fetch_rest(part, release, request, on_progress));
        agrees = agree(release, part.size, part.hash.hex(), request.url);
    }
    if (!agrees) {
        ::unlink(part.path.c_str());
        return fail(std::move(agrees).error());
    }
    if (::fsync(part.fd.get()) != 0) return os_error("sync " + part.path);
    if (::rename(part.path.c_str(), path.c_str()) != 0) return os_error("make " + path);
    return path;
}

Result<> install(const Release& release, const std::string& file, const std::string& program,
                 const std::stop_token& stop) {
    struct stat old {};
    if (::stat(program.c_str(), &old) != 0) return os_error("look at " + program);
    std::string made = fs::path(program).parent_path().string() + "/.labdeck-update-XXXXXX";
    UniqueFd to(::mkostemp(made.data(), O_CLOEXEC));
    if (!to) {
        Error error = os_error_value("write beside " + program);
        error.message += "; a program that a package installed is updated by its package";
        return fail(std::move(error));
    }
    RemovedAtEnd beside(made);
    const UniqueFd from(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!from) return os_error("open " + file);
    Sha256 hash;
    const std::uint64_t size =
        LD_TRY(read_all(from.get(), file, stop, [&](std::string_view bytes) -> Result<> {
            hash.add(bytes);
            return write_all(to.get(), bytes, made);
        }));
    LD_TRY(agree(release, size, hash.hex(), file));
    if (::fchmod(to.get(), (old.st_mode & 0777U) | 0100U) != 0 || ::fsync(to.get()) != 0)
        return os_error("finish " + made);
    to.reset();
    const std::string said = LD_TRY(version_of(made, stop));
    if (said != release.version.text()) {
        return fail(Code::denied, fmt::format("the program of {} says that it is \"{}\"; it is not used",
                                              release.version.text(), said));
    }
    LD_TRY(keep_previous(program));
    if (::rename(made.c_str(), program.c_str()) != 0) return os_error("replace " + program);
    beside.keep();
    return sync_folder_of(program);
}

}  // namespace labdeck::updates
