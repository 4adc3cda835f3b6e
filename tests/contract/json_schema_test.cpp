#include "contract/json_schema.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace labdeck;
using contract::Json;
using contract::JsonSchema;

namespace {

const Json schema = Json::parse(R"({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {
        "baud": {"type": "integer", "minimum": 50, "maximum": 1000000},
        "mode": {"type": "string", "enum": ["Com", "Tcp"]},
        "rails/mV": {"type": "array", "items": {"type": "number"}}
    }
})");

}  // namespace

TEST_SUITE("contract/json_schema") {
    TEST_CASE("a value that fits has no fault, and keys that the schema does not name are let through") {
        const JsonSchema checked = JsonSchema::create(schema).value();
        CHECK(checked.check(Json::parse(R"({"baud": 9600, "mode": "Tcp", "own": {"deep": [1]}})")).empty());
        CHECK(checked.check(Json::object()).empty());
        CHECK(checked.check(Json::parse(R"({"baud": 9600.0})")).empty());
    }

    TEST_CASE("each value that does not fit is named by its pointer, and nothing that holds it") {
        const JsonSchema checked = JsonSchema::create(schema).value();
        const auto faults =
            checked.check(Json::parse(R"({"baud": 9600.5, "mode": "Udp", "rails/mV": [1, "x"]})"));
        std::vector<std::string> pointers;
        for (const auto& fault : faults) pointers.push_back(fault.pointer);
        for (const char* expected : {"/baud", "/mode", "/rails~1mV/1"}) {
            CHECK(std::find(pointers.begin(), pointers.end(), expected) != pointers.end());
        }
        CHECK(std::find(pointers.begin(), pointers.end(), "") == pointers.end());
        CHECK(std::find(pointers.begin(), pointers.end(), "/rails~1mV") == pointers.end());
        REQUIRE(checked.check(Json(3)).size() == 1);
        CHECK(checked.check(Json(3)).front().pointer.empty());
    }

    TEST_CASE("what is no schema is an error and ends nothing") {
        CHECK(JsonSchema::create(Json::parse(R"({"type": 7})")).error().code == Code::internal);
        CHECK(JsonSchema::create(Json::parse(R"({"$ref": "http://example.com/a.json"})")).error().code ==
              Code::internal);
    }
}
