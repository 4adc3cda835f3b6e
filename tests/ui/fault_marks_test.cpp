#include "ui/fault_marks.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace labdeck;
using namespace labdeck::ui;
using contract::Json;

namespace {

Json faults(std::initializer_list<const char*> kinds) {
    Json list = Json::array();
    for (const char* kind : kinds) list.push_back({{"kind", kind}, {"secondsLeft", 3}});
    return list;
}

}  // namespace

TEST_SUITE("ui/fault_marks") {
    TEST_CASE("a fault is marked from when it was first told to when it was told no more") {
        FaultMarks marks;
        marks.take("plc", faults({}), {1});
        CHECK(marks.all().empty());
        marks.take("plc", faults({"crc"}), {10});
        marks.take("plc", faults({"crc", "delay"}), {20});
        marks.take("ble", faults({"drop_link"}), {25});
        marks.take("plc", faults({"delay"}), {30});
        REQUIRE(marks.all().size() == 3);
        CHECK(marks.all()[0].label == "plc crc");
        CHECK(marks.all()[0].from == MonoTime{10});
        CHECK(marks.all()[0].to == MonoTime{30});
        CHECK(marks.all()[1].label == "plc delay");
        CHECK(marks.all()[1].on());
        CHECK(marks.all()[2].label == "ble drop_link");
        CHECK(marks.all()[2].on());
        // The same once more is another mark.
        marks.take("plc", faults({"crc"}), {40});
        CHECK(marks.all()[1].to == MonoTime{40});
        CHECK(marks.all().back().label == "plc crc");
        CHECK(marks.all().back().from == MonoTime{40});
    }

    TEST_CASE("an app that says nothing of faults, or rubbish, has none") {
        FaultMarks marks;
        marks.take("plc", faults({"crc"}), {1});
        marks.take("plc", {}, {2});
        CHECK_FALSE(marks.all()[0].on());
        for (const Json& rubbish :
             {Json("crc"), Json{{"kind", "crc"}}, Json{1, "x", {{"kind", 3}}}, Json{{{"kind", ""}}}})
            marks.take("plc", rubbish, {3});
        CHECK(marks.all().size() == 1);
    }

    TEST_CASE("of apps whose names begin alike, each has its own") {
        FaultMarks marks;
        marks.take("plc", faults({"crc"}), {1});
        marks.take("plc-2", faults({"crc"}), {2});
        marks.take("plc", faults({}), {3});
        CHECK_FALSE(marks.all()[0].on());
        CHECK(marks.all()[1].on());
    }

    TEST_CASE("what is remembered is bounded") {
        FaultMarks marks;
        for (int i = 1; i <= 2000; ++i) marks.take("plc", i % 2 == 0 ? faults({}) : faults({"crc"}), {i});
        CHECK(marks.all().size() == FaultMarks::marks_max);
        CHECK(marks.all().back().to == MonoTime{2000});
    }
}
