#include "io/tcp_socket.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/epoll.h>

using namespace labdeck;
using namespace labdeck::io;

TEST_SUITE("io/tcp_socket") {
    TEST_CASE("addresses are numbers or localhost, ports 1 to 65535") {
        CHECK(tcp_address("127.0.0.1", 1).has_value());
        CHECK(tcp_address("localhost", 65'535).has_value());
        CHECK(tcp_address("::1", 5020).value().storage.ss_family == AF_INET6);
        for (const char* host : {"", "plc", "127.0.0.1:80", "256.0.0.1", "[::1]"}) {
            CAPTURE(host);
            CHECK(tcp_address(host, 80).error().code == Code::bad_arg);
        }
        for (const int port : {-1, 0, 65'536})
            CHECK(tcp_address("127.0.0.1", port).error().code == Code::bad_arg);
    }

    TEST_CASE("a connection comes to the listener, which is on this machine alone") {
        const auto reactor = Reactor::create("tcp").value();
        UniqueFd accepted;
        const auto listener = TcpListener::create(*reactor, 0, [&](UniqueFd peer) {
            accepted = std::move(peer);
            reactor->stop();
        });
        REQUIRE(listener.has_value());
        REQUIRE((*listener)->port() > 0);
        const UniqueFd client =
            begin_tcp_connect(tcp_address("127.0.0.1", (*listener)->port()).value()).value();
        reactor->run();
        REQUIRE(accepted.get() >= 0);
        CHECK(tcp_connected(client.get()).has_value());
        sockaddr_in own{};
        socklen_t size = sizeof own;
        REQUIRE(::getsockname(accepted.get(), reinterpret_cast<sockaddr*>(&own), &size) == 0);
        CHECK(own.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    }

    TEST_CASE("a port that is taken is busy, and one that nobody has refuses") {
        const auto reactor = Reactor::create("tcp").value();
        int port = 0;
        {
            const auto first = TcpListener::create(*reactor, 0, [](UniqueFd) {}).value();
            port = first->port();
            CHECK(TcpListener::create(*reactor, port, [](UniqueFd) {}).error().code == Code::busy);
        }
        const auto client = begin_tcp_connect(tcp_address("127.0.0.1", port).value());
        // Loopback may refuse at once or a moment later.
        if (!client) return;
        const auto watch =
            reactor->watch(client->get(), EPOLLOUT, [&](std::uint32_t) { reactor->stop(); }).value();
        reactor->run();
        reactor->unwatch(watch);
        CHECK_FALSE(tcp_connected(client->get()).has_value());
    }
}
