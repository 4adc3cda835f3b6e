#include "hub/job_watch.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace labdeck;
using contract::Json;
using hub::JobWatch;

namespace {

constexpr std::int64_t second = 1'000'000'000;

Json job(const char* id, const char* state) {
    return {{"jobId", id}, {"actionName", "run"}, {"state", state}, {"timeoutMs", 5000}};
}

}  // namespace

TEST_SUITE("hub/job_watch") {
    TEST_CASE("a provider's end fails its open jobs and no others") {
        JobWatch watch;
        watch.note("plc", job("1", "running"), {second});
        watch.note("ble", job("2", "queued"), {second});
        watch.note("plc", job("3", "running"), {second});
        watch.note("plc", job("3", "succeeded"), {second});
        const auto lost = watch.lose({"plc", "other"}, {Code::action_failed, "killed by SIGKILL", 0, {}});
        REQUIRE(lost.size() == 1);
        CHECK((*lost[0])["jobId"] == "1");
        CHECK((*lost[0])["state"] == "failed");
        CHECK((*lost[0])["actionName"] == "run");
        CHECK((*lost[0])["error"]["code"] == "E_ACTION_FAILED");
        CHECK(watch.open() == 1);
        CHECK(watch.find("plc", "1") == lost[0]);
        CHECK(watch.find("ble", "1") == nullptr);
        CHECK(watch.find("plc", "3") == nullptr);
    }

    TEST_CASE("a job that the hub ended is news no more while its provider lives") {
        JobWatch watch;
        watch.note("plc", job("1", "running"), {second});
        CHECK(watch.news("plc", job("1", "succeeded")));
        watch.expire({60 * second});
        CHECK_FALSE(watch.news("plc", job("1", "succeeded")));
        CHECK(watch.news("ble", job("1", "succeeded")));
        watch.note("plc", job("1", "running"), {61 * second});
        CHECK(watch.open() == 0);
    }

    TEST_CASE("a provider that was started again may use its ids again") {
        JobWatch watch;
        watch.note("plc", job("1", "running"), {second});
        watch.note("plc", job("2", "running"), {second});
        watch.expire({60 * second});
        watch.note("plc", job("3", "running"), {61 * second});
        watch.lose({"plc"}, {Code::action_failed, "gone", 0, {}});
        for (const char* id : {"1", "2", "3"}) CHECK(watch.find("plc", id) != nullptr);
        CHECK(watch.news("plc", job("1", "queued")));
        watch.note("plc", job("1", "queued"), {62 * second});
        CHECK(watch.open() == 1);
        CHECK(watch.find("plc", "1") == nullptr);
        CHECK(watch.find("plc", "3") != nullptr);
    }

    TEST_CASE("a running job is timeout two seconds after its timeoutMs, a queued one waits") {
        JobWatch watch;
        watch.note("plc", job("1", "running"), {10 * second});
        watch.note("plc", job("2", "queued"), {10 * second});
        CHECK(watch.expire({16 * second}).empty());
        const auto late = watch.expire({17 * second});
        REQUIRE(late.size() == 1);
        CHECK((*late[0])["state"] == "timeout");
        CHECK((*late[0])["error"]["code"] == "E_ACTION_TIMEOUT");
        CHECK(watch.open() == 1);
    }

    TEST_CASE("what is no job is passed over") {
        JobWatch watch;
        watch.note("plc", Json(7), {second});
        watch.note("plc", Json{{"jobId", 7}, {"state", "running"}}, {second});
        watch.note("plc", Json::object(), {second});
        CHECK(watch.open() == 0);
    }

    TEST_CASE("the latest thousand that the hub ended are kept") {
        JobWatch watch;
        for (int i = 0; i < 1200; ++i) watch.note("plc", job(std::to_string(i).c_str(), "running"), {second});
        watch.lose({"plc"}, {Code::action_failed, "gone", 0, {}});
        CHECK(watch.ended().size() == 1000);
    }

    TEST_CASE("an answer that comes behind the event of a job's end does not open it again") {
        JobWatch watch;
        watch.note("plc", job("1", "succeeded"), {second});
        watch.note("plc", job("1", "queued"), {second});
        watch.note("ble", job("1", "queued"), {second});
        CHECK(watch.open() == 1);
        const auto lost = watch.lose({"plc"}, {Code::action_failed, "gone", 0, {}});
        CHECK(lost.empty());
        // The next life's job of the same id is another one.
        watch.note("plc", job("1", "queued"), {second});
        CHECK(watch.open() == 2);
    }

    TEST_CASE("jobs that were over long ago take no memory") {
        JobWatch watch;
        for (int i = 0; i < 1200; ++i) {
            watch.note("plc", job(std::to_string(i).c_str(), "succeeded"), {second});
        }
        watch.note("plc", job("1199", "queued"), {second});
        watch.note("plc", job("200", "queued"), {second});
        CHECK(watch.open() == 0);
        watch.note("plc", job("199", "queued"), {second});
        CHECK(watch.open() == 1);
    }

    TEST_CASE("a job that does not tell its time-out has the one of its action") {
        JobWatch watch;
        watch.know_actions("plc",
                           Json{{"actions", {{{"name", "run"}, {"timeoutMs", 5000}}, {{"name", "wait"}}}}});
        const Json accepted{{"jobId", "1"}, {"actionName", "run"}, {"state", "queued"}};
        watch.note("plc", accepted, {second});
        watch.note("plc", {{"jobId", "1"}, {"state", "running"}}, {2 * second});
        watch.note("plc", {{"jobId", "2"}, {"actionName", "wait"}, {"state", "running"}}, {2 * second});
        watch.note("ble", {{"jobId", "3"}, {"actionName", "run"}, {"state", "running"}}, {2 * second});
        CHECK(watch.expire({8 * second}).empty());
        const auto late = watch.expire({10 * second});
        REQUIRE(late.size() == 1);
        CHECK((*late[0])["jobId"] == "1");
        CHECK((*late[0])["timeoutMs"] == 5000);
        CHECK((*late[0])["actionName"] == "run");
        // Another life of the provider may have other actions.
        watch.lose({"plc"}, {Code::action_failed, "gone", 0, {}});
        watch.note("plc", {{"jobId", "4"}, {"actionName", "run"}, {"state", "running"}}, {20 * second});
        CHECK(watch.expire({1000 * second}).empty());
        for (const Json& rubbish :
             {Json(), Json(3), Json{{"actions", 3}}, Json{{"actions", {1, {{"name", 2}}}}}})
            watch.know_actions("plc", rubbish);
    }

    TEST_CASE("a job of which nothing is heard is asked for, until it has a deadline") {
        JobWatch watch;
        watch.note("plc", job("1", "queued"), {second});
        CHECK(watch.to_ask({5 * second}).empty());
        const auto asked = watch.to_ask({6 * second});
        REQUIRE(asked.size() == 1);
        CHECK(asked[0] == std::pair<std::string, std::string>("plc", "1"));
        CHECK(watch.to_ask({7 * second}).empty());
        CHECK(watch.to_ask({11 * second}).size() == 1);
        watch.note("plc", job("1", "running"), {12 * second});
        CHECK(watch.to_ask({100 * second}).empty());
        CHECK(watch.expire({19 * second}).size() == 1);
        for (int i = 0; i < 100; ++i)
            watch.note("plc", job(std::to_string(i + 2).c_str(), "queued"), {second});
        CHECK(watch.to_ask({100 * second}).size() == 16);
        CHECK(watch.to_ask({100 * second}).size() == 16);
    }

    TEST_CASE("after the event that told a job's end, none of it is told") {
        JobWatch watch;
        CHECK(watch.may_tell("plc", job("1", "running")));
        CHECK(watch.may_tell("plc", job("1", "succeeded")));
        CHECK_FALSE(watch.may_tell("plc", job("1", "failed")));
        CHECK_FALSE(watch.may_tell("plc", job("1", "running")));
        CHECK(watch.may_tell("ble", job("1", "running")));
        watch.lose({"plc"}, {Code::action_failed, "gone", 0, {}});
        CHECK(watch.may_tell("plc", job("1", "running")));
        // That somebody asked and was told of the end is no reason to keep it from the others.
        watch.note("plc", job("2", "succeeded"), {second});
        CHECK(watch.may_tell("plc", job("2", "succeeded")));
    }

    TEST_CASE("canceled is spelled one way, in a job and in a list of them") {
        CHECK_FALSE(JobWatch::respelled(job("1", "canceled")));
        CHECK_FALSE(JobWatch::respelled(Json(3)));
        CHECK(JobWatch::respelled(job("1", "cancelled")) == job("1", "canceled"));
        const Json list{{"jobs", {job("1", "running"), job("2", "cancelled"), 3}}};
        CHECK(JobWatch::respelled(list) == Json{{"jobs", {job("1", "running"), job("2", "canceled"), 3}}});
    }
}
