// subject.h - the program under test, as lines in and lines out.
//
// Never waits longer than it was told, whatever the program does: it may flood, stop
// reading, or end. Reads no further ahead than one buffer. Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "contract/framing.h"
#include "io/child_process.h"

namespace labdeck::conform {

class Subject {
public:
    /// Fails when the program cannot be started. Its stderr is ours.
    [[nodiscard]] static Result<std::unique_ptr<Subject>> start(const std::vector<std::string>& command);
    /// End of file on its stdin; SIGKILL to its group when it is still there a second later.
    ~Subject();
    Subject(const Subject&) = delete;
    Subject& operator=(const Subject&) = delete;

    /// Queues bytes, which go out while next() or ended() waits. Nothing after close_input().
    void send(std::string_view bytes) { pending_ += bytes; }
    /// End of file on the program's stdin once all is sent.
    void close_input() { closing_ = true; }

    enum class Heard : unsigned char {
        line,      ///< `line` has it, without its newline.
        too_long,  ///< A line beyond the contract's bound went by.
        end,       ///< Its stdout is closed: nothing will come any more.
        silence,   ///< The deadline is over.
    };
    Heard next(std::string& line, MonoTime deadline);

    /// Waits for the program's end; what it still says may be read with next() before. Empty at the deadline.
    std::optional<io::ExitStatus> ended(MonoTime deadline);
    /// "exit 1", or that it still runs.
    std::string how_it_is();

    /// Bytes that it has written so far.
    std::uint64_t heard() const noexcept { return heard_; }
    /// Bytes that it has not taken yet.
    std::size_t unsent() const noexcept { return pending_.size(); }

private:
    Subject(io::ChildProcess child);
    /// One round of poll(). False at the deadline.
    bool turn(MonoTime deadline, bool read);
    void write_some();
    void read_some();

    io::ChildProcess child_;
    contract::LineSplitter splitter_;
    contract::LineSplitter::Handler on_line_;
    std::string pending_;
    std::deque<std::optional<std::string>> lines_;  ///< Empty ones stand for lines that were too long.
    std::optional<io::ExitStatus> status_;
    std::uint64_t heard_ = 0;
    bool closing_ = false;
};

}  // namespace labdeck::conform
