#include "updates/package.h"

#include <doctest/doctest.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "updates/update_world.h"

using namespace labdeck;
using namespace labdeck::updates;
using namespace labdeck::updates::world;

namespace {

struct Store {
    Result<std::string> fetch(const Release& release, const std::string& url) {
        progress.clear();
        DownloadRequest request{url, folder / "cache"};
        request.silence_s = 1;
        request.pause_ms = 1;
        return download(release, request, [this](std::uint64_t bytes) { progress.push_back(bytes); });
    }
    std::string part(const Release& release) const {
        return folder /
               ("cache/labdeck-" + release.version.text() + "-" + release.sha256.substr(0, 16) + ".part");
    }
    void leave_part(const Release& release, const std::string& bytes) const {
        std::filesystem::create_directories(folder / "cache");
        write(part(release), bytes);
    }
    std::vector<std::string> cached() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
            names.push_back(entry.path().filename());
        return names;
    }
    Folder folder;
    std::vector<std::uint64_t> progress;
};

/// A program that is to be replaced, alone in its folder.
struct Installed {
    Installed() { write(folder / "labdeck", old, 0755); }
    Result<> put(const Release& release, const std::string& bytes) const {
        write(source / "new", bytes);
        return install(release, source / "new", folder / "labdeck", {});
    }
    bool untouched() const {
        return read(folder / "labdeck") == old && folder.names() == std::vector<std::string>{"labdeck"};
    }
    std::string old = program_of("1.0.0");
    Folder folder;
    Folder source;
};

std::string some_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 13);
    return bytes;
}

}  // namespace

