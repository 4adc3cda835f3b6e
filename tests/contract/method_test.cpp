#include "contract/method.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

using namespace labdeck;
using namespace labdeck::contract;

namespace {

/// The key named by the refusal, "" when there is none.
std::string refused_key(std::string_view method, const Json& params) {
    const auto result = check_params(*find_method(method), params);
    if (result) return "";
    CHECK(result.error().code == Code::bad_arg);
    return parse_json(result.error().details).value()["key"];
}

}  // namespace

TEST_SUITE("contract/method") {
    TEST_CASE("every row has what a reader needs") {
        std::set<std::string_view> names;
        for (const Method& method : methods()) {
            CAPTURE(method.name);
            CHECK(names.insert(method.name).second);
            CHECK_FALSE(method.help.empty());
            CHECK_FALSE(method.response.empty());
            CHECK_FALSE(method.group.empty());
            for (const Param& param : method.params) CHECK_FALSE(param.help.empty());
            CHECK(find_method(method.name) == &method);
        }
    }

    TEST_CASE("the reference documents' spellings lead to the canonical method") {
        const std::pair<const char*, const char*> spellings[] = {{"status", "status.get"},
                                                                 {"config.show", "config.get"},
                                                                 {"actions.list", "action.list"},
                                                                 {"process:ping", "process.ping"},
                                                                 {"getAppVersion", "app.version"},
                                                                 {"get_app_version", "app.version"},
                                                                 {"log", "log.write"},
                                                                 {"list_actions", "action.list"}};
        for (const auto& spelling : spellings) {
            const auto [alias, name] = spelling;
            CAPTURE(spelling.first);
            bool was_alias = false;
            const Method* method = find_method(alias, &was_alias);
            REQUIRE(method != nullptr);
            CHECK(method->name == name);
            CHECK(was_alias);
        }
        // The channels of the supervisor's reference, all of them.
        for (std::string channel :
             {"process:ping",      "scripts:list",     "scripts:create",    "scripts:upsert",
              "scripts:delete",    "profiles:list",    "profiles:upsert",   "profiles:delete",
              "profiles:startAll", "profiles:stopAll", "settings:get",      "settings:update",
              "data:export",       "data:import",      "process:start",     "process:stop",
              "process:restart",   "process:snapshot", "process:snapshots", "process:killTree",
              "process:readLog",   "updates:check",    "updates:download",  "updates:quitAndInstall"}) {
            CAPTURE(channel);
            const Method* const method = find_method(channel);
            REQUIRE(method != nullptr);
            channel.replace(channel.find(':'), 1, ".");
            CHECK(method->name == channel);
        }
        bool was_alias = true;
        CHECK(find_method("config.set", &was_alias)->name == "config.set");
        CHECK_FALSE(was_alias);
        CHECK(find_method("action.run")->name == "action.run");
        CHECK(find_method("status.GET") == nullptr);
        CHECK(find_method("") == nullptr);
    }

    TEST_CASE("the first param that is missing or mistyped is named") {
        CHECK(refused_key("status.get", Json::object()) == "appId");
        CHECK(refused_key("status.get", {{"appId", 5}}) == "appId");
        CHECK(refused_key("status.get", {{"appId", nullptr}}) == "appId");
        CHECK(refused_key("config.set", {{"appId", "a"}, {"value", 1}}) == "key");
        CHECK(refused_key("config.set", {{"appId", "a"}, {"key", "k"}}) == "value");
        CHECK(refused_key("config.set", {{"appId", "a"}, {"key", "k"}, {"value", nullptr}}).empty());
        CHECK(refused_key("action.invoke", {{"appId", "a"}, {"actionName", "x"}, {"args", Json::array()}}) ==
              "args");
        CHECK(refused_key("action.invoke", {{"appId", "a"}, {"actionName", "x"}}).empty());
        CHECK(refused_key("events.subscribe", {{"topics", "log"}}) == "topics");
        CHECK(refused_key("events.subscribe", {{"topics", {"log", 1}}}) == "topics");
        CHECK(refused_key("events.subscribe", {{"topics", {"log"}}}).empty());
        CHECK(check_params(*find_method("status.get"), Json::object()).error().message ==
              "missing required key: appId");
    }

    TEST_CASE("numbers out of range and words that are no choice are named") {
        for (const auto& lines :
             {Json(0), Json(10'001), Json(-1), Json(1.5), Json(UINT64_MAX), Json("5"), Json(1e300)}) {
            CAPTURE(lines.dump());
            CHECK(refused_key("source.tail", {{"sourceId", "src-1"}, {"lines", lines}}) == "lines");
        }
        CHECK(refused_key("source.tail", {{"sourceId", "src-1"}, {"lines", 1}}).empty());
        CHECK(refused_key("source.tail", {{"sourceId", "src-1"}, {"lines", 10'000}}).empty());
        CHECK(refused_key("log.write", {{"level", "loud"}, {"text", "x"}}) == "level");
        CHECK(refused_key("log.write", {{"level", "warn"}, {"text", "x"}}) == "level");
        CHECK(refused_key("log.write", {{"level", "warning"}, {"text", "x"}}).empty());
    }

    TEST_CASE("keys that nobody knows are let through") {
        CHECK(refused_key("ping", {{"later", 1}}).empty());
        CHECK(refused_key("status.get", {{"appId", "a"}, {"later", {{"x", 1}}}}).empty());
    }

    TEST_CASE("an alias adopts snake_case keys that the row knows, and only those") {
        const Method& method = *find_method("action.job.get");
        CHECK(adopt_alias_keys(method, {{"app_id", "a"}, {"job_id", "j"}, {"other_key", 1}}).dump() ==
              R"({"appId":"a","jobId":"j","other_key":1})");
        const Json both = adopt_alias_keys(method, {{"app_id", "snake"}, {"appId", "camel"}});
        CHECK(both["appId"] == "camel");
        CHECK(both["app_id"] == "snake");
    }

    TEST_CASE("topics have one canonical spelling") {
        const std::pair<const char*, const char*> spellings[] = {{"process:status:event", "process.status"},
                                                                 {"process:log:event", "process.log"},
                                                                 {"pty:data", "pty.data"},
                                                                 {"updates:event", "updates"},
                                                                 {"stream-data", "stream.data"},
                                                                 {"stream-end", "stream.end"},
                                                                 {"status.changed", "status.changed"},
                                                                 {"run_event", "run_event"},
                                                                 {"log", "log"},
                                                                 {"x:y:z", "x.y.z"}};
        for (const auto& [alias, name] : spellings) CHECK(canonical_topic(alias) == name);
    }

    TEST_CASE("the table is printed whole, as Markdown and as text") {
        const std::string markdown = methods_markdown();
        const std::string text = methods_text();
        for (const Method& method : methods()) {
            CHECK(markdown.find("| `" + std::string(method.name) + "` |") != std::string::npos);
            CHECK(text.find(std::string(method.name) + " ") != std::string::npos);
        }
        for (const char* group :
             {"### Process interface\n", "### Lifecycle and log\n", "### Sources\n", "### Serial\n"}) {
            CHECK(markdown.find(group) != std::string::npos);
        }
        CHECK(markdown.find("`level debug\\|info\\|warning\\|error`") != std::string::npos);
        CHECK(text.find("{appId, state?, limit?}") != std::string::npos);
    }

    TEST_CASE("a param that takes anything takes any number") {
        const Method* const set = find_method("config.set");
        REQUIRE(set != nullptr);
        for (const Json& value : {Json(1e300), Json(UINT64_MAX), Json(INT64_MIN)}) {
            CHECK(check_params(*set, Json{{"appId", "a"}, {"key", "k"}, {"value", value}}));
        }
    }
}
