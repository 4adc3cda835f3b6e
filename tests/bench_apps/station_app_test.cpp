// The station at a whole bench: simulators, bridge and station behind their real ports and sockets.
#include "bench_apps/station_app.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench_apps/job_table.h"
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

/// The station in this process: a test can say how long its jobs may take.
class StationHere {
public:
    explicit StationHere(const Workspace& workspace)
        : app_({*reactor_, workspace.path(), workspace.path() + "/config",
                [](std::string_view, LogLevel, const std::string&) {},
                [this](std::string_view) { busy_told_ = app_.status().at("busy"); }}) {}

    /// Runs an action to its end.
    Json run(const std::string& action, std::int64_t timeout_ms, const Json& args = Json::object()) {
        ActionSpec spec = *app_.find_action(action);
        spec.timeout_ms = timeout_ms;
        const JobHandle job = jobs_.start(
            "40318", spec, [this, action, given = check_args(spec, args).value()](const JobHandle& one) {
                app_.perform(action, given, one);
            });
        jobs_.when_final(job, [this](const Job&) { reactor_->stop(); });
        reactor_->run();
        return job->json(true);
    }
    bool comes_to(const std::function<bool()>& so) { return becomes(*reactor_, so); }
    void start_by_itself() { app_.start_by_itself(); }
    Json status() const { return app_.status(); }
    /// As subscribers were told last.
    bool busy_told() const { return busy_told_; }

private:
    std::unique_ptr<io::Reactor> reactor_ = io::Reactor::create("station").value();
    bool busy_told_ = false;
    JobTable jobs_{*reactor_, [](const Job&) {}};
    StationApp app_;  // ends its job, so it goes first
};

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

    TEST_CASE(
        "the last run is there again after a restart, and a newer file that is half is named in the log") {
        Json settings = quick();
        settings["bridgeTimeoutSeconds"] = 0.1;
        const Workspace workspace;
        configure(workspace, settings);
        Json run;
        {
            ProviderChild first(workspace, {"40318"});
            run = first.run("40318", "run_start", {{"serial", "SN-7"}}).at("result");
            CHECK(first.status("40318").at("lastRun") == run);
        }
        const std::string half = workspace.path() + "/results/40318-20990101T000000Z-00000000.json";
        std::ofstream(half) << R"({"id":"40318-2099)";
        ProviderChild second(workspace, {"40318"});
        const Json status = second.status("40318");
        CHECK(status.at("running") == false);
        CHECK(status.at("lastRun") == run);
        CHECK(status.at("counters").at("runs") == 0);
        const Json next = second.run("40318", "run_pair").at("result");
        CHECK(second.status("40318").at("lastRun") == next);
        second.close_stdin();
        CHECK(second.wait().code == 0);
        const std::string log = second.log();
        CAPTURE(log);
        CHECK(log.find("result passed over: " + half + ": ") != std::string::npos);
    }

    TEST_CASE("a run that outlasts its time is on record as that and lets the link go; the next one passes") {
        Json settings = quick();
        settings["autoStart"] = true;
        settings["advertiseSeconds"] = 60;
        Workspace workspace;
        configure(workspace, settings);
        workspace.plug_all();
        ProviderChild devices(workspace, {"plc-simulator", "ble-simulator", "bridge"});
        for (const auto* app : {"plc-simulator", "ble-simulator", "bridge"}) devices.start(app);
        // The link is held down until the module is heard, which it never is.
        devices.run("ble-simulator", "advertise", {{"on", false}});
        StationHere station(workspace);
        station.start_by_itself();
        REQUIRE(station.comes_to([&] { return station.status().at("bridge").at("connected") == true; }));

        const Json job = station.run("run_pair", 1'500);
        INFO(job.dump());
        CHECK(job.at("state") == "timeout");
        CHECK(job.at("error").at("code") == "E_ACTION_TIMEOUT");
        const Json status = station.status();
        CHECK(status.at("busy") == false);
        CHECK(status.at("profile") == "idle");
        CHECK_FALSE(station.busy_told());
        CHECK(status.at("counters").at("timedOut") == 1);
        CHECK(status.at("counters").at("canceled") == 0);
        const Json& run = status.at("lastRun");
        CHECK(run.at("state") == "timeout");
        CHECK(run.at("verdict") == "incomplete");
        CHECK(steps_with(run, "incomplete") == std::vector<std::string>{"advertised"});
        CHECK(run.at("steps")[0].at("startedAt").is_string());
        CHECK(run.at("steps")[0].at("reason") == "it took too long");
        REQUIRE(run.at("files").size() == 3);
        std::ifstream file(run.at("files")[0].get<std::string>());
        CHECK(Json::parse(file).at("state") == "timeout");

        REQUIRE(station.comes_to([&] { return devices.status("bridge").at("linkHeld") == false; }));
        CHECK(devices.status("bridge").at("station").at("connected") == true);
        devices.run("ble-simulator", "advertise", {{"on", true}});
        CHECK(station.run("run_pair", 120'000).at("result").at("verdict") == "pass");
    }

    TEST_CASE("a run that is still waiting for the bridge when its time is over ends as timeout") {
        Json settings = quick();
        settings["bridgeTimeoutSeconds"] = 600;
        const Workspace workspace;
        configure(workspace, settings);
        StationHere station(workspace);
        const Json job = station.run("run_start", 50);
        CHECK(job.at("state") == "timeout");
        CHECK(job.at("error").at("code") == "E_ACTION_TIMEOUT");
        const Json run = station.status().at("lastRun");
        CHECK(run.at("state") == "timeout");
        CHECK(steps_with(run, "incomplete").size() == 16);
        CHECK(station.run("run_pair", 50).at("state") == "timeout");
    }

    TEST_CASE("a night whose time is over during a pause ends as timeout; its last run stays as it was") {
        Json settings = quick();
        settings["bridgeTimeoutSeconds"] = 0.1;
        settings["overnightPauseSeconds"] = 3600;
        const Workspace workspace;
        configure(workspace, settings);
        StationHere station(workspace);
        const Json job = station.run("run_overnight", 1'500, {{"hours", 8}});
        CHECK(job.at("state") == "timeout");
        CHECK(job.at("error").at("code") == "E_ACTION_TIMEOUT");
        const Json status = station.status();
        CHECK(status.at("busy") == false);
        CHECK_FALSE(station.busy_told());
        CHECK(status.at("overnight").is_null());
        CHECK(status.at("lastRun").at("state") == "completed");
        CHECK(status.at("counters").at("runs") == 1);
        CHECK(status.at("counters").at("timedOut") == 0);
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
