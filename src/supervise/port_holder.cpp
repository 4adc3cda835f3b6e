#include "supervise/port_holder.h"

#include <dirent.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>

namespace labdeck::supervise {

namespace {

constexpr std::string_view state_listening = "0A";
constexpr std::size_t table_lines_max = 16'384;
constexpr int ancestors_max = 4096;
/// A process whose parent ends between two looks has another one at the third.
constexpr int looks_max = 3;

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;
Folder open_folder(const std::string& path) {
    return {::opendir(path.c_str()), ::closedir};
}

std::optional<pid_t> number(std::string_view text) {
    pid_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

std::string link_target(const std::string& path) {
    std::array<char, 64> target;
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    return {target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

/// How near an address of the table is to the one connected to; nothing when it does not serve it. The table
/// writes each 32 bits of an address as the machine's own number.
std::optional<int> rank_of(std::string_view local, Loopback address) {
    const std::string zero(8, '0');
    const std::string four = fmt::format("{:08X}", htonl(INADDR_LOOPBACK));
    const std::string one = fmt::format("{:08X}", htonl(1));
    const std::string mapped = fmt::format("{:08X}", htonl(0xffff));
    const std::string any_six = fmt::format("{0}{0}{0}{0}", zero);
    if (address == Loopback::six) {
        if (local == fmt::format("{0}{0}{0}{1}", zero, one)) return 0;
        if (local == any_six) return 1;
        return {};
    }
    if (local == four || local == fmt::format("{0}{0}{1}{2}", zero, mapped, four)) return 0;
    if (local == zero || local == fmt::format("{0}{0}{1}{0}", zero, mapped)) return 1;
    if (local == any_six) return 2;
    return {};
}

}  // namespace

// Those that listen stand before all others in the table.
void PortHolder::read_table(const std::string& name, std::uint16_t port, Loopback address,
                            std::vector<Socket>& out) const {
    std::ifstream table(fmt::format("{}/net/{}", root_, name));
    const std::string wanted = fmt::format("{:04X}", port);
    std::string line;
    std::getline(table, line);
    for (std::size_t i = 0; i < table_lines_max && std::getline(table, line); ++i) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, timeout;
        Socket socket;
        fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> socket.uid >>
            timeout >> socket.inode;
        if (!fields || state != state_listening) return;
        const std::size_t colon = local.find(':');
        if (colon == std::string::npos || local.substr(colon + 1) != wanted) continue;
        const auto rank = rank_of(std::string_view(local).substr(0, colon), address);
        if (!rank) continue;
        socket.rank = *rank;
        out.push_back(socket);
    }
}

std::vector<PortHolder::Socket> PortHolder::listening(std::uint16_t port, Loopback address) const {
    std::vector<Socket> found;
    if (address == Loopback::four) read_table("tcp", port, address, found);
    read_table("tcp6", port, address, found);
    const auto nearer = [](const Socket& a, const Socket& b) { return a.rank < b.rank; };
    const auto nearest = std::min_element(found.begin(), found.end(), nearer);
    if (nearest == found.end()) return found;
    std::erase_if(found, [rank = nearest->rank](const Socket& each) { return each.rank > rank; });
    return found;
}

std::string PortHolder::why_not(std::uint16_t port, Loopback address, pid_t keeper) {
    const std::vector<Socket> sockets = listening(port, address);
    if (sockets.empty()) return fmt::format("port {} is open, but no process here listens on it", port);
    const bool remembered = !hold_.socket.empty() &&
                            std::any_of(sockets.begin(), sockets.end(),
                                        [this](const Socket& each) {
                                            return hold_.socket == fmt::format("socket:[{}]", each.inode);
                                        }) &&
                            link_target(hold_.link) == hold_.socket;
    if (!remembered && !find(sockets, keeper)) {
        hold_ = {};
        const uid_t uid = sockets.front().uid;
        if (uid != ::geteuid())
            return fmt::format("port {} is held by another user (uid {}), not by this script", port, uid);
        return fmt::format("port {} is open, but who holds it was not found", port);
    }
    if (is_below(hold_.pid, keeper)) return {};
    return fmt::format("port {} is held by {} (pid {}), which is not of this script", port,
                       name_of(hold_.pid), hold_.pid);
}

// The script's own processes first: they are few, and whoever else holds the socket does not matter then.
bool PortHolder::find(const std::vector<Socket>& sockets, pid_t keeper) {
    std::vector<std::string> targets;
    for (const Socket& each : sockets) targets.push_back(fmt::format("socket:[{}]", each.inode));
    std::vector<Process> all = processes();
    std::sort(all.begin(), all.end(), [](const Process& a, const Process& b) { return a.parent < b.parent; });
    std::vector<pid_t> tree{keeper};
    for (std::size_t i = 0; i < tree.size() && tree.size() < processes_max; ++i) {
        auto child = std::lower_bound(all.begin(), all.end(), tree[i],
                                      [](const Process& each, pid_t parent) { return each.parent < parent; });
        for (; child != all.end() && child->parent == tree[i]; ++child) tree.push_back(child->pid);
    }
    std::size_t left = descriptors_all_max;
    for (const pid_t pid : tree) {
        if (find_in(pid, targets, left)) return true;
    }
    std::sort(tree.begin(), tree.end());
    left = descriptors_all_max;
    for (const Process& each : all) {
        if (std::binary_search(tree.begin(), tree.end(), each.pid)) continue;
        if (find_in(each.pid, targets, left)) return true;
    }
    return false;
}

bool PortHolder::find_in(pid_t pid, const std::vector<std::string>& sockets, std::size_t& descriptors_left) {
    const std::string path = fmt::format("{}/{}/fd", root_, pid);
    const Folder folder = open_folder(path);
    if (!folder) return false;
    for (std::size_t i = 0; i < descriptors_max && descriptors_left > 0; ++i) {
        const dirent* const entry = ::readdir(folder.get());
        if (entry == nullptr) return false;
        --descriptors_left;
        std::string link = fmt::format("{}/{}", path, static_cast<const char*>(entry->d_name));
        std::string target = link_target(link);
        if (std::find(sockets.begin(), sockets.end(), target) == sockets.end()) continue;
        hold_ = {pid, std::move(link), std::move(target)};
        return true;
    }
    return false;
}

std::vector<PortHolder::Process> PortHolder::processes() const {
    std::vector<Process> all;
    const Folder folder = open_folder(root_);
    if (!folder) return all;
    while (all.size() < processes_max) {
        const dirent* const entry = ::readdir(folder.get());
        if (entry == nullptr) break;
        const auto pid = number(static_cast<const char*>(entry->d_name));
        if (pid) all.push_back({*pid, parent_of(*pid)});
    }
    return all;
}

/// 0 when there is none, or no such process any more.
pid_t PortHolder::parent_of(pid_t pid) const {
    std::ifstream file(fmt::format("{}/{}/stat", root_, pid));
    std::string line;
    std::getline(file, line, '\0');
    // The name stands in brackets and may hold anything, brackets included.
    const std::size_t end = line.rfind(')');
    if (end == std::string::npos) return 0;
    std::istringstream fields(line.substr(end + 1));
    char state = 0;
    pid_t parent = 0;
    fields >> state >> parent;
    return parent;
}

bool PortHolder::is_below(pid_t pid, pid_t keeper) const {
    for (int look = 0; look < looks_max; ++look) {
        pid_t at = pid;
        for (int i = 0; at > 1 && i < ancestors_max; ++i) {
            if (at == keeper) return true;
            at = parent_of(at);
        }
        if (at == 1) return keeper == 1;
    }
    return false;
}

std::string PortHolder::name_of(pid_t pid) const {
    std::ifstream file(fmt::format("{}/{}/comm", root_, pid));
    std::string name;
    std::getline(file, name);
    return name.empty() ? "a process" : name;
}

}  // namespace labdeck::supervise
