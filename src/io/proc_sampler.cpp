#include "io/proc_sampler.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <ctime>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/thread_role.h"
#include "base/unique_fd.h"
#include "io/waker.h"

namespace labdeck::io {

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

// PSS makes the kernel walk the page tables, so it is asked for seldom, and more seldom the dearer it was.
constexpr std::uint64_t pss_scans_min = 5;
constexpr std::uint64_t moved_pages_min = 256;
constexpr std::int64_t pss_ns_a_scan = 200'000;
constexpr std::int64_t pss_ns_each_scan_max = 1'000'000;

// A process is looked at again after so many scans, in case its number went to another or its parent left.
constexpr std::uint64_t recheck_scans = 16;

using Buffer = std::array<char, 16'384>;

struct Stat {
    pid_t parent = 0;
    std::uint64_t start_ticks = 0;
    std::uint64_t own_ticks = 0;     // Of its threads, living and ended.
    std::uint64_t reaped_ticks = 0;  // Of the children that it has waited for.
    std::uint64_t resident_pages = 0;
    bool zombie = false;
    char state = '?';
    std::string name;  // At most 15 bytes: no memory of its own.
};

std::string_view read_all(int fd, Buffer& buffer) noexcept {
    const ssize_t n = ::pread(fd, buffer.data(), buffer.size(), 0);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
}

std::string_view read_file(const std::string& path, Buffer& buffer) noexcept {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return fd ? read_all(fd.get(), buffer) : std::string_view{};
}

std::string_view next_word(std::string_view& text) noexcept {
    const std::size_t from = std::min(text.find_first_not_of(" \n"), text.size());
    text.remove_prefix(from);
    const std::size_t size = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(size);
    return word;
}

std::uint64_t number_of(std::string_view word) noexcept {
    std::uint64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

// The number that follows `name` at the start of a line, 0 without one.
std::uint64_t field(std::string_view text, std::string_view name) noexcept {
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos; at += name.size()) {
        if (at != 0 && text[at - 1] != '\n') continue;
        std::string_view rest = text.substr(at + name.size());
        return number_of(next_word(rest));
    }
    return 0;
}

// /proc/PID/stat, whose second field is a name that may hold anything.
std::optional<Stat> parse_stat(std::string_view text) {
    const std::size_t name_begin = text.find('(');
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string_view::npos || name_begin >= name_end) return {};
    const std::string_view name = text.substr(name_begin + 1, name_end - name_begin - 1);
    text.remove_prefix(name_end + 1);
    std::array<std::string_view, 22> words;  // Fields 3 to 24.
    for (std::string_view& word : words) word = next_word(text);
    if (words.back().empty()) return {};
    const auto at = [&words](std::size_t field_number) { return number_of(words[field_number - 3]); };
    Stat stat;
    stat.name = name;
    if (!words[0].empty()) stat.state = words[0].front();
    stat.zombie = words[0] == "Z" || words[0] == "X";
    stat.parent = static_cast<pid_t>(at(4));
    stat.own_ticks = at(14) + at(15);
    stat.reaped_ticks = at(16) + at(17);
    stat.start_ticks = at(22);
    stat.resident_pages = at(24);
    return stat;
}

struct MachineTicks {
    std::uint64_t busy = 0;
    std::uint64_t all = 0;
    int cores = 0;
};

MachineTicks parse_machine(std::string_view text) noexcept {
    MachineTicks ticks;
    std::string_view line = text.substr(0, text.find('\n'));
    next_word(line);
    // user nice system idle iowait irq softirq steal; what guests use is within user already.
    for (int i = 0; i < 8; ++i) {
        const std::uint64_t value = number_of(next_word(line));
        ticks.all += value;
        if (i != 3 && i != 4) ticks.busy += value;
    }
    for (std::size_t at = 0; (at = text.find("\ncpu", at)) != std::string_view::npos; ++at) ++ticks.cores;
    ticks.cores = std::max(ticks.cores, 1);
    return ticks;
}

double percent(double part, double whole) noexcept {
    return whole > 0 ? std::max(part, 0.0) * 100 / whole : 0;
}

}  // namespace

