#include "keeper/image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <mutex>
#include <span>

#include "base/unique_fd.h"

extern "C" {
extern const std::byte labdeck_keeper_image[];
extern const std::byte labdeck_keeper_image_end[];
}

namespace labdeck::keeper {

namespace {

Result<> write_all(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd, bytes.data(), bytes.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return os_error("write the keeper's program into memory");
        bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return {};
}

Result<UniqueFd> make_image() {
    const UniqueFd made(::memfd_create("labdeck-keeper", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!made) return os_error("make a file in memory for the keeper's program");
    LD_TRY(write_all(made.get(), {labdeck_keeper_image, labdeck_keeper_image_end}));
    if (::fcntl(made.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return os_error("seal the keeper's program");
    }
    // Read-only: a program that somebody may write to cannot be run.
    UniqueFd image(::open(fmt::format("/proc/self/fd/{}", made.get()).c_str(), O_RDONLY | O_CLOEXEC));
    if (!image) return os_error("open the keeper's program in memory");
    return image;
}

}  // namespace

Result<std::string> program_path() {
    static std::mutex making;
    static UniqueFd image;
    const std::scoped_lock lock(making);
    // What failed once, for want of a descriptor maybe, is tried again the next time.
    if (!image) image = LD_TRY(make_image());
    // By our own pid: in the child, whose descriptors are closed by then, "self" is another.
    return fmt::format("/proc/{}/fd/{}", ::getpid(), image.get());
}

}  // namespace labdeck::keeper
