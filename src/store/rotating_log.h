// rotating_log.h - one script's log on disk: bytes as they came, in files that take turns.
//
//   NAME.log     what is written now
//   NAME.log.1   the one before; and so on up to files_max files in all
//
// append() never fails and never waits for more than the disk: what cannot be written is counted, told of
// once, and noted in the log by one line when writing works again, be it that the disk has room or that the
// folder was made anew. A file goes over its limit only to end a line, and by 64 KiB at most.
//
// Files have mode 0600, their folder 0700. One writer a name; its process ignores SIGXFSZ, where there is a
// limit on file sizes, as it ignores SIGPIPE.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace labdeck::store {

struct LogLimits {
    std::uint64_t bytes_max = 10U << 20;  ///< Of one file; at least 1. rotate_never for no limit.
    unsigned files_max = 5;               ///< The current one among them; at least 1.
    static constexpr std::uint64_t rotate_never = ~std::uint64_t{0};
};

/// The name, without folder and .log, of the log of a script with this id. Different ids have different
/// names; whatever the id holds, there is no slash in the name, no dot before it, and at most 120 bytes of
/// it.
std::string log_name(std::string_view script_id);

class RotatingLog {
public:
    /// `on_trouble` hears one sentence when bytes begin to be lost, and one when that is over; on the thread
    /// of append(). May be empty.
    using OnTrouble = std::function<void(const std::string& sentence)>;

    /// Opens nothing yet: that is for the first append().
    RotatingLog(std::string folder, std::string name, LogLimits limits, OnTrouble on_trouble = nullptr);
    RotatingLog(const RotatingLog&) = delete;
    RotatingLog& operator=(const RotatingLog&) = delete;
    ~RotatingLog();

    /// Goes on where the file ends, whoever wrote it. Best with pieces of many kilobytes: one write() each.
    void append(std::string_view bytes) noexcept;

    /// Bytes that were to be written and are not. Thread: any.
    std::uint64_t dropped_bytes() const noexcept { return dropped_.load(std::memory_order_relaxed); }

    /// The current file.
    const std::string& path() const noexcept { return path_; }

    /// The current file's last bytes, at most `bytes_max`; not from within a UTF-8 sequence. Empty when there
    /// is no file. Thread: any.
    [[nodiscard]] static Result<std::string> read_tail(const std::string& path, std::size_t bytes_max);
    static constexpr std::size_t tail_bytes_max = 4U << 20;  ///< Of process.readLog.

private:
    Result<> make_ready();
    Result<> write_whole(std::string_view& bytes);
    Result<> write_split(std::string_view& bytes);
    Result<> write_note();
    Result<> rotate();
    std::size_t place_to_rotate(std::string_view bytes) const;
    void begin_trouble(const Error& error, std::size_t bytes) noexcept;
    void end_trouble();

    const std::string folder_;
    const std::string path_;
    const LogLimits limits_;
    const OnTrouble on_trouble_;

    UniqueFd fd_;
    std::uint64_t size_ = 0;  ///< Of the current file.
    bool at_line_start_ = true;
    std::atomic<std::uint64_t> dropped_{0};
    std::uint64_t dropped_unnoted_ = 0;  ///< Of those, what no line in the log tells of yet.
    bool in_trouble_ = false;
    std::string trouble_;  ///< What the last trouble was.
};

}  // namespace labdeck::store
