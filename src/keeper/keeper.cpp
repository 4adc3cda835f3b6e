// The keeper: starts one program and answers for everything that the program starts in turn.
//
//   labdeck-keeper PROGRAM ARGV0 [ARG...]     descriptors 3 and 4: see message.h; 0, 1, 2: the program's
//
// It is its tree's subreaper: whatever a job forks, forks twice or puts in a session of its own stays a
// descendant, and its CPU time ends up in the keeper's own account. When the owner goes, however it goes, the
// tree goes. One thread, no heap beyond one table, no C++ library: it costs a few hundred KiB and starts at
// once.
#include "keeper/message.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

extern char** environ;

namespace labdeck::keeper {
namespace {

constexpr int sweep_again_ms = 5;
constexpr int sweep_slow_ms = 100;  // Once a sweep has lasted for a second.
constexpr int rounds_max = 1000;    // Of killing children, before the others are looked for,
constexpr int passes_max = 16;      // and of stopping those: a storm must hold up neither.

/// A process as /proc tells of it. `start` tells it from another that got its pid later.
struct Process {
    pid_t pid;
    pid_t parent;
    unsigned long long start;
    char state;
    bool ours;
    bool stopped;
};

struct Table {
    Process* rows = nullptr;
    std::size_t count = 0;
    std::size_t room = 0;
};

bool grow(Table& table) {
    if (table.count < table.room) return true;
    const std::size_t room = table.room == 0 ? 1024 : table.room * 2;
    auto* const rows = static_cast<Process*>(std::realloc(table.rows, room * sizeof(Process)));
    if (rows == nullptr) return false;
    table.rows = rows;
    table.room = room;
    return true;
}

void tell(Kind kind, int a = 0, int b = 0, int c = 0) {
    const Message message{kind, a, b, c};
    // An owner that is gone shows as end of file; one that does not read has to wait for the next word.
    ::send(control_fd, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool read_process(pid_t pid, Process& out) {
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    char text[512];
    const ssize_t size = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    if (size <= 0) return false;
    text[size] = '\0';
    // The name may hold blanks and brackets; what follows its last bracket has none.
    const char* const after = std::strrchr(text, ')');
    if (after == nullptr) return false;
    char state = 0;
    int parent = 0;
    unsigned long long start = 0;
    // proc(5): state ppid … 17 fields that do not matter here … starttime, the 22nd.
    const int found = std::sscanf(
        after + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
        &parent, &start);
    if (found != 3) return false;
    out = {pid, parent, start, state, false, false};
    return true;
}

int by_pid(const void* a, const void* b) {
    const pid_t left = static_cast<const Process*>(a)->pid;
    const pid_t right = static_cast<const Process*>(b)->pid;
    return left < right ? -1 : static_cast<int>(left > right);
}

Process* find(const Table& table, pid_t pid) {
    const Process wanted{pid, 0, 0, 0, false, false};
    return static_cast<Process*>(std::bsearch(&wanted, table.rows, table.count, sizeof wanted, by_pid));
}

bool read_all(Table& table) {
    table.count = 0;
    DIR* const folder = ::opendir("/proc");
    if (folder == nullptr) return false;
    while (const dirent* const entry = ::readdir(folder)) {
        const char first = entry->d_name[0];
        if (first < '1' || first > '9') continue;
        if (!grow(table)) break;
        if (read_process(std::atoi(entry->d_name), table.rows[table.count])) ++table.count;
    }
    ::closedir(folder);
    if (table.count > 0) std::qsort(table.rows, table.count, sizeof(Process), by_pid);
    return true;
}

/// Marks what descends from us. A child may have a smaller pid than its parent, so until nothing is added.
std::size_t mark_ours(Table& table) {
    const pid_t self = ::getpid();
    std::size_t ours = 0;
    for (bool added = true; added;) {
        added = false;
        for (std::size_t i = 0; i < table.count; ++i) {
            Process& row = table.rows[i];
            if (row.ours) continue;
            const Process* const parent = row.parent == self ? nullptr : find(table, row.parent);
            if (row.parent != self && (parent == nullptr || !parent->ours)) continue;
            row.ours = added = true;
            ++ours;
        }
    }
    return ours;
}

/// Only if it is still the process that was read: its descriptor is taken first, its start compared then.
bool signal_process(const Process& row, int number) {
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, row.pid, 0U));
    if (fd < 0) return false;
    Process now{};
    const bool same = read_process(row.pid, now) && now.start == row.start;
    const bool sent = same && ::syscall(SYS_pidfd_send_signal, fd, number, nullptr, 0U) == 0;
    ::close(fd);
    return sent;
}

/// Whether a row of the last pass was stopped already.
bool was_stopped(const Table& before, const Process& row) {
    const Process* const old = before.count == 0 ? nullptr : find(before, row.pid);
    return old != nullptr && old->stopped && old->start == row.start;
}

class Keeper {
public:
    int run(char** words) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
        ::prctl(PR_SET_NAME, "labdeck-keeper", 0L, 0L, 0L);
        ::fcntl(control_fd, F_SETFD, FD_CLOEXEC);
        ::fcntl(lock_fd, F_SETFD, FD_CLOEXEC);
        sigset_t all;
        sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        sigset_t children;
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        const int ended = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
        const int error = ended < 0 ? errno : start(words);
        if (error != 0) {
            tell(Kind::failed, error);
            return 1;
        }
        tell(Kind::started, leader_);
        return watch(ended);
    }

private:
    /// Returns errno, 0 when the program runs.
    int start(char** words) {
        int report[2];
        if (::pipe2(report, O_CLOEXEC) != 0) return errno;
        leader_ = ::fork();
        if (leader_ < 0) return errno;
        if (leader_ == 0) become(words, report[1]);
        ::close(report[1]);
        // Now the streams are the tree's alone: they end when the tree does.
        const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        for (int fd = 0; fd < 3; ++fd) {
            if (nothing < 0) {
                ::close(fd);
            } else {
                ::dup2(nothing, fd);
            }
        }
        if (nothing > 2) ::close(nothing);
        int error = 0;
        ssize_t size;
        do size = ::read(report[0], &error, sizeof error);
        while (size < 0 && errno == EINTR);
        ::close(report[0]);
        if (size != static_cast<ssize_t>(sizeof error)) return 0;
        ::waitpid(leader_, nullptr, 0);
        return error;
    }