TEST_SUITE("updates/package") {
    TEST_CASE("a download has the release's size and hash, and progress that only grows") {
        const std::string program = some_bytes(3'000'000);
        const Release release = release_of("1.2.0", program);
        Store store;
        RawServer server({http("200 OK", program)});
        const auto file = store.fetch(release, server.url("p"));
        REQUIRE(file);
        CHECK(read(*file) == program);
        CHECK(std::is_sorted(store.progress.begin(), store.progress.end()));
        CHECK(store.progress.front() == 0);
        CHECK(store.progress.back() == program.size());
        CHECK(store.cached().size() == 1);
        struct stat info {};
        ::stat(file->c_str(), &info);
        CHECK((info.st_mode & 0777U) == 0600);
    }

    TEST_CASE("after a break it goes on where it was, by itself and when it is asked again") {
        const std::string program = some_bytes(10'000);
        const Release release = release_of("1.2.0", program);
        Store store;
        const auto rest = [&](std::size_t from, std::size_t to) {
            return "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nContent-Length: " +
                   std::to_string(program.size() - from) + "\r\nContent-Range: bytes " +
                   std::to_string(from) + "-9999/10000\r\n\r\n" + program.substr(from, to - from);
        };
        store.leave_part(release, program.substr(0, 1000));
        RawServer server({rest(1000, 4000), rest(4000, 7000), http("503 Busy", ""), rest(7000, 10'000)});
        const auto file = store.fetch(release, server.url("p"));
        REQUIRE(file);
        CHECK(read(*file) == program);
        CHECK(store.progress.front() == 1000);
        const auto asked = server.finish();
        REQUIRE(asked.size() == 4);
        CHECK(asked[0].find("Range: bytes=1000-") != std::string::npos);
        CHECK(asked[1].find("Range: bytes=4000-") != std::string::npos);
        CHECK(asked[3].find("Range: bytes=7000-") != std::string::npos);
    }

    TEST_CASE("a network that stays away is told of, and what came is kept") {
        const std::string program = some_bytes(10'000);
        const Release release = release_of("1.2.0", program);
        Store store;
        RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + program.substr(0, 6000)});
        const std::string url = server.url("p");
        const auto file = store.fetch(release, url);
        REQUIRE_FALSE(file);
        CHECK(file.error().message.find("6000 of 10000 bytes are here") != std::string::npos);
        CHECK(read(store.part(release)) == program.substr(0, 6000));
    }

    TEST_CASE("a server that cannot go on is read from the start") {
        const std::string program = some_bytes(5000);
        const Release release = release_of("1.2.0", program);
        Store store;
        store.leave_part(release, program.substr(0, 1000));
        RawServer server({http("200 OK", program), http("200 OK", program)});
        CHECK(read(store.fetch(release, server.url("p")).value()) == program);
    }

    TEST_CASE("another program of the same size is refused and not kept") {
        const std::string program = some_bytes(5000);
        std::string other = program;
        other[2500] = static_cast<char>(other[2500] ^ 1);
        const Release release = release_of("1.2.0", program);
        Store store;
        RawServer server({http("200 OK", other)});
        const auto file = store.fetch(release, server.url("p"));
        REQUIRE_FALSE(file);
        CHECK(file.error().code == Code::denied);
        CHECK(store.cached().empty());
    }

    TEST_CASE("a file that ends early is refused, and one that does not end") {
        const std::string program = some_bytes(5000);
        const Release release = release_of("1.2.0", program);
        Store store;
        const Folder feed;
        write(feed / "short", program.substr(0, 4000));
        CHECK_FALSE(store.fetch(release, "file://" + feed / "short"));
        write(feed / "long", program + "more");
        const auto longer = store.fetch(release, "file://" + feed / "long");
        REQUIRE_FALSE(longer);
        CHECK(longer.error().message.find("goes on beyond 5000 bytes") != std::string::npos);
    }

    TEST_CASE("what was kept is not believed: rubbish is fetched again") {
        const std::string program = some_bytes(5000);
        const Release release = release_of("1.2.0", program);
        Store store;
        const Folder feed;
        write(feed / "p", program);
        store.leave_part(release, std::string(1000, 'x'));
        CHECK(read(store.fetch(release, "file://" + feed / "p").value()) == program);
        store.leave_part(release, std::string(9000, 'x'));
        CHECK(read(store.fetch(release, "file://" + feed / "p").value()) == program);
    }

    TEST_CASE("what is here whole is not fetched again, and what older versions left goes") {
        const std::string program = some_bytes(5000);
        const Release release = release_of("1.2.0", program);
        Store store;
        RawServer server({http("200 OK", program)});
        store.leave_part(release_of("1.1.0", "older"), "ol");
        const std::string url = server.url("p");
        REQUIRE(store.fetch(release, url));
        CHECK(store.cached().size() == 1);
        server.finish();
        CHECK(read(store.fetch(release, url).value()) == program);
        CHECK(store.progress.front() == 5000);
    }

    TEST_CASE("two at once do not write the same file") {
        const Release release = release_of("1.2.0", "program");
        Store store;
        store.leave_part(release, "pro");
        const UniqueFd other(::open(store.part(release).c_str(), O_RDWR | O_CLOEXEC));
        REQUIRE(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
        const auto file = store.fetch(release, "file:///nowhere");
        REQUIRE_FALSE(file);
        CHECK(file.error().code == Code::busy);
        CHECK(read(store.part(release)) == "pro");
    }

    TEST_CASE("a disk that is full is said to be, and what came is kept") {
        const std::string program = some_bytes(400'000);
        const Release release = release_of("1.2.0", program);
        Store store;
        const Folder feed;
        write(feed / "p", program);
        const auto before = std::signal(SIGXFSZ, SIG_IGN);
        rlimit old{};
        ::getrlimit(RLIMIT_FSIZE, &old);
        const rlimit tight{200'000, old.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &tight);
        const auto file = store.fetch(release, "file://" + feed / "p");
        ::setrlimit(RLIMIT_FSIZE, &old);
        std::signal(SIGXFSZ, before);
        REQUIRE_FALSE(file);
        CHECK(file.error().message.find("write ") == 0);
        CHECK(read(store.part(release)) == program.substr(0, 200'000));
        CHECK(read(store.fetch(release, "file://" + feed / "p").value()) == program);
    }

    TEST_CASE("a good program takes the old one's place, which is kept under another name") {
        const Installed here;
        const std::string program = program_of("1.2.0");
        const auto done = here.put(release_of("1.2.0", program), program);
        INFO((done ? "" : done.error().message));
        REQUIRE(done);
        CHECK(read(here.folder / "labdeck") == program);
        CHECK(read(here.folder / "labdeck.previous") == here.old);
        CHECK(here.folder.names() == std::vector<std::string>{"labdeck", "labdeck.previous"});
        struct stat info {};
        ::stat((here.folder / "labdeck").c_str(), &info);
        CHECK((info.st_mode & 0777U) == 0755);
        // And once more: the way back is to the one before.
        const std::string next = program_of("1.3.0");
        REQUIRE(here.put(release_of("1.3.0", next), next));
        CHECK(read(here.folder / "labdeck.previous") == program);
    }

    TEST_CASE("what is not the signed program does not take its place, and nothing is left of it") {
        const Installed here;
        const std::string program = program_of("1.2.0");
        const Release release = release_of("1.2.0", program);
        const auto refused = [&](const std::string& bytes) {
            const auto done = here.put(release, bytes);
            REQUIRE_FALSE(done);
            CHECK(done.error().code == Code::denied);
            CHECK(here.untouched());
        };
        refused(program + "#");
        refused(program.substr(0, 10));
        refused("");
        CHECK_FALSE(install(release, here.source / "none", here.folder / "labdeck", {}));
        CHECK(here.untouched());
    }

    TEST_CASE("a program that cannot run here, or says another version, does not take its place") {
        const Installed here;
        for (const std::string program : {"#!/no/such/interpreter\n",
                                          "\x7f"
                                          "ELF rubbish",
                                          "#!/bin/sh\nexit 3\n", "#!/bin/sh\nkill -SEGV $$\n",
                                          "#!/bin/sh\necho 1.1.0\n", "#!/bin/sh\nyes\n"}) {
            CAPTURE(program);
            const auto done = here.put(release_of("1.2.0", program), program);
            REQUIRE_FALSE(done);
            INFO(done.error().message);
            CHECK(here.untouched());
        }
    }

    TEST_CASE("a folder that is not ours to write to is named, with what to do") {
        const Installed here;
        const std::string program = program_of("1.2.0");
        write(here.source / "new", program);
        ::chmod(here.folder.path().c_str(), 0555);
        // Root may write anywhere but here.
        const auto done = install(release_of("1.2.0", program), here.source / "new",
                                  ::geteuid() == 0 ? "/proc/version" : here.folder / "labdeck", {});
        ::chmod(here.folder.path().c_str(), 0755);
        REQUIRE_FALSE(done);
        CHECK(done.error().message.find("write beside") == 0);
        CHECK(done.error().message.find("by its package") != std::string::npos);
        CHECK(here.untouched());
    }
}
