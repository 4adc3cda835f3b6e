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
            return Json{{"scriptsAdded", {"x", "y"}},
                        {"scriptsRenamed", {{"a", "a (imported)"}}},
                        {"scriptsRemoved", params["mode"] == "replace" ? Json{"gone"} : Json::array()}};
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
        REQUIRE(write_text_file(file.path, R"({"schemaVersion": 1, "scripts": []})"));
        Exchanging bench(file.path);
        bench.click("processes/exchange/look");
        bench.frame(3);
        CHECK(bench.says("x, y"));
        CHECK(bench.says("a: a (imported)"));
        CHECK_FALSE(bench.says("gone"));
        CHECK(bench.calls_of("data.import").empty());
        bench.click("processes/exchange/replace");
        bench.frame(3);
        CHECK(bench.says("gone"));
        bench.click("processes/exchange/import");
        bench.frame(3);
        REQUIRE(bench.calls_of("data.import").size() == 1);
        CHECK(bench.calls_of("data.import")[0] ==
              Json{{"data", {{"schemaVersion", 1}, {"scripts", Json::array()}}}, {"mode", "replace"}});
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
