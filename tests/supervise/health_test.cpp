#include "supervise/health.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "supervise/health_world.h"
#include "supervise/http_get.h"

using namespace labdeck;
using namespace labdeck::supervise;
using namespace labdeck::supervise::world;

namespace {

HealthCheck port_check(std::uint16_t port) {
    HealthCheck check;
    check.port = port;
    return check;
}
HealthCheck url_check(const std::string& url) {
    HealthCheck check;
    check.url = url;
    return check;
}
HealthCheck command_check(const std::string& command) {
    HealthCheck check;
    check.command = command;
    return check;
}

const std::string listen_four = R"(
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(16)
print(s.getsockname()[1], flush=True)
time.sleep(1000)
)";
// The listener has left its leader, its group and its session.
const std::string listen_as_daemon = R"(
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(16)
        print(s.getsockname()[1], flush=True)
        time.sleep(1000)
    os._exit(0)
time.sleep(1000)
)";
const std::string listen_six = R"(
try:
    s = socket.socket(socket.AF_INET6); s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(('::1', 0)); s.listen(16)
    print(s.getsockname()[1], flush=True)
except OSError:
    print(0, flush=True)
time.sleep(1000)
)";

std::string answer(const std::string& status, const std::string& more = {}) {
    return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + more + "\r\n";
}

std::size_t lines_of(const std::string& path) {
    std::ifstream file(path);
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
}

}  // namespace

