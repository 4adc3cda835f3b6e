// The station at a whole bench: simulators, bridge and station behind their real ports and sockets.
#include "bench_apps/station_app.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench_world.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using namespace labdeck::bench_apps::world;

namespace {

/// Short windows, and round trips that a busy machine may take long for.
Json quick() {
    return {{"samples", 5},
            {"throughputSeconds", 1},
            {"roundTrips", 20},
            {"p50MaxMs", 190},
            {"p99MaxMs", 199},
            {"throughputMin", 100},
            {"bridgeTimeoutSeconds", 20},
            {"advertiseSeconds", 10},
            {"connectSeconds", 10},
            {"sampleSeconds", 20},
            {"overnightPauseSeconds", 0.1}};
}

void configure(const Workspace& workspace, const Json& settings) {
    std::filesystem::create_directories(workspace.path() + "/config");
    std::ofstream(workspace.path() + "/config/40318.json") << settings.dump();
}

struct Bench {
    explicit Bench(const Json& settings = quick()) {
        configure(workspace, settings);
        workspace.plug_all();
        for (const auto* app : {"plc-simulator", "ble-simulator", "bridge"}) provider.start(app);
    }
    Json job_of(const std::string& id) {
        return provider.get("action.job.get", {{"appId", "40318"}, {"jobId", id}});
    }
    std::string invoke(const std::string& action, const Json& args = Json::object()) {
        return provider.get("action.invoke", {{"appId", "40318"}, {"actionName", action}, {"args", args}})
            .at("jobId");
    }
    Json last_run() { return provider.status("40318").at("lastRun"); }

