#include "bench_apps/last_result.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "bench_apps/station_results.h"
#include "fakes/temp_folder.h"
#include "station_bench.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using bench::StationBench;
using contract::Json;

namespace {

constexpr std::int64_t day_ns = 86'400'000'000'000;
const std::string older = "40318-20260921T151320Z-aaaaaaaa";
const std::string newer = "40318-20260922T151320Z-00000000";

WallTime began_of(const std::string& id) {
    return {1'790'000'000'000'000'000 + (id == older ? 0 : day_ns)};
}

/// A folder with the results of a run that passed.
struct Results {
    void write(const std::string& id, WallTime began) {
        StationRun run = passed;
        run.id = id;
        REQUIRE(write_results(run, began, folder.path()).has_value());
    }
    void write(const std::string& id) { write(id, began_of(id)); }
    std::string path(const std::string& name) const { return folder.path() + "/" + name; }
    /// Puts a text in the place of the newer JSON file.
    void spoil(const std::string& text) const { std::ofstream(path(newer + ".json")) << text; }
    std::string text_of(const std::string& id) const {
        std::ifstream file(path(id + ".json"));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    LastResult read() const { return read_last_result(folder.path()); }

    const fakes::TempFolder folder;
    const StationRun passed = StationBench().judge();
};

/// The older run is read back, and the newer file is named with this reason.
void check_passed_over(const Results& results, const std::string& why) {
    const LastResult last = results.read();
    REQUIRE(last.run);
    CHECK(last.run->at("id") == older);
    REQUIRE(last.passed_over.size() == 1);
    CAPTURE(last.passed_over.front());
    CHECK(last.passed_over.front().find(results.path(newer + ".json")) != std::string::npos);
    CHECK(last.passed_over.front().find(why) != std::string::npos);
}

}  // namespace

TEST_SUITE("bench_apps/last_result") {
    TEST_CASE("the newest run is read back as it was written, with its files") {
        Results results;
        results.write(newer);
        results.write(older);
        const LastResult last = results.read();
        CHECK(last.passed_over.empty());
        REQUIRE(last.run);
        StationRun run = results.passed;
        run.id = newer;
        Json expected = run_json(run, began_of(newer));
        expected["files"] = {results.path(newer + ".json"), results.path(newer + ".csv"),
                             results.path(newer + ".xml")};
        expected["filesError"] = "";
        CHECK(last.run->dump() == expected.dump());
    }

    TEST_CASE("a folder without results, and none at all, hold no run and are no fault") {
        const fakes::TempFolder folder;
        for (const std::string& path : {folder.path(), folder.path() + "/not there"}) {
            const LastResult last = read_last_result(path);
            CHECK_FALSE(last.run);
            CHECK(last.passed_over.empty());
        }
    }

    TEST_CASE("a folder that cannot be read is named") {
        const fakes::TempFolder folder;
        std::ofstream(folder.path() + "/results") << "a file";
        const LastResult last = read_last_result(folder.path() + "/results");
        CHECK_FALSE(last.run);
        REQUIRE(last.passed_over.size() == 1);
        CHECK(last.passed_over.front().find(folder.path() + "/results: Not a directory") !=
              std::string::npos);
    }

    TEST_CASE("a file that is cut off anywhere is passed over and named") {
        Results results;
        results.write(older);
        results.write(newer);
        const std::string text = results.text_of(newer);
        for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, text.size() / 2, text.size() - 3}) {
            CAPTURE(bytes);
            results.spoil(text.substr(0, bytes));
            check_passed_over(results, ": ");
        }
    }

    TEST_CASE("JSON that is no result of the station is passed over, and the log can say why") {
        Results results;
        results.write(older);
        results.write(newer);
        const Json sound = Json::parse(results.text_of(newer));
        const auto spoiled = [&](const std::function<void(Json&)>& spoil) {
            Json json = sound;
            spoil(json);
            results.spoil(json.dump());
        };
        results.spoil("[]");
        check_passed_over(results, "the result is no object");
        spoiled([](Json& json) { json.erase("verdict"); });
        check_passed_over(results, "the result has no verdict");
        spoiled([](Json& json) { json["durationMs"] = "long"; });
        check_passed_over(results, "the result: durationMs may not be string");
        spoiled([](Json& json) { json["appId"] = "bridge"; });
        check_passed_over(results, "it is of the app \"bridge\"");
        spoiled([](Json& json) { json["kind"] = "holiday"; });
        check_passed_over(results, "there is no kind of run \"holiday\"");
        spoiled([](Json& json) { json["state"] = "running"; });
        check_passed_over(results, "the state \"running\" is none that a run ends in");
        spoiled([](Json& json) { json["startedAt"] = "yesterday"; });
        check_passed_over(results, "startedAt \"yesterday\" is no time");
        spoiled([](Json& json) { json["steps"][3] = 4; });
        check_passed_over(results, "step 4 is no object");
        spoiled([](Json& json) { json["steps"][0]["verdict"] = nullptr; });
        check_passed_over(results, "step 1: verdict may not be null");
        spoiled([](Json& json) { json["steps"][0]["verdict"] = "good"; });
        check_passed_over(results, "step 1 has the verdict \"good\"");
        results.spoil(results.text_of(older));
        check_passed_over(results, "it is the run \"" + older + "\"");
    }

    TEST_CASE("a pass that its steps do not bear out is passed over") {
        Results results;
        results.write(older);
        results.write(newer);
        Json json = Json::parse(results.text_of(newer));
        json["steps"][2]["verdict"] = "fail";
        results.spoil(json.dump());
        check_passed_over(results, "the verdict \"pass\" is not that of its steps, fail");
        json["steps"][2]["verdict"] = "pass";
        json["steps"][2]["evidence"]["complete"] = false;
        results.spoil(json.dump());
        check_passed_over(results, "step 3 passed on a hole");
        json["steps"] = Json::array();
        results.spoil(json.dump());
        check_passed_over(results, "is not that of its steps, incomplete");
    }

    TEST_CASE("a folder, a pipe or a giant in the place of a file is passed over without waiting for it") {
        Results results;
        results.write(older);
        const std::string place = results.path(newer + ".json");
        std::filesystem::create_directory(place);
        check_passed_over(results, "is a folder");
        std::filesystem::remove(place);
        REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
        check_passed_over(results, "is no plain file");
        std::filesystem::remove(place);
        std::ofstream(place).close();
        std::filesystem::resize_file(place, 5U << 20);
        check_passed_over(results, "is longer than");
    }

    TEST_CASE("files of other names are not looked at") {
        Results results;
        results.write(older);
        std::ofstream(results.path("zzz.json")) << "{";
        std::ofstream(results.path(newer + ".json.4711.new")) << "{";
        std::ofstream(results.path(newer + ".csv")) << "run";
        const LastResult last = results.read();
        REQUIRE(last.run);
        CHECK(last.run->at("id") == older);
        CHECK(last.passed_over.empty());
    }

    TEST_CASE("of two runs in one second the one that began last is the newest") {
        Results results;
        const std::string stem = newer.substr(0, newer.size() - 8);
        results.write(stem + "11111111", {began_of(newer).ns + 700'000'000});
        results.write(stem + "99999999", {began_of(newer).ns + 200'000'000});
        const LastResult last = results.read();
        REQUIRE(last.run);
        CHECK(last.run->at("id") == stem + "11111111");
    }

    TEST_CASE("a run whose other files are missing says which") {
        Results results;
        results.write(newer);
        std::filesystem::remove(results.path(newer + ".csv"));
        const LastResult last = results.read();
        REQUIRE(last.run);
        CHECK(last.run->at("files").size() == 2);
        CHECK(last.run->at("filesError") == results.path(newer + ".csv") + " is not there");
    }

    TEST_CASE("a hundred bad files are passed over, and then no more are looked at") {
        Results results;
        results.write(older);
        for (int i = 0; i < 150; ++i) {
            std::ofstream(results.path("40318-20270101T000000Z-" + std::to_string(10'000'000 + i) + ".json"));
        }
        const LastResult last = results.read();
        CHECK_FALSE(last.run);
        REQUIRE(last.passed_over.size() == 101);
        CHECK(last.passed_over.back().find("older files are not looked at") != std::string::npos);
    }
}
