#include "bench_apps/action_spec.h"

#include <doctest/doctest.h>

#include <array>
#include <nlohmann/json.hpp>

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

constexpr std::array<FieldSpec, 5> fields = {{
    {.name = "count",
     .label = "Count",
     .type = FieldType::integer,
     .required = true,
     .min = 1,
     .max = 9,
     .unit = "x"},
    {.name = "rate", .label = "Rate", .type = FieldType::number, .preset = "0.5", .min = 0, .max = 1},
    {.name = "kind", .label = "Kind", .type = FieldType::choice, .preset = R"("a")", .choices = "a|bc"},
    {.name = "on", .label = "On", .type = FieldType::boolean, .help = "or off"},
    {.name = "text", .label = "Text"},
}};
constexpr ActionSpec action{.name = "do_it", .label = "Do it", .args = fields};

std::string wrong_key(const Json& args) {
    const Result<Json> checked = check_args(action, args);
    if (checked) return {};
    CHECK(checked.error().code == Code::bad_arg);
    return Json::parse(checked.error().details).at("key").get<std::string>();
}

}  // namespace

TEST_SUITE("bench_apps/action_spec") {
    TEST_CASE("an action says enough to draw a form") {
        const Json json = action_json(action);
        CHECK(json.at("name") == "do_it");
        CHECK(json.at("args").size() == 5);
        const Json& count = json.at("args")[0];
        CHECK(count.dump() ==
              R"({"name":"count","label":"Count","type":"int","required":true,"min":1,"max":9,"unit":"x"})");
        CHECK(json.at("args")[1].at("default") == 0.5);
        CHECK(json.at("args")[2].at("choices") == Json::array({"a", "bc"}));
        CHECK(json.at("args")[3].at("type") == "bool");
        CHECK(json.at("args")[3].at("help") == "or off");
    }

    TEST_CASE("defaults are filled in, what is optional may be missing or null") {
        const Json checked = check_args(action, {{"count", 3}, {"text", nullptr}}).value();
        CHECK(checked.dump() == R"({"count":3,"rate":0.5,"kind":"a"})");
        CHECK(check_args(action, {{"count", 3.0}}).has_value());
    }

    TEST_CASE("the first wrong argument is named") {
        CHECK(wrong_key(Json::object()) == "args.count");
        CHECK(wrong_key({{"count", nullptr}}) == "args.count");
        CHECK(wrong_key({{"count", "3"}}) == "args.count");
        CHECK(wrong_key({{"count", 2.5}}) == "args.count");
        CHECK(wrong_key({{"count", 0}}) == "args.count");
        CHECK(wrong_key({{"count", 10}}) == "args.count");
        CHECK(wrong_key({{"count", 1}, {"rate", 1.5}}) == "args.rate");
        CHECK(wrong_key({{"count", 1}, {"kind", "b"}}) == "args.kind");
        CHECK(wrong_key({{"count", 1}, {"on", 1}}) == "args.on");
        CHECK(wrong_key({{"count", 1}, {"text", 5}}) == "args.text");
        CHECK(wrong_key({{"count", 1}, {"text", std::string("a\0b", 3)}}) == "args.text");
        CHECK(wrong_key({{"count", 1}, {"other", 5}}) == "args.other");
    }
}
