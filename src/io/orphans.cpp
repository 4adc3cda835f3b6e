#include "io/orphans.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "io/child_process.h"
#include "io/proc_text.h"

namespace labdeck::io {

namespace {

constexpr int passes_max = 100;

std::string text_of(pid_t pid, const char* name) {
    return proc_text(fmt::format("/proc/{}/{}", pid, name));
}

bool bears(pid_t pid, const std::string& mark) {
    const std::string entry = fmt::format("{}={}", Orphans::mark_name, mark);
    const std::string environment = text_of(pid, "environ");
    for (std::size_t at = 0; at < environment.size(); at += std::strlen(environment.c_str() + at) + 1) {
        if (entry == environment.c_str() + at) return true;
    }
    return false;
}

/// The children of our first thread, to which orphans come; none where the kernel has no such list.
std::vector<pid_t> adopted() {
    std::ifstream file(fmt::format("/proc/{}/task/{}/children", ::getpid(), ::getpid()));
    return {std::istream_iterator<pid_t>(file), {}};
}

bool reap(pid_t pid) noexcept {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

}  // namespace

void become_subreaper() noexcept {
    // Where that cannot be had, orphans go to whoever reaps them today.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
}

void reap_strangers() {
    for (const pid_t pid : adopted()) {
        // What we started by other ways shares our group, and is somebody's to wait for.
        if (!is_child_of_ours(pid) && ::getpgid(pid) != ::getpgrp()) reap(pid);
    }
}

std::string Orphans::new_mark() {
    static std::atomic<unsigned> count{0};
    return fmt::format("{}-{}-{}", ::getpid(), mono_now().ns, ++count);
}

std::optional<Orphans::Seen> Orphans::read(pid_t pid) {
    const std::string stat = text_of(pid, "stat");
    // The name may hold blanks and brackets; what follows its last bracket has none.
    const std::size_t after = stat.rfind(')');
    if (after == std::string::npos) return {};
    Seen seen;
    // proc(5): state, ppid, pgrp, session; starttime is the 22nd field.
    const int fields =
        std::sscanf(stat.c_str() + after + 1,
                    " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                    &seen.state, &seen.parent, &seen.session, &seen.start);
    if (fields != 4) return {};
    return seen;
}

std::map<pid_t, Orphans::Seen> Orphans::look() {
    std::map<pid_t, Seen> found;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
    if (!folder) return found;
    while (const dirent* const entry = ::readdir(folder.get())) {
        const std::string_view name(entry->d_name);
        pid_t pid = 0;
        std::from_chars(name.data(), name.data() + name.size(), pid);
        if (pid <= 0 || pid == ::getpid()) continue;
        if (const auto seen = read(pid)) found.emplace(pid, *seen);
    }
    return found;
}

bool Orphans::is_ours(pid_t pid, const Seen& process, const std::map<pid_t, Seen>& all) const {
    if (pid == keeper_) return false;
    if (process.session == keeper_) return true;
    if (const auto known = known_.find(pid); known != known_.end() && known->second == process.start)
        return true;
    const auto parent = all.find(process.parent);
    if (parent != all.end()) {
        const auto known = known_.find(process.parent);
        if (known != known_.end() && known->second == parent->second.start) return true;
    }
    return process.parent == ::getpid() && !is_child_of_ours(pid) && bears(pid, mark_);
}

/// A child may have a smaller pid than its parent, so until nobody is added.
void Orphans::learn(const std::map<pid_t, Seen>& all) {
    for (std::size_t before = known_.size() + 1; before != known_.size();) {
        before = known_.size();
        for (const auto& [pid, process] : all) {
            if (is_ours(pid, process, all)) known_[pid] = process.start;
        }
    }
}

/// False when there is none of the tree among those who came to us.
bool Orphans::end_children() {
    bool any = false;
    for (const pid_t pid : adopted()) {
        const auto process = read(pid);
        if (!process || !is_ours(pid, *process, {})) continue;
        known_[pid] = process->start;
        ::kill(pid, SIGKILL);
        reap(pid);
        any = true;
    }
    return any;
}

Orphans::Left Orphans::round() {
    learn(look());
    // Even a storm falls into our hands faster than it forks.
    for (int pass = 0; pass < passes_max && end_children(); ++pass) continue;
    const std::map<pid_t, Seen> all = look();
    learn(all);
    Left left;
    for (const auto& [pid, start] : known_) {
        const auto at = all.find(pid);
        if (at == all.end() || at->second.start != start) continue;
        if (at->second.parent == ::getpid()) {
            ::kill(pid, SIGKILL);
            reap(pid);
        } else if (at->second.state == 'Z') {
            continue;
        }
        // Who is only now gone may have left somebody.
        left = {left.count + 1, pid, at->second.state};
    }
    return left;
}

}  // namespace labdeck::io