TEST_SUITE("supervise/health") {
    TEST_CASE("a port on which the script's tree listens is good, a daemon of it included") {
        Loop loop;
        for (const std::string& program : {listen_four, listen_as_daemon, listen_six}) {
            const Tree tree(loop, program);
            if (tree.port() == 0 && program == listen_six) {
                MESSAGE("no IPv6 here");
                continue;
            }
            Probe probe(loop);
            HealthCheck check = port_check(tree.port());
            check.interval_ms = 10;
            probe.start(check, tree.keeper());
            CHECK(probe.first() == "good");
            CHECK(probe.is([&] { return probe.results.size() >= 3 && probe.results.back() == "good"; }));
        }
    }

    TEST_CASE("a port that somebody else holds is not the script's, and the reason says whose it is") {
        Loop loop;
        const Tree tree(loop, listen_four);
        const Tree other(loop, listen_four);
        const Socket ours(Socket::Does::listen);
        Probe probe(loop);
        probe.start(port_check(ours.port()), tree.keeper());
        CHECK(probe.first() == "port " + std::to_string(ours.port()) + " is held by supervise_test (pid " +
                                   std::to_string(::getpid()) + "), which is not of this script");
        Probe next(loop);
        next.start(port_check(other.port()), tree.keeper());
        CHECK(next.first().find("is held by python3") != std::string::npos);
    }

    TEST_CASE("a port on which nobody listens is bad") {
        Loop loop;
        const Socket bound(Socket::Does::bind);
        Probe probe(loop);
        probe.start(port_check(bound.port()));
        CHECK(probe.first() == "nothing listens on port " + std::to_string(bound.port()));
    }

    TEST_CASE("a URL is good with any 2xx and bad with anything else") {
        Loop loop;
        const auto result = [&loop](const std::string& answer_of_server) {
            const TinyServer server(answer_of_server);
            Probe probe(loop);
            probe.start(url_check(server.url()));
            std::string first = probe.first();
            const std::size_t at = first.find(server.url());
            return at == std::string::npos ? first : first.replace(at, server.url().size(), "URL");
        };
        CHECK(result(answer("200 OK") + "hello") == "good");
        CHECK(result(answer("204 No Content")) == "good");
        CHECK(result(answer("503 Service Unavailable") + "later") == "GET URL: 503");
        CHECK(result(answer("304 Not Modified")) == "GET URL: 304");
        CHECK(result("SSH-2.0-OpenSSH\r\n").starts_with("GET URL: "));
    }

    TEST_CASE("a page without an end is good by its status") {
        Loop loop;
        const TinyServer server(answer("200 OK") + std::string(4 * HttpGet::page_bytes_max, 'x'));
        Probe probe(loop);
        probe.start(url_check(server.url()));
        CHECK(probe.first() == "good");
    }

    TEST_CASE("a redirect is followed, but not for ever, and to http and https alone") {
        Loop loop;
        const TinyServer there(answer("200 OK"));
        const TinyServer here(answer("302 Found", "Location: " + there.url() + "\r\n"));
        Probe probe(loop);
        probe.start(url_check(here.url()));
        CHECK(probe.first() == "good");

        const TinyServer ring(answer("302 Found", "Location: /\r\n"));
        Probe round(loop);
        round.start(url_check(ring.url()));
        CHECK(round.first().find("redirects") != std::string::npos);
        CHECK(ring.asked() == HttpGet::redirects_max + 1);

        const TinyServer out(answer("302 Found", "Location: file:///etc/hostname\r\n"));
        Probe escape(loop);
        escape.start(url_check(out.url()));
        CHECK(escape.first() != "good");
    }

    TEST_CASE("a URL that does not answer is bad at its time-out, and so is one that nobody serves") {
        Loop loop;
        const TinyServer silent("");
        HealthCheck check = url_check(silent.url());
        check.timeout_ms = 100;
        Probe probe(loop);
        probe.start(check);
        CHECK(probe.first() == "GET " + silent.url() + ": no answer within 100 ms");

        const Socket bound(Socket::Does::bind);
        Probe refused(loop);
        refused.start(url_check("http://127.0.0.1:" + std::to_string(bound.port()) + "/"));
        CHECK(refused.first().find("onnect") != std::string::npos);
    }

    TEST_CASE("neither a password in a URL nor a secret of the script gets into a reason") {
        Loop loop;
        const TinyServer server(answer("500 Oops"));
        const std::string place = server.url().substr(7);
        Probe probe(loop);
        probe.start(url_check("http://me:hunter22@" + place + "?key=swordfish"), 1,
                    {{"API_TOKEN", "swordfish"}});
        CHECK(probe.first() == "GET http://" + place + "?key=***: 500");
    }

    TEST_CASE("a command is good when it exits with 0, where the script runs and with its variables") {
        Loop loop;
        Probe probe(loop);
        probe.start(command_check("test \"$(pwd)\" = '" + probe.folder.path() +
                                  "' && test -n \"$LABDECK_TEST_MARK\" && ! read line"));
        CHECK(probe.first() == "good");
        Probe one(loop);
        one.start(command_check("echo lost; exit 1"));
        CHECK(one.first() == "exit 1");
        Probe killed(loop);
        killed.start(command_check("kill -9 $$"));
        CHECK(killed.first() == "killed by SIGKILL");
    }

    TEST_CASE("a command that hangs is ended at its time-out with all that it started") {
        Loop loop;
        Probe probe(loop);
        HealthCheck check = command_check("trap '' TERM; (setsid sleep 1000 &); sleep 1000 & sleep 1000");
        check.timeout_ms = 300;
        check.interval_ms = 60'000;
        probe.start(check);
        CHECK(probe.first() == "no answer within 300 ms");
        probe.stop();
        CHECK(probe.idle());
        CHECK(probe.mark.bearers() == 0);
    }

    TEST_CASE("what a command leaves behind when it answers is ended too") {
        Loop loop;
        Probe probe(loop);
        probe.start(command_check("(setsid sleep 1000 &); exit 0"));
        CHECK(probe.first() == "good");
        CHECK(becomes([&] { return probe.mark.bearers() == 0; }));
    }

    TEST_CASE("a stop in the middle of a probe ends its command, and no result comes any more") {
        Loop loop;
        Probe probe(loop);
        probe.start(command_check("touch begun; sleep 1000"));
        REQUIRE(becomes([&] { return std::filesystem::exists(probe.folder / "begun"); }));
        CHECK(probe.idle_calls == 0);
        probe.stop();
        CHECK(probe.idle());
        CHECK(probe.is([&] { return probe.idle_calls == 1; }));
        CHECK(probe.mark.bearers() == 0);
        CHECK(probe.count() == 0);

        const TinyServer silent("");
        probe.start(url_check(silent.url()));
        REQUIRE(becomes([&] { return silent.asked() == 1; }));
        probe.stop();
        CHECK(probe.idle());
        CHECK(probe.count() == 0);
    }

    TEST_CASE("a stop before anything has begun, and a start right after a stop, are well") {
        Loop loop;
        Probe probe(loop);
        for (int i = 0; i < 20; ++i) {
            probe.start(command_check("exit 0"));
            if (i % 2 == 0) probe.stop();
        }
        CHECK(probe.is([&] { return !probe.results.empty(); }));
        CHECK(probe.first() == "good");
    }

    TEST_CASE("there are never two probes of one script at once") {
        Loop loop;
        Probe probe(loop);
        // A second one at the same time would find the folder that the first has made.
        HealthCheck check =
            command_check("mkdir one || echo twice >>twice; echo >>runs; sleep 0.05; rmdir one");
        check.interval_ms = 10;
        probe.start(check);
        CHECK(becomes([&] { return lines_of(probe.folder / "runs") >= 5; }));
        CHECK_FALSE(std::filesystem::exists(probe.folder / "twice"));
    }

    TEST_CASE("between two probes of a healthy script lies its interval") {
        Loop loop;
        const TinyServer server(answer("200 OK"));
        Probe probe(loop);
        HealthCheck check = url_check(server.url());
        check.interval_ms = 40;
        const MonoTime begun = mono_now();
        probe.start(check);
        REQUIRE(probe.is([&] { return probe.results.size() >= 6; }));
        // Five intervals at least lie between six results.
        CHECK(mono_now().ns - begun.ns >= 5 * 40'000'000LL);

        Probe rare(loop);
        check.interval_ms = 3'600'000;
        rare.start(check);
        CHECK(rare.first() == "good");
        CHECK(rare.count() == 1);
    }

    TEST_CASE("until a script is well it is asked more often, and only the good answers in between count") {
        Loop loop;
        Probe probe(loop);
        HealthCheck check = command_check("echo >>runs; test -e up");
        check.interval_ms = 3'600'000;
        probe.start(check);
        CHECK(probe.first() == "exit 1");
        CHECK(becomes([&] { return lines_of(probe.folder / "runs") >= 2; }));
        CHECK(probe.count() == 1);
        std::ofstream(probe.folder / "up").flush();
        CHECK(probe.is([&] { return probe.results.size() == 2 && probe.results.back() == "good"; }));
    }

    TEST_CASE("all that is given must pass, and the reason is of the first that does not") {
        Loop loop;
        const Tree tree(loop, listen_four);
        const TinyServer server(answer("200 OK"));
        HealthCheck check = port_check(tree.port());
        check.url = server.url();
        check.command = "exit 3";
        Probe probe(loop);
        probe.start(check, tree.keeper());
        CHECK(probe.first() == "exit 3");
        check.command = "exit 0";
        Probe all(loop);
        all.start(check, tree.keeper());
        CHECK(all.first() == "good");
        check.port = Socket(Socket::Does::bind).port();
        Probe none(loop);
        none.start(check, tree.keeper());
        CHECK(none.first().starts_with("nothing listens on port"));
    }
}
