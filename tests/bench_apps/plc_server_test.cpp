// The server against a client that is not ours: libmodbus over a pair of pseudo-terminals.
#include <doctest/doctest.h>
#include <modbus/modbus.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "bench_apps/modbus_rtu.h"
#include "bench_world.h"
#include "io/serial_port.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using namespace labdeck::bench_apps::world;

namespace {

class Client {
public:
    explicit Client(const std::string& path, int unit = 1)
        : context_(::modbus_new_rtu(path.c_str(), 115'200, 'N', 8, 1)) {
        ::modbus_set_slave(context_, unit);
        ::modbus_set_response_timeout(context_, 0, 500'000);
        REQUIRE(::modbus_connect(context_) == 0);
    }
    ~Client() {
        ::modbus_close(context_);
        ::modbus_free(context_);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    modbus_t* get() const { return context_; }

    /// 0 for an answer, else why there was none.
    int poll() const {
        std::array<std::uint16_t, 31> registers{};
        ::modbus_flush(context_);
        errno = 0;
        return ::modbus_read_input_registers(context_, 0, 31, registers.data()) == 31 ? 0 : errno;
    }

private:
    modbus_t* context_;
};

struct Bench {
    Bench() {
        workspace.plug("plc-sim", "plc-bridge");
        provider.start("plc-simulator");
    }
    void inject(const std::string& kind, double seconds = 60) {
        CHECK(provider.run("plc-simulator", "inject_fault", {{"kind", kind}, {"seconds", seconds}})
                  .at("state") == "succeeded");
    }

    Workspace workspace;
    ProviderChild provider{workspace, {"plc-simulator"}};
};

}  // namespace

TEST_SUITE("bench_apps/plc_server") {
    TEST_CASE("libmodbus reads and writes through all eight functions") {
        Bench bench;
        const Client client(bench.workspace.device("plc-bridge"));
        modbus_t* bus = client.get();
        std::array<std::uint16_t, 31> inputs{};
        CHECK(::modbus_read_input_registers(bus, 0, 31, inputs.data()) == 31);
        CHECK(inputs[2] == doctest::Approx(12'000).epsilon(0.01));
        CHECK(::modbus_write_register(bus, 8, 4321) == 1);
        const std::array<std::uint16_t, 2> two = {11, 22};
        CHECK(::modbus_write_registers(bus, 5, 2, two.data()) == 2);
        std::array<std::uint16_t, 10> holding{};
        CHECK(::modbus_read_registers(bus, 0, 10, holding.data()) == 10);
        CHECK(holding[5] == 11);
        CHECK(holding[6] == 22);
        CHECK(holding[8] == 4321);
        CHECK(::modbus_write_bit(bus, 1, 1) == 1);
        std::array<std::uint8_t, 4> bits{};
        CHECK(::modbus_read_bits(bus, 0, 4, bits.data()) == 4);
        CHECK(bits == std::array<std::uint8_t, 4>{1, 1, 1, 0});
        const std::array<std::uint8_t, 4> other = {0, 1, 0, 1};
        CHECK(::modbus_write_bits(bus, 0, 4, other.data()) == 4);
        CHECK(::modbus_read_input_bits(bus, 0, 4, bits.data()) == 4);
        CHECK(bits == other);
        const Json status = bench.provider.status("plc-simulator");
        CHECK(status.at("requests") == 8);
        CHECK(status.at("rxFrames") == 8);
        CHECK(status.at("txFrames") == 8);
        CHECK(status.at("errors") == 0);
    }

    TEST_CASE("libmodbus gets the exceptions 1 to 3") {
        Bench bench;
        const Client client(bench.workspace.device("plc-bridge"));
        std::array<std::uint16_t, 125> registers{};
        CHECK(::modbus_read_input_registers(client.get(), 31, 1, registers.data()) == -1);
        CHECK(errno == EMBXILADD);
        const std::array<std::uint8_t, 4> unknown = {1, 0x41, 0x12, 0x34};
        CHECK(::modbus_send_raw_request(client.get(), unknown.data(), 4) > 0);
        std::array<std::uint8_t, MODBUS_RTU_MAX_ADU_LENGTH> answer{};
        CHECK(::modbus_receive_confirmation(client.get(), answer.data()) == 5);
        CHECK(answer[1] == 0xC1);
        CHECK(answer[2] == 1);
        const std::array<std::uint8_t, 6> no_such_value = {1, 5, 0, 0, 0, 1};
        CHECK(::modbus_send_raw_request(client.get(), no_such_value.data(), 6) > 0);
        CHECK(::modbus_receive_confirmation(client.get(), answer.data()) == 5);
        CHECK(answer[2] == 3);
    }

    TEST_CASE("another unit is met with silence, and the next request to us is answered") {
        Bench bench;
        {
            const Client other(bench.workspace.device("plc-bridge"), 2);
            CHECK(other.poll() == ETIMEDOUT);
        }
        const Client client(bench.workspace.device("plc-bridge"));
        for (int i = 0; i < 5; ++i) CHECK(client.poll() == 0);
        CHECK(bench.provider.status("plc-simulator").at("otherUnit") == 1);
    }

    TEST_CASE("after garbage and a wrong check sum the next request is answered") {
        Bench bench;
        io::SerialPort port = io::SerialPort::open(bench.workspace.device("plc-bridge"), {}).value();
        Bytes damaged = rtu_request(1, ModbusFunction::read_input_registers, 0, 31);
        damaged.back() ^= 1;
        REQUIRE(::write(port.fd(), damaged.data(), damaged.size()) == 8);
        REQUIRE(becomes([&] { return bench.provider.status("plc-simulator").at("badCrc") == 1; }));
        REQUIRE(::write(port.fd(), "\x01\x04garbage\xff\x00", 11) == 11);
        REQUIRE(becomes([&] { return bench.provider.status("plc-simulator").at("badCrc") == 2; }));
        port.take_fd().reset();
        const Client client(bench.workspace.device("plc-bridge"));
        CHECK(client.poll() == 0);
        CHECK(bench.provider.status("plc-simulator").at("rxBytes") == 8 + 11 + 8);
    }

    TEST_CASE("each fault is on the wire what it says, and ends when its time is over") {
        Bench bench;
        const Client client(bench.workspace.device("plc-bridge"));
        CHECK(client.poll() == 0);
        bench.inject("crc");
        CHECK(client.poll() == EMBBADCRC);
        bench.inject("crc", 0);
        bench.inject("silence");
        CHECK(client.poll() == ETIMEDOUT);
        bench.inject("silence", 0);
        bench.inject("exception");
        CHECK(client.poll() == EMBXSFAIL);
        bench.inject("exception", 0);
        bench.inject("lost_byte");
        CHECK(client.poll() != 0);
        bench.inject("lost_byte", 0);
        bench.inject("delay");
        const MonoTime before = mono_now();
        CHECK(client.poll() == 0);
        CHECK(mono_now().ns - before.ns >= 100'000'000);
        const Json faults = bench.provider.status("plc-simulator").at("faults");
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].at("kind") == "delay");
        CHECK(faults[0].at("applied") == 1);
        bench.inject("delay", 0);
        CHECK(client.poll() == 0);
        CHECK(bench.provider.status("plc-simulator").at("faults").empty());
        CHECK(bench.provider.status("plc-simulator").at("faultsApplied") == 5);
    }

    TEST_CASE("a thousand round trips, none lost") {
        Bench bench;
        const Client client(bench.workspace.device("plc-bridge"));
        int lost = 0;
        for (int i = 0; i < 1000; ++i) lost += client.poll() == 0 ? 0 : 1;
        CHECK(lost == 0);
        CHECK(bench.provider.status("plc-simulator").at("answers") == 1000);
    }

    TEST_CASE("what the actions set is what the client reads") {
        Bench bench;
        const Client client(bench.workspace.device("plc-bridge"));
        CHECK(bench.provider.run("plc-simulator", "set_register", {{"register", 3}, {"value", 1799}})
                  .at("state") == "succeeded");
        CHECK(bench.provider
                  .run("plc-simulator", "set_waveform",
                       {{"register", 21}, {"kind", "constant"}, {"offset", 555}})
                  .at("state") == "succeeded");
        CHECK(bench.provider
                  .run("plc-simulator", "set_register", {{"register", 3}, {"value", 1}, {"bank", "coil"}})
                  .at("state") == "succeeded");
        std::array<std::uint16_t, 31> inputs{};
        CHECK(::modbus_read_input_registers(client.get(), 0, 31, inputs.data()) == 31);
        CHECK(inputs[3] == 1799);
        CHECK(inputs[21] == 555);
        std::uint8_t alarm = 0;
        CHECK(::modbus_read_bits(client.get(), 3, 1, &alarm) == 1);
        CHECK(alarm == 1);
        CHECK(bench.provider.run("plc-simulator", "load_scenario", {{"name", "ramp-up"}}).at("state") ==
              "succeeded");
        CHECK(bench.provider.status("plc-simulator").at("profile") == "ramp-up");
        const Json refused =
            bench.provider.run("plc-simulator", "set_register", {{"register", 99}, {"value", 1}});
        CHECK(refused.at("state") == "failed");
        CHECK(refused.at("error").at("code") == "E_BAD_ARG");
        CHECK(refused.at("error").at("details").at("key") == "args.register");
    }
}
