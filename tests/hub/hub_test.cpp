#include "hub/hub.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <semaphore>
#include <thread>

#include "base/unique_fd.h"
#include "fakes/temp_folder.h"
#include "io/byte_channel.h"

using namespace labdeck;
using contract::Json;
using fakes::TempFolder;

namespace {

constexpr auto patience = std::chrono::seconds(20);

/// A hub on a bench of its own, with this thread as its window.
class Bench {
public:
    explicit Bench(const Json& spec) : inbox_([this] { news_.release(); }) {
        labdeck::io::ignore_sigpipe();  // As the program does: a provider may end before it is spoken to.
        std::ofstream(folder_.path() + "/labdeck.json") << spec.dump();
        link_.on_window_wake([this] { news_.release(); });
        hub::HubOptions options;
        options.version = "1.2.3";
        options.link = &link_;
        options.inbox = &inbox_;
        auto workspace = hub::Workspace::open(folder_.path());
        REQUIRE(workspace.has_value());
        auto hub = hub::Hub::start(std::move(*workspace), options);
        REQUIRE_MESSAGE(hub.has_value(), (hub ? "" : hub.error().message));
        hub_ = std::move(*hub);
        link_.on_event([this](const contract::Event& event) { events_.push_back(event); });
    }

    /// Waits until `true_now` is true; false when patience ends first.
    template <typename Condition>
    bool wait(Condition true_now) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!true_now()) {
            if (std::chrono::steady_clock::now() > end) return false;
            (void)news_.try_acquire_for(std::chrono::milliseconds(20));  // A late look costs 20 ms, no more.
            link_.poll();
            data::WindowMessage message;
            while (inbox_.take(message)) {
                if (auto* added = std::get_if<data::SourceAdded>(&message)) sources_.push_back(*added);
            }
        }
        return true;
    }

    Result<Json> call(std::string_view method, const Json& params) {
        std::optional<Result<std::shared_ptr<const Json>>> answer;
        link_.request(method, params, [&](auto got) { answer = std::move(got); });
        REQUIRE(wait([&] { return answer.has_value(); }));
        if (!*answer) return fail(answer->error());
        return **std::move(*answer);
    }

    /// Waits until the app's provider is in this state.
    bool provider_is(const std::string& app, const std::string& state) {
        for (int i = 0; i < 400; ++i) {
            const Json apps = call("app.list", Json::object()).value()["apps"];
            for (const Json& row : apps) {
                if (row["appId"] == app && row["providerState"] == state) return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
        }
        return false;
    }

    const std::string& root() const { return folder_.path(); }
    std::vector<contract::Event>& events() { return events_; }
    std::vector<data::SourceAdded>& sources() { return sources_; }
    void end() { hub_.reset(); }

private:
    TempFolder folder_;
    std::counting_semaphore<1 << 20> news_{0};
    contract::LocalLink link_;
    data::WindowInbox inbox_;
    std::unique_ptr<hub::Hub> hub_;
    std::vector<contract::Event> events_;
    std::vector<data::SourceAdded> sources_;
};

/// A client of the hub's socket, for whom a line is a line.
class LineClient {
public:
    explicit LineClient(const std::string& root) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        (root + "/.labdeck/labdeck.sock").copy(address.sun_path, sizeof address.sun_path - 1);
        REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }

    void say(const std::string& line) const {
        const std::string whole = line + "\n";
        REQUIRE(::write(fd_.get(), whole.data(), whole.size()) == static_cast<ssize_t>(whole.size()));
    }
    std::string answer() const {
        std::string line;
        for (char c = 0; c != '\n'; line += c) {
            pollfd polled{fd_.get(), POLLIN, 0};
            REQUIRE(::poll(&polled, 1, std::chrono::milliseconds(patience).count()) == 1);
            REQUIRE(::read(fd_.get(), &c, 1) == 1);
        }
        line.pop_back();
        return line;
    }

private:
    UniqueFd fd_;
};

Json fake_bench(const std::string& mode) {
    return {{"providers",
             {{{"name", "fakes"},
               {"apps", {"fake"}},
               {"command", {"/usr/bin/python3", LABDECK_SOURCE_ROOT "/tests/fakes/provider.py", mode}}}}}};
}

