#include "io/null_modem.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>

#include "io/io_world.h"
#include "io/serial_port.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

NullModemRequest request_in(const TempDir& folder) {
    NullModemRequest request;
    request.link_a = folder / "port-a";
    request.link_b = folder / "port-b";
    request.a_to_b = {{1}, data::SourceKind::serial, "a>b", ""};
    request.b_to_a = {{2}, data::SourceKind::serial, "b>a", ""};
    return request;
}

// A cable on a loop of its own.
struct Cable {
    explicit Cable(NullModemRequest request) {
        loop.on([&] {
            modem = NullModem::create(loop.reactor(), std::move(request)).value();
            modem->a_to_b().add_feed(tap_a.feed);
            modem->b_to_a().add_feed(tap_b.feed);
        });
    }
    Cable(const Cable&) = delete;
    Cable& operator=(const Cable&) = delete;
    ~Cable() {
        loop.on([this] { modem.reset(); });
    }

    Consumer tap_a{4096};
    Consumer tap_b{4096};
    std::unique_ptr<NullModem> modem;
    Loop loop;
};

std::string read_bytes(int fd, std::size_t bytes) {
    std::string text;
    std::array<char, 4096> buffer;
    while (text.size() < bytes && readable(fd)) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n > 0) text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        pollfd polled{fd, POLLOUT, 0};
        REQUIRE(::poll(&polled, 1, 20'000) == 1);
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace

TEST_SUITE("io/null_modem") {
    TEST_CASE("what one end says the other end reads, and the taps have seen it") {
        const TempDir folder;
        Cable cable(request_in(folder));
        const SerialPort a = SerialPort::open(folder / "port-a", {}).value();
        const SerialPort b = SerialPort::open(folder / "port-b", {}).value();
        write_all(a.fd(), "question\r\n");
        CHECK(read_bytes(b.fd(), 10) == "question\r\n");
        write_all(b.fd(), "answer\x03\x04\xff");
        CHECK(read_bytes(a.fd(), 9) == "answer\x03\x04\xff");
        CHECK(cable.tap_a.all(10) == "question\r\n");
        CHECK(cable.tap_b.all(9) == "answer\x03\x04\xff");
    }

    TEST_CASE("5 MB pass a slow reader whole while it reads") {
        const TempDir folder;
        NullModemRequest request = request_in(folder);
        request.pending_bytes_max = 8U << 20;
        Cable cable(request);
        const SerialPort a = SerialPort::open(folder / "port-a", {}).value();
        const SerialPort b = SerialPort::open(folder / "port-b", {}).value();
        std::string text;
        while (text.size() < 5'000'000) text += std::to_string(text.size()) + '\n';
        std::thread writer([&] { write_all(a.fd(), text); });
        CHECK(read_bytes(b.fd(), text.size()) == text);
        writer.join();
        CHECK(cable.modem->a_to_b().counters()->lost_total() == 0);
    }

    TEST_CASE("an end that nobody reads loses what is beyond its bound, is counted, and its tap has all") {
        const TempDir folder;
        NullModemRequest request = request_in(folder);
        request.pending_bytes_max = 10'000;
        Cable cable(request);
        const SerialPort a = SerialPort::open(folder / "port-a", {}).value();
        const std::string text(500'000, 'z');
        write_all(a.fd(), text);
        CHECK(cable.tap_a.all(text.size()) == text);
        const auto counters = cable.modem->a_to_b().counters();
        const auto lost = [&] {
            return counters->lost[static_cast<std::size_t>(data::LossStage::peer_not_reading)].load();
        };
        CHECK(becomes([&] { return lost() > 300'000; }));
        CHECK(lost() == counters->lost_total());
        // Another opener does not get the old bytes of the port, and the cable works for it.
        const SerialPort b = SerialPort::open(folder / "port-b", {}).value();
        write_all(b.fd(), "still here");
        CHECK(read_bytes(a.fd(), 10) == "still here");
    }

    TEST_CASE("openers come and go without the loop spinning") {
        const TempDir folder;
        Cable cable(request_in(folder));
        for (int i = 0; i < 3; ++i) {
            const SerialPort a = SerialPort::open(folder / "port-a", {}).value();
            const SerialPort b = SerialPort::open(folder / "port-b", {}).value();
            write_all(a.fd(), "x");
            CHECK(read_bytes(b.fd(), 1) == "x");
        }
        cable.loop.on([] {});
        const std::uint64_t before = cable.loop.reactor().rounds();
        ::poll(nullptr, 0, 50);
        CHECK(cable.loop.reactor().rounds() - before <= 3);
    }

    TEST_CASE("the links lead to the devices, replace old links, and go with the cable") {
        const TempDir folder;
        std::filesystem::create_symlink("/nowhere", folder / "port-a");
        {
            Cable cable(request_in(folder));
            CHECK(std::filesystem::read_symlink(folder / "port-a") == cable.modem->device_a());
            CHECK(std::filesystem::read_symlink(folder / "port-b") == cable.modem->device_b());
        }
        CHECK(folder.empty());
    }

    TEST_CASE("a link that somebody else has taken over stays") {
        const TempDir folder;
        {
            Cable cable(request_in(folder));
            std::filesystem::remove(folder / "port-a");
            std::filesystem::create_symlink("/elsewhere", folder / "port-a");
        }
        CHECK(std::filesystem::read_symlink(folder / "port-a") == "/elsewhere");
    }

    TEST_CASE("a file where a link should be is refused and left as it is") {
        const TempDir folder;
        std::ofstream(folder / "port-b") << "precious";
        const auto reactor = Reactor::create("refuse").value();
        const auto modem = NullModem::create(*reactor, request_in(folder));
        REQUIRE_FALSE(modem.has_value());
        CHECK(modem.error().code == Code::busy);
        CHECK(modem.error().message.find("no link") != std::string::npos);
        std::string text;
        std::ifstream(folder / "port-b") >> text;
        CHECK(text == "precious");
        CHECK_FALSE(std::filesystem::is_symlink(folder / "port-a"));
        NullModemRequest same = request_in(folder);
        same.link_b = same.link_a;
        CHECK(NullModem::create(*reactor, same).error().code == Code::bad_arg);
        NullModemRequest homeless = request_in(folder);
        homeless.link_a = folder / "gone/port";
        CHECK(NullModem::create(*reactor, homeless).error().code == Code::not_found);
    }

    TEST_CASE("where pseudo-terminals are not mounted the error says how to mount them") {
        for (const int os : {ENODEV, ENOENT}) {
            CAPTURE(os);
            const Error error = pseudo_terminal_error("make a pseudo-terminal", os);
            CHECK(error.code == Code::not_found);
            CHECK(error.os == os);
            CHECK(error.message.find("make a pseudo-terminal: No such ") == 0);
            CHECK(error.message.find("; mount the pseudo-terminals, as root: ") != std::string::npos);
            CHECK(error.message.find("mount -t devpts ") != std::string::npos);
            CHECK(error.message.find("ln -sf pts/ptmx /dev/ptmx") != std::string::npos);
        }
    }

    TEST_CASE("a pseudo-terminal that fails for another reason is not blamed on the mount") {
        const Error denied = pseudo_terminal_error("open /dev/pts/3", EACCES);
        CHECK(denied.code == Code::denied);
        CHECK(denied.message == "open /dev/pts/3: Permission denied");
        CHECK(pseudo_terminal_error("make a pseudo-terminal", ENOSPC).message ==
              "make a pseudo-terminal: No space left on device");
    }

    TEST_CASE("openers see a hang-up when the cable goes") {
        const TempDir folder;
        std::optional<Cable> cable(std::in_place, request_in(folder));
        const SerialPort a = SerialPort::open(folder / "port-a", {}).value();
        cable.reset();
        pollfd polled{a.fd(), POLLIN, 0};
        CHECK(::poll(&polled, 1, 20'000) == 1);
        CHECK((polled.revents & POLLHUP) != 0);
    }

    TEST_CASE("a paced cable takes as long as the baud rate says") {
        const TempDir folder;
        NullModemRequest request = request_in(folder);
        request.baud = 115'200;
        request.paced = true;
        Cable cable(request);
        const SerialPort a = SerialPort::open(folder / "port-a", {}).value();
        const SerialPort b = SerialPort::open(folder / "port-b", {}).value();
        // 11,520 bytes a second: 100 ms and more.
        const std::string text(1152 + 8, 'p');
        const MonoTime begun = mono_now();
        write_all(a.fd(), text);
        CHECK(read_bytes(b.fd(), text.size()) == text);
        CHECK(mono_now().ns - begun.ns >= 100'000'000);
        CHECK(cable.modem->a_to_b().counters()->lost_total() == 0);
    }
}
