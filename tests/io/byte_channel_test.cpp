#include "io/byte_channel.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <atomic>
#include <optional>

#include "io/child_process.h"
#include "io/io_world.h"

using namespace labdeck;
using namespace labdeck::io;
using namespace labdeck::io::world;

namespace {

void join(UniqueFd& left, UniqueFd& right, int type = SOCK_STREAM) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
    left.reset(ends[0]);
    right.reset(ends[1]);
}

// A channel on a loop and what it reported. Strings are the loop's; ask for them by on().
struct Talk {
    explicit Talk(UniqueFd in, UniqueFd out = {}, ByteChannel::Limits limits = {}) {
        loop.on([&] {
            ByteChannel::Handler handler;
            handler.received = [this](std::string_view bytes) {
                heard += bytes;
                heard_bytes = heard.size();
            };
            handler.closed = [this](const Error& error) {
                why = error;
                ++closes;
            };
            channel.emplace(loop.reactor(), std::move(in), std::move(out), std::move(handler), limits);
        });
    }
    Talk(const Talk&) = delete;
    Talk& operator=(const Talk&) = delete;
    ~Talk() {
        loop.on([this] { channel.reset(); });
    }
    void send(std::string_view bytes) {
        loop.on([&] { channel->send(bytes); });
    }
    void finish() {
        loop.on([&] { channel->finish(); });
    }

    std::string heard;
    std::optional<Error> why;
    std::atomic<std::size_t> heard_bytes{0};
    std::atomic<int> closes{0};
    std::optional<ByteChannel> channel;
    Loop loop;
};

/// What one write brought; with SOCK_SEQPACKET each write is one read.
std::string one_write(int fd) {
    std::array<char, 1 << 17> buffer;
    const ssize_t n = readable(fd) ? ::read(fd, buffer.data(), buffer.size()) : 0;
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
}

}  // namespace

