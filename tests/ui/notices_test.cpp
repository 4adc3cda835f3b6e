#include "ui/notices.h"

#include <doctest/doctest.h>

#include <string>

#include "ui/supervisor_view.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

constexpr std::int64_t second = 1'000'000'000;

/// Scripts and providers that say how they do, on a clock of the test's own.
struct World {
    ScriptView& script(const std::string& id) {
        auto& one = scripts[id];
        if (!one) {
            one = std::make_unique<ScriptView>(ScriptView{.id = id,
                                                          .name = id,
                                                          .definition = Json::object(),
                                                          .cpu_percent = model::Series(id, "%", 8),
                                                          .memory_mb = model::Series(id, "MB", 8)});
        }
        return *one;
    }
    void say(const std::string& id, ScriptStatus status, const std::string& reason = {}) {
        ScriptView& one = script(id);
        one.status = status;
        one.reason = reason;
        notices.script(one, now);
    }
    void say_health(const std::string& id, bool healthy, const std::string& reason = {}) {
        ScriptView& one = script(id);
        one.status = ScriptStatus::running;
        one.healthy = healthy;
        one.health_reason = reason;
        notices.script(one, now);
    }
    void pass(std::int64_t seconds) { now.ns += seconds * second; }
    /// What is told within the next seconds.
    std::vector<Notice> told() {
        pass(5);
        return notices.take(now);
    }
    std::vector<std::string> titles() {
        std::vector<std::string> all;
        for (const Notice& notice : told()) all.push_back(notice.title);
        return all;
    }
    using Titles = std::vector<std::string>;