    [[noreturn]] static void become(char** words, int report) {
        ::setpgid(0, 0);
        // Should somebody kill the keeper; it has one thread, so this cannot fire before it ends.
        ::prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGKILL), 0L, 0L, 0L);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execve(words[0], words + 1, environ);
        const int error = errno;
        [[maybe_unused]] const ssize_t told = ::write(report, &error, sizeof error);
        ::_exit(127);
    }

    int watch(int ended) {
        pollfd fds[2] = {{ended, POLLIN, 0}, {control_fd, POLLIN, 0}};
        for (;;) {
            if (!reap()) {
                tell(Kind::empty);
                return 0;
            }
            if (sweeping_) sweep();
            ::poll(fds, 2, sweeping_ ? pause_ms() : -1);
            signalfd_siginfo info;
            while (::read(ended, &info, sizeof info) > 0) {
            }
            if (fds[1].revents != 0 && !listen()) fds[1].fd = -1;
        }
    }

    /// False once there is nobody left. A child of ours is looked at before it is let go, so that its pid
    /// cannot be another's in between.
    bool reap() {
        for (;;) {
            int status = 0;
            const pid_t pid = ::waitpid(-1, &status, WNOHANG | __WALL);
            if (pid == 0) return true;
            if (pid < 0) {
                if (errno == EINTR) continue;
                return false;
            }
            if (pid != leader_ || leader_gone_) continue;
            leader_gone_ = true;
            const bool signaled = WIFSIGNALED(status);
            tell(Kind::leader_ended, signaled ? WTERMSIG(status) : WEXITSTATUS(status), signaled ? 1 : 0);
        }
    }

    /// False when the owner is gone.
    bool listen() {
        Message message;
        const ssize_t size = ::recv(control_fd, &message, sizeof message, MSG_DONTWAIT);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (size <= 0) {
            begin_sweep();
            return false;
        }
        if (size != static_cast<ssize_t>(sizeof message)) return true;
        if (message.kind == Kind::sweep) begin_sweep();
        if (message.kind == Kind::signal) signal_tree(message.a);
        return true;
    }

    void signal_tree(int number) {
        if (!leader_gone_) {
            // Not reaped yet, so the number is still its own and its group's.
            const pid_t to = ::kill(-leader_, 0) == 0 ? -leader_ : leader_;
            ::kill(to, number);
            ::kill(to, SIGCONT);
            return;
        }
        if (!read_all(now_)) return;
        mark_ours(now_);
        for (std::size_t i = 0; i < now_.count; ++i) {
            if (!now_.rows[i].ours) continue;
            signal_process(now_.rows[i], number);
            signal_process(now_.rows[i], SIGCONT);
        }
    }

    void begin_sweep() {
        if (sweeping_) return;
        sweeping_ = true;
        ::clock_gettime(CLOCK_MONOTONIC, &begun_);
    }

    /// First what is our child, again and again: it cannot be another's before we have reaped it, and what it
    /// leaves behind becomes our child in turn, so that even a storm falls into our hands faster than it
    /// forks. Then what stands deeper: stopped until a pass finds nobody new, since a stopped process starts
    /// no other, and killed.
    void sweep() {
        for (int round = 0; round < (seconds() > 1 ? 1 : rounds_max) && kill_children(); ++round) {
            if (!reap()) return;
        }
        last_.count = 0;
        std::size_t left = 0;
        for (int pass = 0; pass < passes_max; ++pass) {
            if (!read_all(now_)) break;
            left = mark_ours(now_);
            const bool fresh = stop_ours();
            const Table swap = last_;
            last_ = now_;
            now_ = swap;
            if (!fresh) break;
        }
        for (std::size_t i = 0; i < last_.count; ++i) {
            if (last_.rows[i].ours && last_.rows[i].state != 'Z') signal_process(last_.rows[i], SIGKILL);
        }
        if (!leader_gone_) ::kill(-leader_, SIGKILL);
        if (seconds() > told_s_) tell_survivor(left);
    }

    /// Kills each child of ours that the kernel lists. False when there is none, or no such list (a kernel
    /// without CONFIG_PROC_CHILDREN): the passes over all processes do without.
    static bool kill_children() {
        const int fd = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        if (fd < 0) return false;
        char text[16'384];
        bool any = false;
        pid_t pid = 0;
        for (ssize_t size; (size = ::read(fd, text, sizeof text)) > 0;) {
            for (ssize_t i = 0; i < size; ++i) {
                if (text[i] >= '0' && text[i] <= '9') {
                    pid = pid * 10 + (text[i] - '0');
                } else if (pid != 0) {
                    ::kill(pid, SIGKILL);
                    any = true;
                    pid = 0;
                }
            }
        }
        ::close(fd);
        return any;
    }

    /// True when there was somebody whom the last pass had not stopped.
    bool stop_ours() {
        bool fresh = false;
        for (std::size_t i = 0; i < now_.count; ++i) {
            Process& row = now_.rows[i];
            if (!row.ours || row.state == 'Z') continue;
            row.stopped = was_stopped(last_, row);
            if (row.stopped) continue;
            row.stopped = signal_process(row, SIGSTOP);
            fresh = true;
        }
        return fresh;
    }

    void tell_survivor(std::size_t left) {
        told_s_ = seconds();
        for (std::size_t i = 0; i < last_.count; ++i) {
            const Process& row = last_.rows[i];
            if (!row.ours || row.state == 'Z') continue;
            Process now{};
            if (!read_process(row.pid, now) || now.state == 'Z') continue;
            return tell(Kind::survivor, row.pid, now.state, static_cast<int>(left));
        }
    }

    int seconds() const {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC, &now);
        return static_cast<int>(now.tv_sec - begun_.tv_sec);
    }
    int pause_ms() const { return seconds() > 1 ? sweep_slow_ms : sweep_again_ms; }

    pid_t leader_ = -1;
    bool leader_gone_ = false;
    bool sweeping_ = false;
    int told_s_ = 0;
    timespec begun_{};
    Table now_;
    Table last_;
};

}  // namespace
}  // namespace labdeck::keeper

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    return labdeck::keeper::Keeper().run(argv + 1);
}
