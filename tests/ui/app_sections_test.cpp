#include <string>
#include <thread>

#include "ui/one_app.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

const std::string app = "simulators/plc-simulator";

Json registers() {
    return Json::parse(R"({
        "input": [{"address": 0, "value": 3300, "name": "rail 3V3", "unit": "mV"},
                  {"address": 20, "value": 251, "name": "board", "unit": "°C", "scale": 0.1}],
        "holding": [{"address": 3, "value": 7, "name": "set-point", "unit": "mV"}],
        "coils": [{"address": 2, "value": true, "name": "power good"}]})");
}

Json fault_action() {
    return Json::parse(R"({"name": "inject_fault", "label": "Inject fault", "args": [
        {"name": "kind", "type": "enum", "required": true, "choices": ["crc", "lost_byte"]},
        {"name": "rate", "label": "Rate", "type": "number", "default": 1, "min": 0, "max": 1},
        {"name": "seconds", "label": "Duration", "type": "number", "default": 10, "min": 0, "max": 60, "unit": "s"}]})");
}

Json run() {
    return Json::parse(R"({"id": "run-7", "state": "finished", "verdict": "fail", "steps": [
        {"name": "Rail 12 V", "value": 11950, "unit": "mV", "lower": 11400, "upper": 12600, "verdict": "pass",
         "durationMs": 120},
        {"name": "Notifications", "value": 3.5, "unit": "kB/s", "lower": 8, "upper": null, "verdict": "fail",
         "durationMs": 2000},
        {"name": "Connected", "value": true, "unit": "", "lower": null, "upper": null, "verdict": "pass",
         "durationMs": 3}],
        "files": {"json": "/bench/results/run-7.json", "csv": "/bench/results/run-7.csv",
                  "junit": "/bench/results/run-7.xml"}})");
}

/// The newest request's arguments.
Json last_args(const OneApp& bench) {
    const auto calls = bench.calls_of("action.invoke");
    REQUIRE_FALSE(calls.empty());
    return calls.back()["args"];
}

}  // namespace

