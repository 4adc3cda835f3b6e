#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "base/unique_fd.h"
#include "fakes/temp_folder.h"
#include "supervise/catalog.h"

using namespace labdeck;
using namespace labdeck::supervise;
using labdeck::fakes::TempFolder;

namespace {

/// Lets catalog_writer change the catalog from change `first` on, kills it `delay_ms` after its first answer,
/// and tells the last change that was answered.
long last_answered(const std::string& path, long first, int delay_ms) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const UniqueFd answers(ends[0]);
    UniqueFd writer(ends[1]);
    const std::string program = LABDECK_BUILD_ROOT "/tests/fakes/catalog_writer";
    const std::string from = std::to_string(first);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(writer.get(), STDOUT_FILENO);
        ::execl(program.c_str(), program.c_str(), path.c_str(), from.c_str(), nullptr);
        ::_exit(126);
    }
    writer.reset();
    pollfd polled{answers.get(), POLLIN, 0};
    const bool answered = ::poll(&polled, 1, 30'000) == 1;
    ::poll(nullptr, 0, delay_ms);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(answered);
    REQUIRE(WIFSIGNALED(status));

    std::string text;
    std::array<char, 4096> buffer;
    for (ssize_t n = 0; (n = ::read(answers.get(), buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(n));
    REQUIRE(text.ends_with('\n'));
    text.pop_back();
    const auto line = text.rfind('\n');
    return std::stol(line == std::string::npos ? text : text.substr(line + 1));
}

/// Every script shows its last answered change, or the one change after it that was under way.
void check_answered(const Catalog& catalog, long last) {
    for (long n = std::max(0L, last - 19); n <= last; ++n) {
        const std::string id = "s" + std::to_string(n % 20);
        const long kept = std::stol(catalog.script(id).value().command);
        CHECK((kept == n || (kept == n + 20 && kept == last + 1)));
    }
    const long grouped = last - last % 5;
    const Profile profile = catalog.profile("p").value();
    const long kept = std::stol(profile.name);
    CHECK((kept == grouped || (kept == grouped + 5 && kept == last + 1)));
    CHECK(profile.script_ids == std::vector<std::string>{"s" + std::to_string(kept % 20)});
}

}  // namespace

TEST_SUITE("supervise/catalog_kill") {
    TEST_CASE("whenever the program is killed, what it had answered is there and the file is whole") {
        const TempFolder folder;
        const std::string path = folder.path() + "/labdeck.db";
        std::mt19937 random(30);
        long next = 0;
        for (int round = 0; round < 30; ++round) {
            const long last = last_answered(path, next, static_cast<int>(random() % 40));
            auto database = store::Database::open(path, catalog_migrations());
            REQUIRE_MESSAGE(database.has_value(), database.error().message);
            CHECK(database->check_integrity().has_value());
            check_answered(Catalog(*database), last);
            next = last + 1;
        }
        CHECK(next >= 30);
    }
}
