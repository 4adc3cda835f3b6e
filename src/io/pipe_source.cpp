#include "io/pipe_source.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace labdeck::io {

namespace {

constexpr int pipe_bytes_wanted = 1 << 20;
// What every user may have, and as fast as more.
constexpr int pipe_bytes_modest = 256 << 10;

// 1 ms at full speed; then the reactor's other descriptors have their turn.
constexpr std::size_t bytes_a_round_max = 4U << 20;

// A child's start needs no more than this; a flood fills the pipe between two rounds.
constexpr std::size_t bulk_round_bytes = 128U << 10;

// One for all sources of a thread, so that it stays in its core's cache.
char* hot_buffer() noexcept {
    alignas(64) thread_local std::array<char, data::Block::bytes_max> buffer;
    return buffer.data();
}

void grow_pipe(int fd) noexcept {
    if (::fcntl(fd, F_GETPIPE_SZ) >= pipe_bytes_wanted) return;
    if (::fcntl(fd, F_SETPIPE_SZ, pipe_bytes_wanted) < 0) ::fcntl(fd, F_SETPIPE_SZ, pipe_bytes_modest);
}

bool is_pipe(int fd) noexcept {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

// A pipe of our own behind the writer's. Pages move over by reference, under the writer's lock for a moment
// only; copying them out then hinders nobody. Reading the writer's own pipe holds that lock while it copies,
// and the two spend half of their time waiting for each other.
class Sluice {
public:
    std::size_t pending() const noexcept { return pending_; }
    bool usable() noexcept {
        if (!tried_) open();
        return static_cast<bool>(out_);
    }
    /// As read() would say it: bytes taken over, 0 at end of file, -1 with errno.
    ssize_t let_in(int fd) noexcept {
        const ssize_t n =
            ::splice(fd, nullptr, in_.get(), nullptr, pipe_bytes_wanted, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n > 0) pending_ = static_cast<std::size_t>(n);
        return n;
    }
    ssize_t read(char* to, std::size_t size) noexcept {
        const ssize_t n = ::read(out_.get(), to, std::min(size, pending_));
        if (n > 0) pending_ -= static_cast<std::size_t>(n);
        return n;
    }

private:
    void open() noexcept {
        tried_ = true;
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;  // Then it goes without.
        out_ = UniqueFd(ends[0]);
        in_ = UniqueFd(ends[1]);
        grow_pipe(in_.get());
    }

    UniqueFd out_;
    UniqueFd in_;
    bool tried_ = false;
    std::size_t pending_ = 0;
};

// Tells a flood of small writes from few writes and from large ones, by a short sample of reads. Its answer
// holds for a while, because a reader that naps no longer sees how small the writes are.
class FloodSense {
public:
    void saw_read(std::size_t bytes, MonoTime now) noexcept {
        if (naps(now)) return;
        if (reads_ == 0) begun_ = now;
        bytes_ += bytes;
        if (++reads_ < sample_reads) return;
        const std::int64_t took_ns = now.ns - begun_.ns;
        if (bytes_ < sample_reads * small_bytes && took_ns < sample_reads * read_ns_max) {
            naps_until_ns_ = now.ns + hold_ns;
        }
        reads_ = 0;
        bytes_ = 0;
    }
    // A nap that let so much gather could hold the writer back the next time.
    void saw_round(std::size_t bytes) noexcept {
        if (bytes > bulk_bytes) naps_until_ns_ = 0;
    }
    bool naps(MonoTime now) const noexcept { return now.ns < naps_until_ns_; }

    // The pipe holds what a flood of lines brings in that time five times over.
    static constexpr std::int64_t nap_ns = 200'000;

private:
    static constexpr std::int64_t sample_reads = 32;
    static constexpr std::int64_t small_bytes = 2048;
    static constexpr std::int64_t read_ns_max = 50'000;  // 20,000 reads a second.
    static constexpr std::int64_t hold_ns = 50'000'000;
    static constexpr std::size_t bulk_bytes = 256U << 10;

    std::int64_t reads_ = 0;
    std::size_t bytes_ = 0;
    MonoTime begun_;
    std::int64_t naps_until_ns_ = 0;
};

// Tells many writers from one: then rounds follow each other closely, and a nap lets one round serve several.
// One for all sources of a thread. None naps while any of them reads so much that its pipe could be full
// after a nap.
class Crowd {
public:
    static Crowd& of_this_thread() noexcept {
        thread_local Crowd crowd;
        return crowd;
    }
    void saw_round(std::uint64_t round, std::size_t bytes, std::size_t pipe_bytes, MonoTime now) noexcept {
        if (bytes > pipe_bytes / share_of_pipe) awake_until_ns_ = now.ns + hold_ns;
        if (round == round_) return;
        close_ = now.ns - at_.ns < close_ns;
        round_ = round;
        at_ = now;
    }
    bool naps(MonoTime now) const noexcept { return close_ && now.ns >= awake_until_ns_; }

    static constexpr std::int64_t nap_ns = 1'000'000;

private:
    static constexpr std::int64_t close_ns = 2'000'000;
    static constexpr std::int64_t hold_ns = 50'000'000;
    static constexpr std::size_t share_of_pipe = 8;

    std::uint64_t round_ = 0;
    MonoTime at_;
    bool close_ = false;
    std::int64_t awake_until_ns_ = 0;
};

}  // namespace

struct PipeSource::Impl {
    // Reaches the source from a posted call only while the source is there.
    struct Link {
        Impl* source = nullptr;
    };

