#include <string>

#include "ui/one_app.h"

using namespace labdeck;
using namespace labdeck::ui;

TEST_SUITE("ui/simulators_panel") {
    TEST_CASE("without apps it says where they come from") {
        PanelBench bench(make_simulators_panel());
        bench.hub();
        bench.frame(3);
        CHECK(bench.words().find("No apps") != std::string::npos);
        CHECK(bench.age().kind == DataAge::Kind::none);
    }

    TEST_CASE("a click on Stop sends run_stop, one on Start run_start") {
        OneApp bench;
        bench.click("simulators/plc-simulator/run_stop");
        auto calls = bench.calls_of("action.invoke");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] ==
              Json{{"appId", "plc-simulator"}, {"actionName", "run_stop"}, {"args", Json::object()}});
        // It runs, so there is nothing to start.
        bench.click("simulators/plc-simulator/run_start");
        CHECK(bench.calls_of("action.invoke").size() == 1);

        bench.running = false;
        bench.event("status.changed", {{"appId", "plc-simulator"}});
        bench.frame(3);
        bench.click("simulators/plc-simulator/run_start");
        calls = bench.calls_of("action.invoke");
        REQUIRE(calls.size() == 2);
        CHECK(calls[1]["actionName"] == "run_start");
    }

    TEST_CASE("every scalar of the status is told, losses with a mark") {
        OneApp bench;
        const std::string words = bench.words();
        CHECK(words.find("boot id") != std::string::npos);
        CHECK(words.find("b00t") != std::string::npos);
        CHECK(words.find("4711") != std::string::npos);
        CHECK(words.find("! 3") != std::string::npos);
        CHECK(words.find("running") != std::string::npos);
    }

    TEST_CASE("a form sends its args with their types") {
        OneApp bench;
        bench.click("simulators/plc-simulator/set_register");
        bench.frame();
        bench.fill("simulators/plc-simulator/set_register/address", "0x7");
        bench.fill("simulators/plc-simulator/set_register/value", "2.25");
        bench.click("simulators/plc-simulator/set_register/hold");
        bench.click("simulators/plc-simulator/set_register/run");
        const auto calls = bench.calls_of("action.invoke");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0]["args"] ==
              Json{{"address", 7}, {"value", 2.25}, {"hold", false}, {"shape", "ramp"}, {"note", "hello"}});
        CHECK(calls[0]["args"]["address"].is_number_integer());
    }

    TEST_CASE("what is missing or out of range is refused beside its field and not sent") {
        OneApp bench;
        bench.click("simulators/plc-simulator/set_register");
        bench.frame();
        bench.click("simulators/plc-simulator/set_register/run");
        CHECK(bench.has("simulators/plc-simulator/set_register/address/refusal"));
        bench.fill("simulators/plc-simulator/set_register/address", "12");
        CHECK(bench.words().find("from 0 to 9") != std::string::npos);
        bench.click("simulators/plc-simulator/set_register/run");
        CHECK(bench.calls_of("action.invoke").empty());
        bench.fill("simulators/plc-simulator/set_register/address", "9");
        CHECK_FALSE(bench.has("simulators/plc-simulator/set_register/address/refusal"));
        bench.fill("simulators/plc-simulator/set_register/value", "many");
        CHECK(bench.has("simulators/plc-simulator/set_register/value/refusal"));
        bench.click("simulators/plc-simulator/set_register/run");
        CHECK(bench.calls_of("action.invoke").empty());
    }

    TEST_CASE("an edited setting goes out once as config.set, and the answer stands beside it") {
        OneApp bench;
        bench.on("config.set", [](const Json&) {
            return Json{{"changed", true},
                        {"filePath", "config/plc-simulator.json"},
                        {"restartRequired", true},
                        {"pidAtSet", 4711},
                        {"message", "baud is now 9600"}};
        });
        bench.fill("simulators/plc-simulator/config/baud", "9600");
        bench.press(ImGuiKey_Enter);
        bench.frame(3);
        const auto calls = bench.calls_of("config.set");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] == Json{{"appId", "plc-simulator"}, {"key", "baud"}, {"value", 9600}});
        const std::string words = bench.words();
        CHECK(words.find("baud is now 9600") != std::string::npos);
        CHECK(words.find("restart") != std::string::npos);
        CHECK(words.find("mine: kept") != std::string::npos);
    }

    TEST_CASE("a setting that the app refuses says why beside the field") {
        OneApp bench;
        bench.on("config.set", [](const Json&) { return fail(Code::config_invalid, "port must be a path"); });
        bench.fill("simulators/plc-simulator/config/port", "x");
        bench.press(ImGuiKey_Enter);
        bench.frame(3);
        CHECK(bench.has("simulators/plc-simulator/config/port/refusal"));
        CHECK(bench.words().find("port must be a path") != std::string::npos);
        bench.fill("simulators/plc-simulator/config/baud", "5");
        bench.press(ImGuiKey_Enter);
        CHECK(bench.calls_of("config.set").size() == 1);
        CHECK(bench.words().find("from 300 to 4000000") != std::string::npos);
    }

    TEST_CASE("an argument that the app refuses says why beside its field, until it is edited") {
        OneApp bench;
        bench.on("action.invoke", [](const Json&) -> Result<Json> {
            return fail(contract::bad_arg("address", "address 9 is taken"));
        });
        bench.click("simulators/plc-simulator/set_register");
        bench.frame();
        bench.fill("simulators/plc-simulator/set_register/address", "9");
        bench.click("simulators/plc-simulator/set_register/run");
        bench.frame(3);
        CHECK(bench.has("simulators/plc-simulator/set_register/address/refusal"));
        CHECK_FALSE(bench.has("simulators/plc-simulator/set_register/value/refusal"));
        CHECK(bench.words().find("address 9 is taken") != std::string::npos);
        bench.fill("simulators/plc-simulator/set_register/address", "8");
        CHECK_FALSE(bench.has("simulators/plc-simulator/set_register/address/refusal"));
        bench.click("simulators/plc-simulator/set_register/run");
        bench.frame(3);
        CHECK(bench.has("simulators/plc-simulator/set_register/address/refusal"));
    }

    TEST_CASE("a job that ends with a refused argument opens its form and marks the field") {
        OneApp bench;
        CHECK_FALSE(bench.has("simulators/plc-simulator/set_register/value"));
        bench.event(
            "job.changed",
            {{"appId", "plc-simulator"},
             {"jobId", "job-3"},
             {"actionName", "set_register"},
             {"state", "failed"},
             {"error", {{"code", "E_BAD_ARG"}, {"message", "too loud"}, {"details", {{"key", "value"}}}}}});
        bench.frame(3);
        CHECK(bench.has("simulators/plc-simulator/set_register/value/refusal"));
        CHECK(bench.words().find("too loud") != std::string::npos);
    }

    TEST_CASE("units and limits stand beside their fields") {
        OneApp bench;
        bench.click("simulators/plc-simulator/set_register");
        bench.frame();
        const std::string words = bench.words();
        CHECK(words.find("0 to 9") != std::string::npos);
        CHECK(words.find("mV") != std::string::npos);
    }

    TEST_CASE("a setting that is wrong in the file says so beside it, with line and column") {
        OneApp bench;
        bench.config["valid"] = false;
        bench.config["errors"] = {"config/plc.json:3:12: baud is odd",
                                  "config/plc.json:9:1: the key \"x\" again"};
        bench.config["faults"] = {{{"key", "baud"}, {"line", 3}, {"column", 12}, {"message", "baud is odd"}},
                                  {{"key", ""}, {"line", 9}, {"column", 1}, {"message", "the key x again"}}};
        bench.config["entries"][1]["line"] = 3;
        bench.config["entries"][1]["column"] = 12;
        bench.config["entries"][1]["error"] = "baud is odd";
        bench.state().refresh_app("plc-simulator");
        bench.frame(3);
        CHECK(bench.has("simulators/plc-simulator/config/invalid"));
        CHECK(bench.has("simulators/plc-simulator/config/baud/fault"));
        CHECK_FALSE(bench.has("simulators/plc-simulator/config/port/fault"));
        const std::string words = bench.words();
        CHECK(words.find("3:12  baud is odd") != std::string::npos);
        CHECK(words.find("config/plc.json:3:12") == std::string::npos);
        CHECK(words.find("config/plc.json:9:1: the key \"x\" again") != std::string::npos);
        const auto field = rects().find("simulators/plc-simulator/config/baud")->second;
        const auto fault = rects().find("simulators/plc-simulator/config/baud/fault")->second;
        CHECK(fault.min.y >= field.max.y - 1);
        CHECK(fault.min.y < field.max.y + 30);
    }

    TEST_CASE("a file that was edited by hand is read again on request") {
        OneApp bench;
        bench.config["configTree"]["mine"] = "edited";
        CHECK(bench.words().find("mine: edited") == std::string::npos);
        bench.click("simulators/plc-simulator/config/read");
        bench.frame(3);
        CHECK(bench.words().find("mine: edited") != std::string::npos);
    }

    TEST_CASE("jobs from before the window was there are listed, and their refusals mark nothing") {
        OneApp bench;
        bench.on("action.job.list", [](const Json&) {
            return Json{
                {"jobs",
                 {{{"jobId", "job-old"},
                   {"actionName", "set_register"},
                   {"state", "failed"},
                   {"error",
                    {{"code", "E_BAD_ARG"}, {"message", "too old"}, {"details", {{"key", "value"}}}}}}}}};
        });
        bench.state().refresh_app("plc-simulator");
        bench.frame(3);
        CHECK(bench.words().find("E_BAD_ARG: too old") != std::string::npos);
        CHECK_FALSE(bench.has("simulators/plc-simulator/set_register/value/refusal"));
        bench.state().refresh_app("plc-simulator");
        bench.frame(3);
        CHECK(bench.state().apps()[0]->jobs.size() == 1);
    }

    TEST_CASE("a provider that died leaves a banner and the last good status") {
        OneApp bench;
        bench.event("status.changed", {{"appId", "plc-simulator"},
                                       {"providerState", "backoff"},
                                       {"error", "simulators: killed by SIGKILL, restarting in 1 s"}});
        bench.frame(2);
        CHECK(bench.has("simulators/plc-simulator/banner"));
        CHECK(bench.has("simulators/plc-simulator/status"));
        const std::string words = bench.words();
        CHECK(words.find("provider down") != std::string::npos);
        CHECK(words.find("b00t") != std::string::npos);
        CHECK(bench.age().kind == DataAge::Kind::behind);
        CHECK(bench.wants_frame());
    }

    TEST_CASE("jobs show their time and result; one that runs can be canceled") {
        OneApp bench;
        bench.event("job.changed", {{"appId", "plc-simulator"},
                                    {"jobId", "job-9"},
                                    {"actionName", "set_waveform"},
                                    {"state", "running"}});
        bench.frame(2);
        bench.click("simulators/plc-simulator/cancel/job-9");
        const auto calls = bench.calls_of("action.job.cancel");
        REQUIRE(calls.size() == 1);
        CHECK(calls[0] == Json{{"appId", "plc-simulator"}, {"jobId", "job-9"}});
        bench.event("job.changed", {{"appId", "plc-simulator"},
                                    {"jobId", "job-9"},
                                    {"actionName", "set_waveform"},
                                    {"state", "succeeded"}});
        bench.frame(4);
        const std::string words = bench.words();
        CHECK(words.find("succeeded") != std::string::npos);
        CHECK(words.find("2.5 s") != std::string::npos);
        CHECK(words.find("written") != std::string::npos);
        const std::size_t asked = bench.calls_of("action.job.get").size();
        bench.frame(10);
        CHECK(bench.calls_of("action.job.get").size() == asked);
    }

    TEST_CASE("forty apps with long names fit a narrow pane") {
        PanelBench bench(make_simulators_panel(), {420, 700});
        bench.on("app.list", [](const Json&) {
            Json apps = Json::array();
            for (int i = 0; i < 40; ++i) {
                apps.push_back(
                    {{"appId", "app-" + std::to_string(i)},
                     {"provider", "p"},
                     {"providerState", "up"},
                     {"title", "An application whose name is much longer than any pane is wide, number " +
                                   std::to_string(i)}});
            }
            return Json{{"apps", apps}};
        });
        bench.on("status.get", [](const Json&) { return sample_status(true); });
        bench.on("action.list", [](const Json&) { return Json{{"actions", sample_actions()}}; });
        bench.on("config.get", [](const Json&) { return sample_config(); });
        bench.hub();
        bench.frame(4);
        REQUIRE(bench.has("simulators/app-0/run_stop"));
        CHECK(rects().find("simulators/app-0/run_stop")->second.max.x <= 420);
        bench.state().selected_app = "app-39";
        bench.frame(2);
        CHECK(bench.has("simulators/app-39/run_stop"));
    }
}
