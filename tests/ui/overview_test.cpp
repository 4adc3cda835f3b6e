#include "ui/console_bench.h"

namespace labdeck::ui {
namespace {

ConsoleOptions overview() {
    ConsoleOptions options;
    options.panel = "overview";
    return options;
}

TEST_SUITE("ui/panels/overview") {
    TEST_CASE("an empty bench explains itself instead of showing nothing") {
        ConsoleBench bench(overview());
        bench.frame(3);
        const int empty = ConsoleBench::vertices();
        CHECK(empty > 400);
        bench.inbox.put(std::shared_ptr<const data::SampleBatch>(sample_batch()));
        bench.frame(2);
        // The console's own process makes no bench.
        CHECK(ConsoleBench::vertices() >= empty);
        CHECK_FALSE(bench.has("overview/app/plc"));
    }
    TEST_CASE("a click on an app's tile selects the app") {
        ConsoleBench bench(overview());
        bench.hub.add_app("plc");
        bench.hub.add_app("ble");
        bench.frame(4);
        REQUIRE(bench.has("overview/app/ble"));
        bench.click("overview/app/ble");
        CHECK(bench.state().selected_app == "ble");
    }
    TEST_CASE("a tile says in words why its app is down") {
        ConsoleBench bench(overview());
        bench.hub.add_app("plc");
        bench.frame(4);
        CHECK_FALSE(bench.has("overview/error/plc"));
        bench.hub.event("status.changed",
                        {{"appId", "plc"}, {"providerState", "failed"}, {"error", "it died"}});
        bench.frame();
        CHECK(bench.has("overview/error/plc"));
    }
    TEST_CASE("names and lines of any length stay in their tiles") {
        ConsoleBench bench(overview(), {420, 300});
        data::SourceWriter& writer = bench.sources.add(bench.inbox, std::string(3'000, 'n'));
        writer.write(std::string(8'000, '\xe4') + "\x1b[31m\x01 end\n", mono_now());
        writer.notify();
        bench.frame(3);
        CHECK(ConsoleBench::vertices() < 6'000);
    }
    TEST_CASE("a thousand sources cost what the seen ones cost") {
        ConsoleBench bench(overview());
        for (int i = 0; i < 30; ++i) bench.sources.add(bench.inbox, "source " + std::to_string(i));
        bench.frame(3);
        const int thirty = ConsoleBench::vertices();
        for (int i = 30; i < 1'000; ++i) bench.sources.add(bench.inbox, "source " + std::to_string(i));
        bench.frame(3);
        MESSAGE("vertices with 30 and 1,000 sources: ", thirty, ", ", ConsoleBench::vertices());
        CHECK(ConsoleBench::vertices() < 2 * thirty);
        CHECK(ConsoleBench::vertices() < 40'000);
    }
}

}  // namespace
}  // namespace labdeck::ui
