#include "updates/version.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using labdeck::updates::Version;

namespace {

Version v(const std::string& text) {
    return Version::parse(text).value();
}

}  // namespace

TEST_SUITE("updates/version") {
    TEST_CASE("versions are ordered as Semantic Versioning says") {
        const std::vector<std::string> ascending = {"0.0.1",
                                                    "0.1.0",
                                                    "0.9.9",
                                                    "0.10.0",
                                                    "1.0.0-alpha",
                                                    "1.0.0-alpha.1",
                                                    "1.0.0-alpha.beta",
                                                    "1.0.0-beta",
                                                    "1.0.0-beta.2",
                                                    "1.0.0-beta.11",
                                                    "1.0.0-rc.1",
                                                    "1.0.0",
                                                    "1.0.1-0",
                                                    "1.0.1",
                                                    "2.0.0",
                                                    "10.0.0"};
        for (std::size_t i = 0; i < ascending.size(); ++i) {
            for (std::size_t k = 0; k < ascending.size(); ++k) {
                CAPTURE(ascending[i]);
                CAPTURE(ascending[k]);
                CHECK((v(ascending[i]) <=> v(ascending[k])) == (i <=> k));
                CHECK((v(ascending[i]) == v(ascending[k])) == (i == k));
            }
        }
    }

    TEST_CASE("numbers of any length in a pre-release count as numbers") {
        CHECK(v("1.0.0-20261121093000123456789") > v("1.0.0-20261121093000123456788"));
        CHECK(v("1.0.0-100000000000000000000") > v("1.0.0-99999999999999999999"));
    }

    TEST_CASE("a version is written as it was read") {
        for (const char* text : {"0.1.0", "1.4.0-beta.2", "1.0.0--", "4294967295.0.0", "1.0.0-a-b.c"})
            CHECK(v(text).text() == text);
    }

    TEST_CASE("what is no version is none") {
        for (const char* text : {"",
                                 "1",
                                 "1.2",
                                 "1.2.3.4",
                                 "v1.2.3",
                                 "1.2.x",
                                 "01.2.3",
                                 "1.02.3",
                                 "1.2.-3",
                                 "1.2.3-",
                                 "1.2.3-a..b",
                                 "1.2.3-.a",
                                 "1.2.3-a.",
                                 "1.2.3-01",
                                 "1.2.3+build",
                                 "1.2.3-a+b",
                                 " 1.2.3",
                                 "1.2.3\n",
                                 "1..3",
                                 ".1.2",
                                 "4294967296.0.0",
                                 "1.2.3-\xc3\xa9"}) {
            CAPTURE(text);
            CHECK_FALSE(Version::parse(text));
        }
        CHECK_FALSE(Version::parse("1.2.3-" + std::string(100, 'a')));
    }
}
