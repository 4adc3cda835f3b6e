#include "supervise/records.h"

#include <doctest/doctest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

using namespace labdeck;
using namespace labdeck::supervise;

namespace {

Json json_of(std::string_view text) {
    auto json = contract::parse_json(text);
    REQUIRE_MESSAGE(json.has_value(), json.error().message);
    return std::move(*json);
}

/// A script of a name, a command, and what `members` adds: R"("cwd":"/")".
Result<ScriptDefinition> script_with(const std::string& members) {
    return script_from_json(json_of(R"({"id":"s","name":"n","command":"c",)" + members + "}"),
                            IdRule::required);
}

std::string refused_key(const std::string& members) {
    const auto script = script_with(members);
    REQUIRE_FALSE(script.has_value());
    CHECK(script.error().code == Code::bad_arg);
    const Json details = json_of(script.error().details);
    const auto key = details.at("key").get<std::string>();
    CHECK(script.error().message.find(key) != std::string::npos);
    return key;
}

void comes_back_as_it_was(const std::string& text) {
    const auto script = script_from_json(json_of(text), IdRule::optional);
    REQUIRE_MESSAGE(script.has_value(), script.error().message);
    CHECK(contract::dump_line(to_json(*script)) == text);
    CHECK(script_from_json(to_json(*script), IdRule::optional).value() == *script);
}

}  // namespace

