// null_modem.h - a virtual serial cable: two PTYs, joined, with a tap on each direction.
//
// What one end's opener writes, the other end's opener reads. Both directions are
// sources, so the traffic is seen with its times whoever uses the ends. An end
// that nobody reads takes what its PTY buffer and `pending_bytes_max` hold; beyond that
// bytes are dropped at that end and counted as LossStage::peer_not_reading, as a
// wire would. The tap sees every byte that was sent, dropped or not, so the count is all that is
// said: its Blocks get no gap. A PTY has no pacing: with `paced` the cable releases bytes at the
// baud rate (8N1) instead of at once, and holds the sender back as a port's own buffer would.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/source.h"
#include "io/reactor.h"

namespace labdeck::io {

struct NullModemRequest {
    std::string link_a;  ///< Path of the symbolic link to end a; its folder exists. Replaced if it is a link.
    std::string link_b;
    data::SourceInfo a_to_b;
    data::SourceInfo b_to_a;
    std::uint32_t baud = 115'200;
    bool paced = false;
    std::size_t retained_bytes = 8U << 20;  ///< What the tails of each direction may hold.
    std::size_t pending_bytes_max = 64U << 10;
};

/// What a pseudo-terminal that could not be made or opened comes to: "WHAT: strerror" and, where their file
/// system is missing, as in a bare chroot, the command that mounts it.
Error pseudo_terminal_error(std::string_view what, int os);

class NullModem {
public:
    /// Thread: the reactor's (or before it runs). Pseudo-terminals that cannot be had are told with what to
    /// do.
    [[nodiscard]] static Result<std::unique_ptr<NullModem>> create(Reactor& reactor,
                                                                   NullModemRequest request);
    /// Removes the links it made. Openers see a hang-up.
    ~NullModem();
    NullModem(const NullModem&) = delete;
    NullModem& operator=(const NullModem&) = delete;

    data::SourceWriter& a_to_b() noexcept;
    data::SourceWriter& b_to_a() noexcept;
    const std::string& device_a() const noexcept;  ///< /dev/pts/N
    const std::string& device_b() const noexcept;

private:
    struct Impl;
    explicit NullModem(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::io
