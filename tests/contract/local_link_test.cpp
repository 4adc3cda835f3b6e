#include "contract/local_link.h"

#include <doctest/doctest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

std::shared_ptr<const Json> tree(Json json) {
    return std::make_shared<const Json>(std::move(json));
}

}  // namespace

TEST_SUITE("contract/local_link") {
    TEST_CASE("a question crosses to the hub and its answer comes back in poll") {
        LocalLink link;
        int hub_wakes = 0;
        int window_wakes = 0;
        link.on_hub_wake([&] { ++hub_wakes; });
        link.on_window_wake([&] { ++window_wakes; });
        Json got;
        link.request("status.get", Json{{"appId", "a"}}, [&](const auto& answer) { got = **answer; });
        CHECK(hub_wakes == 1);
        CHECK(link.pending() == 1);

        LocalLink::ToHub asked;
        REQUIRE(link.take(asked));
        CHECK_FALSE(link.take(asked));
        CHECK(asked.request.method == "status.get");
        CHECK(asked.asked.ns > 0);
        link.send(Answer{*asked.request.id, tree(7)});
        CHECK(window_wakes == 1);
        CHECK(got.is_null());
        CHECK(link.poll() == 1);
        CHECK(got == 7);
        CHECK(link.pending() == 0);
    }

    TEST_CASE("a full queue refuses requests in the next poll and never drops an answer") {
        LocalLink link;
        std::size_t answered = 0;
        std::size_t refused = 0;
        const auto count = [&](const auto& answer) { ++(answer ? answered : refused); };
        for (std::size_t i = 0; i < LocalLink::messages_max + 10; ++i) link.request("ping", Json(), count);
        CHECK(refused == 0);
        CHECK(link.poll() == 10);
        CHECK(refused == 10);
        CHECK_FALSE(link.notify("log.write", Json()));

        LocalLink::ToHub asked;
        while (link.take(asked)) link.send(Answer{*asked.request.id, tree(1)});
        // As many as may be unanswered: the hub has them, the window has not looked yet.
        link.request("ping", Json(), count);
        CHECK(link.poll() == LocalLink::messages_max + 1);
        CHECK(answered == LocalLink::messages_max);
        CHECK(refused == 11);
        CHECK(link.notify("log.write", Json()));
        REQUIRE(link.take(asked));
        CHECK_FALSE(asked.request.id.has_value());
    }

    TEST_CASE("events beyond the bound are dropped and counted") {
        LocalLink link;
        std::size_t seen = 0;
        link.on_event([&](const Event&) { ++seen; });
        for (std::size_t i = 0; i < LocalLink::messages_max + 5; ++i)
            link.send(Event{"log", tree(Json::object())});
        CHECK(link.dropped_events() == 5);
        link.poll();
        CHECK(seen == LocalLink::messages_max);
        link.send(Event{"log", tree(Json::object())});
        CHECK(link.poll() == 1);
    }

    TEST_CASE("many events put at once wake nobody and are bounded all the same") {
        LocalLink link;
        int wakes = 0;
        std::size_t heard = 0;
        link.on_window_wake([&] { ++wakes; });
        link.on_event([&](const Event&) { ++heard; });
        link.put_all(std::vector<Event>(LocalLink::messages_max + 3, Event{"e", tree(1)}));
        CHECK(wakes == 0);
        CHECK(link.dropped_events() == 3);
        link.poll();
        CHECK(heard == LocalLink::messages_max);
    }

    TEST_CASE("two threads lose nothing and keep the order") {
        constexpr int rounds = 20'000;
        LocalLink link;
        std::atomic<bool> done{false};
        std::thread hub([&] {
            LocalLink::ToHub asked;
            while (!done) {
                if (!link.take(asked)) {
                    std::this_thread::yield();
                    continue;
                }
                link.send(Event{"traffic", asked.request.params});
                link.send(Answer{*asked.request.id, asked.request.params});
            }
        });
        int next_sent = 0;
        int next_answer = 0;
        int last_event = -1;
        bool in_order = true;
        link.on_event([&](const Event& event) {
            const int n = (*event.params)["n"];
            in_order = in_order && n > last_event;
            last_event = n;
        });
        while (next_answer < rounds && in_order) {
            if (next_sent < rounds && link.pending() < 1000) {
                link.request("ping", Json{{"n", next_sent++}}, [&](const auto& answer) {
                    in_order = in_order && answer && (**answer)["n"] == next_answer;
                    ++next_answer;
                });
            }
            link.poll();
        }
        done = true;
        hub.join();
        CHECK(in_order);
        CHECK(next_answer == rounds);
        CHECK(link.pending() == 0);
    }
}
