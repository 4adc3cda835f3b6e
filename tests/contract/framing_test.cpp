#include "contract/framing.h"

#include <doctest/doctest.h>

#include <vector>

using namespace labdeck::contract;

namespace {

struct Lines {
    std::vector<std::string> seen;
    int too_long = 0;
    LineSplitter::Handler handler{[this](std::string_view line) { seen.emplace_back(line); },
                                  [this] { ++too_long; }};
};

}  // namespace

TEST_SUITE("contract/framing") {
    TEST_CASE("the lines do not depend on where the stream is cut") {
        const std::string text = "one\n\n\r\ntwo\r\nthree and more\n";
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            Lines lines;
            LineSplitter splitter(100);
            splitter.feed(text.substr(0, cut), lines.handler);
            splitter.feed(text.substr(cut), lines.handler);
            CHECK(lines.seen == std::vector<std::string>{"one", "two\r", "three and more"});
            CHECK(splitter.held() == 0);
        }
    }

    TEST_CASE("a line of exactly the bound is a line, one byte more is told once and skipped") {
        for (const std::size_t piece : {1U, 3U, 100U}) {
            Lines lines;
            LineSplitter splitter(5);
            const std::string text = "12345\n123456789012345\nafter\n";
            for (std::size_t i = 0; i < text.size(); i += piece)
                splitter.feed(text.substr(i, piece), lines.handler);
            CHECK(lines.seen == std::vector<std::string>{"12345", "after"});
            CHECK(lines.too_long == 1);
        }
    }

    TEST_CASE("an endless line holds no more than the bound") {
        Lines lines;
        LineSplitter splitter(1000);
        const std::string piece(700, 'x');
        for (int i = 0; i < 1000; ++i) {
            splitter.feed(piece, lines.handler);
            CHECK(splitter.held() <= 1000);
        }
        CHECK(lines.too_long == 1);
    }

    TEST_CASE("the end of the stream gives out a last line without a newline, once") {
        Lines lines;
        LineSplitter splitter(100);
        splitter.feed("whole\nrest", lines.handler);
        splitter.finish(lines.handler);
        splitter.finish(lines.handler);
        CHECK(lines.seen == std::vector<std::string>{"whole", "rest"});
    }
}