    Impl(Reactor& reactor_, UniqueFd fd_, data::SourceInfo info, Limits limits,
         std::function<void(int)> on_end_)
        : reactor(reactor_),
          fd(std::move(fd_)),
          pipe(is_pipe(fd.get())),
          on_end(std::move(on_end_)),
          writer(std::move(info), blocks_of(limits), data::SourceWriter::WhenFull::wait, resumer()) {
        link->source = this;
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        link->source = nullptr;
        if (idle_timer != 0) reactor.cancel(idle_timer);
        if (watch != 0) reactor.unwatch(watch);
    }

    static std::size_t blocks_of(const Limits& limits) noexcept {
        return std::max<std::size_t>((limits.retained_bytes + limits.ahead_bytes) / data::Block::bytes_max,
                                     2);
    }
    std::function<void()> resumer();
    Result<> start();
    void read_round();
    void filter_round();
    bool write_filtered();
    void flush_filter(const std::function<void(const Filter::Out&)>& flush);
    void flush_when_idle();
    ssize_t read_some(char* to, std::size_t size);
    void wait_for_room();
    void nap_in_crowd(std::size_t total, MonoTime now) const;
    void resume();
    void ended(int os);
    void finish();

    Reactor& reactor;
    UniqueFd fd;
    const bool pipe;
    std::size_t pipe_bytes = 0;
    std::function<void(int)> on_end;
    std::shared_ptr<Link> link = std::make_shared<Link>();
    data::SourceWriter writer;
    WatchId watch = 0;
    FloodSense flood;
    Sluice sluice;
    bool emptied = false;  // The last call took all there was; asking again would only cost a call.
    bool bulk = false;     // The last round brought so much that Blocks are cold before they are used again.
    Filter filter;
    std::string filtered;  // Came out of the filter and waits for room.
    MonoTime filtered_at;
    TimerId idle_timer = 0;
    bool over = false;  // End of file or an error was read; `end_os` says which.
    int end_os = 0;
};

std::function<void()> PipeSource::Impl::resumer() {
    // Called from any thread, and by Blocks that outlive the source and its reactor.
    return [poster = reactor.poster(), weak = std::weak_ptr<Link>(link)] {
        poster.post([weak] {
            const auto held = weak.lock();
            if (held && held->source != nullptr) held->source->resume();
        });
    };
}

Result<> PipeSource::Impl::start() {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) return os_error("read a pipe");
    if (pipe) {
        grow_pipe(fd.get());
        pipe_bytes = static_cast<std::size_t>(std::max(::fcntl(fd.get(), F_GETPIPE_SZ), 0));
    }
    watch = LD_TRY(reactor.watch(fd.get(), EPOLLIN, [this](std::uint32_t) { read_round(); }));
    return {};
}

ssize_t PipeSource::Impl::read_some(char* to, std::size_t size) {
    if (sluice.pending() == 0) {
        const bool by_sluice = bulk && pipe && sluice.usable();
        const ssize_t n = by_sluice ? sluice.let_in(fd.get()) : ::read(fd.get(), to, size);
        emptied = n < static_cast<ssize_t>(by_sluice ? data::Block::bytes_max : size);
        if (!by_sluice || n <= 0) return n;
    }
    return sluice.read(to, size);
}

// The road of filtered output: through a buffer, since a filter may make more of what it gets. Reads on only
// when all of that has found room.
void PipeSource::Impl::filter_round() {
    if (!filter) {
        // It was taken away while something waited behind it.
        if (write_filtered()) read_round();
        return;
    }
    std::size_t total = 0;
    while (total < bytes_a_round_max) {
        if (!write_filtered()) break;
        const ssize_t n = read_some(hot_buffer(), data::Block::bytes_max);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) return ended(n < 0 ? errno : 0);
        filtered_at = mono_now();
        filter.feed({hot_buffer(), static_cast<std::size_t>(n)},
                    [this](std::string_view out) { filtered += out; });
        total += static_cast<std::size_t>(n);
        if (emptied && sluice.pending() == 0) break;
    }
    write_filtered();
    if (total == 0) return;
    writer.notify();
    flush_when_idle();
    nap_in_crowd(total, filtered_at);
}

