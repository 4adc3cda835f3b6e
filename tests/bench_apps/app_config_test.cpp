#include "bench_apps/app_config.h"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "fakes/temp_folder.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

constexpr std::array<FieldSpec, 3> fields = {{
    {.name = "port", .label = "Port", .required = true, .preset = R"("dev/x")", .path = true},
    {.name = "baud",
     .label = "Baud",
     .type = FieldType::integer,
     .preset = "9600",
     .min = 50,
     .max = 1000000},
    {.name = "mode", .label = "Mode", .type = FieldType::choice, .preset = R"("Com")", .choices = "Com|Tcp"},
}};

struct Bench {
    std::string text() const {
        std::ifstream in(file);
        std::stringstream all;
        all << in.rdbuf();
        return all.str();
    }
    void write(const std::string& text) const {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(file.parent_path()),
                                                      std::filesystem::directory_iterator{}));
    }

    fakes::TempFolder folder;
    std::filesystem::path root = folder.path();
    std::filesystem::path file = root / "config" / "app.json";
    AppConfig config{"app", fields, root, file};
};

}  // namespace

TEST_SUITE("bench_apps/app_config") {
    TEST_CASE("a missing file stands for the defaults and is made with them") {
        const Bench bench;
        CHECK(bench.config.read().integer("baud") == 9600);
        CHECK(bench.config.view().at("valid") == true);
        CHECK_FALSE(std::filesystem::exists(bench.file));
        CHECK(bench.config.make_if_missing().has_value());
        CHECK(bench.text() == "{\n    \"port\": \"dev/x\",\n    \"baud\": 9600,\n    \"mode\": \"Com\"\n}\n");
        bench.write("{}");
        CHECK(bench.config.make_if_missing().has_value());
        CHECK(bench.text() == "{}");
    }

    TEST_CASE("a setting is written and everything else keeps its place") {
        const Bench bench;
        bench.write(R"({"zeta": [1, 2], "mode": "Com", "alpha": null, "port": "dev/y"})");
        const Json answer = bench.config.set("mode", "Tcp", 77).value();
        CHECK(answer.at("changed") == true);
        CHECK(answer.at("filePath") == bench.file.string());
        CHECK(answer.at("restartRequired") == true);
        CHECK(answer.at("pidAtSet") == 77);
        CHECK(answer.at("message").is_string());
        CHECK(Json::parse(bench.text()).dump() ==
              R"({"zeta":[1,2],"mode":"Tcp","alpha":null,"port":"dev/y"})");
        CHECK(bench.files() == 1);
    }

    TEST_CASE("a setting that is the same already changes nothing") {
        const Bench bench;
        bench.write(R"({ "mode":"Com" })");
        const Json answer = bench.config.set("mode", "Com", std::nullopt).value();
        CHECK(answer.at("changed") == false);
        CHECK(answer.at("restartRequired") == false);
        CHECK(answer.at("pidAtSet").is_null());
        CHECK(bench.text() == R"({ "mode":"Com" })");
    }

    TEST_CASE("a value that does not fit leaves the file as it was, to the byte") {
        const Bench bench;
        const std::string before = "{ \"mode\" : \"Com\",\n\n \"own\":1}";
        bench.write(before);
        const auto refused = [&](std::string_view key, const Json& value) {
            const Result<Json> answer = bench.config.set(key, value, 1);
            REQUIRE_FALSE(answer.has_value());
            CHECK(answer.error().code == Code::config_invalid);
            CHECK(Json::parse(answer.error().details).at("key") == key);
            CHECK(bench.text() == before);
        };
        refused("mode", "Udp");
        refused("baud", "9600");
        refused("baud", 10);
        refused("baud", 9600.5);
        refused("port", "");
        refused("nonsense", 1);
    }

    TEST_CASE("a file that is no JSON object is told of and never overwritten") {
        const Bench bench;
        for (const std::string broken : {"{\"mode\": ", "[1]", "", "\xff\xfe"}) {
            bench.write(broken);
            const Json view = bench.config.view();
            CHECK(view.at("valid") == false);
            CHECK(view.at("errors").size() == 1);
            CHECK(bench.config.set("baud", 1200, 1).error().code == Code::config_invalid);
            CHECK(bench.text() == broken);
        }
    }

    TEST_CASE("the view names every field, every fault and every path") {
        const Bench bench;
        bench.write(R"({"mode": "Udp", "baud": 1200, "own": {"x": 1}})");
        const Json view = bench.config.view();
        CHECK(view.at("repoRoot") == bench.root.string());
        CHECK(view.at("valid") == false);
        CHECK(view.at("errors") == Json::array({"mode must be one of Com|Tcp"}));
        CHECK(view.at("entries").size() == 3);
        CHECK(view.at("entries")[1].dump() ==
              R"({"key":"baud","value":1200,"label":"Baud","type":"int","required":false,"default":9600,)"
              R"("min":50,"max":1000000,"restartRequired":true})");
        CHECK(view.at("entries")[2].at("value") == "Com");
        CHECK(view.at("paths")[0].at("exists") == true);
        CHECK(view.at("paths")[1].at("path") == (bench.root / "dev/x").string());
        CHECK(view.at("configTree").at("own").at("x") == 1);
    }

    TEST_CASE("a relative path lies in the workspace, an absolute one where it says") {
        const Bench bench;
        CHECK(bench.config.resolved("a/b") == (bench.root / "a/b").string());
        CHECK(bench.config.resolved("/dev/pts/3") == "/dev/pts/3");
    }
}
