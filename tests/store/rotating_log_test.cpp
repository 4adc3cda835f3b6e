#include "store/rotating_log.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "fakes/temp_folder.h"

using namespace labdeck;
using namespace labdeck::store;
using labdeck::fakes::TempFolder;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777U;
}

/// No file of this process grows beyond `bytes` while it lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : signal_before_(std::signal(SIGXFSZ, SIG_IGN)) {
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        rlimit small = before_;
        small.rlim_cur = bytes;
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, signal_before_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
    void (*signal_before_)(int);
};

}  // namespace

TEST_SUITE("store/rotating_log") {
    TEST_CASE("bytes are kept as they came, NUL and what is no UTF-8 among them") {
        const TempFolder folder;
        RotatingLog log(folder.path() + "/logs", "a", {});
        CHECK_FALSE(fs::exists(folder.path() + "/logs"));
        const std::string odd("one\0\xff\xfe\r\n\x1b[31mtwo", 16);
        log.append(odd);
        log.append("");
        log.append("no newline");
        CHECK(bytes_of(log.path()) == odd + "no newline");
        CHECK(log.dropped_bytes() == 0);
    }

    TEST_CASE("the file and the folders that it makes are their user's alone") {
        const TempFolder folder;
        RotatingLog deep(folder.path() + "/one/two", "a", {});
        deep.append("x");
        CHECK(mode_of(folder.path() + "/one") == 0700);
        CHECK(mode_of(folder.path() + "/one/two") == 0700);
        CHECK(mode_of(deep.path()) == 0600);
    }

    TEST_CASE("a log goes on after a restart") {
        const TempFolder folder;
        { RotatingLog(folder.path(), "a", {}).append("first\n"); }
        { RotatingLog(folder.path(), "a", {}).append("second\n"); }
        CHECK(bytes_of(folder.path() + "/a.log") == "first\nsecond\n");
    }

    TEST_CASE("at the limit the files take turns, at the end of a line, and the oldest goes") {
        const TempFolder folder;
        RotatingLog log(folder.path(), "a", {16, 3});
        log.append("line one\nline two\nline three\nline four\n");
        CHECK(bytes_of(log.path()) == "line four\n");
        CHECK(bytes_of(log.path() + ".1") == "line three\n");
        CHECK(bytes_of(log.path() + ".2") == "line two\n");
        CHECK_FALSE(fs::exists(log.path() + ".3"));
        CHECK(log.dropped_bytes() == 0);
    }

    TEST_CASE("the limit counts what an earlier run wrote") {
        const TempFolder folder;
        { RotatingLog(folder.path(), "a", {16, 2}).append("line one\n"); }
        { RotatingLog(folder.path(), "a", {16, 2}).append("line two\n"); }
        CHECK(bytes_of(folder.path() + "/a.log") == "line two\n");
        CHECK(bytes_of(folder.path() + "/a.log.1") == "line one\n");
    }

    TEST_CASE("a line that is begun below the limit ends in the same file") {
        const TempFolder folder;
        RotatingLog log(folder.path(), "a", {16, 3});
        log.append("a long line, ");
        log.append("in three parts, ");
        log.append("ends\nthe next\n");
        CHECK(bytes_of(log.path() + ".1") == "a long line, in three parts, ends\n");
        CHECK(bytes_of(log.path()) == "the next\n");
    }

    TEST_CASE("a line without an end is cut 64 KiB beyond the limit") {
        const TempFolder folder;
        RotatingLog log(folder.path(), "a", {1000, 2});
        const std::string endless(70'000, 'e');
        log.append(endless);
        CHECK(bytes_of(log.path() + ".1").size() == 1000 + (64U << 10));
        CHECK(bytes_of(log.path() + ".1").size() + bytes_of(log.path()).size() == endless.size());
    }

    TEST_CASE("of all that is written nothing is lost on the way from file to file, however it is cut") {
        const TempFolder folder;
        std::string all;
        for (int i = 0; i < 400; ++i) all += "line " + std::to_string(i * i * 7919) + "\n";
        for (const std::size_t piece : {1U, 7U, 64U, 1000U, 10'000U}) {
            const std::string name = "p" + std::to_string(piece);
            RotatingLog log(folder.path(), name, {500, 100});
            for (std::size_t at = 0; at < all.size(); at += piece)
                log.append(std::string_view(all).substr(at, piece));
            std::string joined;
            for (int n = 99; n > 0; --n) joined += bytes_of(log.path() + "." + std::to_string(n));
            joined += bytes_of(log.path());
            CHECK(joined == all);
        }
    }

    TEST_CASE("one file alone begins anew") {
        const TempFolder folder;
        RotatingLog log(folder.path(), "a", {10, 1});
        log.append("line one\nline two\n");
        CHECK(bytes_of(log.path()) == "line two\n");
        CHECK_FALSE(fs::exists(log.path() + ".1"));
    }

    TEST_CASE("files beyond a number that was made smaller go at the next turn") {
        const TempFolder folder;
        for (const char* const name : {"a.log.1", "a.log.2", "a.log.3", "a.log.4"})
            std::ofstream(folder.path() + "/" + name) << name;
        RotatingLog log(folder.path(), "a", {4, 2});
        log.append("one\ntwo\n");
        CHECK(bytes_of(log.path() + ".1") == "one\n");
        CHECK_FALSE(fs::exists(log.path() + ".2"));
        CHECK_FALSE(fs::exists(log.path() + ".4"));
    }

    TEST_CASE("a folder that is removed is made again, and nothing is lost from then on") {
        const TempFolder folder;
        RotatingLog log(folder.path() + "/logs", "a", {});
        log.append("before\n");
        fs::remove_all(folder.path() + "/logs");
        log.append("after\n");
        CHECK(bytes_of(log.path()) == "after\n");
        CHECK(log.dropped_bytes() == 0);
    }

    TEST_CASE("on a full disk bytes are counted, it is said once, and the gap is noted in the log") {
        const TempFolder folder;
        std::vector<std::string> said;
        RotatingLog log(folder.path(), "a", {},
                        [&](const std::string& sentence) { said.push_back(sentence); });
        {
            const FileSizeLimit full(10);
            log.append("12345\n");
            log.append("6789abc");
            log.append("lost as well\n");
            log.append("and this\n");
            CHECK(log.dropped_bytes() == 3 + 13 + 9);
            REQUIRE(said.size() == 1);
            CHECK(said[0].find("File too large") != std::string::npos);
        }
        log.append("room again\n");
        CHECK(bytes_of(log.path()) == "12345\n6789\n[labdeck] 25 bytes are missing here: write " +
                                          log.path() + ": File too large\nroom again\n");
        REQUIRE(said.size() == 2);
        CHECK(said[1].find("is written again; 25 bytes are missing in all") != std::string::npos);
        log.append("and on\n");
        CHECK(said.size() == 2);
        CHECK(log.dropped_bytes() == 25);
    }

    TEST_CASE("a note that does not fit leaves no half of it") {
        const TempFolder folder;
        RotatingLog log(folder.path(), "a", {});
        {
            const FileSizeLimit full(4);
            log.append("1234567\n");
        }
        {
            const FileSizeLimit full(30);
            log.append("more\n");
        }
        CHECK(bytes_of(log.path()) == "1234");
        log.append("room\n");
        CHECK(bytes_of(log.path()).starts_with("1234\n[labdeck] 9 bytes are missing here: "));
        CHECK(bytes_of(log.path()).ends_with("\nroom\n"));
    }

    TEST_CASE("while the folder cannot be made, what comes is lost and counted") {
        const TempFolder folder;
        std::vector<std::string> said;
        RotatingLog log(folder.path() + "/logs", "a", {},
                        [&](const std::string& sentence) { said.push_back(sentence); });
        log.append("one\n");
        fs::remove_all(folder.path() + "/logs");
        std::ofstream(folder.path() + "/logs") << "a file in the folder's place";
        log.append("two\n");
        log.append("three\n");
        CHECK(log.dropped_bytes() == 10);
        CHECK(said.size() == 1);
        fs::remove(folder.path() + "/logs");
        log.append("four\n");
        CHECK(bytes_of(log.path()).find("10 bytes are missing here") != std::string::npos);
        CHECK(bytes_of(log.path()).ends_with("four\n"));
    }

    TEST_CASE("when files cannot change turns, no file grows beyond its limit") {
        const TempFolder folder;
        fs::create_directories(folder.path() + "/a.log.1/occupied");
        RotatingLog log(folder.path(), "a", {64, 2});
        for (int i = 0; i < 200; ++i) log.append("a line of some length\n");
        CHECK(fs::file_size(log.path()) < 64 + 200);
        CHECK(log.dropped_bytes() > 100 * 22);
        fs::remove_all(folder.path() + "/a.log.1");
        log.append("free\n");
        CHECK(bytes_of(log.path()).ends_with("free\n"));
    }

    TEST_CASE("a link or a pipe in the log's place is not written to") {
        const TempFolder folder;
        std::ofstream(folder.path() + "/target") << "mine";
        fs::create_symlink(folder.path() + "/target", folder.path() + "/a.log");
        RotatingLog linked(folder.path(), "a", {});
        linked.append("x");
        CHECK(linked.dropped_bytes() == 1);
        CHECK(bytes_of(folder.path() + "/target") == "mine");
        REQUIRE(::mkfifo((folder.path() + "/b.log").c_str(), 0600) == 0);
        RotatingLog piped(folder.path(), "b", {});
        piped.append("xy");
        CHECK(piped.dropped_bytes() == 2);
    }

    TEST_CASE("the tail is the last bytes of the current file, and begins with a whole character") {
        const TempFolder folder;
        RotatingLog log(folder.path(), "a", {});
        CHECK(RotatingLog::read_tail(log.path(), 100).value().empty());
        log.append("gr\xc3\xbc\xc3\x9f");
        CHECK(RotatingLog::read_tail(log.path(), 100).value() == "gr\xc3\xbc\xc3\x9f");
        CHECK(RotatingLog::read_tail(log.path(), 3).value() == "\xc3\x9f");
        CHECK(RotatingLog::read_tail(log.path(), 2).value() == "\xc3\x9f");
        CHECK(RotatingLog::read_tail(log.path(), 0).value().empty());
        CHECK_FALSE(RotatingLog::read_tail(folder.path(), 10).has_value());
    }

    TEST_CASE("whatever an id holds, its log's name stays in the folder and is its own") {
        CHECK(log_name("6f1c-AB_9.x") == "6f1c-AB_9.x");
        CHECK(log_name("..") == "%2E.");
        CHECK(log_name("../../etc/passwd") == "%2E.%2F..%2Fetc%2Fpasswd");
        CHECK(log_name(std::string_view("a\0b\n", 4)) == "a%00b%0A");
        std::set<std::string> names;
        const std::vector<std::string> ids = {"",
                                              "%",
                                              "_",
                                              ".",
                                              "a/b",
                                              "a%2Fb",
                                              "a_b",
                                              std::string(300, 'x'),
                                              std::string(301, 'x'),
                                              std::string(299, 'x') + "y",
                                              std::string(100, '/')};
        for (const std::string& id : ids) {
            const std::string name = log_name(id);
            CHECK(name.size() <= 120);
            CHECK_FALSE(name.empty());
            CHECK(name.find('/') == std::string::npos);
            CHECK(name[0] != '.');
            names.insert(name);
        }
        CHECK(names.size() == ids.size());
    }
}
