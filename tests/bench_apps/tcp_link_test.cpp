// Links over real sockets of this machine.
#include "bench_apps/tcp_link.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench_world.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using namespace labdeck::bench_apps::world;

namespace {

/// What a link told.
struct Ear {
    Link::Handler handler() {
        return {[this](ByteView bytes, MonoTime) { heard += as_text(bytes); },
                [this](bool open, const std::string& why) { changes.emplace_back(open ? "open" : why); }};
    }
    std::string heard;
    std::vector<std::string> changes;
};

struct Bench {
    Bench() { serve(); }
    void serve() {
        server = std::make_unique<TcpServerLink>(*reactor, port, at_server.handler());
        REQUIRE(server->open());
    }
    void connect() {
        client = std::make_unique<TcpLink>(*reactor, "127.0.0.1", port, at_client.handler());
        REQUIRE(client->open());
    }
    bool until(const std::function<bool()>& so) { return becomes(*reactor, so); }

    std::unique_ptr<io::Reactor> reactor = io::Reactor::create("tcp").value();
    int port = free_port();
    Ear at_server;
    Ear at_client;
    std::unique_ptr<TcpServerLink> server;
    std::unique_ptr<TcpLink> client;
};

}  // namespace

TEST_SUITE("bench_apps/tcp_link") {
    TEST_CASE("bytes go both ways as they are, and are counted at both ends") {
        Bench bench;
        bench.connect();
        CHECK_FALSE(bench.client->is_open());
        REQUIRE(bench.until([&] { return bench.client->is_open() && bench.server->is_open(); }));
        CHECK(bench.client->name() == "127.0.0.1:" + std::to_string(bench.port));
        const std::string request("\x00\xff\r\n\x01", 5);
        bench.client->send(as_bytes(request));
        bench.server->send(as_bytes("answer"));
        REQUIRE(bench.until(
            [&] { return bench.at_server.heard == request && bench.at_client.heard == "answer"; }));
        CHECK(bench.client->counters().tx_bytes == 5);
        CHECK(bench.client->counters().rx_bytes == 6);
        CHECK(bench.server->counters().rx_bytes == 5);
        CHECK(bench.at_client.changes == std::vector<std::string>{"open"});
        CHECK(bench.client->counters().losses == 0);
    }

    TEST_CASE("a server that is not there yet is told once and connected to when it comes") {
        Bench bench;
        bench.server.reset();
        bench.connect();
        REQUIRE(bench.until([&] { return !bench.at_client.changes.empty(); }));
        CHECK(bench.at_client.changes[0] == "connect: Connection refused");
        CHECK(bench.client->counters().losses == 0);
        bench.client->send(as_bytes("nobody hears this"));
        CHECK(bench.client->counters().tx_bytes == 0);
        bench.serve();
        REQUIRE(bench.until([&] { return bench.client->is_open(); }));
        CHECK(bench.at_client.changes.size() == 2);
    }

    TEST_CASE("a connection that breaks is a loss, and is made again by itself") {
        Bench bench;
        bench.connect();
        REQUIRE(bench.until([&] { return bench.server->is_open(); }));
        bench.server.reset();
        REQUIRE(bench.until([&] { return !bench.client->is_open() && !bench.at_client.changes.empty(); }));
        CHECK(bench.client->counters().losses == 1);
        CHECK(bench.at_client.changes[1] == "hung up");
        bench.serve();
        REQUIRE(bench.until([&] { return bench.client->is_open() && bench.server->is_open(); }));
        bench.client->send(as_bytes("again"));
        REQUIRE(bench.until([&] { return bench.at_server.heard == "again"; }));
        CHECK(bench.client->counters().losses == 1);
    }

    TEST_CASE("what a peer does not take is kept up to a bound, then dropped and counted") {
        Bench bench;
        bench.connect();
        REQUIRE(bench.until([&] { return bench.client->is_open() && bench.server->is_open(); }));
        // Nobody reads while the loop does not run.
        const Bytes much(1 << 20, 'x');
        for (int i = 0; i < 64; ++i) bench.client->send(much);
        CHECK(bench.client->counters().tx_dropped_bytes > 0);
        const std::uint64_t sent = 64 * much.size() - bench.client->counters().tx_dropped_bytes;
        REQUIRE(bench.until([&] { return bench.at_server.heard.size() == sent; }));
        CHECK(bench.client->counters().tx_bytes == sent);
    }

    TEST_CASE("a line has two ends: a second peer is hung up on, and the first stays") {
        Bench bench;
        bench.connect();
        REQUIRE(bench.until([&] { return bench.server->is_open(); }));
        Ear other;
        TcpLink second(*bench.reactor, "localhost", bench.port, other.handler());
        REQUIRE(second.open());
        REQUIRE(bench.until([&] { return other.changes.size() == 2; }));
        CHECK(other.changes[1] == "hung up");
        CHECK(bench.server->is_open());
    }

    TEST_CASE("a port that is taken is busy, and what is no address is refused") {
        Bench bench;
        Ear ear;
        TcpServerLink second(*bench.reactor, bench.port, ear.handler());
        CHECK(second.open().error().code == Code::busy);
        TcpLink nowhere(*bench.reactor, "plc.example", 5020, ear.handler());
        CHECK(nowhere.open().error().code == Code::bad_arg);
        TcpLink no_port(*bench.reactor, "::1", 0, ear.handler());
        CHECK(no_port.open().error().code == Code::bad_arg);
        CHECK(io::tcp_address("::1", 5020).has_value());
    }
}

