#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "contract/method.h"

TEST_SUITE("contract/docs") {
    TEST_CASE(
        "the reference in docs/contract.md is the table in the code (scripts/print-contract mends it)") {
        std::ifstream file(LABDECK_SOURCE_ROOT "/docs/contract.md");
        std::stringstream text;
        text << file.rdbuf();
        const std::string page = text.str();
        const std::string begin = "<!-- printed from the method table: begin -->\n";
        const std::size_t from = page.find(begin);
        REQUIRE(from != std::string::npos);
        const std::size_t to = page.find("<!-- printed from the method table: end -->", from);
        REQUIRE(to != std::string::npos);
        const std::string printed = page.substr(from + begin.size(), to - from - begin.size());
        CHECK(printed == labdeck::contract::methods_markdown());
    }
}
