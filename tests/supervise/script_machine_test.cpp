#include "supervise/script_machine.h"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

using namespace labdeck;
using namespace labdeck::supervise;

namespace {

constexpr std::int64_t s = 1'000'000'000;
constexpr std::int64_t ms = 1'000'000;

/// A machine, its clock, and a world that does what it is ordered to.
struct Life {
    explicit Life(ScriptRules rules) : machine(rules, [this] { return dice; }) {}

    void forward(std::int64_t ns) {
        const std::int64_t until = now.ns + ns;
        while (true) {
            const auto next = machine.next_deadline();
            if (!next || next->ns > until) break;
            now.ns = std::max(now.ns, next->ns);
            machine.tick(now);
            obey();
        }
        now.ns = until;
        machine.tick(now);
        obey();
    }
    void start() { machine.start(now), obey(); }
    void stop() { machine.stop(now), obey(); }
    void restart() { machine.restart(now), obey(); }
    /// The leader ends and leaves nothing behind.
    void ends(io::ExitStatus end) {
        machine.leader_ended(now, end), obey();
        machine.empty(now), obey();
    }
    void crash() { ends({false, 1}); }
    void obey() {
        const Orders orders = machine.take_orders();
        changes += orders.changed ? 1 : 0;
        signals += orders.signal ? 1 : 0;
        sweeps += orders.sweep ? 1 : 0;
        if (!orders.launch) return;
        ++launches;
        if (obeys_launch) machine.started(now, 1000 + launches), obey();
    }

    double dice = 0.5;
    ScriptMachine machine;
    MonoTime now{1};
    bool obeys_launch = true;
    int launches = 0, signals = 0, sweeps = 0, changes = 0;
};

ScriptRules rules(RestartPolicy policy = RestartPolicy::never) {
    ScriptRules made;
    made.policy = policy;
    return made;
}

}  // namespace

