#include "contract/event_stream.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "contract/envelope.h"
#include "contract/json.h"

using namespace labdeck::contract;

namespace {

/// What came out of a text: each traffic event as its fields, every other line as itself.
struct Seen {
    std::vector<std::string> events;
    std::vector<std::string> others;
    bool operator==(const Seen&) const = default;
};

std::string fields_text(std::string_view port, std::uint64_t rx, double time) {
    return std::string(port) + "/" + std::to_string(rx) + "/" + std::to_string(time);
}

class Recorder {
public:
    Recorder() {
        stream_.on("traffic", [this](EventFields& params) {
            std::string_view port = "-";
            std::uint64_t rx = 0;
            double time = 0;
            params.get("port", port);
            params.get("rxBytes", rx);
            params.get("time", time);
            seen.events.push_back(fields_text(port, rx, time));
        });
    }
    void feed(std::string_view bytes) {
        // A copy of its own, so that the sanitizer sees a read beyond it.
        const std::vector<char> copy(bytes.begin(), bytes.end());
        stream_.feed({copy.data(), copy.size()});
    }
    EventStream& stream() { return stream_; }
    Seen seen;

private:
    EventStream stream_{[this](std::string_view line) { seen.others.emplace_back(line); }};
};

/// The same by splitting at newlines and decode().
Seen line_by_line(std::string_view text) {
    Seen seen;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line == "\r") continue;
        const Message message = decode(line);
        const auto* event = std::get_if<Event>(&message);
        if (event != nullptr && event->name == "traffic") {
            const Json& p = *event->params;
            const bool whole = p.contains("rxBytes") && p["rxBytes"].is_number_unsigned();
            seen.events.push_back(fields_text(
                p.value("port", "-"), whole ? p["rxBytes"].get<std::uint64_t>() : 0, p.value("time", 0.0)));
        } else {
            seen.others.emplace_back(line);
        }
    }
    return seen;
}

const std::string mixed =
    R"({"event":"traffic","params":{"appId":"bridge","port":"plc","rxBytes":123,"txBytes":4,"time":1700000000.125}})"
    "\n"
    R"({"id":7,"ok":true,"response":{"pong":true}})"
    "\n"
    "not json at all\n"
    "\n\r\n"
    R"({"event":"traffic","params":{"port":"a\"b\u00e4","rxBytes":18446744073709551615,"time":-2.5e3}})"
    "\r\n"
    R"( { "event" : "traffic" , "params" : { "x" : [ 1 , { "y" : [] , "z" : {} } ] , "port" : "ble" , "time" : 5 } } )"
    "\n"
    R"({"event":"log","params":{"text":"x"}})"
    "\n"
    R"({"event":"traffic","params":{"port":"cut)"
    "\n"
    "\"\n"
    R"({"event":"traffic"}{"event":"traffic"})"
    "\n"
    R"({"event":"traffic","params":{"port":)"
    "\n"
    R"("spread"}})"
    "\n"
    R"({"params":{"time":1,"rxBytes":2,"port":"swapped"},"event":"traffic"})"
    "\n"
    R"({"event":"traffic","params":{}})"
    "\n"
    R"({"event":"traffic"})"
    "\n"
    R"({"event":"traffic","params":[1]})"
    "\n"
    R"({"event":"traffic","params":{"port":"x",}})"
    "\n"
    R"({"event":"traffic","params":{"port":"x"}]})"
    "\n"
    R"({"event":"traffic","params":{"port":nope}})"
    "\n"
    R"({"event":"traffic","params":{"port":"x" "y"}})"
    "\n"
    R"({"event":5,"params":{}})"
    "\n"
    R"({"event":"traffic","method":"ping"})"
    "\n"
    "{\"event\":\"traffic\",\"params\":{\"port\":\"\xff\"}}\n"
    "[1,2]\n{}\n17\n   \n"
    R"({"event":"traffic","params":{"port":"last","rxBytes":1,"rxBytes":2,"time":0.1}})"
    "\n";

std::string traffic(int n) {
    return R"({"event":"traffic","params":{"port":"p","rxBytes":)" + std::to_string(n) + "}}\n";
}

}  // namespace

