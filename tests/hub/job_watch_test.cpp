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
}
