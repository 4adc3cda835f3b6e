#include "app/login_entry.h"

#include <doctest/doctest.h>

#include <string>

using namespace labdeck;
using namespace labdeck::app;

TEST_SUITE("app/login_entry") {
    TEST_CASE("an entry starts the console on its workspace") {
        CHECK(login_entry_text("/opt/labdeck", "/home/ann/bench 3", {"Rig", "Rail"}).value() ==
              "[Desktop Entry]\nType=Application\nVersion=1.5\nName=Labdeck (bench 3)\nComment=Starts Rig, "
              "Rail\n"
              "Exec=\"/opt/labdeck\" console --workspace \"/home/ann/bench 3\"\nTerminal=false\n");
    }

    TEST_CASE("characters that mean something in an entry are quoted, once as a word and once as a string") {
        const std::string text =
            login_entry_text("/opt/labdeck", R"(/b/100%/"$x`\)", {"a\\b\nHidden=true"}).value();
        CHECK(text.find(R"(--workspace "/b/100%%/\\"\\$x\\`\\\\")"
                        "\n") != std::string::npos);
        CHECK(text.find("Comment=Starts a\\\\b Hidden=true\n") != std::string::npos);
    }

    TEST_CASE("a path with a line break cannot stand in one") {
        CHECK_FALSE(login_entry_text("/opt/labdeck", "/b/new\nline", {"Rig"}));
        CHECK_FALSE(login_entry_text("/opt/lab\rdeck", "/b", {"Rig"}));
    }

    TEST_CASE("each workspace has an entry of its own") {
        CHECK(login_entry_path("/a/b") != login_entry_path("/a_b"));
        CHECK(login_entry_path("/a/b").find("/autostart/labdeck-") != std::string::npos);
        CHECK(login_entry_path("/a/b").ends_with(".desktop"));
    }
}
