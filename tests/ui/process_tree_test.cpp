#include "ui/widgets/process_tree.h"

#include <string>

#include "ui/played_supervisor.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

Json process(int pid, int parent, const std::string& name) {
    return {{"pid", pid},        {"parentPid", parent},
            {"name", name},      {"state", "S"},
            {"cpuPercent", 2.5}, {"memMB", 84},
            {"memKind", "pss"},  {"startTime", "2026-11-21T20:16:05.000Z"}};
}

struct Treeing : PlayedSupervisor {
    Treeing() {
        on("process.tree", [this](const Json&) { return tree; });
        tell(sample_snapshot("a", "running"));
        click("processes/script/a");
    }
    Json tree{
        {"processes", {process(30, 20, "grandchild"), process(20, 10, "child"), process(10, 1, "leader")}}};
};

}  // namespace

TEST_SUITE("ui/process_tree") {
    TEST_CASE("nothing is asked until somebody looks") {
        Treeing bench;
        bench.frame(5);
        CHECK(bench.calls_of("process.tree").empty());
        CHECK_FALSE(bench.wants_frame());
    }

    TEST_CASE("each process stands below its parent, indented, with how it does") {
        Treeing bench;
        bench.click("processes/details/tree");
        bench.frame(3);
        CHECK(bench.calls_of("process.tree") == std::vector<Json>{{{"id", "a"}}});
        const Rect leader = rects().at("processes/tree/10");
        const Rect child = rects().at("processes/tree/20");
        const Rect grandchild = rects().at("processes/tree/30");
        CHECK(leader.min.y < child.min.y);
        CHECK(child.min.y < grandchild.min.y);
        CHECK(leader.min.x < child.min.x);
        CHECK(child.min.x < grandchild.min.x);
        for (const char* text : {"grandchild", "sleeping", "2.5 %", "80.1 MiB", "30"})
            CHECK_MESSAGE(bench.says(text), text);
        CHECK(bench.wants_frame());
    }

    TEST_CASE("what goes wrong is said, and asked again a second later") {
        Treeing bench;
        bench.on("process.tree",
                 [](const Json&) -> Result<Json> { return fail(Code::io, "the hub is slow"); });
        bench.click("processes/details/tree");
        bench.frame(3);
        CHECK(bench.says("the hub is slow"));
        CHECK(bench.wants_frame());
    }

    TEST_CASE("one answer is waited for, and what does not run is not asked about") {
        Treeing bench;
        bench.click("processes/details/tree");
        bench.frame(10);
        CHECK(bench.calls_of("process.tree").size() == 1);
        bench.tell(sample_snapshot("a", "stopped"));
        CHECK(bench.says("adapter does not run"));
        CHECK_FALSE(bench.has("processes/tree/10"));
        CHECK_FALSE(bench.wants_frame());
        bench.click("processes/details/output");
        bench.tell(sample_snapshot("a", "running"));
        bench.frame(3);
        CHECK(bench.calls_of("process.tree").size() == 1);
        CHECK_FALSE(bench.wants_frame());
    }

    TEST_CASE("a ring of parents, a stranger and what is left out do no harm") {
        Treeing bench;
        bench.tree = {
            {"processes", {process(5, 5, "own parent"), process(6, 7, "ring"), process(7, 6, "ring"), 3}},
            {"more", 12}};
        bench.click("processes/details/tree");
        bench.frame(3);
        CHECK(bench.says("own parent"));
        CHECK(bench.says("and 12 more"));
    }

    TEST_CASE("what the hub cannot tell is said") {
        Treeing bench;
        bench.on("process.tree", [](const Json&) -> Result<Json> {
            return fail(Code::unsupported_method, "no such method");
        });
        bench.click("processes/details/tree");
        bench.frame(3);
        CHECK(bench.says("too old to tell"));
        CHECK(bench.state().notices().empty());
    }
}
