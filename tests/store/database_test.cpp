#include "store/database.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fakes/temp_folder.h"

using namespace labdeck;
using namespace labdeck::store;
using labdeck::fakes::TempFolder;
namespace fs = std::filesystem;

namespace {

const std::vector<Migration> v1 = {
    {"CREATE TABLE box(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
     "CREATE TABLE thing(id INTEGER PRIMARY KEY, box INTEGER NOT NULL REFERENCES box(id));"}};

std::vector<Migration> v2(const std::function<Result<>(Database&)>& run = nullptr) {
    std::vector<Migration> all = v1;
    all.push_back({"ALTER TABLE box ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'", run});
    return all;
}

std::vector<std::string> names(Database& database) {
    std::vector<std::string> found;
    REQUIRE(database
                .each("SELECT name FROM box ORDER BY id", {},
                      [&](const Row& row) { found.emplace_back(row.text(0)); })
                .has_value());
    return found;
}

void add_box(Database& database, std::string_view name) {
    const auto changed = database.run("INSERT INTO box(name) VALUES(?)", {name});
    REQUIRE_MESSAGE(changed.has_value(), changed.error().message);
    CHECK(*changed == 1);
}

Database opened(const std::string& path, std::span<const Migration> migrations) {
    auto database = Database::open(path, migrations);
    REQUIRE_MESSAGE(database.has_value(), database.error().message);
    return std::move(*database);
}

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> files_in(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    return found;
}

mode_t mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 0777U;
}

}  // namespace