struct ProcSampler::Impl {
    // What is remembered of a process that was seen.
    struct Known {
        Stat stat;
        std::int64_t clock_ns = -1;  // The kernel's CPU clock; -1 where that is not asked.
        std::uint64_t stat_in_scan = 0;
        double cpu_ns = 0;       ///< Its own, of a process in a tree that is watched.
        double cpu_percent = 0;  ///< Between the last two scans.
        std::uint64_t measured_in_scan = 0;
        std::uint64_t read_in_scan = 0;
        std::uint64_t seen_in_scan = 0;
    };
    // One watched process, from scan to scan.
    struct Watched {
        data::WatchedProcess process;
        std::uint64_t start_ticks = 0;
        double cpu_ns = 0;
        bool begun = false;
        bool gone = false;
    };
    struct Memory {
        std::uint64_t start_ticks = 0;
        std::uint64_t pss_bytes = 0;
        std::uint64_t resident_pages = 0;  ///< When the PSS was read.
        std::uint64_t due_scan = 0;
        std::uint64_t seen_in_scan = 0;
        bool known = false;
    };

    struct TreeWish {
        pid_t top = 0;
        std::size_t count_max = 0;
        OnTree on_tree;
        bool before_scan = false;  ///< Whether the last scan began after it was made.
    };

    Impl(std::int64_t period, OnBatch on_batch_, std::string root_, Waker waker_)
        : period_ns(period),
          on_batch(std::move(on_batch_)),
          root(std::move(root_)),
          real(root == "/proc"),
          waker(std::move(waker_)) {}

    Result<> open_files();
    void run();
    bool wait_until(std::int64_t due_ns) const;
    enum class Unknown : unsigned char { wait, answer };
    void answer_trees(Unknown unknown);
    data::ProcessTree read_tree(pid_t top, std::size_t count_max);
    data::ProcessInfo info_of(pid_t pid, const Known& one, WallTime booted) const;
    void scan();
    void scan_machine(data::SampleBatch& batch);
    void scan_self(data::SampleBatch& batch);
    void scan_watched(Watched& one, data::SampleBatch& batch);
    void take_watches();
    std::optional<Stat> read_stat(pid_t pid);
    void list_processes();
    Known* read_known(pid_t pid);
    const std::vector<pid_t>& tree_of(pid_t top);
    std::int64_t clock_ns_of(pid_t pid) const;
    double measure(Known& one) const;
    void add_memory(pid_t pid, const Stat& stat, bool ran, data::ProcessSample& sample);
    void read_pss(pid_t pid, Memory& memory);

    const std::int64_t period_ns;
    const OnBatch on_batch;
    const std::string root;
    const bool real;  // Then the kernel's CPU clocks tell what /proc rounds to 10 ms.
    const Waker waker;
    const double tick_ns = static_cast<double>(ns_per_s) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    const std::uint64_t page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));

    // The sampler's thread.
    UniqueFd stat_fd;
    UniqueFd meminfo_fd;
    std::uint64_t scan_number = 0;
    std::int64_t last_scan_ns = 0;
    double elapsed_ns = 0;
    MachineTicks last_machine;
    Watched self;
    std::vector<Watched> watched;
    std::unordered_map<pid_t, Known> known;
    std::unordered_multimap<pid_t, pid_t> children;
    std::vector<pid_t> tree;
    std::unordered_map<pid_t, Memory> memories;
    std::int64_t pss_spent_ns = 0;
    Buffer buffer{};

    // Between watch() and the sampler's thread.
    std::mutex mutex;
    std::optional<std::vector<data::WatchedProcess>> wanted;
    std::vector<TreeWish> wishes;

    std::atomic<bool> stopping{false};
    std::thread thread;
};