// False when it has to wait for room.
bool PipeSource::Impl::write_filtered() {
    if (filtered.empty()) return true;
    filtered.erase(0, writer.write(filtered, filtered_at));
    if (filtered.empty()) return true;
    wait_for_room();
    return false;
}

void PipeSource::Impl::flush_filter(const std::function<void(const Filter::Out&)>& flush) {
    if (!flush) return;
    flush([this](std::string_view out) { filtered += out; });
    if (filtered.empty()) return;
    write_filtered();
    writer.notify();
}

void PipeSource::Impl::flush_when_idle() {
    if (idle_timer != 0) reactor.cancel(idle_timer);
    idle_timer = reactor.after(filter.idle_ns, [this] {
        idle_timer = 0;
        flush_filter(filter.idle);
    });
}

void PipeSource::Impl::read_round() {
    if (filter || !filtered.empty()) return filter_round();
    std::size_t total = 0;
    MonoTime now;
    while (total < bytes_a_round_max) {
        const std::span<char> room = writer.space();
        if (room.empty()) {
            wait_for_room();
            break;
        }
        char* const to = bulk ? hot_buffer() : room.data();
        const ssize_t n = read_some(to, room.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) return ended(n < 0 ? errno : 0);
        now = mono_now();
        const auto size = static_cast<std::size_t>(n);
        if (bulk) {
            writer.commit_from({to, size}, now);
        } else {
            writer.commit(size, now);
        }
        total += size;
        if (pipe) flood.saw_read(size, now);
        if (emptied && sluice.pending() == 0) break;
    }
    bulk = total >= bulk_round_bytes || sluice.pending() > 0;
    if (total == 0) return;
    writer.notify();
    flood.saw_round(total);
    nap_in_crowd(total, now);
    if (pipe && flood.naps(now)) reactor.nap_next_round(FloodSense::nap_ns);
}

void PipeSource::Impl::nap_in_crowd(std::size_t total, MonoTime now) const {
    if (!pipe) return;
    Crowd& crowd = Crowd::of_this_thread();
    crowd.saw_round(reactor.rounds(), total, pipe_bytes, now);
    if (crowd.naps(now)) reactor.nap_next_round(Crowd::nap_ns);
}

void PipeSource::Impl::wait_for_room() {
    if (watch != 0) reactor.change(watch, 0);
}

void PipeSource::Impl::resume() {
    if (over) return finish();
    if (watch == 0) return;
    reactor.change(watch, EPOLLIN);
    // The reactor sees neither what waits in the sluice nor what waits behind the filter.
    if (sluice.pending() > 0 || !filtered.empty()) read_round();
}

void PipeSource::Impl::ended(int os) {
    over = true;
    // A terminal says so when its last opener has left.
    end_os = os == EIO && !pipe ? 0 : os;
    reactor.unwatch(std::exchange(watch, 0));
    fd.reset();
    flush_filter(filter.flush);
    if (end_os != 0) writer.counters()->errors.fetch_add(1, std::memory_order_relaxed);
    finish();
}

void PipeSource::Impl::finish() {
    if (!on_end) return;
    if (!filtered.empty()) {
        filtered.erase(0, writer.write(filtered, filtered_at));
        writer.notify();
        if (!filtered.empty()) return;
    }
    // What is carried over to the next Block still has to find room; resume() comes back here then.
    if (writer.carries() && writer.space().empty()) {
        writer.notify();
        return;
    }
    writer.end();
    const auto call = std::exchange(on_end, nullptr);
    call(end_os);
}

Result<std::unique_ptr<PipeSource>> PipeSource::create(Reactor& reactor, UniqueFd fd, data::SourceInfo info,
                                                       Limits limits, std::function<void(int os)> on_end) {
    // Called once at the end, which finish() tells by it.
    if (!on_end) on_end = [](int) {};
    auto impl = std::make_unique<Impl>(reactor, std::move(fd), std::move(info), limits, std::move(on_end));
    LD_TRY(impl->start());
    return std::unique_ptr<PipeSource>(new PipeSource(std::move(impl)));
}

PipeSource::PipeSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PipeSource::~PipeSource() = default;

void PipeSource::set_filter(Filter filter) {
    impl_->flush_filter(impl_->filter.flush);
    impl_->filter = std::move(filter);
}

data::SourceWriter& PipeSource::writer() noexcept {
    return impl_->writer;
}

}  // namespace labdeck::io
