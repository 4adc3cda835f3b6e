#include "supervise/supervisor.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/io_world.h"
#include "supervise/health_world.h"

using namespace labdeck;
using namespace labdeck::supervise;
using namespace labdeck::supervise::world;

namespace {

/// A supervisor on its loops; what its scripts say is not read.
class Bench {
public:
    Bench() {
        hub.on([this] {
            SupervisorHooks hooks;
            hooks.open_output = [this](const std::string&, UniqueFd read_end, const io::PipeSource::Filter&,
                                       const std::shared_ptr<data::Feed>&) {
                outputs.push_back(std::move(read_end));
                return data::SourceInfo{};
            };
            hooks.filter_output = [](const data::SourceInfo&, const io::PipeSource::Filter&) {};
            hooks.close_output = [](const data::SourceInfo&) {};
            hooks.publish = [this](std::string_view event, const Json&) { ++published[std::string(event)]; };
            hooks.subscribed = [](std::string_view) { return false; };
            hooks.log = [](std::string_view, const std::string&) {};
            hooks.watch = [](const std::vector<data::WatchedProcess>&) {};
            supervisor = Supervisor::open(folder / "labdeck.db",
                                          {folder.path(), folder / "logs", folder / "trees.lock"},
                                          std::move(hooks), hub.reactor(), store.reactor())
                             .value();
            return true;
        });
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench() {
        bool stopped = false;
        hub.on([&] { return supervisor->stop(1'000'000'000, [&] { stopped = true; }), true; });
        CHECK(becomes([&] { return hub.on([&] { return stopped; }); }));
        CHECK(mark.bearers() == 0);
        hub.on([this] { return supervisor.reset(), true; });
    }

    void upsert(Json script) {
        io::SpawnRequest request;
        mark.put_into(request);
        script["env"] = request.env;
        hub.on([&] { return supervisor->upsert_script(script).value(); });
    }
    void start(const std::string& id) {
        // How it went is in the snapshot.
        hub.on([&] { return supervisor->start_script(id, [](const Result<Json>&) {}), true; });
    }
    bool is(const std::string& id, const std::function<bool(const Json&)>& so) {
        return becomes([&] { return so(hub.on([&] { return supervisor->snapshot(id).value(); })); });
    }

    TempDir folder;
    Mark mark;
    Loop store;
    Loop hub;
    std::vector<UniqueFd> outputs;
    std::map<std::string, int> published;
    std::unique_ptr<Supervisor> supervisor;
};

Json script(const Json& check) {
    return {{"id", "s"}, {"name", "s"}, {"command", "sleep 1000"}, {"healthCheck", check}};
}

}  // namespace

TEST_SUITE("supervise/supervisor") {
    TEST_CASE("a script with a health check is healthy once it passes, and unhealthy when it fails again") {
        Bench bench;
        bench.upsert(script({{"command", "test -e up"}, {"intervalMs", 20}}));
        bench.start("s");
        CHECK(bench.is("s", [](const Json& json) { return json.value("healthReason", "") == "exit 1"; }));
        std::ofstream(bench.folder / "up").flush();
        CHECK(bench.is("s", [](const Json& json) { return json.value("healthy", false); }));
        std::filesystem::remove(bench.folder / "up");
        CHECK(bench.is("s", [](const Json& json) { return !json.value("healthy", true); }));
        CHECK(bench.is("s", [](const Json& json) { return json["status"] == "running"; }));
    }

    TEST_CASE("another health check holds at once for a script that runs, and none ends the asking") {
        Bench bench;
        bench.upsert(script({{"command", "exit 4"}, {"intervalMs", 3'600'000}}));
        bench.start("s");
        CHECK(bench.is("s", [](const Json& json) { return json.value("healthReason", "") == "exit 4"; }));
        bench.upsert(script({{"command", "exit 0"}, {"intervalMs", 3'600'000}}));
        CHECK(bench.is("s", [](const Json& json) { return json.value("healthy", false); }));
        Json without = script(nullptr);
        without.erase("healthCheck");
        bench.upsert(without);
        CHECK(bench.is("s", [](const Json& json) {
            return json["status"] == "running" && !json.contains("healthy") && !json.contains("healthReason");
        }));
    }

    TEST_CASE("an unhealthy script that is to be started again is, and its check begins anew") {
        Bench bench;
        Json sick = script({{"command", "test -e up"}, {"intervalMs", 20}});
        sick["restartOnUnhealthy"] = true;
        sick["backoffMs"] = 0;
        bench.upsert(sick);
        bench.start("s");
        CHECK(bench.is("s", [](const Json& json) { return json["retries"] >= 1; }));
        std::ofstream(bench.folder / "up").flush();
        CHECK(bench.is("s", [](const Json& json) {
            return json["status"] == "running" && json.value("healthy", false);
        }));
    }

    TEST_CASE("a stop while a check hangs leaves no process of either") {
        Bench bench;
        bench.upsert(script({{"command", "touch begun; sleep 1000"}, {"timeoutMs", 3'600'000}}));
        bench.start("s");
        REQUIRE(becomes([&] { return std::filesystem::exists(bench.folder / "begun"); }));
        bench.hub.on([&] { return bench.supervisor->stop_script("s").value(); });
        CHECK(bench.is("s", [](const Json& json) { return json["status"] == "stopped"; }));
        CHECK(becomes([&] { return bench.mark.bearers() == 0; }));
    }

    TEST_CASE("a script that is deleted while its check hangs goes with it") {
        Bench bench;
        bench.upsert(script({{"command", "touch begun; sleep 1000"}, {"timeoutMs", 3'600'000}}));
        bench.start("s");
        REQUIRE(becomes([&] { return std::filesystem::exists(bench.folder / "begun"); }));
        bench.hub.on([&] { return bench.supervisor->delete_script("s").value(); });
        CHECK(becomes([&] { return bench.mark.bearers() == 0; }));
    }
}