TEST_SUITE("contract/event_stream") {
    TEST_CASE("a text cut at any byte gives what decoding line by line gives") {
        const Seen expected = line_by_line(mixed);
        REQUIRE(expected.events.size() == 7);
        for (std::size_t cut = 0; cut <= mixed.size(); ++cut) {
            CAPTURE(cut);
            Recorder recorder;
            recorder.feed(std::string_view(mixed).substr(0, cut));
            recorder.feed(std::string_view(mixed).substr(cut));
            CHECK(recorder.seen.events == expected.events);
            CHECK(recorder.seen.others == expected.others);
        }
        for (const std::size_t piece : {1U, 2U, 7U, 63U, 64U, 65U}) {
            Recorder recorder;
            for (std::size_t at = 0; at < mixed.size(); at += piece)
                recorder.feed(std::string_view(mixed).substr(at, piece));
            CHECK(recorder.seen == expected);
        }
    }

    TEST_CASE("bad lines in a large batch cost no good line") {
        Recorder recorder;
        std::string text;
        constexpr int count = 30'000;
        std::size_t bad = 0;
        for (int i = 0; i < count; ++i) {
            text += traffic(i);
            if (i % 1000 == 17) text += (i % 2000 == 17) ? "{\"event\":\"open\n" : "{\"a\":[1,2}\n", ++bad;
        }
        recorder.feed(text);
        CHECK(recorder.stream().events() == count);
        CHECK(recorder.stream().bad_lines() == bad);
        REQUIRE(recorder.seen.events.size() == count);
        for (int i = 0; i < count; ++i) CHECK(recorder.seen.events[i] == fields_text("p", i, 0));
    }

    TEST_CASE("numbers are read as exactly as the standard library reads them") {
        EventStream stream([](std::string_view) {});
        double got = NAN;
        bool found = false;
        stream.on("n", [&](EventFields& params) { found = params.get("v", got); });
        for (const char* text : {"0", "-0", "1", "-1", "0.1", "123456789.123456789", "9007199254740993",
                                 "1e10", "1E-7", "2.2250738585072014e-308", "1.7976931348623157e308",
                                 "12345678901234567890", "0.30000000000000004", "1234567812345678",
                                 "3.141592653589793238462643", "-12345678.5", "1700000000.125"}) {
            CAPTURE(text);
            stream.feed(std::string(R"({"event":"n","params":{"v":)") + text + "}}\n");
            CHECK(found);
            CHECK(got == std::strtod(text, nullptr));
        }
        for (const char* text : {"01", "1.", "-", "1e", "+1", "1.5.2", "0x10", "-inf", "1a", "\"1\"", "true",
                                 "null", "[1]", "1e999"}) {
            CAPTURE(text);
            found = false;
            stream.feed(std::string(R"({"event":"n","params":{"v":)") + text + "}}\n");
            CHECK_FALSE(found);
        }
    }

    TEST_CASE("unsigned numbers refuse what does not fit them") {
        EventStream stream([](std::string_view) {});
        std::uint64_t got = 0;
        bool found = false;
        stream.on("n", [&](EventFields& params) { found = params.get("v", got); });
        const auto read = [&](const char* text) {
            found = false;
            stream.feed(std::string(R"({"event":"n","params":{"v":)") + text + "}}\n");
            return found;
        };
        CHECK(read("18446744073709551615"));
        CHECK(got == UINT64_MAX);
        CHECK(read("12345678"));
        CHECK(got == 12345678);
        CHECK_FALSE(read("18446744073709551616"));
        CHECK_FALSE(read("-1"));
        CHECK_FALSE(read("1.0"));
        CHECK_FALSE(read("\"5\""));
    }

    TEST_CASE("fields may be asked for in any order, and escaped keys are found") {
        EventStream stream([](std::string_view) {});
        std::vector<std::string> got;
        stream.on("n", [&](EventFields& params) {
            std::string_view one;
            std::string_view two;
            std::string_view three;
            CHECK(params.get("c\n", three));
            CHECK(params.get("b", two));
            CHECK(params.get("a", one));
            CHECK_FALSE(params.get("d", one));
            got = {std::string(one), std::string(two), std::string(three)};
        });
        stream.feed(R"({"event":"n","params":{"a":"x\t","b":"\u00fc","c\n":"z"}})"
                    "\n");
        CHECK(got == std::vector<std::string>{"x\t", "ü", "z"});
    }

    TEST_CASE("a line beyond 16 MiB is shown by its beginning and skipped, in pieces or whole") {
        const std::string giant = "{\"event\":\"" + std::string(line_bytes_max, 'x') + "\"}\n";
        for (const std::size_t piece : {std::size_t{1} << 20, giant.size() + 1000}) {
            Recorder recorder;
            const std::string text = traffic(1) + giant + traffic(2);
            for (std::size_t at = 0; at < text.size(); at += piece)
                recorder.feed(std::string_view(text).substr(at, piece));
            CHECK(recorder.stream().events() == 2);
            CHECK(recorder.stream().bad_lines() == 1);
            REQUIRE(recorder.seen.others.size() == 1);
            CHECK(recorder.seen.others[0] == giant.substr(0, 64));
        }
    }

    TEST_CASE("a line larger than a batch is read like any other") {
        Recorder recorder;
        const std::string text = traffic(1) + R"({"event":"traffic","params":{"port":")" +
                                 std::string(3U << 20, 'y') +
                                 R"(","rxBytes":5}})"
                                 "\n" +
                                 traffic(2);
        recorder.feed(text);
        CHECK(recorder.stream().events() == 3);
        CHECK(recorder.seen.events[1].size() > 3U << 20);
    }

    TEST_CASE("nesting beyond the bound is a bad line") {
        const auto line = [](int depth) {
            return R"({"event":"traffic","params":{"x":)" + std::string(depth, '[') +
                   std::string(depth, ']') + "}}\n";
        };
        Recorder recorder;
        recorder.feed(line(json_depth_max - 2));
        CHECK(recorder.stream().events() == 1);
        recorder.feed(line(json_depth_max - 1));
        recorder.feed(line(100'000));
        CHECK(recorder.stream().bad_lines() == 2);
    }

    TEST_CASE("the end of the stream reads a last line without a newline") {
        Recorder recorder;
        recorder.feed(R"({"event":"traffic","params":{}})");
        CHECK(recorder.stream().events() == 0);
        recorder.stream().finish();
        CHECK(recorder.stream().events() == 1);
        recorder.stream().finish();
        CHECK(recorder.stream().events() == 1);
    }
}
