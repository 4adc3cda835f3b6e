#include "bench_apps/job_table.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace labdeck;
using namespace labdeck::bench_apps;
using contract::Json;

namespace {

constexpr ActionSpec quick{.name = "quick", .label = "Quick", .timeout_ms = 10'000};
constexpr ActionSpec hasty{.name = "hasty", .label = "Hasty", .timeout_ms = 5};

struct Bench {
    /// Runs the loop until the job is final.
    void finish(const JobHandle& job) {
        jobs.when_final(job, [this](const Job&) { reactor->stop(); });
        reactor->run();
    }
    void settle() {
        reactor->stop();
        reactor->run();
    }

    std::unique_ptr<io::Reactor> reactor = io::Reactor::create("jobs").value();
    std::vector<std::string> states;
    JobTable jobs{*reactor, [this](const Job& job) { states.emplace_back(job_state_name(job.state())); }};
};

}  // namespace

TEST_SUITE("bench_apps/job_table") {
    TEST_CASE("a job is queued, then runs, then has exactly one final state") {
        Bench bench;
        const JobHandle job = bench.jobs.start("app", quick, [](const JobHandle& one) {
            one->print("out\n");
            one->print_error("err\n");
            one->finish(Json{{"x", 1}});
            one->finish(fail(Code::action_failed, "too late"));
        });
        CHECK(job->state() == JobState::queued);
        CHECK(job->json(true).at("startedAt").is_null());
        bench.finish(job);
        CHECK(bench.states == std::vector<std::string>{"queued", "running", "succeeded"});
        const Json json = job->json(true);
        CHECK(json.at("jobId") == job->id());
        CHECK(json.at("result").dump() == R"({"x":1})");
        CHECK(json.at("stdout") == "out\n");
        CHECK(json.at("stderr") == "err\n");
        CHECK(json.at("error").is_null());
        CHECK(json.at("finishedAt").is_string());
    }

    TEST_CASE("an error is kept whole") {
        Bench bench;
        const JobHandle job = bench.jobs.start("app", quick, [](const JobHandle& one) {
            one->finish(fail(Code::not_found, "no port", R"({"key":"port"})"));
        });
        bench.finish(job);
        CHECK(job->state() == JobState::failed);
        CHECK(job->json(false).at("error").dump() ==
              R"({"code":"E_NOT_FOUND","message":"no port","details":{"key":"port"}})");
    }

    TEST_CASE("a job that outruns its time is given up") {
        Bench bench;
        std::vector<JobState> given_up;
        const JobHandle job = bench.jobs.start("app", hasty, [&](const JobHandle& one) {
            one->on_give_up([&](JobState ending) { given_up.push_back(ending); });
        });
        bench.finish(job);
        CHECK(given_up == std::vector<JobState>{JobState::timeout});
        CHECK(job->state() == JobState::timeout);
        CHECK(job->json(false).at("error").at("code") == "E_ACTION_TIMEOUT");
    }

    TEST_CASE("a job can be canceled before it begins, while it runs, and not after") {
        Bench bench;
        bool ran = false;
        const JobHandle early = bench.jobs.start("app", quick, [&](const JobHandle&) { ran = true; });
        bench.jobs.cancel(early);
        bench.settle();
        CHECK_FALSE(ran);
        CHECK(early->state() == JobState::canceled);

        std::vector<JobState> given_up;
        const JobHandle late = bench.jobs.start("app", quick, [&](const JobHandle& one) {
            one->on_give_up([&](JobState ending) { given_up.push_back(ending); });
        });
        bench.settle();
        bench.jobs.cancel(late);
        bench.jobs.cancel(late);
        CHECK(given_up == std::vector<JobState>{JobState::canceled});
        CHECK(late->json(false).at("error").at("code") == "E_CANCELED");
        late->finish(Json::object());
        CHECK(late->state() == JobState::canceled);
    }

    TEST_CASE("an action that throws fails alone") {
        Bench bench;
        const JobHandle job =
            bench.jobs.start("app", quick, [](const JobHandle&) { throw std::runtime_error("bug"); });
        bench.finish(job);
        CHECK(job->json(false).at("error").at("code") == "E_INTERNAL");
    }

    TEST_CASE("jobs are found by their app and listed from the newest on") {
        Bench bench;
        const auto done = [](const JobHandle& one) { one->finish(Json::object()); };
        const JobHandle first = bench.jobs.start("a", quick, done);
        const JobHandle second = bench.jobs.start("a", quick, done);
        bench.jobs.start("b", quick, done);
        CHECK(bench.jobs.find("a", first->id()) == first);
        CHECK(bench.jobs.find("b", first->id()) == nullptr);
        CHECK(bench.jobs.find("a", "job-1") == nullptr);
        CHECK(bench.jobs.find("a", first->id() + "x") == nullptr);
        CHECK(bench.jobs.list("a", "", 10) == std::vector<JobHandle>{second, first});
        CHECK(bench.jobs.list("a", "", 1) == std::vector<JobHandle>{second});
        CHECK(bench.jobs.list("a", "succeeded", 10).empty());
        bench.settle();
        CHECK(bench.jobs.list("a", "succeeded", 10).size() == 2);
    }

    TEST_CASE("the latest 1,000 finished jobs are kept, and every unfinished one") {
        Bench bench;
        const JobHandle open = bench.jobs.start("app", quick, [](const JobHandle&) {});
        const JobHandle oldest =
            bench.jobs.start("app", quick, [](const JobHandle& one) { one->finish(Json::object()); });
        for (int i = 0; i < 1000; ++i) {
            bench.jobs.start("app", quick, [](const JobHandle& one) { one->finish(Json::object()); });
        }
        bench.settle();
        CHECK(bench.jobs.find("app", oldest->id()) == nullptr);
        CHECK(bench.jobs.find("app", open->id()) == open);
        CHECK(bench.jobs.list("app", "", 5000).size() == 1001);
        open->finish(Json::object());
        CHECK(bench.jobs.find("app", open->id()) == open);
    }

    TEST_CASE("output beyond 1 MiB loses its beginning and says so") {
        Bench bench;
        const JobHandle job = bench.jobs.start("app", quick, [](const JobHandle& one) {
            for (int i = 0; i < 30'000; ++i) one->print("0123456789012345678901234567890123456789\xc3\xa9\n");
            one->print("the end\n");
            one->finish(Json::object());
        });
        bench.finish(job);
        const auto text = job->json(true).at("stdout").get<std::string>();
        CHECK(text.size() < (1U << 20) + 64);
        CHECK(text.size() > (1U << 19));
        CHECK(text.starts_with("["));
        CHECK(text.find("bytes dropped]") != std::string::npos);
        CHECK(text.ends_with("the end\n"));
    }
}
