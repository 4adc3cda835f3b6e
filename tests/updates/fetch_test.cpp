#include "updates/fetch.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "updates/update_world.h"

using namespace labdeck;
using namespace labdeck::updates;
using namespace labdeck::updates::world;

namespace {

struct Got {
    FetchResult result;
    std::string bytes;
};

Got get(const std::string& url, std::uint64_t from = 0, std::uint64_t bytes_max = 1000) {
    Got got;
    FetchRequest request{url, from, bytes_max};
    request.silence_s = 1;
    got.result = fetch(request, [&](std::string_view bytes) -> Result<> {
        got.bytes += bytes;
        return {};
    });
    return got;
}

}  // namespace

TEST_SUITE("updates/fetch") {
    TEST_CASE("a feed is https, this machine's own http, or a file") {
        for (const char* url :
             {"https://example.org/feed/", "http://127.0.0.1:8000/", "http://localhost/feed/manifest.json",
              "http://[::1]:99/x", "file:///srv/feed"}) {
            CAPTURE(url);
            CHECK(check_feed_url(url));
        }
        for (const char* url :
             {"http://example.org/", "http://127.evil.org/", "http://localhost.evil.org/", "http://10.0.0.1/",
              "ftp://example.org/", "https://user:word@example.org/", "https://user@example.org/",
              "/srv/feed", "", "https://", "javascript:alert(1)"}) {
            CAPTURE(url);
            const auto checked = check_feed_url(url);
            REQUIRE_FALSE(checked);
            CHECK(checked.error().code == Code::bad_arg);
        }
    }

    TEST_CASE("a file of a feed is relative to its manifest, or of the same scheme, or https") {
        CHECK(manifest_url("https://example.org/feed").value() == "https://example.org/feed/manifest.json");
        CHECK(manifest_url("https://example.org/feed/").value() == "https://example.org/feed/manifest.json");
        CHECK(manifest_url("file:///srv/my.json").value() == "file:///srv/my.json");
        const std::string base = "https://example.org/feed/manifest.json";
        CHECK(resolve_url(base, "labdeck-1").value() == "https://example.org/feed/labdeck-1");
        CHECK(resolve_url(base, "../x/labdeck-1").value() == "https://example.org/x/labdeck-1");
        CHECK(resolve_url(base, "https://mirror.org/l").value() == "https://mirror.org/l");
        CHECK(resolve_url("file:///srv/feed/manifest.json", "labdeck-1").value() ==
              "file:///srv/feed/labdeck-1");
        CHECK_FALSE(resolve_url(base, "http://127.0.0.1/l"));
        CHECK_FALSE(resolve_url(base, "file:///etc/passwd"));
        CHECK_FALSE(resolve_url(base, "http://mirror.org/l"));
        CHECK_FALSE(resolve_url("http://127.0.0.1/m.json", "file:///etc/passwd"));
    }

    TEST_CASE("a page comes whole, with what was asked of it") {
        RawServer server({http("200 OK", "hello")});
        const Got got = get(server.url("page"));
        CHECK(got.result.end == FetchEnd::done);
        CHECK(got.bytes == "hello");
        const auto asked = server.finish();
        REQUIRE(asked.size() == 1);
        CHECK(asked[0].starts_with("GET /page HTTP/1.1\r\n"));
        CHECK(asked[0].find("Range:") == std::string::npos);
    }

    TEST_CASE("it goes on from a byte, and says so where the server cannot") {
        RawServer server({http("206 Partial Content", "lo", "Content-Range: bytes 3-4/5\r\n"),
                          http("200 OK", "hello"), http("416 Range Not Satisfiable", "")});
        const Got rest = get(server.url("page"), 3);
        CHECK(rest.result.end == FetchEnd::done);
        CHECK(rest.bytes == "lo");
        CHECK(get(server.url("page"), 3).result.end == FetchEnd::no_ranges);
        CHECK(get(server.url("page"), 9).result.end == FetchEnd::no_ranges);
        const auto asked = server.finish();
        CHECK(asked[0].find("Range: bytes=3-\r\n") != std::string::npos);
    }

    TEST_CASE("what the network does is to be tried again, what the server says is not") {
        RawServer server({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", http("503 Busy", ""),
                          http("404 Not Found", ""), http("403 Forbidden", ""),
                          http("302 Found", "", "Location: http://127.0.0.1:1/\r\n"), ""});
        const Got half = get(server.url("a"));
        CHECK(half.result.end == FetchEnd::broke_off);
        CHECK(half.bytes == "half");
        CHECK(get(server.url("b")).result.end == FetchEnd::broke_off);
        const Got missing = get(server.url("c"));
        CHECK(missing.result.end == FetchEnd::refused);
        CHECK(missing.result.error.code == Code::not_found);
        CHECK(missing.result.error.message.find(server.url("c")) == 0);
        CHECK(get(server.url("d")).result.end == FetchEnd::refused);
        // Without encryption no redirect is followed.
        const Got moved = get(server.url("e"));
        CHECK(moved.result.end == FetchEnd::refused);
        CHECK(moved.result.error.message == server.url("e") + ": answered 302");
        const Got silent = get(server.url("f"));
        CHECK(silent.result.end == FetchEnd::broke_off);
        CHECK(silent.result.error.code == Code::timeout);
        server.finish();
        CHECK(get(server.url("g")).result.end == FetchEnd::broke_off);
    }

    TEST_CASE("more than was agreed is refused, also where the server does not say how much") {
        RawServer server({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(5000, 'x')});
        const Got got = get(server.url("big"), 0, 1000);
        CHECK(got.result.end == FetchEnd::refused);
        CHECK(got.result.error.message == server.url("big") + ": goes on beyond 1000 bytes");
    }

    TEST_CASE("the reader's own trouble ends it, in its own words") {
        RawServer server({http("200 OK", "hello")});
        const FetchResult result = fetch({server.url("page"), 0, 100}, [](std::string_view) -> Result<> {
            return fail(Code::io, "the disk is full");
        });
        CHECK(result.end == FetchEnd::refused);
        CHECK(result.error.message == "the disk is full");
    }

    TEST_CASE("it can be given up while a server is silent") {
        RawServer server({""});
        std::stop_source stop;
        FetchRequest request{server.url("page"), 0, 100};
        request.stop = stop.get_token();
        FetchResult result;
        std::thread reader([&] { result = fetch(request, [](std::string_view) -> Result<> { return {}; }); });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        stop.request_stop();
        reader.join();
        CHECK(result.end == FetchEnd::canceled);
        CHECK(result.error.code == Code::canceled);
    }

    TEST_CASE("a file is read like a page") {
        const Folder folder;
        write(folder / "page", "hello");
        CHECK(get("file://" + folder / "page").bytes == "hello");
        CHECK(get("file://" + folder / "page", 3).bytes == "lo");
        CHECK(get("file://" + folder / "page", 9).result.end == FetchEnd::no_ranges);
        const Got none = get("file://" + folder / "none");
        CHECK(none.result.end == FetchEnd::refused);
        CHECK(none.result.error.code == Code::not_found);
    }
}