    Notices notices;
    MonoTime now{1'000 * second};
    std::map<std::string, std::unique_ptr<ScriptView>> scripts;
};

TEST_SUITE("ui/notices") {
    TEST_CASE("a script that fails is told once, with why and which") {
        World world;
        world.say("a", ScriptStatus::running);
        CHECK(world.notices.due().ns == 0);
        world.say("a", ScriptStatus::failed, "exit 3");
        world.say("a", ScriptStatus::failed, "exit 3");
        CHECK(world.notices.take(world.now).empty());
        CHECK(world.notices.due() > world.now);
        const auto told = world.told();
        REQUIRE(told.size() == 1);
        CHECK(told[0].title == "a failed");
        CHECK(told[0].text == "exit 3");
        CHECK(told[0].script == "a");
        CHECK(told[0].level() == Notice::Level::error);
        CHECK(world.notices.due().ns == 0);
        CHECK(world.told().empty());
    }
    TEST_CASE("a stop that somebody wanted is never told, nor an end that is none of failure") {
        World world;
        for (const ScriptStatus status :
             {ScriptStatus::starting, ScriptStatus::running, ScriptStatus::stopping, ScriptStatus::stopped,
              ScriptStatus::running, ScriptStatus::exited, ScriptStatus::backoff, ScriptStatus::running})
            world.say("a", status, "exit 1");
        CHECK(world.told().empty());
    }
    TEST_CASE("the same does not come twice in a row, but again once it was up for a minute") {
        World world;
        world.say("a", ScriptStatus::failed, "exit 3");
        CHECK(world.titles() == World::Titles{"a failed"});
        world.say("a", ScriptStatus::running);
        world.say("a", ScriptStatus::failed, "exit 3");
        CHECK(world.titles().empty());
        world.say("a", ScriptStatus::failed, "exit 3");
        world.say("a", ScriptStatus::running);
        world.say("a", ScriptStatus::failed, "exit 4");
        CHECK(world.titles() == World::Titles{"a failed"});
        world.say("a", ScriptStatus::running);
        world.pass(61);
        world.say("a", ScriptStatus::running);
        world.say("a", ScriptStatus::failed, "exit 4");
        CHECK(world.titles() == World::Titles{"a failed"});
    }
    TEST_CASE("a crash loop and what cannot be killed have words of their own") {
        World world;
        world.say("a", ScriptStatus::failed, "crash-loop: 31 starts within 10 minutes");
        world.say("b", ScriptStatus::stopping, "exit 1; what it left behind is being ended");
        world.say("b", ScriptStatus::stopping, "unkillable: pid 7 in state D");
        world.say("b", ScriptStatus::stopping, "unkillable: pid 8 in state D");
        CHECK(world.titles() == World::Titles{"b cannot be killed", "a is in a crash loop"});
    }
    TEST_CASE("unhealthy is told when it lasts for longer than a probe, and so is the return") {
        World world;
        world.script("a").definition = {{"healthCheck", {{"intervalMs", 20'000}}}};
        world.say_health("a", true);
        world.say_health("a", false, "port 80: refused");
        world.pass(15);
        world.say_health("a", false, "port 80: refused");
        CHECK(world.told().empty());
        world.say_health("a", true);
        CHECK(world.told().empty());
        world.say_health("a", false, "port 80: refused");
        world.pass(21);
        world.say_health("a", false, "port 80: refused");
        const auto told = world.told();
        REQUIRE(told.size() == 1);
        CHECK(told[0].title == "a is unhealthy");
        CHECK(told[0].text == "port 80: refused");
        CHECK(told[0].level() == Notice::Level::warning);
        world.say_health("a", true);
        CHECK(world.titles() == World::Titles{"a is healthy again"});
    }
    TEST_CASE("what was stopped while it was unhealthy does not come back healthy") {
        World world;
        world.say_health("a", false);
        world.pass(6);
        world.say_health("a", false);
        CHECK(world.told().size() == 1);
        world.say("a", ScriptStatus::stopped);
        world.say_health("a", true);
        CHECK(world.told().empty());
    }
    TEST_CASE("many at once are one") {
        World world;
        for (int i = 0; i < 12; ++i) world.say("s" + std::to_string(i + 10), ScriptStatus::failed, "exit 1");
        const auto told = world.told();
        REQUIRE(told.size() == 1);
        CHECK(told[0].title == "12 scripts failed");
        CHECK(told[0].text == "s10, s11, s12, s13 and 8 more");
        CHECK(told[0].count == 12);
        CHECK(told[0].script == "s10");
    }
    TEST_CASE("a storm is told in pieces that are apart") {
        World world;
        world.say("a", ScriptStatus::failed, "exit 1");
        world.now.ns += second / 2;
        CHECK(world.notices.take(world.now).size() == 1);
        world.say("b", ScriptStatus::failed, "exit 1");
        CHECK(world.notices.due().ns == world.now.ns + 2 * second);
    }
    TEST_CASE("a provider's death and return are told once, whichever of its apps says so") {
        World world;
        world.notices.provider("simulators", "plc", "starting", {}, world.now);
        world.notices.provider("simulators", "plc", "up", {}, world.now);
        CHECK(world.told().empty());
        for (const char* app : {"plc", "ble"})
            world.notices.provider("simulators", app, "backoff", "killed by SIGKILL", world.now);
        const auto told = world.told();
        REQUIRE(told.size() == 1);
        CHECK(told[0].title == "simulators is down");
        CHECK(told[0].text == "killed by SIGKILL");
        CHECK(told[0].app == "plc");
        world.notices.provider("simulators", "plc", "starting", {}, world.now);
        for (const char* app : {"plc", "ble"}) world.notices.provider("simulators", app, "up", {}, world.now);
        CHECK(world.titles() == World::Titles{"simulators is back"});
        world.notices.provider("simulators", "plc", "stopped", {}, world.now);
        CHECK(world.told().empty());
    }
    TEST_CASE("a provider that is started no more is told of once more") {
        World world;
        world.notices.provider("simulators", "plc", "backoff", "killed by SIGKILL", world.now);
        CHECK(world.titles() == World::Titles{"simulators is down"});
        world.notices.provider("simulators", "plc", "starting", {}, world.now);
        world.notices.provider("simulators", "plc", "backoff", "killed by SIGKILL", world.now);
        CHECK(world.titles().empty());
        for (const char* app : {"plc", "ble"})
            world.notices.provider("simulators", app, "failed", "killed by SIGKILL; given up", world.now);
        CHECK(world.titles() == World::Titles{"simulators is given up"});
    }
    TEST_CASE("no secret is told, nor the user of a URL, and no line is without end") {
        World world;
        world.script("a").definition = {
            {"env", {{"API_TOKEN", "hunter2"}, {"MODE", "fast"}, {"X_PASSWORD", "hunter"}}}};
        world.say("a", ScriptStatus::failed,
                  "cannot fast run --key hunter2 http://me:word@host/x\n" + std::string(3'000, 'x'));
        const auto told = world.told();
        REQUIRE(told.size() == 1);
        CHECK(told[0].text.starts_with("cannot fast run --key *** http://***@host/x x"));
        CHECK(told[0].text.size() < 500);
        CHECK(without_secrets("hunter2 and hunter", world.script("a").definition["env"]) == "*** and ***");
    }
    TEST_CASE("a long name leaves room for what became of it, and is cut between letters") {
        World world;
        world.script("a").name = std::string(31, 'n') + "\xc3\xa4" + std::string(500, 'n');
        world.say("a", ScriptStatus::failed, "exit 3");
        CHECK(world.titles() == World::Titles{std::string(31, 'n') + "\xe2\x80\xa6 failed"});
    }
    TEST_CASE("a script that comes again under the same id begins anew") {
        World world;
        world.say("a", ScriptStatus::failed, "exit 3");
        CHECK(world.told().size() == 1);
        world.notices.forget_script("a");
        world.say("a", ScriptStatus::failed, "exit 3");
        CHECK(world.told().size() == 1);
    }
}

}  // namespace
