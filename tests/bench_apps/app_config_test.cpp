#include "bench_apps/app_config.h"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/clock.h"
#include "bench_apps/config_schema.h"
#include "contract/json_schema.h"
#include "fakes/temp_folder.h"
#include "fakes/without_root.h"

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

    TEST_CASE("a setting is written and everything else stays as it was typed") {
        const Bench bench;
        bench.write(
            "{\"zeta\": [1, 2],\r\n   \"mode\" : \"Com\", \"alpha\":null,\r\n\"port\": \"dev/y\"}\r\n");
        const Json answer = bench.config.set("mode", "Tcp", 77).value();
        CHECK(answer.at("changed") == true);
        CHECK(answer.at("filePath") == bench.file.string());
        CHECK(answer.at("restartRequired") == true);
        CHECK(answer.at("pidAtSet") == 77);
        CHECK(answer.at("message").is_string());
        CHECK(bench.text() ==
              "{\"zeta\": [1, 2],\r\n   \"mode\" : \"Tcp\", \"alpha\":null,\r\n\"port\": \"dev/y\"}\r\n");
        CHECK(bench.config.set("baud", 1200, 77).has_value());
        CHECK(bench.text() ==
              "{\"zeta\": [1, 2],\r\n   \"mode\" : \"Tcp\", \"alpha\":null,\r\n\"port\": \"dev/y\","
              "\r\n\"baud\": 1200}\r\n");
        CHECK(bench.files() == 1);
    }

    TEST_CASE("a setting of a file that is not there yet is written among the defaults") {
        const Bench bench;
        CHECK(bench.config.set("baud", 1200, std::nullopt).value().at("changed") == true);
        CHECK(bench.text() == "{\n    \"port\": \"dev/x\",\n    \"baud\": 1200,\n    \"mode\": \"Com\"\n}\n");
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

    TEST_CASE("a file that is no JSON object is told of with its place and never overwritten") {
        const Bench bench;
        const std::array<std::pair<std::string, std::string>, 9> broken = {{
            {"{\"mode\": ", ":1:10: the text ends here, where a value is wanted"},
            {"{\n  \"mode\": \"Com\",\n}\n", ":2:16: a comma before }; remove it"},
            {"{\n  // by hand\n}\n", ":2:3: JSON has no comments; remove this one"},
            {"{\"mode\": \"Com\"", ":1:1: this { is never closed; add its }"},
            {" [1]", ":1:2: must be a JSON object, such as {\"baud\": 9600}"},
            {"", ":1:1: there is nothing; the smallest JSON object is {}"},
            {"\xEF\xBB\xBF{}", ":1:1: begins with a byte order mark; save it as UTF-8 without one"},
            {"\xff\xfe", ":1:1: is UTF-16; save it as UTF-8"},
            {"{\n\"port\": \"\xe4\"}", ":2:10: here it is not UTF-8; save it as UTF-8"},
        }};
        for (const auto& [text, why] : broken) {
            bench.write(text);
            const Json view = bench.config.view();
            CHECK(view.at("valid") == false);
            CHECK(view.at("errors") == Json::array({"config/app.json" + why}));
            CHECK(view.at("paths")[0].at("error") == view.at("errors")[0]);
            CHECK(view.at("faults")[0].at("file") == bench.file.string());
            CHECK(view.at("configTree") == Json::object());
            CHECK(bench.config.read().integer("baud") == 9600);
            const Result<Json> refused = bench.config.set("baud", 1200, 1);
            CHECK(refused.error().code == Code::config_invalid);
            CHECK(refused.error().message == "config/app.json" + why + " (the file stays as it is)");
            const Json details = Json::parse(refused.error().details);
            CHECK(details.at("key") == "baud");
            CHECK(details.at("line") == view.at("faults")[0].at("line"));
            CHECK(bench.text() == text);
        }
    }

    TEST_CASE("whatever stands in the file's place, the app goes on with its defaults and says why") {
        const Bench bench;
        const auto told = [&](const std::string& why) {
            const AppConfig::Values now = bench.config.read();
            CHECK(now.integer("baud") == 9600);
            CHECK(now.errors == std::vector<std::string>{why});
            CHECK(bench.config.view().at("faults")[0].contains("line") == false);
            CHECK_FALSE(bench.config.set("baud", 1200, 1).has_value());
        };
        bench.write("{" + std::string(1U << 20, ' ') + "}");
        told(bench.file.string() + " is longer than 1048576 bytes, the most that is read");
        std::filesystem::remove(bench.file);
        std::filesystem::create_directory(bench.file);
        told(bench.file.string() + " is a folder; a file is wanted there");
        std::filesystem::remove(bench.file);
        bench.write("{}");
        std::filesystem::permissions(bench.root, std::filesystem::perms::all);
        std::filesystem::permissions(bench.file, std::filesystem::perms::none);
        const fakes::WithoutRoot nobody;
        told("open " + bench.file.string() + ": Permission denied");
    }

    TEST_CASE("a disk that takes nothing leaves the settings as they were, to the byte") {
        const Bench bench;
        bench.write("{\"baud\": 300 }");
        std::filesystem::permissions(bench.root, std::filesystem::perms::all);
        std::filesystem::permissions(bench.file.parent_path(), static_cast<std::filesystem::perms>(0555));
        {
            const fakes::WithoutRoot nobody;
            CHECK(bench.config.set("baud", 1200, 1).error().code == Code::denied);
        }
        std::filesystem::permissions(bench.file.parent_path(), std::filesystem::perms::owner_all);
        CHECK(bench.text() == "{\"baud\": 300 }");
        CHECK(bench.files() == 1);
    }

    TEST_CASE("the view names every field, every path, and every fault with its line and column") {
        const Bench bench;
        bench.write(
            "{\"mode\": \"Udp\",\n  \"baud\": 1200,\n  \"port\":\t\"/dev/pts/3\", \"own\": {\"x\": 1}}");
        const Json view = bench.config.view();
        const std::string why =
            R"(mode must be one of Com|Tcp, but is "Udp"; until it is changed "Com" stands in)";
        CHECK(view.at("repoRoot") == bench.root.string());
        CHECK(view.at("valid") == false);
        CHECK(view.at("errors") == Json::array({"config/app.json:1:10: " + why}));
        CHECK(view.at("faults") == Json::array({{{"key", "mode"},
                                                 {"pointer", "/mode"},
                                                 {"file", bench.file.string()},
                                                 {"line", 1},
                                                 {"column", 10},
                                                 {"message", why}}}));
        CHECK(view.at("entries").size() == 3);
        CHECK(view.at("entries")[1].dump() ==
              R"({"key":"baud","value":1200,"label":"Baud","type":"int","required":false,"default":9600,)"
              R"("min":50,"max":1000000,"restartRequired":true,"source":"file","line":2,"column":11})");
        CHECK(view.at("entries")[2].at("value") == "Com");
        CHECK(view.at("entries")[2].at("error") == why);
        CHECK(view.at("entries")[2].at("line") == 1);
        CHECK(view.at("paths")[0].at("exists") == true);
        CHECK(view.at("paths")[1].at("path") == "/dev/pts/3");
        CHECK(view.at("paths")[1].at("line") == 3);
        CHECK(view.at("paths")[1].at("column") == 11);
        CHECK(view.at("configTree").at("own").at("x") == 1);
    }

    TEST_CASE("faults are told in the order of the file, and a setting that it lacks has no place") {
        const Bench bench;
        bench.write("{\"baud\": 5,\n \"mode\": 7}");
        const Json view = bench.config.view();
        REQUIRE(view.at("errors").size() == 2);
        CHECK(view.at("errors")[0] ==
              "config/app.json:1:10: baud must be at least 50, but is 5; until it is changed 9600 stands in");
        CHECK(view.at("faults")[1].at("pointer") == "/mode");
        CHECK(view.at("entries")[0].at("source") == "default");
        CHECK_FALSE(view.at("entries")[0].contains("line"));
    }

    TEST_CASE("a key that stands twice is told, and the first one counts") {
        const Bench bench;
        bench.write("{\"baud\": 300,\n \"own\": {\"a\": 1, \"a\": 2},\n \"baud\": 1200}");
        const Json view = bench.config.view();
        CHECK(view.at("entries")[1].at("value") == 300);
        REQUIRE(view.at("errors").size() == 2);
        CHECK(view.at("errors")[0] ==
              "config/app.json:2:18: the key \"a\" stands here again; the first, at 2:10, counts; remove one "
              "of "
              "them");
        CHECK(view.at("entries")[1].at("error") ==
              "the key \"baud\" stands here again; the first, at 1:2, counts; remove one of them");
        CHECK(view.at("entries")[1].at("line") == 3);
    }

    TEST_CASE("a file of nothing but faults is told of in bounds") {
        const Bench bench;
        std::string text = "{\"a\": 0";
        while (text.size() < 900'000) text += ",\"a\":0";
        bench.write(text + "}");
        CHECK(bench.config.read().errors.size() == 21);
        CHECK(bench.config.read().errors.back().ends_with("more keys stand twice"));
        text = "{\"a\": 0";
        for (int i = 0; text.size() < 900'000; ++i) text += ",\"k" + std::to_string(i) + "\":0";
        bench.write(text + "}");
        CHECK(bench.config.read().errors.empty());
        CHECK(bench.config.set("baud", 1200, 1).has_value());
    }

    TEST_CASE("the view's schema is the fields as a JSON Schema, and what it refuses they refuse") {
        const Bench bench;
        const Json schema = bench.config.view().at("schema");
        CHECK(schema.at("$schema") == "http://json-schema.org/draft-07/schema#");
        CHECK(schema.at("properties").at("baud").dump() ==
              R"({"title":"Baud","type":"integer","default":9600,"minimum":50,"maximum":1000000})");
        CHECK(schema.at("properties").at("mode").at("enum") == Json::array({"Com", "Tcp"}));
        CHECK(schema.at("properties").at("port").at("minLength") == 1);
        CHECK_FALSE(schema.contains("required"));
        const contract::JsonSchema checked = contract::JsonSchema::create(schema).value();
        for (const FieldSpec& field : fields) {
            for (const char* text : {"null", "true", "\"\"", "\"Com\"", "\"Udp\"", "0", "50", "50.0", "50.5",
                                     "-1", "1000000", "1000001", "1e300", "[]", "{}", "\"\u00e4\""}) {
                const Json value = Json::parse(text);
                const bool fits = checked.check(Json{{std::string(field.name), value}}).empty();
                CHECK_MESSAGE(fits == fault_of(field, value).empty(), std::string(field.name), " ", text);
            }
        }
    }

    TEST_CASE("a field that must be there and has no default is required by the schema") {
        static constexpr std::array<FieldSpec, 1> needed = {
            {{.name = "serial", .label = "Serial", .required = true}}};
        CHECK(config_schema("app", needed).at("required") == Json::array({"serial"}));
        const Bench bench;
        bench.write("\n{}");
        const AppConfig config("app", needed, bench.root, bench.file);
        const auto errors = config.read().errors;
        REQUIRE(errors.size() == 1);
        CHECK(errors.front().starts_with("config/app.json:2:1: "));
        CHECK(errors.front().find("serial") != std::string::npos);
        CHECK(config.set("serial", "A-1", std::nullopt).value().at("changed") == true);
        CHECK(bench.text() == "\n{\n    \"serial\": \"A-1\"\n}");
    }

    TEST_CASE("a relative path lies in the workspace, an absolute one where it says") {
        const Bench bench;
        CHECK(bench.config.resolved("a/b") == (bench.root / "a/b").string());
        CHECK(bench.config.resolved("/dev/pts/3") == "/dev/pts/3");
    }
}