TEST_SUITE("io/byte_channel") {
    TEST_CASE("a child echoes through its stdin and stdout, and ends when we finish") {
        ignore_sigpipe();
        ChildProcess child = ChildProcess::spawn({{"cat"}, "", {}, -1, -1}).value();
        Talk talk(std::move(child.stdout_fd), std::move(child.stdin_fd));
        std::string said;
        for (int i = 0; i < 20'000; ++i) said += "line " + std::to_string(i) + '\n';
        talk.send(said);
        talk.send(said);
        talk.finish();
        talk.send("after finish");
        CHECK(becomes([&] { return talk.closes == 1; }));
        CHECK(talk.heard == said + said);
        CHECK(talk.why->os == 0);
        CHECK(talk.why->message == "the peer closed");
    }

    TEST_CASE("both directions of a socket carry megabytes at once, in order") {
        UniqueFd left;
        UniqueFd right;
        join(left, right);
        Talk a(std::move(left));
        Talk b(std::move(right));
        std::string text;
        while (text.size() < 8'000'000) text += std::to_string(text.size()) + ' ';
        a.send(text);
        b.send(text);
        CHECK(becomes([&] { return a.heard_bytes == text.size() && b.heard_bytes == text.size(); }));
        a.finish();
        CHECK(becomes([&] { return b.closes == 1; }));
        b.loop.on([&] { b.channel.reset(); });
        CHECK(becomes([&] { return a.closes == 1; }));
        CHECK(a.heard == text);
        CHECK(b.heard == text);
    }

    TEST_CASE("a peer that does not read is cut off at the bound, and never from within send") {
        UniqueFd left;
        UniqueFd right;
        join(left, right);
        ByteChannel::Limits limits;
        limits.pending_bytes_max = 1U << 20;
        Talk talk(std::move(left), {}, limits);
        const std::string chunk(100'000, 'x');
        talk.loop.on([&] {
            for (int i = 0; i < 100 && talk.channel->open(); ++i) {
                talk.channel->send(chunk);
                CHECK(talk.channel->pending() <= limits.pending_bytes_max);
            }
            CHECK_FALSE(talk.channel->open());
            CHECK(talk.closes == 0);
        });
        CHECK(becomes([&] { return talk.closes == 1; }));
        CHECK(talk.why->code == Code::queue_full);
        CHECK(talk.why->message.starts_with("cut off: "));
        // The peer finds what fitted and then the end.
        std::array<char, 65'536> buffer;
        ssize_t n = 0;
        do n = ::read(right.get(), buffer.data(), buffer.size());
        while (n > 0);
        CHECK(n == 0);
    }

    TEST_CASE("a write to a peer that has gone is reported once, after its last words") {
        UniqueFd left;
        UniqueFd right;
        join(left, right);
        CHECK(::write(right.get(), "last words", 10) == 10);
        Talk talk(std::move(left));
        CHECK(becomes([&] { return talk.heard_bytes == 10; }));
        talk.loop.on([&] {
            right.reset();
            talk.channel->send("x");
            talk.channel->send("y");
        });
        CHECK(becomes([&] { return talk.closes == 1; }));
        talk.loop.on([] {});
        CHECK(talk.closes == 1);
        CHECK(talk.heard == "last words");
    }

    TEST_CASE("a child that closes its stdin makes an error of our write, not a signal") {
        ignore_sigpipe();
        ChildProcess child =
            ChildProcess::spawn({{"sh", "-c", "exec <&-; echo closed; exec sleep 1000"}, "", {}, -1, -1})
                .value();
        Talk talk(std::move(child.stdout_fd), std::move(child.stdin_fd));
        CHECK(becomes([&] { return talk.heard_bytes == 7; }));
        talk.send("into nothing");
        CHECK(becomes([&] { return talk.closes == 1; }));
        CHECK(talk.why->os == EPIPE);
    }

    TEST_CASE("a channel may be destroyed from within what it received and from within its end") {
        for (const bool at_end : {false, true}) {
            UniqueFd left;
            UniqueFd right;
            join(left, right);
            Loop loop;
            std::optional<ByteChannel> channel;
            std::atomic<bool> gone{false};
            loop.on([&] {
                ByteChannel::Handler handler;
                const auto destroy = [&] {
                    channel.reset();
                    gone = true;
                };
                if (at_end) {
                    handler.closed = [destroy](const Error&) { destroy(); };
                } else {
                    handler.received = [destroy](std::string_view) { destroy(); };
                }
                channel.emplace(loop.reactor(), std::move(left), UniqueFd(), std::move(handler),
                                ByteChannel::Limits{});
            });
            CHECK(::write(right.get(), "x", 1) == 1);
            right.reset();
            CHECK(becomes([&] { return gone.load(); }));
        }
    }

    TEST_CASE("a flooding peer does not starve another one") {
        UniqueFd flooded;
        UniqueFd flooder;
        join(flooded, flooder);
        UniqueFd asked;
        UniqueFd asker;
        join(asked, asker);
        Talk talk(std::move(flooded));
        std::optional<ByteChannel> echo;
        talk.loop.on([&] {
            ByteChannel::Handler handler;
            handler.received = [&](std::string_view bytes) { echo->send(bytes); };
            echo.emplace(talk.loop.reactor(), std::move(asked), UniqueFd(), std::move(handler),
                         ByteChannel::Limits{});
        });
        std::atomic<bool> stop{false};
        std::thread flood([&] {
            const std::string chunk(65'536, 'f');
            while (!stop) {
                if (::write(flooder.get(), chunk.data(), chunk.size()) < 0) std::abort();
            }
        });
        for (int i = 0; i < 100; ++i) {
            CHECK(::write(asker.get(), "ping", 4) == 4);
            CHECK(readable(asker.get()));
            std::array<char, 8> answer;
            CHECK(::read(asker.get(), answer.data(), answer.size()) == 4);
        }
        stop = true;
        flood.join();
        talk.loop.on([&] { echo.reset(); });
    }

    TEST_CASE("what is sent in one round of the loop is one write") {
        UniqueFd left;
        UniqueFd right;
        join(left, right, SOCK_SEQPACKET);
        Talk talk(std::move(left));
        talk.loop.on([&] {
            for (const char* piece : {"one ", "two ", "three"}) talk.channel->send(piece);
            CHECK_FALSE(readable(right.get(), 0));
        });
        CHECK(one_write(right.get()) == "one two three");
        talk.send("four");
        CHECK(one_write(right.get()) == "four");
    }

    TEST_CASE("what has gathered beyond 32 KiB is written before the round ends") {
        UniqueFd left;
        UniqueFd right;
        join(left, right, SOCK_SEQPACKET);
        Talk talk(std::move(left));
        const std::string half(20'000, 'x');
        talk.loop.on([&] {
            talk.channel->send(half);
            CHECK_FALSE(readable(right.get(), 0));
            talk.channel->send(half);
            CHECK(readable(right.get(), 0));
        });
        CHECK(one_write(right.get()) + one_write(right.get()) == half + half);
    }

    TEST_CASE("what was sent just before the channel goes, or the peer stops sending, is still written") {
        UniqueFd left;
        UniqueFd right;
        join(left, right);
        Talk talk(std::move(left));
        talk.loop.on([&] {
            talk.channel->send("bye");
            talk.channel.reset();
        });
        CHECK(one_write(right.get()) == "bye");

        join(left, right);
        const std::string filling(65'536,
                                  'x');  // One read's worth, so that the end is read in the same round.
        CHECK(::write(right.get(), filling.data(), filling.size()) == static_cast<ssize_t>(filling.size()));
        ::shutdown(right.get(), SHUT_WR);
        std::optional<ByteChannel> echo;
        talk.loop.on([&] {
            ByteChannel::Handler handler;
            handler.received = [&](std::string_view) { echo->send("answer"); };
            echo.emplace(talk.loop.reactor(), std::move(left), UniqueFd(), std::move(handler),
                         ByteChannel::Limits{});
        });
        CHECK(one_write(right.get()) == "answer");
        talk.loop.on([&] { echo.reset(); });
    }
}
