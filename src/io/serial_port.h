// serial_port.h - one serial port, raw, at any baud rate (termios2, BOTHER).
//
// Opens pseudo-terminals as well: they store the baud and have no modem lines.
// Never opens anything by itself; the path is the caller's word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace labdeck::io {

enum class Parity : unsigned char { none, odd, even, mark, space };
enum class StopBits : unsigned char { one, one_and_half, two };
enum class FlowControl : unsigned char { none, rtscts, xonxoff };

struct SerialSettings {
    std::uint32_t baud = 115'200;
    int data_bits = 8;  ///< 5–8.
    Parity parity = Parity::none;
    StopBits stop_bits = StopBits::one;
    FlowControl flow = FlowControl::none;
};

/// Bits on the line for one character: start, data, parity, stop (1.5 counts as 2).
int bits_per_character(const SerialSettings& settings) noexcept;

class SerialPort {
public:
    /// Opens for reading and writing, non-blocking, exclusive (TIOCEXCL), drops what was waiting in its
    /// input. Errors: not_found, busy, denied (with the dialout advice), io.
    [[nodiscard]] static Result<SerialPort> open(const std::string& path, const SerialSettings& settings);

    int fd() const noexcept { return fd_.get(); }
    const std::string& path() const noexcept { return path_; }
    /// Waits until everything written has left (tcdrain), at most `ms_max`.
    void drain(int ms_max) const noexcept;
    UniqueFd take_fd() noexcept { return std::move(fd_); }

private:
    SerialPort(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    UniqueFd fd_;
    std::string path_;
};

/// Sets raw mode and the settings on an open descriptor. A PTY's missing modem lines are no error.
Result<> apply_serial_settings(int fd, const SerialSettings& settings);

}  // namespace labdeck::io
