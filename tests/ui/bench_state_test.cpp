#include "ui/bench_state.h"

#include "ui/console_bench.h"

namespace labdeck::ui {
namespace {

constexpr std::int64_t budget_ns = 1'000'000'000;
constexpr std::int64_t ns_per_s = 1'000'000'000;

/// A bench state with its hub, without anything that draws.
struct State {
    PlayedHub hub;
    data::WindowInbox inbox{[] {}};
    PlayedSources sources;
    BenchState bench{hub.link, inbox};

    /// Until nobody has anything to say any more.
    void settle() {
        do bench.drain(budget_ns);
        while (hub.answer() > 0);
    }
};

TEST_SUITE("ui/bench_state") {
    TEST_CASE("it subscribes, asks for the apps, and learns all about each of them") {
        State state;
        state.hub.add_app("bridge");
        state.hub.add_app("plc");
        CHECK_FALSE(state.bench.apps_known());
        state.settle();
        CHECK(state.hub.calls_of("events.subscribe") == 1);
        REQUIRE(state.bench.apps().size() == 2);
        CHECK(state.bench.apps_known());
        const AppView& app = *state.bench.app("bridge");
        CHECK(app.title == "The bridge");
        CHECK(app.provider_up);
        CHECK(app.status["pid"] == 4711);
        CHECK(app.actions[0]["name"] == "start");
        CHECK(app.config["valid"] == true);
        CHECK(app.banner.empty());
    }
    TEST_CASE("a newer version is told once, whatever else is said of updates") {
        State state;
        state.settle();
        for (const char* type : {"none", "available", "available", "progress"})
            state.hub.event("updates",
                            {{"type", type}, {"info", {{"version", "1.2.0"}, {"channel", "beta"}}}});
        state.hub.event("updates", {{"type", "available"}});
        state.settle();
        const auto told = state.bench.news().take({mono_now().ns + ns_per_s});
        REQUIRE(told.size() == 1);
        CHECK(told[0].title == "Labdeck 1.2.0 is available");
        CHECK(told[0].level() == ui::Notice::Level::info);
        CHECK(state.bench.news().due().ns == 0);
    }
    TEST_CASE("a provider's death shows within one drain and leaves the last status where it is") {
        State state;
        state.hub.add_app("plc");
        state.settle();
        state.hub.event("status.changed", {{"appId", "plc"},
                                           {"running", false},
                                           {"pid", nullptr},
                                           {"providerState", "backoff"},
                                           {"error", "simulators: killed by SIGKILL, restarting in 1.0 s"}});
        CHECK(state.bench.drain(budget_ns));
        const AppView& app = *state.bench.app("plc");
        CHECK(app.banner == "simulators: killed by SIGKILL, restarting in 1.0 s");
        CHECK(app.banner_since.ns != 0);
        CHECK_FALSE(app.provider_up);
        CHECK(app.status["pid"] == 4711);
        CHECK(state.bench.notices().back().error);

        state.hub.event("status.changed", {{"appId", "plc"}, {"providerState", "starting"}});
        state.bench.drain(budget_ns);
        CHECK_FALSE(app.banner.empty());

        const int asked = state.hub.calls_of("status.get");
        state.hub.event("status.changed", {{"appId", "plc"}, {"providerState", "up"}});
        state.bench.drain(budget_ns);
        state.settle();
        CHECK(app.banner.empty());
        CHECK(app.provider_up);
        CHECK(state.hub.calls_of("status.get") == asked + 1);
    }
    TEST_CASE("news of an app that nobody named before asks for the list again") {
        State state;
        state.settle();
        state.hub.add_app("late");
        state.hub.event("status.changed", {{"appId", "late"}});
        state.settle();
        CHECK(state.bench.app("late") != nullptr);
    }
    TEST_CASE("a flood of status.changed asks for the status once at a time") {
        State state;
        state.hub.add_app("plc");
        state.settle();
        const int asked = state.hub.calls_of("status.get");
        for (int i = 0; i < 50; ++i) state.hub.event("status.changed", {{"appId", "plc"}});
        state.bench.drain(budget_ns);
        state.settle();
        CHECK(state.hub.calls_of("status.get") == asked + 2);
    }
    TEST_CASE("an invoked job is in the list at once and then follows its events") {
        State state;
        state.hub.add_app("plc");
        state.hub.on("action.invoke", [](const Json&) {
            return Json{{"jobId", "j-1"}, {"state", "running"}};
        });
        state.settle();
        state.bench.invoke("plc", "start", Json::object());
        const AppView& app = *state.bench.app("plc");
        REQUIRE(app.jobs.size() == 1);
        CHECK(app.jobs.front().state == "queued");
        state.settle();
        REQUIRE(app.jobs.size() == 1);
        CHECK(app.jobs.front().job_id == "j-1");
        CHECK(app.jobs.front().state == "running");
        state.hub.event("job.changed",
                        {{"appId", "plc"}, {"jobId", "j-1"}, {"state", "failed"}, {"error", "no line"}});
        state.settle();
        CHECK(app.jobs.front().state == "failed");
        CHECK(app.jobs.front().error == "no line");
        CHECK(app.jobs.front().action == "start");
        CHECK(state.bench.notices().back().text.find("no line") != std::string::npos);
    }
    TEST_CASE("a refused request without a handler becomes a notice") {
        State state;
        state.settle();
        state.bench.request("serial.open", {{"port", "none"}});
        state.settle();
        REQUIRE_FALSE(state.bench.notices().empty());
        CHECK(state.bench.notices().back().text.find("serial.open") == 0);
        CHECK(state.bench.notices().back().error);
    }
    TEST_CASE("events with wrong types are survived") {
        State state;
        state.hub.add_app("plc");
        state.settle();
        for (const char* name : {"status.changed", "log", "job.changed", "traffic"}) {
            state.hub.event(name,
                            {{"appId", 7}, {"jobId", nullptr}, {"rxBytes", -1}, {"text", Json::array()}});
            state.hub.event(name,
                            {{"appId", "plc"}, {"jobId", 1.5}, {"rxBytes", "x"}, {"level", Json::object()}});
            state.hub.event(name, Json::object());
        }
        state.settle();
        CHECK(state.bench.app("plc")->provider_up);
    }
    TEST_CASE("presented stamps how old the newest byte was when it was first seen") {
        State state;
        data::SourceWriter& writer = state.sources.add(state.inbox, "port");
        const MonoTime read = mono_now();
        writer.write("abc\n", read);
        writer.notify();
        state.bench.drain(budget_ns);
        const SourceView& view = *state.bench.sources().front();
        state.bench.presented({read.ns + 4'000'000});
        CHECK(view.shown == read);
        CHECK(view.shown_age_ns == 4'000'000);
        state.bench.presented({read.ns + 90'000'000});
        CHECK(view.shown_age_ns == 4'000'000);
        CHECK(view.backlog_ns() == 0);
        writer.write("more\n", {read.ns + 100'000'000});
        CHECK(view.backlog_ns() == 100'000'000);
    }
    TEST_CASE("rates follow the counters, and fall to zero when they stand still") {
        State state;
        data::SourceWriter& writer = state.sources.add(state.inbox, "port");
        state.bench.drain(budget_ns);
        const MonoTime start = mono_now();
        state.bench.sample_rates(start);
        writer.write(std::string(500, 'x'), start);
        state.bench.drain(budget_ns);
        SourceView& view = *state.bench.sources().front();
        CHECK(state.bench.sample_rates({start.ns + ns_per_s / 10}).ns == 0);  // Too soon.
        CHECK(view.bytes_per_second.count() == 0);
        const MonoTime again = state.bench.sample_rates({start.ns + ns_per_s / 2});
        CHECK(view.bytes_per_second.last_value() == doctest::Approx(1000));
        CHECK(again.ns > start.ns);
        CHECK(state.bench.sample_rates(again).ns == 0);
        CHECK(view.bytes_per_second.last_value() == 0);
    }
    TEST_CASE("traffic events become rates of their port") {
        State state;
        state.hub.add_app("plc");
        state.settle();
        const Json first{{"appId", "plc"}, {"port", "a"},   {"rxBytes", 100},
                         {"txBytes", 0},   {"rxFrames", 1}, {"time", "2026-02-17T16:20:00.500Z"}};
        state.hub.event("traffic", first);
        state.bench.drain(budget_ns);
        Json second = first;
        second["time"] = "2026-02-17T16:20:02.500Z";
        second["rxBytes"] = 10'100;
        second["errors"] = 2;
        state.hub.event("traffic", second);
        state.bench.drain(budget_ns);
        REQUIRE(state.bench.ports().size() == 1);
        const PortView& port = *state.bench.ports().front();
        CHECK(port.rx_bytes == 10'100);
        CHECK(port.errors == 2);
        CHECK(port.bytes_per_second.last_value() == 5'000);
    }
    TEST_CASE("what was lost stays lost when its source is gone") {
        State state;
        data::SourceWriter& writer = state.sources.add(state.inbox, "port");
        state.bench.drain(budget_ns);
        writer.lose(data::LossStage::driver_overrun, 12);
        CHECK(state.bench.lost_bytes() == 12);
        state.inbox.put(data::SourceRemoved{writer.info().id});
        state.bench.drain(budget_ns);
        CHECK(state.bench.sources().empty());
        CHECK(state.bench.lost_bytes() == 12);
        CHECK(state.bench.lost_by_stage()[static_cast<std::size_t>(data::LossStage::driver_overrun)] == 12);
    }
    TEST_CASE("processes come and go with the samples") {
        State state;
        state.inbox.put(std::shared_ptr<const data::SampleBatch>(sample_batch(2)));
        state.inbox.put(std::shared_ptr<const data::SampleBatch>(sample_batch(1)));
        state.bench.drain(budget_ns);
        REQUIRE(state.bench.processes().size() == 2);
        CHECK(state.bench.processes()[0]->alive);
        CHECK_FALSE(state.bench.processes()[1]->alive);
        CHECK(state.bench.machine_cpu().last_value() == doctest::Approx(12.5));
    }
    TEST_CASE("256 feeds in which nothing came are no news") {
        State state;
        for (int i = 0; i < 256; ++i) state.sources.add(state.inbox, "quiet");
        state.settle();
        REQUIRE(state.bench.sources().size() == 256);
        CHECK_FALSE(state.bench.drain(4'000'000));
    }
}

}  // namespace
}  // namespace labdeck::ui
