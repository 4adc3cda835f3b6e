#include "gfx/shader.h"

#include <doctest/doctest.h>

#include "gfx/headless.h"

namespace labdeck::gfx {

TEST_SUITE("gfx/shader") {
    TEST_CASE("a fault names the file and the line, whatever driver found it") {
        CHECK(name_lines("shaders/a.vert", "0:12(3): error: no such thing\n") ==
              "shaders/a.vert:12: error: no such thing");
        CHECK(name_lines("shaders/a.vert", "ERROR: 0:7: bad\n") == "shaders/a.vert:7: bad");
        CHECK(name_lines("shaders/a.vert", "0(31) : error C0000: syntax\n") ==
              "shaders/a.vert:31: error C0000: syntax");
        CHECK(name_lines("shaders/a.vert", "out of luck\n\n0:1(2): x") == "out of luck\nshaders/a.vert:1: x");
        CHECK(name_lines("shaders/a.vert", "").empty());
    }

    TEST_CASE("a shader that is not there is an error, not a crash") {
        const auto context = HeadlessContext::create().value();
        const auto shader = Shader::load("no_such_shader");
        REQUIRE_FALSE(shader);
        CHECK(shader.error().message == "shaders/no_such_shader.vert: no such shader");
    }

    TEST_CASE("the shaders of the program compile, and their uniforms are there") {
        const auto context = HeadlessContext::create().value();
        for (const char* name : {"series_line", "series_band"}) {
            CAPTURE(name);
            const auto shader = Shader::load(name);
            REQUIRE_MESSAGE(shader.has_value(), shader.error().message);
            for (const char* uniform :
                 {"tick_left", "px_per_tick", "plot", "framebuffer", "colour", "last_instance"}) {
                CAPTURE(uniform);
                CHECK(shader->uniform(uniform) >= 0);
            }
        }
    }
}

}  // namespace labdeck::gfx