Result<> ProcSampler::Impl::open_files() {
    stat_fd = UniqueFd(::open((root + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
    if (!stat_fd) return os_error("open " + root + "/stat");
    meminfo_fd = UniqueFd(::open((root + "/meminfo").c_str(), O_RDONLY | O_CLOEXEC));
    if (!meminfo_fd) return os_error("open " + root + "/meminfo");
    self.process = {"console", ::getpid()};
    return {};
}

void ProcSampler::Impl::run() {
    sampler_thread.bind();
    name_this_thread("sampler");
    std::int64_t due_ns = mono_now().ns;
    while (!stopping.load(std::memory_order_acquire)) {
        scan();
        answer_trees(Unknown::answer);
        due_ns = std::max(due_ns + period_ns, mono_now().ns);
        while (!stopping.load(std::memory_order_acquire) && wait_until(due_ns)) answer_trees(Unknown::wait);
    }
}

// True when somebody woke us before.
bool ProcSampler::Impl::wait_until(std::int64_t due_ns) const {
    const std::int64_t left_ns = std::max<std::int64_t>(due_ns - mono_now().ns, 0);
    const timespec left{left_ns / ns_per_s, left_ns % ns_per_s};
    pollfd woken{waker.fd(), POLLIN, 0};
    return ::ppoll(&woken, 1, &left, nullptr) > 0 && waker.drain() > 0;
}

// Whom the last scan did not know is waited for until the next one, and no longer.
void ProcSampler::Impl::answer_trees(Unknown unknown) {
    std::vector<TreeWish> taken;
    {
        const std::lock_guard lock(mutex);
        const auto ripe = [&](const TreeWish& wish) {
            const auto at = known.find(wish.top);
            return (unknown == Unknown::answer && wish.before_scan) ||
                   (at != known.end() && at->second.measured_in_scan == scan_number);
        };
        const auto kept = std::stable_partition(wishes.begin(), wishes.end(), ripe);
        taken.assign(std::make_move_iterator(wishes.begin()), std::make_move_iterator(kept));
        wishes.erase(wishes.begin(), kept);
    }
    for (const TreeWish& wish : taken) wish.on_tree(read_tree(wish.top, wish.count_max));
}

data::ProcessTree ProcSampler::Impl::read_tree(pid_t top, std::size_t count_max) {
    data::ProcessTree answer;
    const auto at = known.find(top);
    if (at == known.end() || at->second.measured_in_scan != scan_number) return answer;
    timespec up{};
    ::clock_gettime(CLOCK_BOOTTIME, &up);
    const WallTime booted{wall_now().ns - static_cast<std::int64_t>(up.tv_sec) * ns_per_s - up.tv_nsec};
    for (const pid_t pid : tree_of(top)) {
        if (pid == top) continue;
        if (answer.processes.size() < count_max) {
            answer.processes.push_back(info_of(pid, known.at(pid), booted));
        } else {
            ++answer.more;
        }
    }
    return answer;
}

data::ProcessInfo ProcSampler::Impl::info_of(pid_t pid, const Known& one, WallTime booted) const {
    data::ProcessInfo info;
    info.pid = pid;
    info.parent = one.stat.parent;
    info.name = one.stat.name;
    info.state = one.stat.state;
    info.cpu_percent = one.cpu_percent;
    info.memory_bytes = one.stat.resident_pages * page_bytes;
    const auto memory = memories.find(pid);
    if (memory != memories.end() && memory->second.known &&
        memory->second.start_ticks == one.stat.start_ticks) {
        info.memory_bytes = memory->second.pss_bytes;
        info.memory_kind = data::MemoryKind::pss;
    }
    info.started = {booted.ns +
                    static_cast<std::int64_t>(static_cast<double>(one.stat.start_ticks) * tick_ns)};
    return info;
}

void ProcSampler::Impl::scan() {
    take_watches();
    ++scan_number;
    pss_spent_ns = 0;
    auto batch = std::make_shared<data::SampleBatch>();
    batch->time = mono_now();
    elapsed_ns = last_scan_ns == 0 ? 0 : static_cast<double>(batch->time.ns - last_scan_ns);
    last_scan_ns = batch->time.ns;
    scan_machine(*batch);
    scan_self(*batch);
    const bool any =
        std::any_of(watched.begin(), watched.end(), [](const Watched& one) { return !one.gone; });
    if (any) list_processes();
    for (Watched& one : watched) scan_watched(one, *batch);
    std::erase_if(memories, [this](const auto& entry) { return entry.second.seen_in_scan != scan_number; });
    on_batch(std::move(batch));
}

void ProcSampler::Impl::take_watches() {
    std::optional<std::vector<data::WatchedProcess>> next;
    {
        const std::lock_guard lock(mutex);
        next = std::exchange(wanted, {});
        // Who asked before has now been watched from the scan's beginning, if at all.
        for (TreeWish& wish : wishes) wish.before_scan = true;
    }
    if (!next) return;
    std::vector<Watched> kept;
    for (data::WatchedProcess& process : *next) {
        const auto found = std::find_if(watched.begin(), watched.end(), [&process](const Watched& one) {
            return one.process.pid == process.pid && one.process.name == process.name;
        });
        kept.push_back(found != watched.end() ? *found : Watched{std::move(process)});
    }
    watched = std::move(kept);
}

void ProcSampler::Impl::scan_machine(data::SampleBatch& batch) {
    const MachineTicks now = parse_machine(read_all(stat_fd.get(), buffer));
    if (scan_number > 1) {
        const auto busy = static_cast<double>(now.busy) - static_cast<double>(last_machine.busy);
        const auto all = static_cast<double>(now.all) - static_cast<double>(last_machine.all);
        batch.cpu_percent = percent(busy, all);
    }
    last_machine = now;
    batch.cores = now.cores;
    const std::string_view memory = read_all(meminfo_fd.get(), buffer);
    batch.memory_total_bytes = field(memory, "MemTotal:") * 1024;
    const std::uint64_t available = std::min(field(memory, "MemAvailable:") * 1024, batch.memory_total_bytes);
    batch.memory_used_bytes = batch.memory_total_bytes - available;
}

// Only the process itself: what it started is watched by name.
void ProcSampler::Impl::scan_self(data::SampleBatch& batch) {
    data::ProcessSample sample{self.process.name, self.process.pid, 0, 0, data::MemoryKind::pss, true};
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    const double cpu_ns = static_cast<double>(used.tv_sec) * ns_per_s + static_cast<double>(used.tv_nsec);
    if (self.begun) sample.cpu_percent = percent(cpu_ns - self.cpu_ns, elapsed_ns);
    self.cpu_ns = cpu_ns;
    self.begun = true;
    if (const std::optional<Stat> stat = read_stat(self.process.pid))
        add_memory(self.process.pid, *stat, true, sample);
    batch.processes.push_back(std::move(sample));
}

void ProcSampler::Impl::scan_watched(Watched& one, data::SampleBatch& batch) {
    const pid_t pid = one.process.pid;
    data::ProcessSample sample{one.process.name, pid, 0, 0, data::MemoryKind::pss, true};
    const Known* const top = one.gone ? nullptr : read_known(pid);
    const bool same = top != nullptr && (!one.begun || top->stat.start_ticks == one.start_ticks);
    if (!same || top->stat.zombie) {
        one.gone = true;
        sample.alive = false;
        sample.memory_kind = data::MemoryKind::rss;
        batch.processes.push_back(std::move(sample));
        return;
    }
    one.start_ticks = top->stat.start_ticks;
    double cpu_ns = 0;
    for (const pid_t member : tree_of(pid)) {
        Known& each = known.at(member);
        cpu_ns += measure(each) + static_cast<double>(each.stat.reaped_ticks) * tick_ns;
        add_memory(member, each.stat, each.stat_in_scan == scan_number, sample);
    }
    if (one.begun) sample.cpu_percent = percent(cpu_ns - one.cpu_ns, elapsed_ns);
    one.cpu_ns = cpu_ns;
    one.begun = true;
    batch.processes.push_back(std::move(sample));
}

std::optional<Stat> ProcSampler::Impl::read_stat(pid_t pid) {
    return parse_stat(read_file(fmt::format("{}/{}/stat", root, pid), buffer));
}

// Who lives and who is whose child. Only who is new is read, or has not been for long; in a tree that is
// watched everybody is read again anyway.
void ProcSampler::Impl::list_processes() {
    DIR* const folder = ::opendir(root.c_str());
    if (folder == nullptr) return;
    while (const dirent* const entry = ::readdir(folder)) {
        const auto pid = static_cast<pid_t>(number_of(entry->d_name));
        if (pid <= 0) continue;
        const auto found = known.find(pid);
        const bool due = found == known.end() || found->second.read_in_scan + recheck_scans <= scan_number;
        Known* const one = due ? read_known(pid) : &found->second;
        if (one != nullptr) one->seen_in_scan = scan_number;
    }
    ::closedir(folder);
    std::erase_if(known, [this](const auto& entry) { return entry.second.seen_in_scan != scan_number; });
    children.clear();
    for (auto& [pid, one] : known) {
        // Its parent left, and it has another now, whether it ran or not.
        if (one.stat.parent != 0 && !known.contains(one.stat.parent)) {
            one.stat.parent = read_stat(pid).value_or(one.stat).parent;
        }
        children.emplace(one.stat.parent, pid);
    }
}

// As of this scan; null when there is no such process any more.
ProcSampler::Impl::Known* ProcSampler::Impl::read_known(pid_t pid) {
    const auto found = known.find(pid);
    if (found != known.end() && found->second.read_in_scan == scan_number) return &found->second;
    const std::int64_t clock_ns = clock_ns_of(pid);
    const bool slept = found != known.end() && clock_ns >= 0 && found->second.clock_ns == clock_ns &&
                       found->second.stat_in_scan + recheck_scans > scan_number;
    if (!slept) {
        const std::optional<Stat> stat = read_stat(pid);
        if (!stat) return nullptr;  // Its entry goes with the next listing.
        Known& one = known[pid];
        // Another process under the same number has used nothing yet.
        if (one.stat.start_ticks != stat->start_ticks) one = {};
        one.stat = *stat;
        one.clock_ns = clock_ns;
        one.stat_in_scan = scan_number;
    }
    Known& one = known[pid];
    one.read_in_scan = scan_number;
    one.seen_in_scan = scan_number;
    return &one;
}

const std::vector<pid_t>& ProcSampler::Impl::tree_of(pid_t top) {
    tree.assign(1, top);
    // The table is of one moment and the reads are not: nobody is taken twice, whatever it says.
    std::unordered_set<pid_t> taken{top};
    for (std::size_t i = 0; i < tree.size(); ++i) {
        const auto [from, to] = children.equal_range(tree[i]);
        for (auto child = from; child != to; ++child) {
            if (read_known(child->second) != nullptr && taken.insert(child->second).second) {
                tree.push_back(child->second);
            }
        }
    }
    return tree;
}

// What it has used itself. It may be in two trees that are watched: once a scan is enough.
double ProcSampler::Impl::measure(Known& one) const {
    if (one.measured_in_scan == scan_number) return one.cpu_ns;
    const double cpu_ns = one.clock_ns >= 0 ? static_cast<double>(one.clock_ns)
                                            : static_cast<double>(one.stat.own_ticks) * tick_ns;
    const bool before = one.measured_in_scan != 0 && one.measured_in_scan + 1 == scan_number;
    one.cpu_percent = before ? percent(cpu_ns - one.cpu_ns, elapsed_ns) : 0;
    one.cpu_ns = cpu_ns;
    one.measured_in_scan = scan_number;
    return cpu_ns;
}

// Who has used no CPU since has not run, and is as it was.
std::int64_t ProcSampler::Impl::clock_ns_of(pid_t pid) const {
    clockid_t clock = 0;
    timespec used{};
    if (!real || ::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return -1;
    return used.tv_sec * ns_per_s + used.tv_nsec;
}

void ProcSampler::Impl::add_memory(pid_t pid, const Stat& stat, bool ran, data::ProcessSample& sample) {
    Memory& memory = memories[pid];
    if (memory.start_ticks != stat.start_ticks) memory = {};
    memory.start_ticks = stat.start_ticks;
    memory.seen_in_scan = scan_number;
    // A process that has grown since is looked at at once: an old number would be a wrong one.
    const auto pages = static_cast<std::uint64_t>(stat.resident_pages);
    const std::uint64_t moved =
        pages > memory.resident_pages ? pages - memory.resident_pages : memory.resident_pages - pages;
    const bool grown = moved > moved_pages_min + memory.resident_pages / 16;
    const bool due = memory.due_scan <= scan_number && (ran || !memory.known);
    if ((due || grown) && pss_spent_ns < pss_ns_each_scan_max) {
        read_pss(pid, memory);
        memory.resident_pages = pages;
    }
    if (!memory.known) sample.memory_kind = data::MemoryKind::rss;
    sample.memory_bytes += memory.known ? memory.pss_bytes : stat.resident_pages * page_bytes;
}

void ProcSampler::Impl::read_pss(pid_t pid, Memory& memory) {
    const std::int64_t before_ns = thread_cpu_ns();
    const std::string_view text = read_file(fmt::format("{}/{}/smaps_rollup", root, pid), buffer);
    memory.known = text.find("\nPss:") != std::string_view::npos;
    memory.pss_bytes = field(text, "Pss:") * 1024;
    const std::int64_t cost_ns = thread_cpu_ns() - before_ns;
    pss_spent_ns += cost_ns;
    memory.due_scan =
        scan_number + std::max(pss_scans_min, static_cast<std::uint64_t>(cost_ns / pss_ns_a_scan));
}

Result<std::unique_ptr<ProcSampler>> ProcSampler::start(std::int64_t period_ns, OnBatch on_batch,
                                                        std::string proc_root) {
    if (period_ns <= 0) return fail(Code::bad_arg, "sample /proc: the period must be longer than 0");
    Waker waker = LD_TRY(Waker::create());
    auto impl =
        std::make_unique<Impl>(period_ns, std::move(on_batch), std::move(proc_root), std::move(waker));
    LD_TRY(impl->open_files());
    Impl* const running = impl.get();
    impl->thread = std::thread([running] { running->run(); });
    return std::unique_ptr<ProcSampler>(new ProcSampler(std::move(impl)));
}

ProcSampler::ProcSampler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ProcSampler::~ProcSampler() {
    impl_->stopping.store(true, std::memory_order_release);
    impl_->waker.wake();
    impl_->thread.join();
    for (const Impl::TreeWish& wish : impl_->wishes) wish.on_tree({});
}

void ProcSampler::watch(std::vector<data::WatchedProcess> processes) {
    const std::lock_guard lock(impl_->mutex);
    impl_->wanted = std::move(processes);
}

void ProcSampler::tree(pid_t top, std::size_t count_max, OnTree on_tree) {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->wishes.push_back({top, count_max, std::move(on_tree), false});
    }
    impl_->waker.wake();
}

}  // namespace labdeck::io
