// port_link.h - a link over a serial port.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "bench_apps/link.h"
#include "io/serial_port.h"

namespace labdeck::bench_apps {

class PortLink final : public Link {
public:
    /// `name` is what people call the port; `path` is where it lies.
    PortLink(io::Reactor& reactor, std::string name, std::string path, std::uint32_t baud, Handler handler);
    ~PortLink() override;

    [[nodiscard]] Result<> open() override;

private:
    void close() override { port_.reset(); }
    void try_again() override;
    ssize_t write_some(int fd, ByteView bytes) override;

    const std::string path_;
    const std::uint32_t baud_;
    std::unique_ptr<io::SerialPort> port_;
};

}  // namespace labdeck::bench_apps
