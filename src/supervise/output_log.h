// output_log.h - where a script's output goes beside the window: to its log on disk, and to whoever listens
// for it.
//
// Takes the Blocks of one source on the store's thread. A disk that is slow holds the script back once the
// feed is full; one that is broken does not, its log counts what it could not write. Nothing is read line by
// line. What little scripts say is gathered for 20 ms, so that many of them cost few wake-ups and few writes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "data/feed.h"
#include "io/reactor.h"
#include "store/rotating_log.h"

namespace labdeck::supervise {

class OutputLog;

/// Wakes the store's thread once for all logs that have news.
class LogRounds : public std::enable_shared_from_this<LogRounds> {
public:
    explicit LogRounds(io::Reactor& store) : store_(store), poster_(store.poster()) {}
    LogRounds(const LogRounds&) = delete;
    LogRounds& operator=(const LogRounds&) = delete;
    ~LogRounds() = default;

    /// Thread: any, while the store's reactor is there or after it. Has it drained within 20 ms.
    void join(std::weak_ptr<OutputLog> log);

private:
    void run();

    io::Reactor& store_;
    const io::Reactor::Poster poster_;
    std::mutex mutex_;
    std::vector<std::weak_ptr<OutputLog>> waiting_;
};

class OutputLog : public std::enable_shared_from_this<OutputLog> {
public:
    /// Pieces of valid UTF-8 in order, of at most 64 KiB read: what is none has become U+FFFD, and a code
    /// point that two reads cut comes whole. On the store's thread.
    using OnText = std::function<void(std::weak_ptr<OutputLog> from, std::string text)>;

    /// `log` may be null: nothing goes to disk. `blocks_max` bounds what waits for the disk.
    /// Thread: any, but destroyed on the store's, or when its reactor does not run any more.
    static std::shared_ptr<OutputLog> make(io::Reactor& store, std::shared_ptr<LogRounds> rounds,
                                           std::size_t blocks_max, std::shared_ptr<store::RotatingLog> log,
                                           OnText on_text);
    OutputLog(const OutputLog&) = delete;
    OutputLog& operator=(const OutputLog&) = delete;

    /// All that is there. Thread: the store's.
    void drain();

    /// For the source's writer.
    const std::shared_ptr<data::Feed>& feed() const noexcept { return feed_; }
    /// Thread: any. Whether anybody wants text; not, until told.
    void listen(bool wanted) noexcept { wanted_.store(wanted, std::memory_order_relaxed); }
    /// Thread: any. Of the text handed on, so many bytes are dealt with. What was not holds the script back
    /// once it is text_bytes_max.
    void taken(std::size_t bytes);
    static constexpr std::size_t text_bytes_max = 4U << 20;
    /// A run has ended: the beginning of a code point that is its last word becomes U+FFFD, once nothing has
    /// come for half a second; some of what it said may still be on its way. Thread: `store`'s.
    void run_ended(io::Reactor& store);
    /// Another log from here on, or none. Thread: the store's.
    void write_to(std::shared_ptr<store::RotatingLog> log) { log_ = std::move(log); }

private:
    OutputLog(io::Reactor& store, std::shared_ptr<LogRounds> rounds, std::shared_ptr<store::RotatingLog> log,
              OnText on_text);
    void woken();
    void drain_soon();
    void feel_flood();
    bool show_newest();
    void show(std::string_view bytes);
    void hand_on(std::string text);

    const io::Reactor::Poster poster_;
    const std::shared_ptr<LogRounds> rounds_;
    std::shared_ptr<data::Feed> feed_;
    std::shared_ptr<store::RotatingLog> log_;
    const OnText on_text_;
    std::atomic<bool> wanted_{false};
    std::atomic<std::size_t> text_bytes_{0};  ///< Handed on, and not yet dealt with.
    data::BlockRef newest_;
    std::uint32_t seen_ = 0;
    std::string cut_;          ///< The beginning of a code point whose rest has not come.
    std::uint64_t shown_ = 0;  ///< Bytes in all.
    /// So much comes that it cannot wait for a round: the feed would be full before.
    std::atomic<bool> flood_{false};
    MonoTime felt_at_;
    std::uint64_t felt_shown_ = 0;
};

/// `bytes` with what is no UTF-8 as U+FFFD; the beginning of a code point at its end goes to `cut`, and what
/// `cut` held before comes first.
std::string whole_utf8(std::string& cut, std::string_view bytes);

}  // namespace labdeck::supervise
