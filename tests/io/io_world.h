// io_world.h - what the tests of io stand on: a folder that goes away, a loop on a thread, a consumer of a
// feed.
//
// Nothing here sleeps to be in step: conditions are asked again until they hold or their deadline is over.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "data/feed.h"
#include "data/source.h"
#include "io/reactor.h"

namespace labdeck::io::world {

/// UBSan's check of a type makes a pipe to look at memory, and reports nonsense when it gets none. g++ tells
/// of ASan alone, which we build with UBSan.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool needs_descriptors_itself = true;
#else
inline constexpr bool needs_descriptors_itself = false;
#endif

inline constexpr std::chrono::seconds patience{20};

/// Asks until it is so. False after a long time.
inline bool becomes(const std::function<bool()>& so) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!so()) {
        if (std::chrono::steady_clock::now() > until) return false;
        ::poll(nullptr, 0, 1);
    }
    return true;
}

inline bool readable(int fd, int ms_max = 20'000) {
    pollfd polled{fd, POLLIN, 0};
    return ::poll(&polled, 1, ms_max) == 1;
}

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* const folder = ::opendir("/proc/self/fd");
    while (::readdir(folder) != nullptr) ++count;
    ::closedir(folder);
    return count;
}

class TempDir {
public:
    TempDir() {
        std::string pattern = (std::filesystem::temp_directory_path() / "labdeck-io-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir() { std::filesystem::remove_all(path_); }

    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }
    bool empty() const { return std::filesystem::is_empty(path_); }

private:
    std::string path_;
};

/// A reactor that runs on a thread of its own.
class Loop {
public:
    Loop() : reactor_(Reactor::create("test-loop").value()), thread_([this] { reactor_->run(); }) {}
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop() {
        reactor_->stop();
        thread_.join();
    }

    Reactor& reactor() { return *reactor_; }

    /// Runs `call` on the loop's thread and returns what it returns.
    template <typename Call>
    auto on(Call call) {
        std::packaged_task<decltype(call())()> task(std::move(call));
        auto result = task.get_future();
        reactor_->post([&task] { task(); });
        return result.get();
    }

private:
    std::unique_ptr<Reactor> reactor_;
    std::thread thread_;
};

/// Takes what a source says and forgets it, after having shown each byte once. Thread: the test's.
class Consumer {
public:
    explicit Consumer(std::size_t blocks_max) : feed(std::make_shared<data::Feed>(blocks_max, nullptr)) {}

    /// Shows what has come since the last call. False once the source has ended and all was seen.
    bool look(const std::function<void(std::string_view)>& show) {
        const bool ended = feed->ended();
        feed->rest();
        while (true) {
            if (!show_newest(show)) break;
            std::array<data::BlockRef, 1> next;
            if (feed->take(next) == 0) break;
            newest_ = std::move(next[0]);
            seen_ = 0;
        }
        return !ended;
    }
    /// All that comes until the source ends, or until `bytes` have come.
    std::string all(std::size_t bytes = SIZE_MAX) {
        std::string text;
        becomes(
            [&] { return !look([&text](std::string_view more) { text += more; }) || text.size() >= bytes; });
        return text;
    }

    const std::shared_ptr<data::Feed> feed;

private:
    /// False when the Block still grows, so that it is too early for the next one.
    bool show_newest(const std::function<void(std::string_view)>& show) {
        if (!newest_) return true;
        const data::Block::Published published = newest_->published();
        if (published.bytes > seen_) show(newest_->view(seen_, published.bytes));
        seen_ = published.bytes;
        return published.sealed;
    }

    data::BlockRef newest_;
    std::uint32_t seen_ = 0;
};

}  // namespace labdeck::io::world
