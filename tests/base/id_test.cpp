#include "base/id.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <unordered_set>

using namespace labdeck;

TEST_SUITE("base/id") {
    TEST_CASE("an id of 0 names nothing") {
        CHECK_FALSE(static_cast<bool>(SourceId{}));
        CHECK(static_cast<bool>(SourceId{1}));
    }

    TEST_CASE("ids are compared and hashed by their number") {
        CHECK(SourceId{3} == SourceId{3});
        CHECK(SourceId{3} < SourceId{4});
        const std::unordered_set<SourceId> set = {SourceId{1}, SourceId{2}, SourceId{1}};
        CHECK(set.size() == 2);
    }

    TEST_CASE("a UUID is of version 4 and never the same twice") {
        std::set<std::string> seen;
        for (int i = 0; i < 200; ++i) {
            const std::string uuid = new_uuid();
            REQUIRE(uuid.size() == 36);
            CHECK(uuid[8] == '-');
            CHECK(uuid[13] == '-');
            CHECK(uuid[14] == '4');
            CHECK(std::string("89ab").find(uuid[19]) != std::string::npos);
            CHECK(uuid.find_first_not_of("0123456789abcdef-") == std::string::npos);
            seen.insert(uuid);
        }
        CHECK(seen.size() == 200);
    }
}
