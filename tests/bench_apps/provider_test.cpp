// The provider as its hub meets it: a child on stdin and stdout.
#include "bench_apps/provider.h"

#include <doctest/doctest.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill() is POSIX, not C++.

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/clock.h"
#include "bench_world.h"

using namespace labdeck;
using namespace labdeck::bench_apps;
using namespace labdeck::bench_apps::world;

namespace {

const std::vector<std::string> all_apps = {"bridge", "40318", "plc-simulator", "ble-simulator"};

void start_all(ProviderChild& provider) {
    for (const auto* app : {"plc-simulator", "ble-simulator", "bridge"}) provider.start(app);
}

void check_has(const Json& json, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
        CAPTURE(key);
        CHECK(json.contains(key));
    }
}

std::set<std::string> action_names(ProviderChild& provider, const std::string& app) {
    std::set<std::string> names;
    const Json list = provider.get("action.list", {{"appId", app}});
    for (const Json& action : list.at("actions")) {
        check_has(action, {"name", "label", "args"});
        for (const Json& arg : action.at("args")) {
            check_has(arg, {"name", "label", "type", "required"});
            const std::set<std::string> types = {"string", "int", "number", "bool", "enum"};
            CHECK(types.contains(arg.at("type").get<std::string>()));
            CHECK((arg.at("type") != "enum" || arg.contains("choices")));
        }
        names.insert(action.at("name").get<std::string>());
    }
    return names;
}

}  // namespace