TEST_SUITE("bench_apps/tcp_bench") {
    TEST_CASE(
        "a bench without a cable runs over TCP with the same accounting, and heals when a device restarts") {
        Workspace workspace;
        const int plc_port = free_port();
        const int ble_port = free_port();
        std::filesystem::create_directories(workspace.path() + "/config");
        const auto configure = [&](const std::string& app, const Json& settings) {
            std::ofstream(workspace.path() + "/config/" + app + ".json") << settings.dump();
        };
        configure("plc-simulator", {{"transportMode", "Tcp"}, {"tcpPort", plc_port}});
        configure("ble-simulator", {{"transportMode", "Tcp"}, {"tcpPort", ble_port}});
        configure("bridge", {{"transportMode", "Tcp"}, {"plcTcpPort", plc_port}, {"bleTcpPort", ble_port}});
        configure("40318", {{"samples", 5},
                            {"sampleSeconds", 20},
                            {"roundTrips", 20},
                            {"p50MaxMs", 190},
                            {"p99MaxMs", 199},
                            {"throughputSeconds", 0.5},
                            {"throughputMin", 100},
                            {"advertiseSeconds", 10},
                            {"connectSeconds", 10}});
        ProviderChild provider(workspace);
        // The bridge first: it waits for its devices.
        provider.start("bridge");
        REQUIRE(becomes([&] { return provider.status("bridge").at("error") != ""; }));
        CHECK(provider.status("bridge").at("profile") == "Tcp");
        CHECK(provider.status("bridge").at("ports")[0].at("open") == false);
        provider.start("plc-simulator");
        provider.start("ble-simulator");
        REQUIRE(becomes([&] {
            const Json bridge = provider.status("bridge");
            return bridge.at("records") >= 10 && bridge.at("notifications") >= 10 && bridge.at("error") == "";
        }));
        const Json bridge = provider.status("bridge");
        CHECK(bridge.at("plcPort") == "127.0.0.1:" + std::to_string(plc_port));
        CHECK(bridge.at("losses") == 0);
        CHECK(bridge.at("crcErrors") == 0);
        CHECK(bridge.at("roundTrip").at("p50Ms") > 0);
        CHECK(bridge.at("ports")[0].at("rxBytes") > 0);
        CHECK(provider.status("plc-simulator").at("port") == "127.0.0.1:" + std::to_string(plc_port));

        const Json job = provider.run("40318", "run_start");
        INFO(job.dump());
        CHECK(job.at("result").at("verdict") == "pass");

        provider.run("plc-simulator", "run_stop");
        REQUIRE(becomes([&] { return provider.status("bridge").at("ports")[0].at("open") == false; }));
        CHECK(provider.status("bridge").at("error") != "");
        provider.start("plc-simulator");
        const auto records = provider.status("bridge").at("records").get<int>();
        REQUIRE(becomes([&] { return provider.status("bridge").at("records") > records + 5; }));
        CHECK(provider.status("bridge").at("error") == "");
        CHECK(provider.status("bridge").at("ports")[0].at("errors") >= 1);
    }
}
