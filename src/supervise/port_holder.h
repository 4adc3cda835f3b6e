// port_holder.h - whose the listening socket behind a local port is.
//
// The socket's inode is in /proc/net/tcp and tcp6, and who holds it is among the descriptors in /proc/PID/fd.
// What was found is remembered and only confirmed the next time, by one link, while the same socket listens.
// A search is bounded: in processes, and in descriptors of each and of all.
//
// Not for the question whether the port answers: connect to it first (port_probe.h).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace labdeck::supervise {

enum class Loopback : unsigned char { four, six };  ///< 127.0.0.1, ::1

class PortHolder {
public:
    static constexpr std::size_t processes_max = 16'384;
    static constexpr std::size_t descriptors_max = 1024;        ///< Of one process, the lowest numbers.
    static constexpr std::size_t descriptors_all_max = 16'384;  ///< Of all that a search looks at.

    /// `proc_root` is "/proc" but for tests.
    explicit PortHolder(std::string proc_root = "/proc") : root_(std::move(proc_root)) {}

    /// Empty when what listens there is held by a process below `keeper`; else who holds it, for people.
    std::string why_not(std::uint16_t port, Loopback address, pid_t keeper);

private:
    struct Socket {
        std::uint64_t inode = 0;
        uid_t uid = 0;
        int rank = 0;  ///< The kernel gives a connection to the lowest.
    };
    struct Process {
        pid_t pid = 0;
        pid_t parent = 0;
    };
    /// Where a socket was found.
    struct Hold {
        pid_t pid = 0;
        std::string link;  ///< /proc/PID/fd/N
        std::string socket;
    };

    std::vector<Socket> listening(std::uint16_t port, Loopback address) const;
    void read_table(const std::string& name, std::uint16_t port, Loopback address,
                    std::vector<Socket>& out) const;
    bool find(const std::vector<Socket>& sockets, pid_t keeper);
    bool find_in(pid_t pid, const std::vector<std::string>& sockets, std::size_t& descriptors_left);
    std::vector<Process> processes() const;
    bool is_below(pid_t pid, pid_t keeper) const;
    pid_t parent_of(pid_t pid) const;
    std::string name_of(pid_t pid) const;

    const std::string root_;
    Hold hold_;
};

}  // namespace labdeck::supervise
