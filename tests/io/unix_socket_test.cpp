#include "io/unix_socket.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <fstream>

#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

// A listener on a loop that greets whoever comes.
struct Host {
    explicit Host(const std::string& path) {
        loop.on([&] {
            listener = UnixListener::create(loop.reactor(), path, [this](UniqueFd peer) {
                           // Whoever only looks whether somebody answers is gone by now.
                           if (::send(peer.get(), "hi", 2, MSG_NOSIGNAL) == 2) ++greeted;
                       }).value();
        });
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    ~Host() {
        loop.on([this] { listener.reset(); });
    }

    std::atomic<int> greeted{0};
    std::unique_ptr<UnixListener> listener;
    Loop loop;
};

std::string greeting(const UniqueFd& peer) {
    std::array<char, 8> buffer;
    if (!readable(peer.get())) return "nothing came";
    const ssize_t n = ::read(peer.get(), buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
}

// A socket file whose listener has died.
void leave_stale_socket(const std::string& path) {
    const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd.get(), 1) == 0);
}

}  // namespace

TEST_SUITE("io/unix_socket") {
    TEST_CASE("a peer connects to a socket of mode 0600, which goes with its listener") {
        const TempDir folder;
        {
            const mode_t before = ::umask(0);
            const Host host(folder / "socket");
            ::umask(before);
            struct stat status {};
            REQUIRE(::stat((folder / "socket").c_str(), &status) == 0);
            CHECK((status.st_mode & 07777) == 0600);
            const UniqueFd peer = connect_unix(folder / "socket").value();
            CHECK(greeting(peer) == "hi");
            CHECK((::fcntl(peer.get(), F_GETFL) & O_NONBLOCK) != 0);
            CHECK((::fcntl(peer.get(), F_GETFD) & FD_CLOEXEC) != 0);
        }
        CHECK(folder.empty());
    }

    TEST_CASE("a path far beyond 107 bytes works") {
        const TempDir folder;
        std::string deep = folder.path();
        for (int i = 0; i < 5; ++i) {
            deep += '/' + std::string(60, 'd');
            REQUIRE(::mkdir(deep.c_str(), 0700) == 0);
        }
        const Host host(deep + "/socket");
        CHECK(greeting(connect_unix(deep + "/socket").value()) == "hi");
    }

    TEST_CASE("a stale socket is replaced, one that answers is busy") {
        const TempDir folder;
        leave_stale_socket(folder / "socket");
        CHECK(connect_unix(folder / "socket").error().code == Code::not_found);
        const Host host(folder / "socket");
        const auto reactor = Reactor::create("second").value();
        const auto second = UnixListener::create(*reactor, folder / "socket", [](UniqueFd) {});
        REQUIRE_FALSE(second.has_value());
        CHECK(second.error().code == Code::busy);
        CHECK(greeting(connect_unix(folder / "socket").value()) == "hi");
    }

    TEST_CASE("of many that start at once over a stale socket, one wins") {
        const TempDir folder;
        leave_stale_socket(folder / "socket");
        std::atomic<int> won{0};
        std::atomic<int> done{0};
        std::vector<std::thread> starters;
        constexpr int count = 8;
        for (int i = 0; i < count; ++i) {
            starters.emplace_back([&] {
                const auto reactor = Reactor::create("starter").value();
                const auto mine = UnixListener::create(*reactor, folder / "socket", [](UniqueFd) {});
                if (mine) ++won;
                ++done;
                becomes([&] { return done == count; });
            });
        }
        for (std::thread& starter : starters) starter.join();
        CHECK(won == 1);
    }

    TEST_CASE("a file that is no socket is left alone, and a missing folder is an error") {
        const TempDir folder;
        std::ofstream(folder / "file") << "precious";
        const auto reactor = Reactor::create("refuse").value();
        CHECK(UnixListener::create(*reactor, folder / "file", [](UniqueFd) {}).error().code == Code::busy);
        CHECK(UnixListener::create(*reactor, folder / "no/socket", [](UniqueFd) {}).error().code ==
              Code::not_found);
        CHECK(UnixListener::create(*reactor, folder.path() + "/", [](UniqueFd) {}).error().code ==
              Code::bad_arg);
        CHECK(connect_unix(folder / "missing").error().code == Code::not_found);
        CHECK(std::ifstream(folder / "file").good());
    }

    TEST_CASE("a peer of another uid is closed at once" * doctest::skip(::geteuid() != 0)) {
        const TempDir folder;
        const Host host(folder / "socket");
        REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
        REQUIRE(::chmod((folder / "socket").c_str(), 0666) == 0);
        std::thread nobody([&] {
            constexpr long nobody_id = 65'534;
            ::syscall(SYS_setresuid, nobody_id, nobody_id, nobody_id);
            CHECK(greeting(connect_unix(folder / "socket").value()).empty());
        });
        nobody.join();
        CHECK(host.greeted == 0);
    }

    TEST_CASE("without descriptors the listener neither spins nor dies" *
              doctest::skip(needs_descriptors_itself)) {
        const TempDir folder;
        Host host(folder / "socket");
        UniqueFd peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, (folder / "socket").c_str(), sizeof address.sun_path - 1);
        rlimit before{};
        ::getrlimit(RLIMIT_NOFILE, &before);
        rlimit none = before;
        none.rlim_cur = 3;
        ::setrlimit(RLIMIT_NOFILE, &none);
        const int connected =
            ::connect(peer.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
        host.loop.on([] {});
        const std::uint64_t rounds = host.loop.reactor().rounds();
        ::poll(nullptr, 0, 50);
        const std::uint64_t spent = host.loop.reactor().rounds() - rounds;
        ::setrlimit(RLIMIT_NOFILE, &before);
        CHECK(connected == 0);
        CHECK(spent <= 3);
        CHECK(greeting(peer) == "hi");
    }

    TEST_CASE("a listener may be destroyed by the peer it hands over") {
        const TempDir folder;
        Loop loop;
        std::unique_ptr<UnixListener> listener;
        std::atomic<bool> gone{false};
        loop.on([&] {
            listener = UnixListener::create(loop.reactor(), folder / "socket", [&](UniqueFd) {
                           listener.reset();
                           gone = true;
                       }).value();
        });
        const UniqueFd first = connect_unix(folder / "socket").value();
        CHECK(becomes([&] { return gone.load(); }));
        CHECK(folder.empty());
    }
}
