#include "io/serial_port.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <thread>

#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

struct Terminal {
    Terminal() : master(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
        REQUIRE(::grantpt(master.get()) == 0);
        REQUIRE(::unlockpt(master.get()) == 0);
        char name[64];
        REQUIRE(::ptsname_r(master.get(), name, sizeof name) == 0);
        path = name;
    }
    UniqueFd master;
    std::string path;
};

termios2 mode_of(int fd) {
    termios2 mode{};
    CHECK(::ioctl(fd, TCGETS2, &mode) == 0);
    return mode;
}

// Runs on a thread that is nobody, so that not even root gets past a file's mode.
template <typename Call>
void as_nobody(Call call) {
    std::thread nobody([&call] {
        constexpr long nobody_id = 65'534;
        ::syscall(SYS_setgroups, 0L, nullptr);
        ::syscall(SYS_setresgid, nobody_id, nobody_id, nobody_id);
        ::syscall(SYS_setresuid, nobody_id, nobody_id, nobody_id);
        call();
    });
    nobody.join();
}

}  // namespace

TEST_SUITE("io/serial_port") {
    TEST_CASE("any baud rate is stored and read back") {
        const Terminal terminal;
        for (const std::uint32_t baud : {300U, 9600U, 12'345U, 115'200U, 250'000U, 3'000'000U}) {
            SerialSettings settings;
            settings.baud = baud;
            const SerialPort port = SerialPort::open(terminal.path, settings).value();
            CHECK(mode_of(port.fd()).c_ospeed == baud);
            CHECK(mode_of(port.fd()).c_ispeed == baud);
        }
    }

    TEST_CASE("all byte values pass unchanged in both directions") {
        const Terminal terminal;
        const SerialPort port = SerialPort::open(terminal.path, {}).value();
        std::string all;
        for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
        for (const auto& [from, to] :
             {std::pair{port.fd(), terminal.master.get()}, {terminal.master.get(), port.fd()}}) {
            CHECK(::write(from, all.data(), all.size()) == 256);
            std::string got;
            while (got.size() < all.size() && readable(to)) {
                char buffer[512];
                const ssize_t n = ::read(to, buffer, sizeof buffer);
                if (n > 0) got.append(buffer, static_cast<std::size_t>(n));
            }
            CHECK(got == all);
        }
        port.drain(100);
    }

    TEST_CASE("flow control and stop bits are set as asked") {
        const Terminal terminal;
        SerialSettings settings;
        settings.flow = FlowControl::xonxoff;
        settings.stop_bits = StopBits::two;
        const SerialPort port = SerialPort::open(terminal.path, settings).value();
        CHECK((mode_of(port.fd()).c_iflag & (IXON | IXOFF)) == (IXON | IXOFF));
        CHECK((mode_of(port.fd()).c_cflag & CSTOPB) != 0);
        CHECK((mode_of(port.fd()).c_lflag & (ICANON | ECHO | ISIG)) == 0);
        settings.flow = FlowControl::rtscts;
        CHECK(apply_serial_settings(port.fd(), settings).has_value());
        CHECK((mode_of(port.fd()).c_cflag & CRTSCTS) != 0);
        CHECK((mode_of(port.fd()).c_iflag & IXON) == 0);
    }

    TEST_CASE("an idle port has nothing to read, which is not its end") {
        const Terminal terminal;
        const SerialPort port = SerialPort::open(terminal.path, {}).value();
        char byte = 0;
        CHECK(::read(port.fd(), &byte, 1) == -1);
        CHECK(errno == EAGAIN);
    }

    TEST_CASE("what waited in the input before the port was opened is dropped") {
        const Terminal terminal;
        const UniqueFd other(::open(terminal.path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(apply_serial_settings(other.get(), {}).has_value());
        CHECK(::write(terminal.master.get(), "old", 3) == 3);
        CHECK(readable(other.get()));
        const SerialPort port = SerialPort::open(terminal.path, {}).value();
        CHECK_FALSE(readable(port.fd(), 0));
    }

    TEST_CASE("a port that is open is busy, and free again when it is closed") {
        const Terminal terminal;
        {
            const SerialPort port = SerialPort::open(terminal.path, {}).value();
            const auto second = SerialPort::open(terminal.path, {});
            REQUIRE_FALSE(second.has_value());
            CHECK(second.error().code == Code::busy);
            CHECK(second.error().message == "open " + terminal.path + ": another program holds it");
        }
        CHECK(SerialPort::open(terminal.path, {}).has_value());
    }

    TEST_CASE("a path that is no port is refused with a clear word") {
        const TempDir folder;
        std::ofstream(folder / "file") << "text";
        REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
        for (const std::string& path :
             {folder / "file", folder / "fifo", folder.path(), std::string("/dev/null")}) {
            const auto port = SerialPort::open(path, {});
            REQUIRE_FALSE(port.has_value());
            CHECK(port.error().code == Code::bad_arg);
            CHECK(port.error().message == "open " + path + ": it is not a serial port");
        }
        const auto missing = SerialPort::open(folder / "missing", {});
        REQUIRE_FALSE(missing.has_value());
        CHECK(missing.error().code == Code::not_found);
        CHECK(missing.error().os == ENOENT);
    }

    TEST_CASE("a port that we may not open says which group may" * doctest::skip(::geteuid() != 0)) {
        const Terminal terminal;
        REQUIRE(::chmod(terminal.path.c_str(), 0600) == 0);
        as_nobody([&terminal] {
            const auto port = SerialPort::open(terminal.path, {});
            REQUIRE_FALSE(port.has_value());
            CHECK(port.error().code == Code::denied);
            CHECK(port.error().message.find("(usermod -a -G ") != std::string::npos);
            CHECK(port.error().message.find("then log out and in") != std::string::npos);
        });
    }

    TEST_CASE("a baud rate of zero and nine data bits are refused before anything is set") {
        const Terminal terminal;
        SerialSettings settings;
        settings.baud = 0;
        CHECK(SerialPort::open(terminal.path, settings).error().code == Code::bad_arg);
        settings.baud = 9600;
        settings.data_bits = 9;
        CHECK(SerialPort::open(terminal.path, settings).error().code == Code::bad_arg);
    }

    TEST_CASE("a hang-up is seen by whoever reads or writes") {
        Terminal terminal;
        const SerialPort port = SerialPort::open(terminal.path, {}).value();
        terminal.master.reset();
        pollfd polled{port.fd(), POLLIN, 0};
        CHECK(::poll(&polled, 1, 20'000) == 1);
        CHECK((polled.revents & POLLHUP) != 0);
        char byte = 'x';
        CHECK(::read(port.fd(), &byte, 1) == 0);
        CHECK(::write(port.fd(), &byte, 1) == -1);
        CHECK(errno == EIO);
    }

    TEST_CASE("a character's bits are start, data, parity and stop") {
        SerialSettings settings;
        CHECK(bits_per_character(settings) == 10);
        settings.parity = Parity::mark;
        settings.stop_bits = StopBits::one_and_half;
        settings.data_bits = 5;
        CHECK(bits_per_character(settings) == 9);
    }
}
