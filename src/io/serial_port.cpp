#include "io/serial_port.h"

// termios2 lives in the kernel's own header, which does not go together with <termios.h>.
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/clock.h"

namespace labdeck::io {

namespace {

// A receiver samples a character's last bit correctly up to about this much error on either side.
constexpr std::uint32_t baud_error_percent_max = 3;

constexpr std::int64_t drain_step_ms = 1;

tcflag_t character_bits(int data_bits) noexcept {
    switch (data_bits) {
        case 5:
            return CS5;
        case 6:
            return CS6;
        case 7:
            return CS7;
        default:
            return CS8;
    }
}

tcflag_t parity_flags(Parity parity) noexcept {
    switch (parity) {
        case Parity::none:
            return 0;
        case Parity::odd:
            return PARENB | PARODD;
        case Parity::even:
            return PARENB;
        case Parity::mark:
            return PARENB | PARODD | CMSPAR;
        case Parity::space:
            return PARENB | CMSPAR;
    }
    return 0;
}

termios2 raw_mode(const termios2& before, const SerialSettings& settings) noexcept {
    termios2 mode{};
    mode.c_iflag = settings.flow == FlowControl::xonxoff ? IXON | IXOFF : 0;
    mode.c_cflag = CREAD | CLOCAL | (before.c_cflag & HUPCL);
    mode.c_cflag |= character_bits(settings.data_bits) | parity_flags(settings.parity);
    if (settings.stop_bits != StopBits::one) mode.c_cflag |= CSTOPB;
    if (settings.flow == FlowControl::rtscts) mode.c_cflag |= CRTSCTS;
    mode.c_cflag |= BOTHER | (static_cast<tcflag_t>(BOTHER) << IBSHIFT);
    mode.c_ispeed = settings.baud;
    mode.c_ospeed = settings.baud;
    mode.c_cc[VSTART] = 0x11;
    mode.c_cc[VSTOP] = 0x13;
    // With 0 an empty input would look like end of file.
    mode.c_cc[VMIN] = 1;
    return mode;
}

Result<> check_baud(int fd, std::uint32_t wanted) {
    termios2 now{};
    if (::ioctl(fd, TCGETS2, &now) != 0) return os_error("read back the port's settings");
    const std::uint64_t off = now.c_ospeed > wanted ? now.c_ospeed - wanted : wanted - now.c_ospeed;
    if (off * 100 <= std::uint64_t{wanted} * baud_error_percent_max) return {};
    return fail(Code::io,
                fmt::format("the port cannot run at {} baud, it would run at {}", wanted, now.c_ospeed));
}

std::string group_name(gid_t gid) {
    std::array<char, 4096> buffer;
    group entry{};
    group* found = nullptr;
    ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? found->gr_name : std::to_string(gid);
}

Error open_error(const std::string& path, int os) {
    Error error = os_error_value("open " + path, os);
    if (os == EBUSY) error.message = "open " + path + ": another program holds it";
    struct stat status {};
    if (os == EACCES && ::stat(path.c_str(), &status) == 0) {
        const std::string name = group_name(status.st_gid);
        error.message += fmt::format(
            "; add yourself to the group {0} (usermod -a -G {0} $USER), then log out and in", name);
    }
    return error;
}

Error not_a_port(const std::string& path) {
    return Error{Code::bad_arg, "open " + path + ": it is not a serial port", 0, {}};
}

bool is_pseudo_terminal(int fd) noexcept {
    unsigned int number = 0;
    int lines = 0;
    return ::ioctl(fd, TIOCGPTN, &number) == 0 || (::ioctl(fd, TIOCMGET, &lines) != 0 && errno == ENOTTY);
}

// The lock is what other programs honour even as root. TIOCEXCL outlives us on a pseudo-terminal that its
// other side keeps open, so only real ports get it.
Result<> claim(int fd, const std::string& path) {
    int exclusive = 0;
    const bool pseudo = is_pseudo_terminal(fd);
    const bool held = !pseudo && ::ioctl(fd, TIOCGEXCL, &exclusive) == 0 && exclusive != 0;
    if (held || ::flock(fd, LOCK_EX | LOCK_NB) != 0) return fail(open_error(path, EBUSY));
    if (!pseudo && ::ioctl(fd, TIOCEXCL) != 0 && errno != ENOTTY) return os_error("open " + path);
    return {};
}

bool all_has_left(int fd) noexcept {
    int waiting = 0;
    if (::ioctl(fd, TIOCOUTQ, &waiting) == 0 && waiting > 0) return false;
    unsigned int line = TIOCSER_TEMT;
    // Not every driver knows what is left in its shift register.
    if (::ioctl(fd, TIOCSERGETLSR, &line) != 0) return true;
    return (line & TIOCSER_TEMT) != 0;
}

}  // namespace

int bits_per_character(const SerialSettings& settings) noexcept {
    const int parity = settings.parity == Parity::none ? 0 : 1;
    const int stop = settings.stop_bits == StopBits::one ? 1 : 2;
    return 1 + settings.data_bits + parity + stop;
}

Result<> apply_serial_settings(int fd, const SerialSettings& settings) {
    if (settings.baud == 0) return fail(Code::bad_arg, "a baud rate of 0 would hang up");
    if (settings.data_bits < 5 || settings.data_bits > 8) {
        return fail(Code::bad_arg, fmt::format("{} data bits; a port has 5 to 8", settings.data_bits));
    }
    termios2 before{};
    if (::ioctl(fd, TCGETS2, &before) != 0) return os_error("read the port's settings");
    const termios2 wanted = raw_mode(before, settings);
    if (::ioctl(fd, TCSETS2, &wanted) != 0) return os_error("set the port's settings");
    return check_baud(fd, settings.baud);
}

Result<SerialPort> SerialPort::open(const std::string& path, const SerialSettings& settings) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fail(open_error(path, errno));
    // Opening a pipe or a file could already change something.
    if (!S_ISCHR(status.st_mode)) return fail(not_a_port(path));
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return fail(open_error(path, errno));
    termios2 now{};
    if (::ioctl(fd.get(), TCGETS2, &now) != 0) return fail(not_a_port(path));
    LD_TRY(claim(fd.get(), path));
    if (Result<> applied = apply_serial_settings(fd.get(), settings); !applied) {
        applied.error().message.insert(0, path + ": ");
        return fail(std::move(applied).error());
    }
    if (::ioctl(fd.get(), TCFLSH, TCIFLUSH) != 0) return os_error("open " + path);
    return SerialPort(std::move(fd), path);
}

void SerialPort::drain(int ms_max) const noexcept {
    // TCSBRK waits as tcdrain does, and without a limit where flow control holds the line.
    const std::int64_t until_ns = mono_now().ns + std::int64_t{ms_max} * 1'000'000;
    while (!all_has_left(fd_.get()) && mono_now().ns < until_ns) ::poll(nullptr, 0, drain_step_ms);
}

}  // namespace labdeck::io