bool alive(int pid) {
    return ::kill(pid, 0) == 0;
}

}  // namespace

TEST_SUITE("hub/hub") {
    TEST_CASE("a call with an appId goes to the provider that hosts it") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const auto status = bench.call("status.get", {{"appId", "fake"}});
        REQUIRE(status.has_value());
        CHECK((*status)["appTitle"] == "Fake");
        CHECK((*status)["running"] == true);
        CHECK(bench.call("app.version", Json::object()).value() == "1.2.3");
        CHECK(bench.call("process.ping", Json::object()).value() == "pong");
    }

    TEST_CASE("an app nobody hosts, an unknown method and a wrong param each have their code") {
        Bench bench(fake_bench("plain"));
        CHECK(bench.call("status.get", {{"appId", "nobody"}}).error().code == Code::unsupported_app);
        CHECK(bench.call("status.take", {{"appId", "nobody"}}).error().code == Code::unsupported_method);
        const auto error = bench.call("status.get", Json::object()).error();
        CHECK(error.code == Code::bad_arg);
        CHECK(Json::parse(error.details)["key"] == "appId");
        CHECK(bench.call("source.stats", {{"sourceId", "src-999"}}).error().code == Code::not_found);
    }

    TEST_CASE("a killed provider shows with its reason, keeps the last status, and comes back") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        bench.call("events.subscribe", {{"topics", {"status.changed"}}}).value();
        const int pid = bench.call("status.get", {{"appId", "fake"}}).value()["pid"].get<int>();
        REQUIRE(::kill(pid, SIGKILL) == 0);
        REQUIRE(bench.wait([&] {
            for (const auto& event : bench.events()) {
                if ((*event.params)["providerState"] == "backoff") return true;
            }
            return false;
        }));
        const Json down = bench.call("status.get", {{"appId", "fake"}}).value();
        CHECK(down["appTitle"] == "Fake");
        CHECK(down["running"] == false);
        CHECK(down["pid"].is_null());
        CHECK(down["error"].get<std::string>().find("killed by SIGKILL") != std::string::npos);
        CHECK(bench.call("action.list", {{"appId", "fake"}}).error().code == Code::io);
        REQUIRE(bench.provider_is("fake", "up"));
        CHECK(bench.call("status.get", {{"appId", "fake"}}).value()["pid"] != pid);
    }

    TEST_CASE("a request that its provider dies over is answered") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const auto answer =
            bench.call("action.invoke", {{"appId", "fake"}, {"actionName", "die"}, {"args", Json::object()}});
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().code == Code::io);
    }

    TEST_CASE("the legacy action.run waits for the job's final state") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const auto job =
            bench.call("action.run", {{"appId", "fake"}, {"actionName", "ok"}, {"args", Json::object()}});
        REQUIRE(job.has_value());
        CHECK((*job)["state"] == "succeeded");
    }

    TEST_CASE("a peer of another interface or major version is refused, and not started again") {
        for (const char* mode : {"other-interface", "other-version"}) {
            CAPTURE(mode);
            Bench bench(fake_bench(mode));
            REQUIRE(bench.provider_is("fake", "failed"));
            const Json apps = bench.call("app.list", Json::object()).value()["apps"];
            CHECK(apps[0]["error"].get<std::string>().find("generic-process-interface") != std::string::npos);
        }
    }

    TEST_CASE("a provider that writes rubbish is named and still answers") {
        Bench bench(fake_bench("rubbish"));
        REQUIRE(bench.provider_is("fake", "up"));
        CHECK(bench.call("status.get", {{"appId", "fake"}}).has_value());
    }

    TEST_CASE("a provider cannot speak for another one's app") {
        Bench bench(fake_bench("stray"));
        bench.call("events.subscribe", {{"topics", {"status.changed"}}}).value();
        REQUIRE(bench.provider_is("fake", "up"));
        bench.call("status.get", {{"appId", "fake"}}).value();
        for (const auto& event : bench.events()) CHECK((*event.params)["appId"] == "fake");
    }

    TEST_CASE("a program that is not there fails at once and says so") {
        Bench bench(
            Json{{"providers", {{{"name", "gone"}, {"apps", {"a"}}, {"command", {"/no/such/program"}}}}}});
        REQUIRE(bench.provider_is("a", "failed"));
        const Json apps = bench.call("app.list", Json::object()).value()["apps"];
        CHECK(apps[0]["error"].get<std::string>().find("/no/such/program") != std::string::npos);
    }

    TEST_CASE("a provider's log and a command's output are sources whose tails can be read") {
        Json spec = fake_bench("plain");
        spec["commands"] = {{{"name", "counter"}, {"command", {"/bin/sh", "-c", "seq 1 5000"}}}};
        Bench bench(spec);
        REQUIRE(bench.provider_is("fake", "up"));
        const auto by_name = [&](const std::string& name) -> std::string {
            const Json list = bench.call("source.list", Json::object()).value();
            for (const Json& row : list["sources"]) {
                if (row["name"] == name) return row["sourceId"].get<std::string>();
            }
            return {};
        };
        Json stats;
        REQUIRE(bench.wait([&] {
            const std::string id = by_name("counter");
            if (id.empty()) return false;
            stats = bench.call("source.stats", {{"sourceId", id}}).value();
            return stats["lines"] == 5000;
        }));
        CHECK(stats["bytes"] == 23'893);
        CHECK(stats["drops"] == 0);
        const Json tail = bench.call("source.tail", {{"sourceId", by_name("counter")}, {"lines", 3}}).value();
        REQUIRE(tail["lines"].size() == 3);
        CHECK(tail["lines"][2]["text"] == "5000");
        CHECK(tail["lines"][2]["index"] == 4999);
        CHECK(by_name("fakes") != "");
        CHECK(by_name("labdeck") != "");
    }

    TEST_CASE("a cable carries bytes between its two ends and both directions are sources") {
        Bench bench(Json{{"cables", {{{"name", "c"}, {"a", "left"}, {"b", "right"}}}}});
        const auto pair = bench.call("serial.pair", {{"a", "one"}, {"b", "two"}});
        REQUIRE(pair.has_value());
        CHECK(std::filesystem::is_symlink((*pair)["a"].get<std::string>()));
        CHECK(bench.call("serial.pair", {{"a", "one"}, {"b", "three"}}).error().code == Code::busy);
        CHECK(bench.call("serial.pair", {{"a", "../x"}, {"b", "three"}}).error().code == Code::bad_arg);
        CHECK(bench.call("serial.list", Json::object()).value()["ports"].size() >= 4);
        bench.end();
        CHECK_FALSE(std::filesystem::is_symlink((*pair)["a"].get<std::string>()));
    }

    TEST_CASE("ending the hub ends its children and removes its socket") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const int pid = bench.call("status.get", {{"appId", "fake"}}).value()["pid"].get<int>();
        struct stat socket {};
        REQUIRE(::stat((bench.root() + "/.labdeck/labdeck.sock").c_str(), &socket) == 0);
        CHECK((socket.st_mode & 0777) == 0600);
        bench.end();
        CHECK_FALSE(alive(pid));
        CHECK(::stat((bench.root() + "/.labdeck/labdeck.sock").c_str(), &socket) != 0);
    }

    TEST_CASE("params and responses keep their spelling on the way through the hub") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const LineClient client(bench.root());
        for (const char* value :
             {"12345678901234567890", "123456789012345678901234567890", "-9223372036854775809", "1.0", "1.10",
              "0.1234567890123456789", "1E-7", R"({ "a" : [ 1.00 , "\u00e4\/" ] })", "null"}) {
            CAPTURE(value);
            client.say(R"({"id":"set","method":"config.set","params":{"appId":"fake","key":"k","value":)" +
                       std::string(value) + "}}");
            CHECK(client.answer().starts_with(R"({"id":"set","ok":true)"));
            client.say(R"({"id":"get","method":"config.get","params":{"appId":"fake"}})");
            CHECK(client.answer() == R"({"id":"get","ok":true,"response":)" + std::string(value) + "}");
        }
    }

    TEST_CASE("a number that nobody can keep is refused, from a client as from a provider") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const LineClient client(bench.root());
        client.say(R"({"id":1,"method":"config.set","params":{"appId":"fake","key":"k","value":1e400}})");
        CHECK(client.answer().starts_with(R"({"id":null,"ok":false,"error":{"code":"E_BAD_ARG")"));
        // The provider's own is no message: it is counted, and what was asked stays open until its time is
        // over.
        Bench wrong(fake_bench("huge"));
        REQUIRE(wrong.provider_is("fake", "up"));
        const LineClient asker(wrong.root());
        asker.say(R"({"id":1,"method":"config.get","params":{"appId":"fake"}})");
        const auto bad_lines = [&] {
            return wrong.call("app.list", Json::object()).value()["apps"][0]["badLines"].get<int>();
        };
        for (int i = 0; i < 400 && bad_lines() == 0; ++i)
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
        CHECK(bad_lines() == 1);
        asker.say(R"({"id":2,"method":"status.get","params":{"appId":"fake"}})");
        CHECK(asker.answer().starts_with(R"({"id":2,"ok":true)"));
    }

    TEST_CASE("a key that stands twice is said once to the provider and to the client") {
        Bench bench(fake_bench("plain"));
        REQUIRE(bench.provider_is("fake", "up"));
        const LineClient client(bench.root());
        client.say(
            R"({"id":1,"method":"config.set","params":{"appId":"fake","key":"k","value":{"a":1,"a":2}}})");
        CHECK(client.answer().starts_with(R"({"id":1,"ok":true)"));
        client.say(R"({"id":2,"method":"config.get","params":{"appId":"fake"}})");
        CHECK(client.answer() == R"({"id":2,"ok":true,"response":{"a":1}})");
    }

    TEST_CASE("a provider whose answers have the wrong types spoils nothing but its own") {
        Json spec = fake_bench("odd");
        spec["providers"].push_back(fake_bench("plain")["providers"][0]);
        spec["providers"][1]["name"] = "good";
        spec["providers"][1]["apps"] = {"good"};
        spec["providers"][1]["command"].push_back("good");
        Bench bench(spec);
        REQUIRE(bench.provider_is("fake", "up"));
        REQUIRE(bench.provider_is("good", "up"));
        CHECK(bench.call("status.get", {{"appId", "fake"}}).value()["running"] == "yes");
        CHECK(bench.call("status.get", {{"appId", "good"}}).has_value());
        const Json apps = bench.call("app.list", Json::object()).value()["apps"];
        CHECK(apps[0]["title"] == "fake");
        CHECK(apps[0]["state"] == "stopped");
        CHECK(apps[1]["title"] == "Fake");
        CHECK(apps[1]["state"] == "running");
        const Json invoke{{"appId", "fake"}, {"actionName", "ok"}, {"args", Json::object()}};
        CHECK(bench.call("action.invoke", invoke).value()[0] == "job-1");
        const auto run = bench.call("action.run", invoke);
        REQUIRE_FALSE(run.has_value());
        CHECK(run.error().code == Code::internal);
        CHECK(bench.call("status.get", {{"appId", "good"}}).has_value());
    }

    TEST_CASE("a provider is started again as often as its bench says, and no more") {
        Json spec = fake_bench("plain");
        spec["providers"][0]["backoffMs"] = 1;
        spec["providers"][0]["maxRetries"] = 2;
        Bench bench(spec);
        int last = 0;
        for (int life = 0; life < 3; ++life) {
            REQUIRE(bench.provider_is("fake", "up"));
            const int pid = bench.call("status.get", {{"appId", "fake"}}).value()["pid"].get<int>();
            CHECK(pid != last);
            last = pid;
            REQUIRE(::kill(pid, SIGKILL) == 0);
            REQUIRE(bench.wait([&] { return !alive(pid); }));
        }
        REQUIRE(bench.provider_is("fake", "failed"));
        const Json apps = bench.call("app.list", Json::object()).value()["apps"];
        CHECK(apps[0]["error"].get<std::string>().find("3 times in a row") != std::string::npos);
    }

    TEST_CASE("a provider that dies over and over is given up, also where its bench sets no limit") {
        Json spec = fake_bench("plain");
        spec["providers"][0]["command"] = {"/bin/false"};
        spec["providers"][0]["backoffMs"] = 0;
        spec["providers"][0]["maxRetries"] = -1;
        Bench bench(spec);
        REQUIRE(bench.provider_is("fake", "failed"));
        const Json apps = bench.call("app.list", Json::object()).value()["apps"];
        CHECK(apps[0]["error"] == "exit 1; crash-loop: 30 starts within 10 minutes");
    }
}
