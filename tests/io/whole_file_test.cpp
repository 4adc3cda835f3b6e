#include "io/whole_file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fakes/temp_folder.h"
#include "fakes/without_root.h"

using namespace labdeck;
using io::read_whole_file;
using io::replace_whole_file;
namespace fs = std::filesystem;

namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

std::ptrdiff_t files_in(const std::string& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator{});
}

mode_t mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 07777U;
}

/// A disk that takes only so much: beyond it every write of this process fails.
class SmallDisk {
public:
    explicit SmallDisk(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

private:
    rlimit before_{};
};

}  // namespace

TEST_SUITE("io/whole_file") {
    TEST_CASE("a file is read whole up to its limit and refused beyond") {
        const fakes::TempFolder folder;
        const std::string path = folder.path() + "/a";
        std::ofstream(path) << std::string(100, 'x');
        CHECK(read_whole_file(path, 100).value() == std::string(100, 'x'));
        const auto refused = read_whole_file(path, 99);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().message == path + " is longer than 99 bytes, the most that is read");
    }

    TEST_CASE("what is no file says what it is, and a pipe without a writer does not hang") {
        const fakes::TempFolder folder;
        CHECK(read_whole_file(folder.path() + "/none", 10).error().code == Code::not_found);
        CHECK(read_whole_file(folder.path(), 10).error().message ==
              folder.path() + " is a folder; a file is wanted there");
        const std::string pipe = folder.path() + "/pipe";
        REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
        CHECK(read_whole_file(pipe, 10).error().message == pipe + " is no plain file; put one there");
        CHECK_FALSE(replace_whole_file(pipe, "x").has_value());
        CHECK_FALSE(replace_whole_file(folder.path(), "x").has_value());
        CHECK(files_in(folder.path()) == 1);
    }

    TEST_CASE("a file that may not be read is refused with its path") {
        const fakes::TempFolder folder;
        const std::string path = folder.path() + "/secret";
        std::ofstream(path) << "x";
        fs::permissions(folder.path(), fs::perms::all);
        fs::permissions(path, fs::perms::none);
        const fakes::WithoutRoot nobody;
        const auto refused = read_whole_file(path, 10);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::denied);
        CHECK(refused.error().message == "open " + path + ": Permission denied");
    }

    TEST_CASE("a replacement makes its folders, keeps permissions and links, and leaves nothing beside it") {
        const fakes::TempFolder folder;
        const std::string path = folder.path() + "/config/a";
        REQUIRE(replace_whole_file(path, "one").has_value());
        CHECK(text_of(path) == "one");
        CHECK(mode_of(path) == 0644);
        fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
        const std::string link = folder.path() + "/config/link";
        fs::create_symlink("a", link);
        REQUIRE(replace_whole_file(link, "two").has_value());
        CHECK(fs::is_symlink(link));
        CHECK(text_of(path) == "two");
        CHECK(mode_of(path) == 0600);
        CHECK(files_in(folder.path() + "/config") == 2);
    }

    TEST_CASE("a disk that is full leaves the file as it was, to the byte") {
        const fakes::TempFolder folder;
        const std::string path = folder.path() + "/a";
        REQUIRE(replace_whole_file(path, "before").has_value());
        {
            const SmallDisk disk(4);
            const auto refused = replace_whole_file(path, "much longer than before");
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().message.find("File too large") != std::string::npos);
        }
        CHECK(text_of(path) == "before");
        CHECK(files_in(folder.path()) == 1);
    }

    TEST_CASE("a folder that may not be written to leaves the file as it was, to the byte") {
        const fakes::TempFolder folder;
        const std::string path = folder.path() + "/a";
        std::ofstream(path) << "before";
        fs::permissions(folder.path(), static_cast<fs::perms>(0555));
        {
            const fakes::WithoutRoot nobody;
            CHECK(replace_whole_file(path, "after").error().code == Code::denied);
        }
        fs::permissions(folder.path(), fs::perms::owner_all);
        CHECK(text_of(path) == "before");
        CHECK(files_in(folder.path()) == 1);
    }
}
