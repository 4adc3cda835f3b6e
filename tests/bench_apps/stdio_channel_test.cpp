#include "bench_apps/stdio_channel.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <vector>

#include "base/unique_fd.h"

using namespace labdeck;
using namespace labdeck::bench_apps;

namespace {

/// A channel whose reader takes each write as one, and whose stdin is ours.
struct Talk {
    Talk() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
        out.reset(ends[0]);
        reader.reset(ends[1]);
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        in.reset(ends[0]);
        writer.reset(ends[1]);
        StdioChannel::Handler handler;
        handler.received = [this](std::string_view bytes) { received(bytes); };
        handler.input_ended = [this] { channel->send("last words"); };
        handler.end = [this] { reactor->stop(); };
        channel.emplace(*reactor, in.get(), out.get(), std::move(handler));
        REQUIRE(channel->start());
    }

    std::vector<std::string> writes() const {
        std::vector<std::string> all;
        std::vector<char> buffer(1 << 17);
        for (ssize_t n = 0; (n = ::read(reader.get(), buffer.data(), buffer.size())) > 0;)
            all.emplace_back(buffer.data(), static_cast<std::size_t>(n));
        return all;
    }

    UniqueFd in, out, reader, writer;
    std::unique_ptr<io::Reactor> reactor = io::Reactor::create("stdio").value();
    std::function<void(std::string_view)> received;
    std::optional<StdioChannel> channel;
};

}  // namespace

TEST_SUITE("bench_apps/stdio_channel") {
    TEST_CASE("what is sent in one round is one write, and the end comes when all is said") {
        Talk talk;
        talk.received = [&](std::string_view) {
            for (const char* piece : {"one ", "two ", "three"}) talk.channel->send(piece);
            CHECK(talk.writes().empty());
        };
        REQUIRE(::write(talk.writer.get(), "x", 1) == 1);
        ::shutdown(talk.writer.get(), SHUT_WR);
        talk.reactor->run();
        CHECK(talk.writes() == std::vector<std::string>{"one two three", "last words"});
    }

    TEST_CASE("what has gathered beyond 32 KiB is written before the round ends") {
        Talk talk;
        const std::string half(20'000, 'x');
        talk.received = [&](std::string_view) {
            talk.channel->send(half);
            CHECK(talk.writes().empty());
            talk.channel->send(half);
            CHECK(talk.writes() == std::vector<std::string>{half + half});
            talk.reactor->stop();
        };
        REQUIRE(::write(talk.writer.get(), "x", 1) == 1);
        talk.reactor->run();
    }

    TEST_CASE("what was sent just before the channel goes is still written") {
        Talk talk;
        talk.channel->send("bye");
        talk.channel.reset();
        CHECK(talk.writes() == std::vector<std::string>{"bye"});
        talk.reactor->stop();
        talk.reactor->run();
        CHECK(talk.writes().empty());
    }
}
