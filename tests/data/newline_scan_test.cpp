#include "data/newline_scan.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "data/texts.h"

using namespace labdeck::data;

namespace {

struct Found {
    std::vector<std::uint16_t> at;
    std::size_t scanned = 0;
    friend bool operator==(const Found&, const Found&) = default;
};

Found by_hand(const std::string& text, std::uint32_t base, std::size_t room) {
    Found found;
    for (; found.scanned < text.size(); ++found.scanned) {
        if (text[found.scanned] != '\n') continue;
        if (found.at.size() == room) return found;
        found.at.push_back(static_cast<std::uint16_t>(base + found.scanned));
    }
    return found;
}

Found by(ScanKind kind, const std::string& text, std::uint32_t base, std::size_t room) {
    Found found;
    // Exactly the room, in the heap: a write behind it is seen by AddressSanitizer.
    found.at.resize(room);
    const std::size_t n =
        find_newlines_by(kind, text.data(), text.size(), base, found.at.data(), room, found.scanned);
    REQUIRE(n <= room);
    found.at.resize(n);
    return found;
}

std::vector<ScanKind> kinds() {
    std::vector<ScanKind> kinds = {ScanKind::portable};
    if (best_scan() >= ScanKind::sse2) kinds.push_back(ScanKind::sse2);
    if (best_scan() >= ScanKind::avx2) kinds.push_back(ScanKind::avx2);
    return kinds;
}

}  // namespace

TEST_SUITE("data/newline_scan") {
    TEST_CASE("every kind of scan finds what a loop over the bytes finds, at any size, base and room") {
        Random random(1);
        for (int round = 0; round < 400; ++round) {
            const Text kind = all_texts[number_in(random, 0, 7)];
            const std::string text = make_text(kind, number_in(random, 0, 700), random);
            const auto base = static_cast<std::uint32_t>(number_in(random, 0, 65'536 - text.size()));
            const std::size_t room = number_in(random, 0, 3) == 0 ? number_in(random, 0, 90) : 700;
            const Found expected = by_hand(text, base, room);
            for (const ScanKind scan : kinds()) CHECK(by(scan, text, base, room) == expected);
        }
    }

    TEST_CASE("a full Block of newlines gives the last offset, 65535, when there is room") {
        const std::string text(65'536, '\n');
        for (const ScanKind scan : kinds()) {
            const Found found = by(scan, text, 0, 65'536);
            CHECK(found.at.size() == 65'536);
            CHECK(found.at.back() == 65'535);
            CHECK(found.scanned == 65'536);
        }
    }

    TEST_CASE("without room the scan stops at the first newline, and passes over text that has none") {
        for (const ScanKind scan : kinds()) {
            CHECK(by(scan, std::string(100, 'a') + "\nb", 0, 0).scanned == 100);
            CHECK(by(scan, std::string(100, 'a'), 0, 0).scanned == 100);
        }
    }
}
