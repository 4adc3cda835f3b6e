#include "bench_apps/modbus_listener.h"

#include <modbus/modbus.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "base/thread_role.h"
#include "base/unique_fd.h"
#include "bench_apps/modbus_rtu.h"

namespace labdeck::bench_apps {

namespace {

/// Longer than any gap that an adapter makes within a frame, and shorter than a client's patience.
constexpr std::uint32_t byte_timeout_us = 50'000;
constexpr int silence_ms = 3;

struct FreeContext {
    void operator()(modbus_t* context) const noexcept { ::modbus_free(context); }
};
using Context = std::unique_ptr<modbus_t, FreeContext>;

/// The device's name and settings are never used: the descriptor is given.
Context make_context(int fd, std::uint8_t unit) {
    Context context(::modbus_new_rtu("/dev/null", 115'200, 'N', 8, 1));
    if (!context) return context;
    ::modbus_set_slave(context.get(), unit);
    ::modbus_set_byte_timeout(context.get(), 0, byte_timeout_us);
    ::modbus_set_socket(context.get(), fd);
    return context;
}

/// How many bytes libmodbus has read of a request that it then refused.
std::size_t refused_size(ByteView begin) {
    constexpr std::size_t shortest = 4;
    const RtuSize size = rtu_size(RtuSide::request, begin);
    return size.known == RtuSize::Known::yes ? std::min(size.bytes, begin.size()) : shortest;
}

void read_until_silence(int fd, Bytes& bytes) {
    std::array<std::uint8_t, 512> buffer;
    pollfd wait{fd, POLLIN, 0};
    while (bytes.size() < 2 * adu_bytes_max && ::poll(&wait, 1, silence_ms) > 0) {
        const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (n <= 0) return;
        append(bytes, ByteView(buffer.data(), static_cast<std::size_t>(n)));
    }
}

}  // namespace

struct ModbusListener::Impl {
    void listen(const io::Reactor::Poster& poster, const std::weak_ptr<OnRequest>& target) const;

    UniqueFd ours;    // The reactor writes here.
    UniqueFd theirs;  // libmodbus reads here.
    std::uint8_t unit = 1;
    std::shared_ptr<OnRequest> on_request;
    std::thread thread;
};

void ModbusListener::Impl::listen(const io::Reactor::Poster& poster,
                                  const std::weak_ptr<OnRequest>& target) const {
    name_this_thread("modbus");
    Context context = make_context(theirs.get(), unit);
    std::array<std::uint8_t, MODBUS_RTU_MAX_ADU_LENGTH> request{};
    while (context) {
        request.fill(0);
        const int count = ::modbus_receive(context.get(), request.data());
        Bytes adu(request.begin(), request.begin() + std::max(count, 0));
        if (count < 0) {
            if (errno == ECONNRESET || errno == EBADF) return;
            // Of a frame that was cut short nobody can say how much came; its end is what counts.
            if (errno != ETIMEDOUT)
                adu.assign(request.begin(),
                           request.begin() + static_cast<std::ptrdiff_t>(refused_size(request)));
            read_until_silence(theirs.get(), adu);
        } else if (count == 0) {
            adu.assign(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(refused_size(request)));
            // After a request to another unit libmodbus waits for that unit's answer, which on a line
            // with two ends never comes: it would take the next request for it.
            context = make_context(theirs.get(), unit);
        }
        poster.post([target, adu = std::move(adu)]() mutable {
            if (const auto call = target.lock()) (*call)(std::move(adu));
        });
    }
}

ModbusListener::ModbusListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<ModbusListener>> ModbusListener::start(io::Reactor& reactor, std::uint8_t unit,
                                                              OnRequest on_request) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return os_error("socketpair");
    auto impl = std::make_unique<Impl>();
    impl->ours = UniqueFd(ends[0]);
    impl->theirs = UniqueFd(ends[1]);
    impl->unit = unit;
    impl->on_request = std::make_shared<OnRequest>(std::move(on_request));
    const Impl* self = impl.get();
    impl->thread =
        std::thread([self, poster = reactor.poster(), target = std::weak_ptr<OnRequest>(impl->on_request)] {
            self->listen(poster, target);
        });
    return std::unique_ptr<ModbusListener>(new ModbusListener(std::move(impl)));
}

ModbusListener::~ModbusListener() {
    impl_->on_request.reset();
    impl_->ours.reset();
    impl_->thread.join();
}

std::size_t ModbusListener::feed(ByteView bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n =
            ::send(impl_->ours.get(), bytes.data() + done, bytes.size() - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

}  // namespace labdeck::bench_apps