TEST_SUITE("supervise/script_machine") {
    TEST_CASE("a script without a policy ends as it ended") {
        Life life(rules());
        CHECK(life.machine.status() == Status::stopped);
        life.start();
        CHECK(life.machine.status() == Status::running);
        CHECK(life.machine.leader() == 1001);
        life.ends({false, 0});
        CHECK(life.machine.status() == Status::exited);
        life.start();
        life.crash();
        CHECK(life.machine.status() == Status::failed);
        CHECK(life.machine.reason() == "exit 1");
        life.start();
        life.ends({true, SIGSEGV});
        CHECK(life.machine.reason() == "killed by SIGSEGV");
        life.forward(3600 * s);
        CHECK(life.launches == 3);
    }

    TEST_CASE("on-failure restarts a failure and leaves a success") {
        Life life(rules(RestartPolicy::on_failure));
        life.start();
        life.crash();
        CHECK(life.machine.status() == Status::backoff);
        CHECK(life.machine.delay_left_ns(life.now) == 1 * s);
        life.forward(1 * s);
        CHECK(life.machine.status() == Status::running);
        life.ends({false, 0});
        CHECK(life.machine.status() == Status::exited);
    }

    TEST_CASE("always restarts a success too") {
        Life life(rules(RestartPolicy::always));
        life.start();
        life.ends({false, 0});
        CHECK(life.machine.status() == Status::backoff);
    }

    TEST_CASE("delays double up to a minute, and are drawn from three to five quarters of it") {
        ScriptRules endless = rules(RestartPolicy::always);
        endless.retries_max = -1;
        Life life(endless);
        life.start();
        for (const std::int64_t wanted : {1, 2, 4, 8, 16, 32, 60, 60}) {
            life.crash();
            CHECK(life.machine.delay_ns() == wanted * s);
            life.forward(wanted * s);
        }
        life.dice = 0;
        life.crash();
        CHECK(life.machine.delay_ns() == 45 * s);
        life.forward(45 * s);
        life.dice = 0.999999;
        life.crash();
        CHECK(*life.machine.delay_ns() > 74 * s);
        CHECK(*life.machine.delay_ns() < 75 * s);
    }

    TEST_CASE("with its retries used up it is failed, until somebody starts it") {
        ScriptRules two = rules(RestartPolicy::always);
        two.retries_max = 2;
        Life life(two);
        life.start();
        for (int i = 0; i < 2; ++i) {
            life.crash();
            life.forward(100 * s);
        }
        life.crash();
        CHECK(life.machine.status() == Status::failed);
        CHECK(life.machine.reason() == "exit 1; 2 retries used up");
        life.forward(3600 * s);
        CHECK(life.launches == 3);
        life.start();
        CHECK(life.machine.retries() == 0);
        life.crash();
        CHECK(life.machine.status() == Status::backoff);
    }

    TEST_CASE("two minutes of uptime wipe the failures out; a second less does not") {
        Life life(rules(RestartPolicy::always));
        life.start();
        life.crash();
        life.forward(1 * s);
        life.forward(119 * s);
        life.crash();
        CHECK(life.machine.retries() == 2);
        life.forward(2 * s);
        life.forward(120 * s);
        CHECK(life.machine.retries() == 0);
        life.crash();
        CHECK(life.machine.delay_ns() == 1 * s);
    }

    TEST_CASE("with a health check the uptime counts from when it was healthy") {
        ScriptRules checked = rules(RestartPolicy::always);
        checked.health_checked = true;
        Life life(checked);
        life.start();
        life.crash();
        life.forward(1 * s);
        life.forward(500 * s);
        CHECK(life.machine.retries() == 1);
        life.machine.probed(life.now, true, "");
        life.forward(120 * s);
        CHECK(life.machine.retries() == 0);
    }

    TEST_CASE("thirty-one starts within ten minutes are a crash loop; spread out they are not") {
        ScriptRules fast = rules(RestartPolicy::always);
        fast.retries_max = -1;
        fast.backoff_ns = 1 * ms;
        Life life(fast);
        life.start();
        const auto crash_after = [&](std::int64_t ns) {
            life.forward(ns);
            life.crash();
        };
        SUBCASE("in a burst, where the delays do not hold it up") {
            fast.backoff_ns = 0;
            life.machine.set_rules(fast);
            for (int i = 0; i < 31; ++i) crash_after(1 * ms);
            CHECK(life.machine.status() == Status::failed);
            CHECK(life.machine.reason() ==
                  "crash-loop: 30 starts within 10 minutes, the last ended with exit 1");
            CHECK(life.launches == 31);
            life.start();
            CHECK(life.machine.status() == Status::running);
        }
        SUBCASE("just over the limit") {
            fast.backoff_ns = 0;
            life.machine.set_rules(fast);
            for (int i = 0; i < 100; ++i) crash_after(20 * s + 10 * ms);
            CHECK(life.machine.status() == Status::backoff);
        }
    }

    TEST_CASE("a stop during the delay cancels the restart for good") {
        Life life(rules(RestartPolicy::always));
        life.start();
        life.crash();
        life.stop();
        CHECK(life.machine.status() == Status::stopped);
        CHECK_FALSE(life.machine.delay_left_ns(life.now).has_value());
        life.forward(3600 * s);
        CHECK(life.launches == 1);
    }

    TEST_CASE("a stop signals, waits out the grace, sweeps, and is done when the tree is empty") {
        Life life(rules(RestartPolicy::always));
        life.start();
        life.stop();
        CHECK(life.machine.status() == Status::stopping);
        CHECK(life.signals == 1);
        life.forward(10 * s - 1);
        CHECK(life.sweeps == 0);
        life.forward(1);
        CHECK(life.sweeps == 1);
        life.machine.leader_ended(life.now, {true, SIGKILL}), life.obey();
        CHECK(life.machine.status() == Status::stopping);
        life.forward(5 * s);
        life.machine.empty(life.now), life.obey();
        CHECK(life.machine.status() == Status::stopped);
        life.forward(3600 * s);
        CHECK(life.launches == 1);
    }

    TEST_CASE("a stop before the program runs is a stop") {
        Life life(rules(RestartPolicy::always));
        life.obeys_launch = false;
        life.start();
        CHECK(life.machine.status() == Status::starting);
        life.stop();
        CHECK(life.machine.status() == Status::stopping);
        life.machine.started(life.now, 7), life.obey();
        CHECK(life.machine.status() == Status::stopping);
        life.ends({true, SIGTERM});
        CHECK(life.machine.status() == Status::stopped);
        SUBCASE("also when it turns out that it cannot be run") {
            life.start();
            life.stop();
            life.machine.failed(Error{Code::io, "start x: No such file or directory", 2, {}}), life.obey();
            CHECK(life.machine.status() == Status::stopped);
        }
        life.forward(3600 * s);
        CHECK(life.machine.status() == Status::stopped);
    }

    TEST_CASE("a start and a stop in one breath launch nothing") {
        Life life(rules());
        life.machine.start(life.now);
        life.machine.stop(life.now);
        life.obey();
        CHECK(life.launches == 0);
        CHECK(life.machine.status() == Status::stopped);
    }

    TEST_CASE("a program that cannot be run is failed at once, whatever the policy") {
        Life life(rules(RestartPolicy::always));
        life.obeys_launch = false;
        life.start();
        life.machine.failed(Error{Code::io, "start /no/where: No such file or directory", 2, {}}),
            life.obey();
        CHECK(life.machine.status() == Status::failed);
        CHECK(life.machine.reason() == "start /no/where: No such file or directory");
        life.forward(3600 * s);
        CHECK(life.launches == 1);
    }

    TEST_CASE("a grace that runs can be cut shorter, and never made longer") {
        ScriptRules patient = rules();
        patient.grace_ns = 3600 * s;
        Life life(patient);
        life.start();
        life.stop();
        life.machine.shorten_grace(life.now, 3 * s);
        life.machine.shorten_grace(life.now, 100 * s);
        life.forward(3 * s - 1);
        CHECK(life.sweeps == 0);
        life.forward(1);
        CHECK(life.sweeps == 1);
    }

    TEST_CASE("killing the tree skips the grace, and cuts one short") {
        Life life(rules());
        life.start();
        life.machine.kill_tree(life.now), life.obey();
        CHECK(life.sweeps == 1);
        CHECK(life.signals == 0);
        life.ends({true, SIGKILL});
        CHECK(life.machine.status() == Status::stopped);
        life.start();
        life.stop();
        life.forward(1 * s);
        life.machine.kill_tree(life.now), life.obey();
        CHECK(life.sweeps == 2);
    }

    TEST_CASE("a restart waits until the tree is empty, and a stop in between wins") {
        Life life(rules());
        life.start();
        life.restart();
        CHECK(life.machine.status() == Status::stopping);
        life.machine.leader_ended(life.now, {true, SIGTERM}), life.obey();
        CHECK(life.launches == 1);
        life.machine.empty(life.now), life.obey();
        CHECK(life.launches == 2);
        CHECK(life.machine.status() == Status::running);
        life.restart();
        life.stop();
        life.ends({true, SIGTERM});
        CHECK(life.machine.status() == Status::stopped);
        CHECK(life.launches == 2);
    }

    TEST_CASE("the grace of the run before a restart does not end the run after it") {
        ScriptRules checked = rules();
        checked.health_checked = true;
        Life life(checked);
        life.start();
        life.machine.probed(life.now, true, {}), life.obey();
        life.restart();
        life.ends({true, SIGTERM});
        CHECK_FALSE(life.machine.healthy().has_value());
        life.forward(3600 * s);
        CHECK(life.sweeps == 0);
        CHECK(life.machine.status() == Status::running);
    }

    TEST_CASE("what a leader leaves behind is stopped like a job before the next run begins") {
        Life life(rules(RestartPolicy::always));
        life.start();
        life.machine.leader_ended(life.now, {false, 1}), life.obey();
        CHECK(life.machine.status() == Status::running);
        CHECK(life.machine.reason() == "exit 1; what it left behind is being ended");
        CHECK(life.signals == 1);
        life.forward(10 * s);
        CHECK(life.sweeps == 1);
        CHECK(life.launches == 1);
        life.machine.empty(life.now), life.obey();
        CHECK(life.machine.status() == Status::backoff);
    }

    TEST_CASE("three bad probes are unhealthy, one good one is healthy, and flapping restarts nothing") {
        ScriptRules checked = rules(RestartPolicy::always);
        checked.health_checked = true;
        Life life(checked);
        life.start();
        CHECK_FALSE(life.machine.healthy().has_value());
        const auto probe = [&](bool good) {
            life.machine.probed(life.now, good, good ? "" : "port 80: Connection refused");
            life.obey();
        };
        probe(false), probe(false);
        CHECK_FALSE(life.machine.healthy().has_value());
        probe(false);
        CHECK(life.machine.healthy() == false);
        CHECK(life.machine.health_reason() == "port 80: Connection refused");
        probe(true);
        CHECK(life.machine.healthy() == true);
        for (int i = 0; i < 50; ++i) probe(false), probe(false), probe(true);
        CHECK(life.machine.healthy() == true);
        CHECK(life.machine.status() == Status::running);
        CHECK(life.signals == 0);
    }

    TEST_CASE("without a check any more, how the last ones went is forgotten") {
        ScriptRules checked = rules(RestartPolicy::never);
        checked.health_checked = true;
        Life life(checked);
        life.start();
        for (int i = 0; i < 3; ++i) life.machine.probed(life.now, false, "exit 1"), life.obey();
        CHECK(life.machine.healthy() == false);
        life.machine.set_rules(checked);
        CHECK(life.machine.healthy() == false);
        life.machine.set_rules(rules(RestartPolicy::never));
        CHECK_FALSE(life.machine.healthy().has_value());
        CHECK(life.machine.health_reason().empty());
        CHECK(life.machine.take_orders().changed);
    }

    TEST_CASE("without a check any more, the uptime counts from the start") {
        ScriptRules checked = rules(RestartPolicy::always);
        checked.health_checked = true;
        for (const bool was_healthy : {false, true}) {
            CAPTURE(was_healthy);
            Life life(checked);
            life.start();
            life.crash();
            life.forward(1 * s);
            life.forward(100 * s);
            if (was_healthy) life.machine.probed(life.now, true, ""), life.obey();
            CHECK(life.machine.retries() == 1);
            life.machine.set_rules(rules(RestartPolicy::always));
            life.forward(19 * s);
            CHECK(life.machine.retries() == 1);
            life.forward(1 * s);
            CHECK(life.machine.retries() == 0);
        }
    }

    TEST_CASE("with a check from now on, the uptime counts from when it is healthy") {
        ScriptRules checked = rules(RestartPolicy::always);
        checked.health_checked = true;
        Life life(rules(RestartPolicy::always));
        life.start();
        life.crash();
        life.forward(1 * s);
        life.machine.set_rules(checked);
        life.forward(500 * s);
        CHECK(life.machine.retries() == 1);
        life.machine.probed(life.now, true, "");
        life.forward(120 * s);
        CHECK(life.machine.retries() == 0);
    }

    TEST_CASE("unhealthy restarts only where it is said to, and then counts as a crash") {
        ScriptRules checked = rules(RestartPolicy::never);
        checked.health_checked = true;
        checked.restart_on_unhealthy = true;
        Life life(checked);
        life.start();
        for (int i = 0; i < 3; ++i) life.machine.probed(life.now, false, "GET: 503"), life.obey();
        CHECK(life.signals == 1);
        life.ends({false, 0});
        CHECK(life.machine.status() == Status::backoff);
        CHECK(life.machine.retries() == 1);
        life.forward(1 * s);
        CHECK(life.machine.status() == Status::running);
        CHECK_FALSE(life.machine.healthy().has_value());
    }

    TEST_CASE("a minute after the sweep it says who cannot be killed, and stays stopping") {
        Life life(rules());
        life.start();
        life.stop();
        life.forward(10 * s);
        for (int i = 0; i < 59; ++i) {
            life.forward(1 * s);
            life.machine.survivor(life.now, 77, 'D', 3), life.obey();
        }
        CHECK(life.machine.reason().empty());
        life.forward(1 * s);
        life.machine.survivor(life.now, 77, 'D', 3), life.obey();
        CHECK(life.machine.status() == Status::stopping);
        CHECK(life.machine.reason() == "unkillable: pid 77 in state D, and 2 more");
    }
}
