#include <filesystem>
#include <string>

#include "ui/played_supervisor.h"
#include "ui/text_file.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

/// A file below the system's temporary folder that goes away with the test.
struct PlacedFile {
    explicit PlacedFile(const std::string& name)
        : path((std::filesystem::temp_directory_path() / (new_uuid() + "-" + name)).string()) {}
    ~PlacedFile() { std::filesystem::remove(path); }
    PlacedFile(const PlacedFile&) = delete;
    PlacedFile& operator=(const PlacedFile&) = delete;
    const std::string path;
};

struct Exchanging : PlayedSupervisor {
    explicit Exchanging(const std::string& path) {
        on("data.export", [this](const Json&) { return kept; });
        on("data.preview", [](const Json& params) {
            const bool all = params["mode"] == "replace";
            return Json{{"scripts",
                         {{"added", {"x", "y"}},
                          {"skipped", Json::array()},
                          {"renamed", {{{"id", "a"}, {"newId", "a-2"}, {"name", "adapter (imported)"}}}},
                          {"removed", all ? Json::array({"b"}) : Json::array()}}},
                        {"profiles", {{"added", Json::array()}}},
                        {"settings", {{"changed", {"theme"}}}}};
        });
        on("data.import", [](const Json& params) { return params["data"]; });
        click("processes/exchange");
        frame(3);
        fill("processes/exchange/path", path.c_str());
    }
    Json kept = {{"schemaVersion", 1}, {"scripts", Json::array()}, {"profiles", Json::array()}};
};

}  // namespace

TEST_SUITE("ui/data_exchange") {
    TEST_CASE("an export writes the hub's answer to the file that was named") {
        const PlacedFile file("export.json");
        Exchanging bench(file.path);
        bench.click("processes/exchange/export");
        bench.frame(3);
        CHECK(bench.says("No secret is in it"));
        const auto text = read_text_file(file.path);
        REQUIRE(text);
        CHECK(Json::parse(*text) == bench.kept);
    }

    TEST_CASE("an import is shown before it is taken, and asked about again in the other mode") {
        const PlacedFile file("import.json");
        REQUIRE(write_text_file(file.path, R"({"scripts": [{"id": "x", "name": "logger"}]})"));
        Exchanging bench(file.path);
        bench.click("processes/exchange/look");
        bench.frame(3);
        CHECK(bench.says("scripts added (2)"));
        CHECK(bench.says("logger, y"));
        CHECK(bench.says("adapter (imported) (as a-2)"));
        CHECK(bench.says("settings changed (1)"));
        CHECK_FALSE(bench.says("scripts removed"));
        CHECK(bench.calls_of("data.import").empty());
        bench.click("processes/exchange/replace");
        bench.frame(3);
        CHECK(bench.says("scripts removed (1)"));
        bench.click("processes/exchange/import");
        bench.frame(3);
        REQUIRE(bench.calls_of("data.import").size() == 1);
        CHECK(bench.calls_of("data.import")[0] ==
              Json{{"data", {{"scripts", {{{"id", "x"}, {"name", "logger"}}}}}}, {"mode", "replace"}});
        CHECK(bench.says("Taken in"));
        CHECK_FALSE(bench.has("processes/exchange/import"));
    }

    TEST_CASE("a file that is not there, or holds no JSON, is said so and nothing is asked") {
        const PlacedFile file("broken.json");
        Exchanging bench(file.path);
        bench.click("processes/exchange/look");
        CHECK(bench.says("there is no"));
        REQUIRE(write_text_file(file.path, "{"));
        bench.click("processes/exchange/look");
        CHECK(bench.has("processes/exchange/message"));
        bench.fill("processes/exchange/path", "/dev/zero");
        bench.click("processes/exchange/look");
        CHECK(bench.says("no plain file"));
        bench.click("processes/exchange/export");
        bench.frame(3);
        CHECK(bench.says("no plain file"));
        CHECK(bench.calls_of("data.preview").empty());
    }
}
