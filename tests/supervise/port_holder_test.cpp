#include "supervise/port_holder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "io/io_world.h"

using namespace labdeck::supervise;
using labdeck::io::world::TempDir;

namespace {

constexpr pid_t keeper = 100;

/// A /proc of our own: tables of sockets, processes with parents and descriptors.
class Proc {
public:
    Proc() {
        std::filesystem::create_directory(root_ / "net");
        for (const char* name : {"tcp", "tcp6"}) table(name) << "  sl  local_address and so on\n";
    }
    std::string path() const { return root_.path(); }

    void socket(const char* name, const std::string& local, const char* state, unsigned uid, int inode) {
        table(name) << "   0: " << local << " 00000000:0000 " << state
                    << " 00000000:00000000 00:00000000 00000000 " << uid << " 0 " << inode
                    << " 1 0000000000000000 100 0 0 10 0\n";
    }
    void process(int pid, int parent, const std::string& name) {
        const std::string folder = root_ / std::to_string(pid);
        std::filesystem::create_directories(folder + "/fd");
        std::ofstream(folder + "/stat") << pid << " (" << name << ") S " << parent << " 1 1 0\n";
        std::ofstream(folder + "/comm") << name << "\n";
    }
    void holds(int pid, int number, int inode) {
        std::filesystem::create_symlink("socket:[" + std::to_string(inode) + "]", link(pid, number));
    }
    void closes(int pid, int number) { std::filesystem::remove(link(pid, number)); }

private:
    std::ofstream table(const std::string& name) const {
        return std::ofstream(root_ / ("net/" + name), std::ios::app);
    }
    std::string link(int pid, int number) const {
        return root_ / (std::to_string(pid) + "/fd/" + std::to_string(number));
    }

    TempDir root_;
};

const std::string four = "0100007F:1F90";
const std::string any_four = "00000000:1F90";
const std::string six = "00000000000000000000000001000000:1F90";
const std::string any_six = "00000000000000000000000000000000:1F90";

std::string why_not(const Proc& proc, Loopback address = Loopback::four) {
    return PortHolder(proc.path()).why_not(8080, address, keeper);
}

}  // namespace

TEST_SUITE("supervise/port_holder") {
    TEST_CASE("a socket of a descendant counts, whatever the processes are called") {
        Proc proc;
        proc.process(keeper, 1, "keeper");
        proc.process(101, keeper, "a) S 1 (b");
        proc.process(102, 101, "server");
        proc.holds(102, 7, 5001);
        for (const auto& [table, local] : {std::pair{"tcp", four}, {"tcp", any_four}, {"tcp6", any_six}}) {
            Proc one = Proc();
            one.process(keeper, 1, "keeper");
            one.process(101, keeper, "a) S 1 (b");
            one.process(102, 101, "server");
            one.holds(102, 7, 5001);
            one.socket(table, local, "0A", 0, 5001);
            CHECK(why_not(one) == "");
        }
        proc.socket("tcp6", six, "0A", 0, 5001);
        CHECK(why_not(proc, Loopback::six) == "");
        CHECK(why_not(proc, Loopback::four) == "port 8080 is open, but no process here listens on it");
    }

    TEST_CASE("the socket with the nearer address is the one that answers") {
        Proc proc;
        proc.process(keeper, 1, "keeper");
        proc.process(101, keeper, "server");
        proc.process(200, 1, "nginx");
        proc.socket("tcp", any_four, "0A", 0, 5001);
        proc.socket("tcp", four, "0A", 0, 5002);
        proc.holds(101, 3, 5001);
        proc.holds(200, 3, 5002);
        CHECK(why_not(proc) == "port 8080 is held by nginx (pid 200), which is not of this script");
    }

    TEST_CASE("a socket whose holder may not be looked at is said to be another user's") {
        Proc proc;
        proc.process(keeper, 1, "keeper");
        proc.process(200, 1, "nginx");
        const unsigned other = ::geteuid() + 33;
        proc.socket("tcp", four, "0A", other, 5002);
        CHECK(why_not(proc) ==
              "port 8080 is held by another user (uid " + std::to_string(other) + "), not by this script");
        Proc own;
        own.socket("tcp", four, "0A", ::geteuid(), 5002);
        CHECK(why_not(own) == "port 8080 is open, but who holds it was not found");
    }

    TEST_CASE("connections and other ports are not taken for the listener") {
        Proc proc;
        proc.process(keeper, 1, "keeper");
        proc.socket("tcp", "0100007F:1F91", "0A", 0, 5001);
        proc.socket("tcp", four, "01", 0, 5002);
        proc.holds(keeper, 3, 5002);
        CHECK(why_not(proc) == "port 8080 is open, but no process here listens on it");
    }

    TEST_CASE("what was found is looked for again when it is not there any more") {
        Proc proc;
        proc.process(keeper, 1, "keeper");
        proc.process(101, keeper, "server");
        proc.process(200, 1, "nginx");
        proc.socket("tcp", four, "0A", 0, 5001);
        proc.holds(101, 3, 5001);
        PortHolder holder(proc.path());
        CHECK(holder.why_not(8080, Loopback::four, keeper) == "");
        CHECK(holder.why_not(8080, Loopback::four, keeper) == "");
        proc.closes(101, 3);
        proc.holds(200, 9, 5001);
        CHECK(holder.why_not(8080, Loopback::four, keeper) ==
              "port 8080 is held by nginx (pid 200), which is not of this script");
        proc.holds(101, 4, 5001);
        proc.closes(200, 9);
        CHECK(holder.why_not(8080, Loopback::four, keeper) == "");
    }
}
