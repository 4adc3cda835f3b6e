#include "bench_apps/station_results.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fakes/temp_folder.h"
#include "station_bench.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using bench::StationBench;
using contract::Json;

namespace {

constexpr WallTime began{1'790'000'000'000'000'000};

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::size_t count_of(const std::string& text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
        ++count;
    return count;
}

/// A step of each verdict.
StationRun mixed_run() {
    StationRun run;
    run.id = "run-1";
    run.state = RunState::completed;
    run.started = MonoTime{5'000'000'000};
    const auto add = [&](std::string name, Verdict verdict, std::string reason) {
        StationStep step{.name = std::move(name), .title = "A step", .unit = "mV", .limits = {1, 2}};
        step.verdict = verdict;
        step.judged = true;
        step.reason = std::move(reason);
        run.steps.push_back(std::move(step));
    };
    add("good", Verdict::pass, "");
    add("bad", Verdict::fail, "3 mV is above 2");
    add("holey", Verdict::incomplete, "records are missing");
    add("left", Verdict::skipped, "not connected");
    return run;
}

}  // namespace

TEST_SUITE("bench_apps/station_results") {
    TEST_CASE("a cell that a spreadsheet would run is made text") {
        CHECK(csv_cell("=1+1") == "'=1+1");
        CHECK(csv_cell("+1") == "'+1");
        CHECK(csv_cell("-1") == "'-1");
        CHECK(csv_cell("@SUM(A1)") == "'@SUM(A1)");
        CHECK(csv_cell("\tx") == "'\tx");
        CHECK(csv_cell("\rx") == "\"'\rx\"");
        CHECK(csv_cell("=cmd|\"/c calc\",A1") == "\"'=cmd|\"\"/c calc\"\",A1\"");
        CHECK(csv_cell("1=1") == "1=1");
        CHECK(csv_cell("") == "");
    }

    TEST_CASE("a cell with a comma, a quote or a newline is quoted") {
        CHECK(csv_cell("a,b") == "\"a,b\"");
        CHECK(csv_cell("a\"b") == "\"a\"\"b\"");
        CHECK(csv_cell("a\nb") == "\"a\nb\"");
    }

    TEST_CASE("XML text holds no markup and no character that XML cannot") {
        CHECK(xml_text("<a b=\"c\">&") == "&lt;a b=&quot;c&quot;&gt;&amp;");
        CHECK(xml_text(std::string_view("a\x00\x01\x1f z", 6)) == "a z");
        CHECK(xml_text("a\tb\n") == "a&#9;b&#10;");
        CHECK(xml_text("\xEF\xBF\xBF"
                       "µ") == "µ");
    }

    TEST_CASE("the JSON of a run has every field of every step, and its evidence") {
        StationBench bench;
        const Json json = run_json(bench.judge(), began);
        CHECK(json.at("verdict") == "pass");
        CHECK(json.at("state") == "completed");
        CHECK(json.at("kind") == "acceptance");
        CHECK(json.at("serial") == "SN-1");
        CHECK(json.at("startedAt") == rfc3339(began));
        REQUIRE(json.at("steps").size() == 16);
        for (const Json& step : json.at("steps")) {
            CAPTURE(step.dump());
            for (const auto* key : {"name", "title", "verdict", "value", "unit", "lower", "upper", "reason",
                                    "startedAt", "durationMs", "details", "evidence"}) {
                CAPTURE(key);
                CHECK(step.contains(key));
            }
            CHECK(step.at("evidence").at("complete") == true);
            CHECK(step.at("evidence").at("plcBytes").size() == 2);
            CHECK(step.at("evidence").at("losses").at("crcErrors") == 0);
        }
        const Json& rail = json.at("steps")[0];
        CHECK(rail.at("evidence").at("recordSequence").size() == 2);
        CHECK(rail.at("details").at("samples") == 20);
    }

    TEST_CASE("a run that goes on has no verdict yet, and neither have its steps") {
        StationBench bench;
        bench.station.begin(RunKind::acceptance, "run-2", "", bench::at(bench.now));
        const Json json = run_json(*bench.station.run(), began);
        CHECK(json.at("state") == "running");
        CHECK(json.at("verdict").is_null());
        CHECK(json.at("steps")[0].at("verdict").is_null());
        CHECK(json.at("steps")[0].at("startedAt").is_null());
    }

    TEST_CASE("the CSV has a head and a row a step, all of the same width") {
        StationBench bench;
        StationRun run = bench.judge();
        run.serial = "=HYPERLINK(\"http://x\")";
        const std::string csv = run_csv(run, began);
        CHECK(count_of(csv, "\r\n") == 17);
        CHECK(count_of(csv, "\"'=HYPERLINK(\"\"http://x\"\")\"") == 16);
        const std::size_t commas = count_of(csv.substr(0, csv.find("\r\n")), ",");
        CHECK(commas == 23);
        CHECK(count_of(csv, ",") == commas * 17);
    }

    TEST_CASE(
        "in JUnit XML a failed step is a failure, an incomplete one an error, and none of them passes") {
        const std::string xml = run_junit(mixed_run(), began);
        CHECK(count_of(xml, "tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\"") == 2);
        CHECK(count_of(xml, "<testcase ") == 4);
        CHECK(count_of(xml, "<failure type=\"limits\" message=\"3 mV is above 2\"/>") == 1);
        CHECK(count_of(xml, "<error type=\"incomplete\" message=\"records are missing\"/>") == 1);
        CHECK(count_of(xml, "<skipped message=\"not connected\"/>") == 1);
    }

    TEST_CASE("the verdict of a run is its worst step's") {
        StationRun run = mixed_run();
        CHECK(run.verdict() == Verdict::fail);
        run.steps.erase(run.steps.begin() + 1);
        CHECK(run.verdict() == Verdict::incomplete);
        run.steps.resize(1);
        CHECK(run.verdict() == Verdict::pass);
        run.steps.clear();
        CHECK(run.verdict() == Verdict::incomplete);
    }

    TEST_CASE("the three files of a run are written whole, and nothing else is left") {
        const fakes::TempFolder folder;
        StationBench bench;
        const StationRun& run = bench.judge();
        const std::string results = folder.path() + "/deep/results";
        const auto files = write_results(run, began, results);
        REQUIRE(files.has_value());
        REQUIRE(files->size() == 3);
        CHECK(Json::parse(text_of((*files)[0])) == run_json(run, began));
        CHECK(text_of((*files)[1]) == run_csv(run, began));
        CHECK(text_of((*files)[2]) == run_junit(run, began));
        const auto entries = std::filesystem::directory_iterator(results);
        CHECK(std::distance(begin(entries), end(entries)) == 3);
    }

    TEST_CASE("a folder that cannot be made is an error that names it") {
        const fakes::TempFolder folder;
        std::ofstream(folder.path() + "/results") << "a file";
        StationBench bench;
        const auto files = write_results(bench.judge(), began, folder.path() + "/results/here");
        REQUIRE_FALSE(files.has_value());
        CHECK(files.error().message.find("/results/here") != std::string::npos);
    }
}