TEST_SUITE("ui/app_sections") {
    TEST_CASE("what the app does not have is not there") {
        const OneApp bench;
        for (const char* part : {"/registers/input/0", "/radio/rssi", "/faults/crc", "/run/verdict"})
            CHECK_FALSE(bench.has(app + part));
    }

    TEST_CASE("members of a wrong shape are let through") {
        OneApp bench;
        bench.extra =
            Json::parse(R"({"registers": {"input": [7, {"address": -1}, {"address": "x"}, {"address": 1}],
            "holding": 3}, "rssi": "loud", "battery": [], "link": 9, "faults": "none",
            "lastRun": {"id": 4, "steps": [1, {"value": {}, "lower": "x"}], "files": []}, "runs": [null, {}]})");
        bench.status_changed();
        CHECK(bench.has(app + "/registers/input/1"));
        CHECK(bench.has(app + "/run/verdict"));
        CHECK(bench.has(app + "/radio/rssi"));
    }

    TEST_CASE("the register map is shown with names and units, and not again among the facts") {
        OneApp bench;
        bench.extra["registers"] = registers();
        bench.status_changed();
        const std::string words = bench.words();
        for (const char* word : {"rail 3V3", "3300", "mV", "251", "= 25.1 °C", "set-point", "power good"})
            CHECK(words.find(word) != std::string::npos);
        CHECK(words.find("registers / input") == std::string::npos);
    }

    TEST_CASE("a register is changed by typing into it, a coil by its switch") {
        OneApp bench;
        bench.extra["registers"] = registers();
        bench.status_changed();
        bench.click(app + "/registers/input/20");
        bench.fill(app + "/registers/input/20", "0x1F");
        bench.press(ImGuiKey_Enter);
        CHECK(last_args(bench) == Json{{"register", 20}, {"value", 31}, {"bank", "input"}});
        bench.click(app + "/registers/holding/3");
        bench.fill(app + "/registers/holding/3", "12");
        bench.press(ImGuiKey_Enter);
        CHECK(last_args(bench) == Json{{"register", 3}, {"value", 12}, {"bank", "holding"}});
        bench.click(app + "/registers/coil/2");
        CHECK(last_args(bench) == Json{{"register", 2}, {"value", 0}, {"bank", "coil"}});
        CHECK(bench.calls_of("action.invoke").size() == 3);
    }

    TEST_CASE("what is no register value is refused in its row, and nothing goes out without Enter") {
        OneApp bench;
        bench.extra["registers"] = registers();
        bench.status_changed();
        bench.click(app + "/registers/input/0");
        bench.fill(app + "/registers/input/0", "70000");
        CHECK(bench.has(app + "/registers/input/0/refusal"));
        bench.press(ImGuiKey_Enter);
        bench.frame(2);
        CHECK(bench.has(app + "/registers/input/0/refusal"));
        bench.fill(app + "/registers/input/0", "5");
        CHECK_FALSE(bench.has(app + "/registers/input/0/refusal"));
        bench.press(ImGuiKey_Escape);
        bench.frame(2);
        CHECK(bench.calls_of("action.invoke").empty());
        CHECK(bench.words().find("3300") != std::string::npos);
    }

    TEST_CASE("an edit that the app refuses says so above the map") {
        OneApp bench;
        bench.extra["registers"] = registers();
        bench.status_changed();
        bench.on("action.invoke", [](const Json&) -> Result<Json> {
            return fail(contract::bad_arg("register", "register 20 is read only"));
        });
        bench.click(app + "/registers/input/20");
        bench.fill(app + "/registers/input/20", "1");
        bench.press(ImGuiKey_Enter);
        bench.frame(3);
        CHECK(bench.has(app + "/registers/answer"));
        CHECK(bench.words().find("register 20 is read only") != std::string::npos);
    }

    TEST_CASE("a page of live values asks for them again while the app runs, and a still one does not") {
        OneApp bench;
        const std::size_t before = bench.calls_of("status.get").size();
        bench.frame(3);
        CHECK(bench.calls_of("status.get").size() == before);
        CHECK_FALSE(bench.wants_frame());
        bench.extra["registers"] = registers();
        bench.status_changed();
        CHECK(bench.wants_frame());
        const std::size_t asked = bench.calls_of("status.get").size();
        std::this_thread::sleep_for(std::chrono::milliseconds(550));
        bench.frame(3);
        CHECK(bench.calls_of("status.get").size() == asked + 1);
        bench.running = false;
        bench.status_changed();
        bench.frame(2);
        CHECK_FALSE(bench.wants_frame());
    }

    TEST_CASE("a radio shows its level in words too, its link and its battery") {
        OneApp bench;
        bench.extra = {{"rssi", -61}, {"link", "connected"}, {"battery", 14}};
        bench.status_changed();
        const std::string words = bench.words();
        CHECK(words.find("-61 dBm, good") != std::string::npos);
        CHECK(words.find("connected") != std::string::npos);
        CHECK(words.find("14 %, low") != std::string::npos);
        bench.extra = {{"rssi", nullptr}, {"link", "down"}, {"battery", nullptr}};
        bench.status_changed();
        CHECK(bench.words().find("not on the air") != std::string::npos);
        CHECK_FALSE(bench.has(app + "/radio/battery"));
    }

    TEST_CASE("a fault is switched on with what its fields say, and off with no seconds") {
        OneApp bench;
        bench.actions.push_back(fault_action());
        bench.state().refresh_app("plc-simulator");
        bench.frame(3);
        bench.fill(app + "/faults/rate", "0.5");
        bench.click(app + "/faults/lost_byte");
        CHECK(last_args(bench) == Json{{"rate", 0.5}, {"seconds", 10.0}, {"kind", "lost_byte"}});
        bench.extra["faults"] = {
            {{"kind", "lost_byte"}, {"rate", 0.5}, {"secondsLeft", 9.5}, {"applied", 3}}};
        bench.status_changed();
        CHECK(bench.has(app + "/faults/lost_byte/left"));
        CHECK_FALSE(bench.has(app + "/faults/crc/left"));
        const std::string words = bench.words();
        CHECK(words.find("s left, rate 0.5, 3 applied") != std::string::npos);
        CHECK(words.find("lost byte") != std::string::npos);
        bench.click(app + "/faults/lost_byte");
        CHECK(last_args(bench)["seconds"] == 0);
        CHECK(last_args(bench)["kind"] == "lost_byte");
    }

    TEST_CASE("a fault whose field is wrong is not switched on, and its form is not shown twice") {
        OneApp bench;
        bench.actions.push_back(fault_action());
        bench.state().refresh_app("plc-simulator");
        bench.frame(3);
        CHECK_FALSE(bench.has(app + "/inject_fault"));
        bench.fill(app + "/faults/rate", "7");
        bench.click(app + "/faults/crc");
        CHECK(bench.calls_of("action.invoke").empty());
        CHECK(bench.has(app + "/faults/rate/refusal"));
    }

    TEST_CASE("faults of an app that does not run cannot be switched") {
        OneApp bench;
        bench.actions.push_back(fault_action());
        bench.running = false;
        bench.state().refresh_app("plc-simulator");
        bench.frame(3);
        bench.click(app + "/faults/crc");
        CHECK(bench.calls_of("action.invoke").empty());
    }

    TEST_CASE("a run shows each step with its value, limits, verdict and time") {
        OneApp bench;
        bench.extra["lastRun"] = run();
        bench.status_changed();
        const std::string words = bench.words();
        for (const char* word :
             {"run-7", "Rail 12 V", "11950 mV", "11400 to 12600", "8 or more", "2.0 s", "yes"})
            CHECK_MESSAGE(words.find(word) != std::string::npos, word);
        CHECK(words.find("1 of 3 steps failed") != std::string::npos);
        CHECK(bench.has(app + "/run/step/0/bar"));
        CHECK(bench.has(app + "/run/step/1/bar"));
        CHECK_FALSE(bench.has(app + "/run/step/2/bar"));
    }

    TEST_CASE("a result is one click from the clipboard or its folder") {
        OneApp bench;
        bench.extra["lastRun"] = run();
        bench.extra["runs"] = {{{"id", "run-6"},
                                {"verdict", "pass"},
                                {"finishedAt", "2026-02-17T16:20:00.123Z"},
                                {"files", {{"json", "/bench/old/run-6.json"}}}}};
        bench.status_changed();
        bench.click(app + "/run/csv/copy");
        CHECK(bench.clipboard == "/bench/results/run-7.csv");
        bench.click(app + "/run/json/open");
        bench.click(app + "/runs/run-6/json/open");
        CHECK(bench.opened == std::vector<std::string>{"/bench/results", "/bench/old"});
        CHECK(bench.words().find("2026-02-17 16:20:00") != std::string::npos);
    }

    TEST_CASE("where no folder can be shown there is no button for it") {
        OneApp bench;
        bench.open_folder = nullptr;
        bench.extra["lastRun"] = run();
        bench.status_changed();
        CHECK(bench.has(app + "/run/json/copy"));
        CHECK_FALSE(bench.has(app + "/run/json/open"));
    }

    TEST_CASE("a narrow pane holds every section within its width") {
        OneApp bench({380, 4000});
        bench.actions.push_back(fault_action());
        bench.extra = {{"registers", registers()}, {"rssi", -61}, {"battery", 80}, {"lastRun", run()}};
        bench.state().refresh_app("plc-simulator");
        bench.frame(4);
        for (const char* part : {"/registers/input/0", "/run/step/1", "/faults/crc"}) {
            REQUIRE_MESSAGE(bench.has(app + part), part);
            CHECK(rects().find(app + part)->second.max.x <= 380);
        }
    }
}