TEST_SUITE("bench_apps/provider") {
    TEST_CASE("it says which interface it speaks") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        CHECK(provider.get("ping").dump() ==
              R"({"pong":true,"interfaceName":"generic-process-interface","interfaceVersion":1})");
    }

    TEST_CASE("a stopped app has every required field, with the values that the interface shows") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        for (const std::string& app : all_apps) {
            const Json status = provider.status(app);
            check_has(status, {"interfaceName", "interfaceVersion", "appId", "appTitle", "running", "pid",
                               "hostRunning", "hostPid", "bootId", "error"});
            CHECK(status.at("appId") == app);
            CHECK(status.at("running") == false);
            CHECK(status.at("pid").is_null());
            CHECK(status.at("bootId") == "");
            CHECK(status.at("error") == "");
        }
        CHECK(provider.status("40318").at("appTitle") == "40318");
        CHECK(provider.status("40318").at("lastRun").is_null());
        CHECK(provider.status("bridge").at("appTitle") == "Test Fixture Bridge");
        CHECK(provider.status("bridge").at("processModel") == "process");
        CHECK(provider.status("bridge").at("hostPid").is_null());
        const Json role = provider.status("plc-simulator");
        CHECK(role.at("processModel") == "hosted-role");
        CHECK(role.at("roleAppId") == "plc-simulator");
        CHECK(role.at("hostRunning") == true);
        CHECK(role.at("hostPid") == provider.pid());
    }

    TEST_CASE("config.get and config.set have their required fields") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        for (const std::string& app : all_apps) {
            check_has(provider.get("config.get", {{"appId", app}}),
                      {"repoRoot", "valid", "errors", "entries", "paths", "configTree"});
            const Json set =
                provider.get("config.set", {{"appId", app}, {"key", "autoStart"}, {"value", true}});
            check_has(set, {"changed", "filePath", "restartRequired", "pidAtSet", "message"});
            CHECK(std::filesystem::exists(set.at("filePath").get<std::string>()));
        }
        const Json refused =
            provider.ask("config.set", {{"appId", "bridge"}, {"key", "baud"}, {"value", "fast"}});
        CHECK(refused.at("error").at("code") == "E_CONFIG_INVALID");
        CHECK(refused.at("error").at("details").at("key") == "baud");
    }

    TEST_CASE("each app lists its actions well enough to draw their forms") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        CHECK(action_names(provider, "plc-simulator") ==
              std::set<std::string>{"run_start", "run_stop", "set_register", "set_waveform", "inject_fault",
                                    "load_scenario"});
        CHECK(action_names(provider, "ble-simulator") ==
              std::set<std::string>{"run_start", "run_stop", "advertise", "connect", "disconnect",
                                    "set_notify", "set_rssi", "drop_link", "set_battery"});
        CHECK(action_names(provider, "40318") ==
              std::set<std::string>{"run_start", "run_stop", "run_pair", "run_overnight"});
        CHECK(action_names(provider, "bridge") ==
              std::set<std::string>{"run_start", "run_stop", "pair", "send", "reset_counters"});
    }

    TEST_CASE("what is wrong with a request is said in the order method, params, app") {
        const Workspace workspace;
        ProviderChild provider(workspace, {"bridge"});
        CHECK(provider.error_code("no.such", {{"appId", 5}}) == "E_UNSUPPORTED_METHOD");
        CHECK(provider.error_code("status.get") == "E_BAD_ARG");
        CHECK(provider.error_code("config.set", {{"appId", "nobody"}}) == "E_BAD_ARG");
        CHECK(provider.error_code("status.get", {{"appId", "40318"}}) == "E_UNSUPPORTED_APP");
        CHECK(provider.error_code("status.get", {{"appId", "plc-simulator"}}) == "E_UNSUPPORTED_APP");
        CHECK(provider.error_code("action.job.get", {{"appId", "bridge"}, {"jobId", "job-1"}}) ==
              "E_NOT_FOUND");
        CHECK(provider.error_code("action.invoke", {{"appId", "bridge"}, {"actionName", "fly"}}) ==
              "E_NOT_FOUND");
        const Json answer = provider.ask(
            "action.invoke", {{"appId", "bridge"}, {"actionName", "send"}, {"args", {{"data", 5}}}});
        CHECK(answer.at("error").at("code") == "E_BAD_ARG");
        CHECK(answer.at("error").at("details").at("key") == "args.data");
    }

    TEST_CASE("the older spellings are understood") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        CHECK(provider.get("status", {{"appId", "bridge"}}).at("appId") == "bridge");
        CHECK(provider.get("config.show", {{"appId", "bridge"}}).contains("entries"));
        CHECK(provider.get("actions.list", {{"appId", "bridge"}}).contains("actions"));
    }

    TEST_CASE("a bad line gets one answer and the connection lives on") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        for (const std::string bad :
             {"{", "[]", "null", "{\"id\":1}", "{\"id\":{},\"method\":\"ping\"}", "\xff\xfe"}) {
            CAPTURE(bad);
            provider.say(bad);
            const Json answer = provider.hear();
            CHECK(answer.at("ok") == false);
            CHECK(answer.at("error").at("code") == "E_BAD_ARG");
        }
        provider.say("");
        provider.say(R"({"method":"status.get","params":{}})");
        CHECK(provider.get("ping").at("pong") == true);
    }

    TEST_CASE("on a bench with cables everything talks, and the bridge loses nothing") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        start_all(provider);
        REQUIRE(becomes([&] {
            const Json status = provider.status("bridge");
            return status.at("records") >= 20 && status.at("notifications") >= 20;
        }));
        const Json bridge = provider.status("bridge");
        CHECK(bridge.at("pid") == provider.pid());
        CHECK(bridge.at("hostPid") == provider.pid());
        CHECK(bridge.at("error") == "");
        CHECK(bridge.at("link") == "connected");
        CHECK(bridge.at("losses") == 0);
        CHECK(bridge.at("ports").size() == 2);
        CHECK(bridge.at("roundTrip").at("p50Ms") > 0);
        CHECK(bridge.at("lastRecord").at("railsMv").size() == 5);
        CHECK(provider.status("ble-simulator").at("link") == "connected");
        CHECK(provider.status("plc-simulator").at("badCrc") == 0);
        const auto boot = bridge.at("bootId").get<std::string>();
        CHECK(boot.size() == 36);
        CHECK(provider.run("bridge", "run_stop").at("state") == "succeeded");
        CHECK(provider.status("bridge").at("bootId") == "");
        provider.start("bridge");
        CHECK(provider.status("bridge").at("bootId") != boot);
    }

    TEST_CASE("the simulators tell their registers, rates and faults, with what is left of each") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        CHECK(provider.status("plc-simulator").at("registers").empty());
        start_all(provider);
        provider.run("plc-simulator", "set_register", {{"register", 2}, {"value", 11'111}});
        provider.run("plc-simulator", "inject_fault", {{"kind", "crc"}, {"rate", 0}, {"seconds", 60}});
        const Json plc = provider.status("plc-simulator");
        const Json& registers = plc.at("registers");
        REQUIRE(registers.at("input").size() == 11);
        const Json rail = {{"address", 2}, {"value", 11'111}, {"name", "rail 12 V"},
                           {"unit", "mV"}, {"scale", 1.0},    {"waveform", "constant"}};
        CHECK(registers.at("input")[2] == rail);
        CHECK(registers.at("input")[8].at("unit") == "°C");
        CHECK(registers.at("input")[8].at("scale") == 0.1);
        CHECK(registers.at("holding").size() == 10);
        CHECK(registers.at("coils")[2].at("name") == "power good");
        REQUIRE(plc.at("faults").size() == 1);
        CHECK(plc.at("faults")[0].at("kind") == "crc");
        CHECK(plc.at("faults")[0].at("secondsLeft") > 50);
        provider.run("ble-simulator", "drop_link", {{"seconds", 60}});
        const Json ble = provider.status("ble-simulator");
        check_has(ble, {"rssi", "link", "battery", "notifyHertz", "notifyBytes", "notificationsPerSecond"});
        CHECK(ble.at("link") == "dropped");
        CHECK(ble.at("notifyHertz") == 20);
        REQUIRE(ble.at("faults").size() == 1);
        CHECK(ble.at("faults")[0].at("kind") == "drop_link");
        CHECK(ble.at("faults")[0].at("secondsLeft") > 50);
    }

    TEST_CASE("the radio's actions do what they say") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        start_all(provider);
        const auto act = [&](const std::string& app, const std::string& action,
                             const Json& args = Json::object()) {
            const Json job = provider.run(app, action, args);
            INFO(job.dump());
            CHECK(job.at("state") == "succeeded");
        };
        act("bridge", "pair");
        act("bridge", "send", {{"data", "hello"}});
        CHECK(provider.status("ble-simulator").at("lastWrite") == "hello");
        act("ble-simulator", "set_notify", {{"hertz", 50}, {"bytes", 100}});
        CHECK(provider.status("ble-simulator").at("profile") == "50 Hz x 100 B");
        act("ble-simulator", "set_rssi", {{"level", -80}});
        act("ble-simulator", "set_battery", {{"percent", 33}});
        REQUIRE(becomes([&] {
            const Json record = provider.status("bridge").at("lastRecord");
            return record.at("rssi") == -80 && record.at("battery") == 33;
        }));
        const Json refused = provider.run("ble-simulator", "set_notify", {{"hertz", 1000}, {"bytes", 244}});
        CHECK(refused.at("error").at("details").at("key") == "args.hertz");
        act("ble-simulator", "drop_link", {{"seconds", 0.2}});
        REQUIRE(becomes([&] { return provider.status("bridge").at("losses") > 0; }));
        CHECK(provider.status("bridge").at("linkLosses") == 1);
        act("bridge", "reset_counters");
        CHECK(provider.status("bridge").at("losses") == 0);
        act("ble-simulator", "advertise", {{"on", false}});
        act("ble-simulator", "disconnect");
        REQUIRE(becomes([&] { return provider.status("bridge").at("link") == "scanning"; }));
        CHECK(provider.run("bridge", "send", {{"data", "lost"}}).at("error").at("code") == "E_ACTION_FAILED");
        act("ble-simulator", "connect");
        REQUIRE(becomes([&] { return provider.status("bridge").at("link") == "connected"; }));
    }

    TEST_CASE("pairing goes on by itself and can be canceled") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        start_all(provider);
        CHECK(provider.run("ble-simulator", "advertise", {{"on", false}}).at("state") == "succeeded");
        CHECK(provider.run("ble-simulator", "disconnect").at("state") == "succeeded");
        const Json accepted = provider.get("action.invoke", {{"appId", "bridge"}, {"actionName", "pair"}});
        CHECK(accepted.at("state") == "queued");
        check_has(accepted, {"jobId", "state", "acceptedAt"});
        const Json which = {{"appId", "bridge"}, {"jobId", accepted.at("jobId")}};
        const Json job = provider.get("action.job.get", which);
        check_has(job, {"jobId", "state", "startedAt", "finishedAt", "result", "stdout", "stderr", "error"});
        CHECK(job.at("state") == "running");
        CHECK(provider.run("bridge", "pair").at("error").at("code") == "E_BUSY");
        CHECK(
            provider.get("action.job.list", {{"appId", "bridge"}, {"state", "running"}}).at("jobs").size() ==
            1);
        CHECK(provider.get("action.job.cancel", which).at("state") == "canceled");
        CHECK(provider.get("action.job.get", which).at("state") == "canceled");
        const Json again = provider.get("action.invoke", {{"appId", "bridge"}, {"actionName", "pair"}});
        CHECK(provider.run("ble-simulator", "advertise", {{"on", true}}).at("state") == "succeeded");
        REQUIRE(becomes([&] {
            return provider.get("action.job.get", {{"appId", "bridge"}, {"jobId", again.at("jobId")}})
                       .at("state") == "succeeded";
        }));
    }

    TEST_CASE("an app that does not run says so, and a missing port is named") {
        const Workspace workspace;
        ProviderChild provider(workspace);
        CHECK(provider.run("plc-simulator", "load_scenario", {{"name", "idle"}}).at("error").at("code") ==
              "E_ACTION_FAILED");
        const Json job = provider.run("plc-simulator", "run_start");
        CHECK(job.at("state") == "failed");
        CHECK(job.at("error").at("code") == "E_NOT_FOUND");
        CHECK(job.at("error").at("message").get<std::string>().find(".labdeck/dev/plc-sim") !=
              std::string::npos);
        CHECK(provider.status("plc-simulator").at("error") == job.at("error").at("message"));
        CHECK(provider.status("plc-simulator").at("running") == false);
    }

    TEST_CASE("settings that are not valid, and an address that is none, keep the app from starting") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        provider.get("config.set", {{"appId", "bridge"}, {"key", "transportMode"}, {"value", "Tcp"}});
        provider.get("config.set", {{"appId", "bridge"}, {"key", "plcHost"}, {"value", "plc.example"}});
        const Json job = provider.run("bridge", "run_start");
        CHECK(job.at("error").at("code") == "E_CONFIG_INVALID");
        CHECK(job.at("error").at("message") == "plc.example is no address: give numbers, or localhost");
        std::ofstream(workspace.path() + "/config/bridge.json") << R"({"pollMs": "often"})";
        CHECK(provider.run("bridge", "run_start").at("error").at("code") == "E_CONFIG_INVALID");
    }

    TEST_CASE("a port that goes away is told, and used again when it is back") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        start_all(provider);
        workspace.unplug("plc-sim");
        REQUIRE(becomes([&] { return provider.status("plc-simulator").at("error") != ""; }));
        REQUIRE(becomes([&] { return provider.status("bridge").at("error") != ""; }));
        CHECK(provider.status("plc-simulator").at("running") == true);
        CHECK(provider.status("plc-simulator").at("ports")[0].at("open") == false);
        workspace.plug("plc-sim", "plc-bridge");
        REQUIRE(becomes([&] { return provider.status("bridge").at("error") == ""; }));
        REQUIRE(becomes([&] { return provider.status("plc-simulator").at("error") == ""; }));
        const auto records = provider.status("bridge").at("records").get<int>();
        REQUIRE(becomes([&] { return provider.status("bridge").at("records") > records + 5; }));
    }

    TEST_CASE("an app that starts by itself waits for its port") {
        Workspace workspace;
        std::filesystem::create_directories(workspace.path() + "/config");
        std::ofstream(workspace.path() + "/config/plc-simulator.json") << R"({"autoStart": true})";
        ProviderChild provider(workspace);
        REQUIRE(becomes([&] { return provider.status("plc-simulator").at("error") != ""; }));
        workspace.plug_all();
        REQUIRE(becomes([&] { return provider.status("plc-simulator").at("running") == true; }));
        CHECK(provider.status("plc-simulator").at("error") == "");
    }

    TEST_CASE("events come after subscribing and not before") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        provider.start("plc-simulator");
        CHECK(provider.events.empty());
        const Json topics = {"status.changed", "log", "job.changed", "traffic"};
        CHECK(provider.get("events.subscribe", {{"topics", topics}}).at("subscribed") == topics);
        provider.start("ble-simulator");
        provider.start("bridge");
        std::vector<std::string> states;
        std::set<std::string> seen;
        int traffic = 0;
        const MonoTime begin = mono_now();
        while (mono_now().ns - begin.ns < 2'000'000'000) {
            const Json event = provider.hear_event();
            const Json& params = event.at("params");
            seen.insert(event.at("event").get<std::string>());
            CHECK(params.contains("appId"));
            if (event.at("event") == "job.changed" && params.at("appId") == "bridge")
                states.push_back(params.at("state"));
            if (event.at("event") == "status.changed") CHECK(params.contains("bootId"));
            if (event.at("event") == "log") check_has(params, {"level", "text", "time"});
            if (event.at("event") != "traffic") continue;
            check_has(params, {"port", "rxBytes", "txBytes", "rxFrames", "txFrames", "errors", "time"});
            traffic += params.at("port") == ".labdeck/dev/plc-sim" ? 1 : 0;
        }
        CHECK(seen.size() == 4);
        CHECK(states == std::vector<std::string>{"queued", "running", "succeeded"});
        CHECK(traffic >= 10);
        CHECK(traffic <= 22);
    }

    TEST_CASE("the end of stdin ends it, with the log on stderr as lines of their form") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        start_all(provider);
        provider.close_stdin();
        const io::ExitStatus status = provider.wait();
        CHECK_FALSE(status.signaled);
        CHECK(status.code == 0);
        CHECK(::kill(provider.pid(), 0) == -1);
        std::stringstream log(provider.log());
        std::string line;
        int lines = 0;
        while (std::getline(log, line)) {
            CAPTURE(line);
            ++lines;
            REQUIRE(line.size() > 30);
            CHECK(line[10] == 'T');
            CHECK(line.substr(23, 2) == "Z ");
            CHECK(line.find(": ") != std::string::npos);
        }
        CHECK(lines >= 6);
    }

    TEST_CASE("SIGTERM ends it cleanly, whatever runs") {
        Workspace workspace;
        workspace.plug_all();
        ProviderChild provider(workspace);
        start_all(provider);
        provider.signal(SIGTERM);
        const io::ExitStatus status = provider.wait();
        CHECK_FALSE(status.signaled);
        CHECK(status.code == 0);
    }

    TEST_CASE("requests from a file are all answered before the end") {
        const Workspace workspace;
        const std::string file = workspace.path() + "/requests";
        std::ofstream(file)
            << R"({"id":1,"method":"ping"})"
            << "\n"
            << R"({"id":2,"method":"action.run","params":{"appId":"bridge","actionName":"run_stop"}})"
            << "\n"
            << R"({"id":3,"method":"ping"})";
        io::SpawnRequest request;
        request.argv = {"/bin/sh",
                        "-c",
                        R"(exec "$0" "$1" <"$2" >"$2.out")",
                        std::string(LABDECK_BUILD_ROOT) + "/tests/bench_apps_provider",
                        workspace.path(),
                        file};
        io::ChildProcess child = io::ChildProcess::spawn(request).value();
        io::ExitStatus status;
        REQUIRE(becomes([&] { return child.reap(status); }));
        CHECK(status.code == 0);
        std::ifstream answers(file + ".out");
        std::set<int> ids;
        for (std::string line; std::getline(answers, line);)
            ids.insert(Json::parse(line).at("id").get<int>());
        CHECK(ids == std::set<int>{1, 2, 3});
    }

    TEST_CASE("an app that does not exist is a usage error") {
        const Workspace workspace;
        ProviderChild provider(workspace, {"toaster"});
        CHECK(provider.wait().code == 2);
        CHECK(provider.log().find("toaster") != std::string::npos);
    }
}
