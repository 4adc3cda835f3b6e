// modbus_listener.h - libmodbus as the ear of a Modbus server.
//
// libmodbus reads requests in its own blocking way, so it has a thread, and is fed through a socket pair
// with what the port's owner has received. What it makes out comes back on the reactor's thread. It never
// writes: the answer is the machine's, faults and delays included.
//
// A frame that libmodbus gives up (wrong check sum, unknown function) is handed over as well, with all that
// came until the line fell silent: the machine says what is wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "bench_apps/bytes.h"
#include "io/reactor.h"

namespace labdeck::bench_apps {

class ModbusListener {
public:
    /// A request with its check sum, or the bytes of what was none. Thread: the reactor's.
    using OnRequest = std::function<void(Bytes adu)>;

    [[nodiscard]] static Result<std::unique_ptr<ModbusListener>> start(io::Reactor& reactor,
                                                                       std::uint8_t unit,
                                                                       OnRequest on_request);
    /// Ends the thread and waits for it, at most for the time-out between two bytes. No call comes after it.
    ~ModbusListener();
    ModbusListener(const ModbusListener&) = delete;
    ModbusListener& operator=(const ModbusListener&) = delete;

    /// Bytes that the port received. Returns how many were taken; the rest is lost, as in a full UART.
    std::size_t feed(ByteView bytes);

private:
    struct Impl;
    explicit ModbusListener(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::bench_apps
