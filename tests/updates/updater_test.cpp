#include "updates/updater.h"

#include <doctest/doctest.h>

#include "updates/update_world.h"

using namespace labdeck;
using namespace labdeck::updates;
using namespace labdeck::updates::world;

namespace {

/// A feed in a folder, a program that it is for, and the hub's side of the updater.
struct Bench {
    Bench() {
        write(here / "labdeck", program_of("1.0.0"), 0755);
        settings = {"file://" + feed.path(), signer.public_key(), ""};
        updater = std::make_unique<Updater>(
            UpdaterOptions{Version::parse("1.0.0").value(), here / "labdeck", cache / "updates"},
            UpdaterHooks{[this](const Json& params) { events.push_back(params); },
                         [this](std::string_view, const std::string& text) { log += text + "\n"; }},
            *reactor);
    }
    void offer(const std::string& version, const std::string& channel = "stable") {
        const std::string program = program_of(version);
        const Release release = release_of(version, program, channel);
        write(feed / release.file, program);
        write(feed / "manifest.json", manifest_of(Json::array({entry_of(release, signer)}), channel).dump());
    }
    template <typename Call>
    Result<Json> wait(Call call) {
        Result<Json> answer;
        call([&](Result<Json> result) {
            answer = std::move(result);
            reactor->stop();
        });
        reactor->run();
        return answer;
    }
    Json check() {
        return wait([this](const auto& answer) { updater->check(settings, answer); }).value();
    }
    Json download() {
        return wait([this](const auto& answer) { updater->download(settings, answer); }).value();
    }
    Result<Json> install() {
        return wait([this](const auto& answer) { updater->install(answer); });
    }
    std::vector<std::string> types() const {
        std::vector<std::string> types;
        for (const Json& event : events) {
            if (types.empty() || types.back() != event.at("type")) types.push_back(event.at("type"));
        }
        return types;
    }

    Folder feed;
    Folder here;
    Folder cache;
    Signer signer;
    FeedSettings settings;
    std::vector<Json> events;
    std::string log;
    std::unique_ptr<io::Reactor> reactor = io::Reactor::create("update").value();
    std::unique_ptr<Updater> updater;
};

using Types = std::vector<std::string>;

}  // namespace

TEST_SUITE("updates/updater") {
    TEST_CASE("a newer program is found, fetched and put in place, and each step is told") {
        Bench bench;
        bench.offer("1.1.0");
        CHECK(bench.updater->status().at("state") == "idle");
        CHECK(bench.check() == Json{{"ok", true}});
        REQUIRE(bench.types() == Types{"available"});
        CHECK(bench.events[0].at("info").at("version") == "1.1.0");
        CHECK(bench.updater->status().at("state") == "available");
        CHECK(bench.download() == Json{{"ok", true}});
        CHECK(bench.types() == Types{"available", "progress", "downloaded"});
        const Json last = bench.events[bench.events.size() - 2].at("info");
        CHECK(last.at("bytes") == last.at("size"));
        CHECK(bench.updater->status().at("state") == "downloaded");
        // Another look does not forget what is here.
        CHECK(bench.check() == Json{{"ok", true}});
        CHECK(bench.updater->status().at("state") == "downloaded");
        CHECK(bench.install().value() == Json(nullptr));
        CHECK(read(bench.here / "labdeck") == program_of("1.1.0"));
        CHECK(bench.updater->status().at("state") == "installed");
    }

    TEST_CASE("the same version, an older one and an empty channel are no update and are not fetched") {
        Bench bench;
        for (const char* version : {"1.0.0", "0.9.0", "1.0.0-rc.1"}) {
            CAPTURE(version);
            bench.events.clear();
            bench.offer(version);
            CHECK(bench.check() == Json{{"ok", true}});
            REQUIRE(bench.types() == Types{"none"});
            CHECK(bench.events[0].at("info").at("version") == "1.0.0");
            const Json answer = bench.download();
            CHECK(answer.at("ok") == false);
            CHECK(answer.at("error").get<std::string>().find("nothing older takes its place") !=
                  std::string::npos);
            CHECK_FALSE(bench.install());
        }
        bench.offer("2.0.0", "beta");
        CHECK(bench.download().at("error").get<std::string>().find("the channel stable has nothing") == 0);
        bench.settings.channel = "beta";
        CHECK(bench.download().at("ok") == true);
        CHECK(read(bench.here / "labdeck") == program_of("1.0.0"));
        CHECK(std::filesystem::is_directory(bench.cache / "updates"));
    }

    TEST_CASE("a feed of another key is refused, and so is a program that was changed on its way") {
        Bench bench;
        bench.offer("1.1.0");
        const FeedSettings good = bench.settings;
        bench.settings.key = Signer().public_key();
        CHECK(bench.check().at("error").get<std::string>().find("signature") != std::string::npos);
        CHECK(bench.types() == Types{"error"});
        bench.settings = good;
        write(bench.feed / "labdeck-1.1.0", program_of("6.6.6"));
        CHECK(bench.download().at("error").get<std::string>().find("not what the feed has signed") !=
              std::string::npos);
        const auto installed = bench.install();
        REQUIRE_FALSE(installed);
        CHECK(installed.error().code == Code::not_found);
        CHECK(read(bench.here / "labdeck") == program_of("1.0.0"));
    }

    TEST_CASE("what is changed between the download and the installing is not installed") {
        Bench bench;
        bench.offer("1.1.0");
        REQUIRE(bench.download().at("ok") == true);
        for (const auto& entry : std::filesystem::directory_iterator(bench.cache / "updates"))
            write(entry.path(), program_of("6.6.6"));
        const auto installed = bench.install();
        REQUIRE_FALSE(installed);
        CHECK(installed.error().code == Code::denied);
        CHECK(bench.types().back() == "error");
        CHECK(read(bench.here / "labdeck") == program_of("1.0.0"));
        // And the next download mends it.
        CHECK(bench.download().at("ok") == true);
        CHECK(bench.install());
    }

    TEST_CASE("what is not set is asked for") {
        Bench bench;
        const FeedSettings good = bench.settings;
        const auto said = [&](const FeedSettings& settings) {
            bench.settings = settings;
            return bench.check().at("error").get<std::string>();
        };
        CHECK(said({"", good.key, ""}).find("no feed is set") == 0);
        CHECK(said({good.url, "", ""}).find("no key is set") == 0);
        CHECK(said({good.url, "abc", ""}).find("the setting updatePublicKey is no Ed25519 public key") == 0);
        CHECK(said({"http://example.org", good.key, ""}).find("the setting updateFeed is http://") == 0);
        CHECK(said({good.url, good.key, "No Channel"}).find("the setting updateChannel") == 0);
        CHECK(said(good).find("manifest.json") != std::string::npos);  // There is none.
    }

    TEST_CASE("one thing at a time; the end gives up what is under way, and says so") {
        Bench bench;
        RawServer server({""});
        bench.settings.url = server.url("");
        Json first;
        bench.updater->check(bench.settings, [&](Result<Json> answer) {
            first = answer ? *answer : Json(describe(answer.error()));
        });
        Json second;
        bench.updater->download(bench.settings, [&](const Result<Json>& answer) { second = answer.value(); });
        CHECK(second == Json{{"ok", false}, {"error", "a check is under way"}});
        Result<Json> third;
        bench.updater->install([&](Result<Json> answer) { third = std::move(answer); });
        REQUIRE_FALSE(third);
        CHECK(third.error().code == Code::busy);
        CHECK(bench.updater->status().at("busy") == "check");
        bench.updater.reset();
        CHECK(first == "E_CANCELED: Labdeck is ending");
    }
}
