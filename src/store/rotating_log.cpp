#include "store/rotating_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace labdeck::store {

namespace {

// How far a file may go over its limit to end a line.
constexpr std::uint64_t line_slack_bytes = 64U << 10;
constexpr std::size_t name_bytes_max = 120;

bool stands_in_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

/// FNV-1a of 64 bits.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return hash;
}

/// The folder and those above it, each the user's alone where it is made.
Result<> make_folder(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return {};
    if (errno != ENOENT) return os_error("make the folder " + folder);
    const std::string above = std::filesystem::path(folder).parent_path();
    if (above.empty() || above == folder) return os_error("make the folder " + folder);
    LD_TRY(make_folder(above));
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return os_error("make the folder " + folder);
    return {};
}

bool continues_a_sequence(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

}  // namespace

std::string log_name(std::string_view script_id) {
    // A name that no other id has: a lone % is never made from a byte.
    if (script_id.empty()) return "%";
    std::string name;
    for (const char c : script_id) {
        if (stands_in_a_name(c) && !(c == '.' && name.empty())) {
            name += c;
        } else {
            name += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    if (name.size() <= name_bytes_max) return name;
    return fmt::format("{}%-{:016x}", name.substr(0, name_bytes_max - 18), hash_of(script_id));
}

RotatingLog::RotatingLog(std::string folder, std::string name, LogLimits limits, OnTrouble on_trouble)
    : folder_(std::move(folder)),
      path_(fmt::format("{}/{}.log", folder_, name)),
      limits_{std::max<std::uint64_t>(limits.bytes_max, 1), std::max(limits.files_max, 1U)},
      on_trouble_(std::move(on_trouble)) {}

RotatingLog::~RotatingLog() = default;

void RotatingLog::append(std::string_view bytes) noexcept {
    if (bytes.empty()) return;
    Result<> done = make_ready();
    // A note must not make a file grow that could not be put aside.
    if (done && dropped_unnoted_ > 0 && size_ >= limits_.bytes_max) done = rotate();
    if (done && dropped_unnoted_ > 0) done = write_note();
    if (done) done = write_split(bytes);
    if (!done) return begin_trouble(done.error(), bytes.size());
    if (in_trouble_) end_trouble();
}

/// An open file that has a name in its folder, or the reason why there is none.
Result<> RotatingLog::make_ready() {
    struct stat about {};
    if (fd_) {
        if (::fstat(fd_.get(), &about) == 0 && about.st_nlink > 0) return {};
        // Somebody removed it. What is written to it now would be lost without a word.
        fd_.reset();
    }
    LD_TRY(make_folder(folder_));
    UniqueFd fd(
        ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!fd) return os_error("open " + path_);
    if (::fstat(fd.get(), &about) != 0) return os_error("look at " + path_);
    if (!S_ISREG(about.st_mode)) return fail(Code::io, path_ + " is no plain file; move it away");
    // A file system without permissions has none to set.
    if ((about.st_mode & 0777U) != 0600) (void)::fchmod(fd.get(), 0600);
    size_ = static_cast<std::uint64_t>(about.st_size);
    char last = '\n';
    if (size_ > 0 && ::pread(fd.get(), &last, 1, about.st_size - 1) != 1) return os_error("read " + path_);
    at_line_start_ = last == '\n';
    fd_ = std::move(fd);
    return {};
}

/// Takes from `bytes` what is written, also when it fails half-way.
Result<> RotatingLog::write_whole(std::string_view& bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("write " + path_);
        if (n == 0) return fail(os_error_value("write " + path_, ENOSPC));
        at_line_start_ = bytes[static_cast<std::size_t>(n) - 1] == '\n';
        size_ += static_cast<std::uint64_t>(n);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

/// The same, with a change of files where the limit says so.
Result<> RotatingLog::write_split(std::string_view& bytes) {
    while (bytes.size() > limits_.bytes_max - std::min(size_, limits_.bytes_max)) {
        std::string_view part = bytes.substr(0, place_to_rotate(bytes));
        const std::size_t taken = part.size();
        Result<> done = write_whole(part);
        bytes.remove_prefix(taken - part.size());
        if (!done) return done;
        // The next file begins with the next byte, so that the current one is not empty until then.
        if (bytes.empty()) return {};
        LD_TRY(rotate());
    }
    return write_whole(bytes);
}

/// How many of `bytes`, which go over the limit, still belong to the current file: up to the last end of a
/// line below the limit, or the first above it, or as far as a file may go.
std::size_t RotatingLog::place_to_rotate(std::string_view bytes) const {
    const std::uint64_t room = limits_.bytes_max - std::min(size_, limits_.bytes_max);
    const std::size_t newline = bytes.substr(0, room).rfind('\n');
    if (newline != std::string_view::npos) return newline + 1;
    if (at_line_start_ && size_ > 0) return 0;
    const std::uint64_t size_max = limits_.bytes_max + line_slack_bytes;
    const std::string_view last_chance = bytes.substr(0, size_max - std::min(size_, size_max));
    const std::size_t end = last_chance.find('\n');
    return end == std::string_view::npos ? last_chance.size() : end + 1;
}

Result<> RotatingLog::rotate() {
    const auto numbered = [this](unsigned n) { return n == 0 ? path_ : fmt::format("{}.{}", path_, n); };
    // Files of an earlier run that kept more of them.
    for (unsigned n = limits_.files_max; ::unlink(numbered(n).c_str()) == 0; ++n) continue;
    if (limits_.files_max == 1 && ::unlink(path_.c_str()) != 0 && errno != ENOENT)
        return os_error("remove " + path_);
    for (unsigned n = limits_.files_max - 1; n > 0; --n) {
        const std::string from = numbered(n - 1);
        if (::rename(from.c_str(), numbered(n).c_str()) != 0 && errno != ENOENT)
            return os_error("rename " + from);
    }
    fd_.reset();
    return make_ready();
}

/// All of the line, or nothing of it.
Result<> RotatingLog::write_note() {
    const std::string line = fmt::format("{}[labdeck] {} bytes are missing here: {}\n",
                                         at_line_start_ ? "" : "\n", dropped_unnoted_, trouble_);
    const std::uint64_t size_before = size_;
    const bool line_start_before = at_line_start_;
    std::string_view rest = line;
    Result<> done = write_whole(rest);
    if (done) {
        dropped_unnoted_ = 0;
    } else if (size_ != size_before && ::ftruncate(fd_.get(), static_cast<off_t>(size_before)) == 0) {
        size_ = size_before;
        at_line_start_ = line_start_before;
    }
    return done;
}

void RotatingLog::begin_trouble(const Error& error, std::size_t bytes) noexcept {
    dropped_.fetch_add(bytes, std::memory_order_relaxed);
    dropped_unnoted_ += bytes;
    trouble_ = error.message;
    // A new try opens the file anew: after EIO, or with another file system in its place, that may help.
    fd_.reset();
    if (std::exchange(in_trouble_, true)) return;
    if (on_trouble_)
        on_trouble_(fmt::format("the log is not written: {}; bytes are counted and dropped", trouble_));
}

void RotatingLog::end_trouble() {
    in_trouble_ = false;
    if (on_trouble_) {
        on_trouble_(
            fmt::format("the log {} is written again; {} bytes are missing in all", path_, dropped_bytes()));
    }
}

Result<std::string> RotatingLog::read_tail(const std::string& path, std::size_t bytes_max) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::string();
    if (!fd) return os_error("open " + path);
    struct stat about {};
    if (::fstat(fd.get(), &about) != 0) return os_error("look at " + path);
    if (!S_ISREG(about.st_mode)) return fail(Code::io, path + " is no plain file");
    const auto size = static_cast<std::size_t>(about.st_size);
    const std::size_t from = size - std::min(size, bytes_max);
    std::string text(size - from, '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
        const ssize_t n =
            ::pread(fd.get(), text.data() + filled, text.size() - filled, static_cast<off_t>(from + filled));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("read " + path);
        // Somebody made it shorter meanwhile.
        if (n == 0) break;
        filled += static_cast<std::size_t>(n);
    }
    text.resize(filled);
    if (from > 0) {
        std::size_t skipped = 0;
        while (skipped < std::min<std::size_t>(3, text.size()) && continues_a_sequence(text[skipped]))
            ++skipped;
        text.erase(0, skipped);
    }
    return text;
}

}  // namespace labdeck::store