TEST_SUITE("supervise/records") {
    TEST_CASE("a script with every member comes back with every member") {
        comes_back_as_it_was(
            R"({"id":"s-1","name":"Bridge","command":"./bridge","args":["--port","/dev/ttyUSB0",""],"cwd":"/bench",)"
            R"("env":{"A":"1","TOKEN":{"secret":true}},"interpreter":"bash -c","autoStart":true,"autoRestart":false,)"
            R"("restartPolicy":"on-failure","backoffMs":250,"maxRetries":-1,)"
            R"("healthCheck":{"port":8080,"url":"http://localhost:8080/health","command":"true","intervalMs":1000,)"
            R"("timeoutMs":500},"restartOnUnhealthy":true,"stopGraceMs":3000,"stopSignal":"SIGINT",)"
            R"("profiles":["p"],"log":{"persist":true,"rotate":true,"maxBytes":65536,"maxFiles":3}})");
    }

    TEST_CASE("what was not given is not written back") {
        comes_back_as_it_was(R"({"name":"n","command":"c"})");
        comes_back_as_it_was(R"({"name":"n","command":"c","args":[],"env":{},"healthCheck":{},"log":{}})");
    }

    TEST_CASE("members that are not known are kept, inside others too, and come last") {
        comes_back_as_it_was(
            R"({"id":"s","name":"n","command":"c","healthCheck":{"port":1,"grpc":{"service":"x"}},)"
            R"("log":{"persist":false,"format":"plain"},"colour":"red","nested":[{"z":1,"a":null,"pi":3.5}]})");
        const auto profile = profile_from_json(json_of(R"({"icon":"x","id":"p","scriptIds":[],"name":"n"})"),
                                               IdRule::required);
        CHECK(contract::dump_line(to_json(profile.value())) ==
              R"({"id":"p","name":"n","scriptIds":[],"icon":"x"})");
    }

    TEST_CASE("a wrong member is refused with its place") {
        CHECK(refused_key(R"("args":"x")") == "args");
        CHECK(refused_key(R"("args":["a",2])") == "args[1]");
        CHECK(refused_key(R"("args":["a\u0000b"])") == "args[0]");
        CHECK(refused_key(R"("cwd":7)") == "cwd");
        CHECK(refused_key(R"("cwd":null)") == "cwd");
        CHECK(refused_key(R"("env":[])") == "env");
        CHECK(refused_key(R"("env":{"A":1})") == "env.A");
        CHECK(refused_key(R"("env":{"A=B":"x"})") == "env.A=B");
        CHECK(refused_key(R"("env":{"":"x"})") == "env.");
        CHECK(refused_key(R"("env":{"A":"x\u0000"})") == "env.A");
        CHECK(refused_key(R"("env":{"A":{"secret":false}})") == "env.A");
        CHECK(refused_key(R"("env":{"A":{"secret":true,"more":1}})") == "env.A");
        CHECK(refused_key(R"("autoStart":"yes")") == "autoStart");
        CHECK(refused_key(R"("restartPolicy":"sometimes")") == "restartPolicy");
        CHECK(refused_key(R"("backoffMs":-1)") == "backoffMs");
        CHECK(refused_key(R"("backoffMs":1.5)") == "backoffMs");
        CHECK(refused_key(R"("maxRetries":-2)") == "maxRetries");
        CHECK(refused_key(R"("maxRetries":18446744073709551615)") == "maxRetries");
        CHECK(refused_key(R"("healthCheck":true)") == "healthCheck");
        CHECK(refused_key(R"("healthCheck":{"port":0})") == "healthCheck.port");
        CHECK(refused_key(R"("healthCheck":{"port":65536})") == "healthCheck.port");
        CHECK(refused_key(R"("healthCheck":{"url":"ftp://x"})") == "healthCheck.url");
        CHECK(refused_key(R"("healthCheck":{"url":"http://"})") == "healthCheck.url");
        CHECK(refused_key(R"("healthCheck":{"command":""})") == "healthCheck.command");
        CHECK(refused_key(R"("healthCheck":{"intervalMs":0})") == "healthCheck.intervalMs");
        CHECK(refused_key(R"("stopGraceMs":3600001)") == "stopGraceMs");
        CHECK(refused_key(R"("stopSignal":"SIGSTOP")") == "stopSignal");
        CHECK(refused_key(R"("profiles":[1])") == "profiles[0]");
        CHECK(refused_key(R"("log":{"maxFiles":0})") == "log.maxFiles");
        CHECK(refused_key(R"("log":{"maxBytes":10})") == "log.maxBytes");
        CHECK(refused_key(R"("log":{"rotate":{}})") == "log.rotate");
    }

    TEST_CASE("id, name and command must be there and say something") {
        const auto refused = [](const char* text, IdRule rule = IdRule::required) {
            const auto script = script_from_json(json_of(text), rule);
            REQUIRE_FALSE(script.has_value());
            return script.error();
        };
        CHECK(refused(R"({"name":"n","command":"c"})").message == "missing required key: id");
        CHECK(refused(R"({"id":"","name":"n","command":"c"})").details == R"({"key":"id"})");
        CHECK(refused(R"({"id":"a\nb","name":"n","command":"c"})").details == R"({"key":"id"})");
        CHECK(refused(R"({"command":"c"})", IdRule::optional).message == "missing required key: name");
        CHECK(refused(R"({"name":"n","command":""})", IdRule::optional).message ==
              "command must not be empty");
        CHECK(refused(R"({"name":"n","command":"a\u0000"})", IdRule::optional).message ==
              "command must not contain NUL");
        CHECK(refused("[]", IdRule::optional).message == "params must be an object");
    }

    TEST_CASE("on-crash is another word for on-failure, and autoRestart alone means always") {
        CHECK(script_with(R"("restartPolicy":"on-crash")")->restart_policy == RestartPolicy::on_failure);
        CHECK(script_with(R"("restartPolicy":"on-crash")")->effective_policy() == RestartPolicy::on_failure);
        CHECK(script_with(R"("autoRestart":true)")->effective_policy() == RestartPolicy::always);
        CHECK(script_with(R"("autoRestart":true,"restartPolicy":"never")")->effective_policy() ==
              RestartPolicy::never);
        CHECK(script_with(R"("autoRestart":false)")->effective_policy() == RestartPolicy::never);
        CHECK(restart_policy_name(RestartPolicy::on_failure) == "on-failure");
    }

    TEST_CASE("a stop signal is known with and without SIG") {
        CHECK(stop_signal_number("SIGINT") == SIGINT);
        CHECK(stop_signal_number("TERM") == SIGTERM);
        CHECK_FALSE(stop_signal_number("int").has_value());
        CHECK_FALSE(stop_signal_number("9").has_value());
    }

    TEST_CASE("a profile names each script once, in its order") {
        const auto profile = profile_from_json(
            json_of(R"({"name":"n","scriptIds":["b","a","b"],"autoStartOnLogin":true})"), IdRule::optional);
        CHECK(profile.value().script_ids == std::vector<std::string>{"b", "a"});
        CHECK(profile.value().auto_start_on_login == true);
        CHECK_FALSE(profile_from_json(json_of(R"({"name":"n"})"), IdRule::optional).has_value());
    }

    TEST_CASE("settings are checked where they are known, and kept where they are not") {
        const std::string text =
            R"({"theme":"dark","notificationsNativeEnabled":true,"notificationsToastEnabled":false,)"
            R"("startMinimized":false,"updateChannel":"stable","updateFeed":"https://example.org/","updatePublicKey":"k","logsPath":"/var/log/bench",)"
            R"("crashReportingEnabled":false,"runs":{"max":2}})";
        CHECK(contract::dump_line(to_json(settings_from_json(json_of(text)).value())) == text);
        CHECK(settings_from_json(json_of(R"({"logsPath":"here"})")).error().details ==
              R"({"key":"logsPath"})");
        CHECK(settings_from_json(json_of(R"({"startMinimized":1})"), "data.settings").error().details ==
              R"({"key":"data.settings.startMinimized"})");
    }

    TEST_CASE("a document says where in it something is wrong") {
        const auto key = [](const char* text) {
            const auto data = data_from_json(json_of(text), "data");
            REQUIRE_FALSE(data.has_value());
            return json_of(data.error().details).at("key").get<std::string>();
        };
        CHECK(key("[]") == "data");
        CHECK(key(R"({"scripts":[],"profiles":[],"settings":{}})") == "data.schemaVersion");
        CHECK(key(R"({"schemaVersion":1,"profiles":[],"settings":{}})") == "data.scripts");
        CHECK(key(R"({"schemaVersion":2,"scripts":[],"profiles":[],"settings":{}})") == "data.schemaVersion");
        CHECK(key(R"({"schemaVersion":1,"scripts":[{"id":"a","name":"n","command":"c"},)"
                  R"({"id":"b","name":"n","command":"c","env":{"X":[]}}],"profiles":[],"settings":{}})") ==
              "data.scripts[1].env.X");
        CHECK(key(R"({"schemaVersion":1,"scripts":[{"id":"a","name":"n","command":"c"},)"
                  R"({"id":"a","name":"n","command":"c"}],"profiles":[],"settings":{}})") ==
              "data.scripts[1].id");
        CHECK(key(R"({"schemaVersion":1,"scripts":[],"profiles":[{"id":"p","name":"","scriptIds":[]}],)"
                  R"("settings":{}})") == "data.profiles[0].name");
        CHECK(key(R"({"schemaVersion":1,"scripts":[],"profiles":[],"settings":{"theme":1}})") ==
              "data.settings.theme");
    }

    TEST_CASE("what is not known must stay small enough to be kept") {
        std::string deep;
        for (int i = 0; i < 70; ++i) deep += "[";
        deep += std::string(70, ']');
        CHECK(refused_key("\"deep\":" + deep) == "deep");
        CHECK(refused_key("\"long\":\"" + std::string(70'000, 'x') + "\"") == "long");
    }
}