    Workspace workspace;
    ProviderChild provider{workspace};
};

std::vector<std::string> steps_with(const Json& run, const std::string& verdict) {
    std::vector<std::string> names;
    for (const Json& step : run.at("steps")) {
        if (step.at("verdict") == verdict) names.push_back(step.at("name"));
    }
    return names;
}

std::size_t files_in(const std::string& folder) {
    const auto entries = std::filesystem::directory_iterator(folder);
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

TEST_SUITE("bench_apps/station_app") {
    TEST_CASE("a sound bench passes, over real ports and the bridge's socket, and leaves three files") {
        Bench bench;
        const Json job = bench.provider.run("40318", "run_start", {{"serial", "SN-0042"}});
        INFO(job.dump());
        REQUIRE(job.at("state") == "succeeded");
        const Json& run = job.at("result");
        CHECK(run.at("verdict") == "pass");
        CHECK(run.at("state") == "completed");
        CHECK(run.at("serial") == "SN-0042");
        CHECK(run.at("steps").size() == 16);
        REQUIRE(run.at("files").size() == 3);
        for (const Json& file : run.at("files")) CHECK(std::filesystem::exists(file.get<std::string>()));
        std::ifstream file(run.at("files")[0].get<std::string>());
        CHECK(Json::parse(file).at("verdict") == "pass");
        CHECK(files_in(bench.workspace.path() + "/results") == 3);
        const Json status = bench.provider.status("40318");
        CHECK(status.at("running") == true);
        CHECK(status.at("processModel") == "process");
        CHECK(status.at("lastRun") == run);
        CHECK(status.at("counters").at("passed") == 1);
        CHECK(status.at("bridge").at("connected") == true);
        CHECK(status.at("bridge").at("bootId") == bench.provider.status("bridge").at("bootId"));
        CHECK(job.at("stdout").get<std::string>().find("pass rail_0 ") != std::string::npos);
        CHECK(bench.provider.status("bridge").at("linkHeld") == false);
    }

    TEST_CASE("a fault that is injected turns its step red and no other") {
        Bench bench;
        const Json fault = {{"kind", "crc"}, {"rate", 0.3}, {"seconds", 300}};
        REQUIRE(bench.provider.run("plc-simulator", "inject_fault", fault).at("state") == "succeeded");
        const Json crc = bench.provider.run("40318", "run_start").at("result");
        INFO(crc.dump(1));
        CHECK(crc.at("verdict") == "fail");
        CHECK(steps_with(crc, "fail") == std::vector<std::string>{"modbus_answered"});
        bench.provider.run("plc-simulator", "inject_fault", {{"kind", "crc"}, {"seconds", 0}});
        bench.provider.run("plc-simulator", "set_register", {{"register", 1}, {"value", 4000}});
        bench.provider.run("ble-simulator", "set_battery", {{"percent", 3}});
        const Json red = bench.provider.run("40318", "run_start").at("result");
        INFO(red.dump(1));
        CHECK(steps_with(red, "fail") == std::vector<std::string>{"rail_1", "battery"});
        CHECK(bench.provider.status("40318").at("counters").at("failed") == 2);
    }

    TEST_CASE("pairing alone takes three steps") {
        Bench bench;
        const Json job = bench.provider.run("40318", "run_pair");
        INFO(job.dump());
        CHECK(job.at("result").at("kind") == "pair");
        CHECK(job.at("result").at("verdict") == "pass");
        CHECK(job.at("result").at("steps").size() == 3);
    }

    TEST_CASE("one run at a time; a canceled one is on record as that, and lets the link go") {
        Json settings = quick();
        settings["throughputSeconds"] = 600;
        Bench bench(settings);
        const std::string id = bench.invoke("run_start");
        REQUIRE(becomes([&] { return bench.provider.status("40318").at("busy") == true; }));
        CHECK(bench.provider.run("40318", "run_pair").at("error").at("code") == "E_BUSY");
        REQUIRE(becomes([&] {
            const Json run = bench.last_run();
            return run.is_object() && steps_with(run, "pass").size() == 11;
        }));
        CHECK(bench.last_run().at("state") == "running");
        CHECK(bench.last_run().at("verdict").is_null());
        CHECK(bench.provider.get("action.job.cancel", {{"appId", "40318"}, {"jobId", id}}).at("state") ==
              "canceled");
        const Json run = bench.last_run();
        CHECK(run.at("state") == "canceled");
        CHECK(run.at("verdict") == "incomplete");
        CHECK(steps_with(run, "incomplete") == std::vector<std::string>{"link_kept", "throughput"});
        CHECK(run.at("files").size() == 3);
        CHECK(bench.provider.status("40318").at("busy") == false);
        CHECK(bench.provider.run("40318", "run_pair").at("result").at("verdict") == "pass");
    }

    TEST_CASE("stopping the station cancels its run and closes its socket") {
        Bench bench;
        // Held down until it is heard, which it never is.
        bench.provider.run("ble-simulator", "advertise", {{"on", false}});
        const std::string id = bench.invoke("run_overnight", {{"hours", 1}});
        REQUIRE(becomes([&] { return bench.provider.status("bridge").at("linkHeld") == true; }));
        CHECK(bench.provider.run("40318", "run_stop").at("state") == "succeeded");
        CHECK(bench.job_of(id).at("state") == "canceled");
        const Json status = bench.provider.status("40318");
        CHECK(status.at("running") == false);
        CHECK(status.at("bootId") == "");
        CHECK(status.at("overnight").is_null());
        CHECK(status.at("lastRun").at("state") == "canceled");
        REQUIRE(becomes([&] { return bench.provider.status("bridge").at("linkHeld") == false; }));
        CHECK(bench.provider.status("bridge").at("station").at("connected") == false);
    }

    TEST_CASE("a night is run after run until its hours are over, and one job") {
        Json settings = quick();
        settings["throughputSeconds"] = 0.2;
        settings["throughputMin"] = 0;
        Bench bench(settings);
        const Json job = bench.provider.run("40318", "run_overnight", {{"hours", 0.0012}});
        INFO(job.dump());
        REQUIRE(job.at("state") == "succeeded");
        const auto runs = job.at("result").at("runs").get<std::size_t>();
        CHECK(runs >= 1);
        CHECK(job.at("result").at("passed") == runs);
        CHECK(job.at("result").at("verdict") == "pass");
        CHECK(files_in(bench.workspace.path() + "/results") == 3 * runs);
        CHECK(bench.last_run().at("kind") == "overnight");
    }

    TEST_CASE("without a bridge a run is incomplete, and the status says why") {
        Workspace workspace;
        Json settings = quick();
        settings["bridgeTimeoutSeconds"] = 0.3;
        configure(workspace, settings);
        ProviderChild provider(workspace);
        const Json job = provider.run("40318", "run_start");
        INFO(job.dump());
        CHECK(job.at("state") == "succeeded");
        CHECK(job.at("result").at("verdict") == "incomplete");
        CHECK(steps_with(job.at("result"), "incomplete").size() == 16);
        CHECK(provider.status("40318").at("error").get<std::string>().find("no bridge: ") == 0);
    }

    TEST_CASE("results that cannot be written fail the job, whatever the verdict") {
        Json settings = quick();
        settings["resultsFolder"] = "taken/results";
        Bench bench(settings);
        std::ofstream(bench.workspace.path() + "/taken") << "a file";
        const Json job = bench.provider.run("40318", "run_pair");
        CHECK(job.at("state") == "failed");
        CHECK(job.at("error").at("message").get<std::string>().find("taken/results") != std::string::npos);
        CHECK(bench.last_run().at("filesError") != "");
    }

    TEST_CASE("limits that are crossed keep the station from starting") {
        Workspace workspace;
        configure(workspace, {{"rail3Min", 2000}});
        ProviderChild provider(workspace);
        const Json job = provider.run("40318", "run_start");
        CHECK(job.at("error").at("code") == "E_CONFIG_INVALID");
        CHECK(job.at("error").at("message") == "rail3Min 2000 is above rail3Max 1890");
    }

    TEST_CASE("a second station is refused and told why; the bridge and the first go on") {
        Bench bench;
        REQUIRE(bench.provider.run("40318", "run_pair").at("result").at("verdict") == "pass");
        ProviderChild other(bench.workspace, {"40318"});
        const std::string id =
            other.get("action.invoke", {{"appId", "40318"}, {"actionName", "run_pair"}}).at("jobId");
        REQUIRE(becomes([&] {
            return other.status("40318").at("error").get<std::string>().find("another station") !=
                   std::string::npos;
        }));
        CHECK(other.get("action.job.cancel", {{"appId", "40318"}, {"jobId", id}}).at("state") == "canceled");
        CHECK(bench.provider.run("40318", "run_pair").at("result").at("verdict") == "pass");
    }

    TEST_CASE("its actions are listed with their arguments") {
        const Workspace workspace;
        ProviderChild provider(workspace, {"40318"});
        const Json list = provider.get("action.list", {{"appId", "40318"}});
        std::vector<std::string> names;
        for (const Json& action : list.at("actions")) names.push_back(action.at("name"));
        CHECK(names == std::vector<std::string>{"run_start", "run_stop", "run_pair", "run_overnight"});
        CHECK(list.at("actions")[3].at("args")[0].at("name") == "hours");
        CHECK(list.at("actions")[3].at("args")[0].at("unit") == "h");
    }
}