TEST_SUITE("store/database") {
    TEST_CASE("what was written is there when the file is opened again") {
        const TempFolder folder;
        const std::string path = folder.path() + "/bench's 100% #1?.db";
        {
            Database database = opened(path, v1);
            CHECK(database.schema_version() == 1);
            add_box(database, "left");
            add_box(database, std::string_view("a\0b", 3));
        }
        Database database = opened(path, v1);
        CHECK(names(database) == std::vector<std::string>{"left", std::string("a\0b", 3)});
        CHECK(database.check_integrity().has_value());
    }

    TEST_CASE("the file, its log and its copies are its user's alone") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        {
            Database database = opened(path, v1);
            add_box(database, "x");
            CHECK(mode_of(path) == 0600);
            CHECK(mode_of(path + "-wal") == 0600);
        }
        fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write | fs::perms::others_read);
        const Database database = opened(path, v2());
        CHECK(mode_of(path) == 0600);
        CHECK(mode_of(path + ".v1.bak") == 0600);
    }

    TEST_CASE("values of each kind come back as they were") {
        const TempFolder folder;
        Database database = opened(folder.path() + "/a.db", v1);
        REQUIRE(database.execute("CREATE TABLE kinds(a, b, c, d, e)").has_value());
        REQUIRE(database
                    .run("INSERT INTO kinds VALUES(?,?,?,?,?)",
                         {std::int64_t{-7}, 0.25, std::string_view("text"), Blob{"\xff\x00"}, nullptr})
                    .has_value());
        bool seen = false;
        REQUIRE(database
                    .each("SELECT * FROM kinds", {},
                          [&](const Row& row) {
                              seen = true;
                              CHECK(row.integer(0) == -7);
                              CHECK(row.real(1) == 0.25);
                              CHECK(row.text(2) == "text");
                              CHECK(row.text(3) == "\xff");
                              CHECK(row.is_null(4));
                              CHECK(row.text(4).empty());
                              CHECK_FALSE(row.is_null(0));
                          })
                    .has_value());
        CHECK(seen);
    }

    TEST_CASE("a transaction whose work fails leaves nothing, and the next one works") {
        const TempFolder folder;
        Database database = opened(folder.path() + "/a.db", v1);
        const auto undone = database.transact([&]() -> Result<> {
            add_box(database, "never");
            return fail(Code::bad_arg, "changed my mind");
        });
        REQUIRE_FALSE(undone.has_value());
        CHECK(undone.error().message == "changed my mind");
        CHECK(names(database).empty());
        CHECK(database
                  .transact([&]() -> Result<> {
                      add_box(database, "kept");
                      return {};
                  })
                  .has_value());
        CHECK(names(database) == std::vector<std::string>{"kept"});
    }

    TEST_CASE("a reference to nothing is refused") {
        const TempFolder folder;
        Database database = opened(folder.path() + "/a.db", v1);
        const auto refused = database.run("INSERT INTO thing(box) VALUES(99)");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().message.find("FOREIGN KEY") != std::string::npos);
    }

    TEST_CASE("an older file is copied before it is moved to the new schema") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        {
            Database database = opened(path, v1);
            add_box(database, "old");
        }
        bool ran = false;
        Database database = opened(path, v2([&](Database& inside) {
                                       ran = true;
                                       return inside.execute("UPDATE box SET colour = 'red'");
                                   }));
        CHECK(ran);
        CHECK(database.schema_version() == 2);
        std::string colour;
        REQUIRE(database.each("SELECT colour FROM box", {}, [&](const Row& row) { colour = row.text(0); })
                    .has_value());
        CHECK(colour == "red");

        Database copy = opened(path + ".v1.bak", v1);
        CHECK(names(copy) == std::vector<std::string>{"old"});
        CHECK_FALSE(fs::exists(path + ".v1.bak.new"));
    }

    TEST_CASE("a new file needs no copy") {
        const TempFolder folder;
        { const Database database = opened(folder.path() + "/a.db", v2()); }
        CHECK(files_in(folder.path()) == std::vector<std::string>{"a.db"});
        { const Database database = opened(folder.path() + "/a.db", v2()); }
        CHECK(files_in(folder.path()) == std::vector<std::string>{"a.db"});
    }

    TEST_CASE("a migration that fails leaves the file as it was, and its copy") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        {
            Database database = opened(path, v1);
            add_box(database, "old");
        }
        const auto failed = Database::open(
            path, v2([](Database&) -> Result<> { return fail(Code::internal, "cannot go on"); }));
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().message == "cannot go on");
        CHECK(fs::exists(path + ".v1.bak"));
        Database database = opened(path, v1);
        CHECK(names(database) == std::vector<std::string>{"old"});
        CHECK_FALSE(database.execute("SELECT colour FROM box").has_value());
    }

    TEST_CASE("a migration may not leave a reference to nothing") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        { const Database database = opened(path, v1); }
        const auto failed = Database::open(
            path, v2([](Database& inside) { return inside.execute("INSERT INTO thing VALUES(1, 99)"); }));
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().message.find("rows of thing that refer to nothing") != std::string::npos);
    }

    TEST_CASE("a file of a newer version is refused, with the program that it needs, and is not touched") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        {
            Database database = opened(path, v2());
            REQUIRE(database.execute("UPDATE labdeck_file SET program = '7.5.0'").has_value());
        }
        const std::string before = bytes_of(path);
        const auto refused = Database::open(path, v1);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::denied);
        CHECK(refused.error().message.find("schema version 2, written by Labdeck 7.5.0") !=
              std::string::npos);
        CHECK(refused.error().message.find("knows versions up to 1") != std::string::npos);
        CHECK(refused.error().message.find("Nothing was changed") != std::string::npos);
        CHECK(refused.error().details == R"({"fileVersion":2,"knownVersion":1})");
        CHECK(bytes_of(path) == before);
        CHECK(files_in(folder.path()) == std::vector<std::string>{"a.db"});
    }

    TEST_CASE("that a file is newer is seen when only its log says so, as after a kill") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        const std::string left = folder.path() + "/left.db";
        {
            const Database database = opened(path, v2());
            fs::copy_file(path, left);
            fs::copy_file(path + "-wal", left + "-wal");
        }
        const std::string before = bytes_of(left);
        const auto refused = Database::open(left, v1);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::denied);
        CHECK(bytes_of(left) == before);
        CHECK(opened(left, v2()).schema_version() == 2);
    }

    TEST_CASE("what is no database is refused with what to do, and is left as it is") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        std::ofstream(path) << std::string(5000, 'x');
        std::ofstream(path + ".v3.bak") << "an earlier copy";
        const auto refused = Database::open(path, v1);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::io);
        CHECK(refused.error().message.find("file is not a database") != std::string::npos);
        CHECK(refused.error().message.find("Move it aside") != std::string::npos);
        CHECK(refused.error().message.find(path + ".v3.bak") != std::string::npos);
        CHECK(bytes_of(path) == std::string(5000, 'x'));
    }

    TEST_CASE("a damaged page is found before anything is written") {
        const TempFolder folder;
        const std::string path = folder.path() + "/a.db";
        {
            Database database = opened(path, v1);
            REQUIRE(database
                        .transact([&]() -> Result<> {
                            for (int i = 0; i < 2000; ++i) add_box(database, "a name that takes some room");
                            return {};
                        })
                        .has_value());
        }
        std::string bytes = bytes_of(path);
        REQUIRE(bytes.size() > 5 * 4096);
        std::fill(bytes.begin() + 4 * 4096, bytes.begin() + 5 * 4096, '\x5a');
        std::ofstream(path, std::ios::binary) << bytes;
        const auto refused = Database::open(path, v1);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::io);
        CHECK(refused.error().message.find("is damaged") != std::string::npos);
        CHECK(refused.error().message.find("start again with an empty one") != std::string::npos);
        CHECK(bytes_of(path) == bytes);
    }

    TEST_CASE("a folder that is not there and a folder in the file's place are errors with the path") {
        const TempFolder folder;
        const auto missing = Database::open(folder.path() + "/none/a.db", v1);
        REQUIRE_FALSE(missing.has_value());
        CHECK(missing.error().code == Code::not_found);
        CHECK(missing.error().message.find("/none/a.db") != std::string::npos);
        fs::create_directory(folder.path() + "/b.db");
        const auto wrong = Database::open(folder.path() + "/b.db", v1);
        REQUIRE_FALSE(wrong.has_value());
        CHECK(wrong.error().message.find("/b.db") != std::string::npos);
        CHECK(fs::is_directory(folder.path() + "/b.db"));
    }

    TEST_CASE("when the disk is full a write fails, and what was there stays") {
        const TempFolder folder;
        Database database = opened(folder.path() + "/a.db", v1);
        add_box(database, "before");
        const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
        rlimit limit_before{};
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit_before) == 0);
        rlimit small = limit_before;
        small.rlim_cur = 64U << 10;
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
        const std::string much(200U << 10, 'm');
        const auto refused = database.run("INSERT INTO box(name) VALUES(?)", {std::string_view(much)});
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit_before) == 0);
        std::signal(SIGXFSZ, signal_before);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == Code::io);
        add_box(database, "after");
        CHECK(names(database) == std::vector<std::string>{"before", "after"});
        CHECK(database.check_integrity().has_value());
    }
}
