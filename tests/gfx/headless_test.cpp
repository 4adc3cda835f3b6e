#include "gfx/headless.h"

#include <doctest/doctest.h>
#include <glad/gl.h>
#include <png.h>
#include <unistd.h>

#include <filesystem>

namespace labdeck::gfx {
namespace {

namespace fs = std::filesystem;

struct Folder {
    fs::path path = fs::temp_directory_path() / ("labdeck_headless_" + std::to_string(::getpid()));
    Folder() { fs::create_directories(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path); }
};

std::vector<std::uint8_t> read_png(const fs::path& path, int& width, int& height) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    REQUIRE(png_image_begin_read_from_file(&image, path.c_str()) != 0);
    image.format = PNG_FORMAT_RGBA;
    std::vector<std::uint8_t> rgba(PNG_IMAGE_SIZE(image));
    REQUIRE(png_image_finish_read(&image, nullptr, rgba.data(), 0, nullptr) != 0);
    width = static_cast<int>(image.width);
    height = static_cast<int>(image.height);
    return rgba;
}

}  // namespace

TEST_SUITE("gfx/headless") {
    TEST_CASE("a context without a window system has OpenGL 3.3, and there can be another after it") {
        for (int i = 0; i < 2; ++i) {
            const auto context = HeadlessContext::create();
            REQUIRE_MESSAGE(context.has_value(), context.error().message);
            GLint major = 0;
            GLint minor = 0;
            glGetIntegerv(GL_MAJOR_VERSION, &major);
            glGetIntegerv(GL_MINOR_VERSION, &minor);
            CHECK(major * 10 + minor >= 33);
        }
    }

    TEST_CASE("what is drawn at the top is read in the first rows") {
        const auto context = HeadlessContext::create().value();
        const auto target = Framebuffer::create(3, 4).value();
        target->bind();
        glClearColor(0, 0, 1, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        glEnable(GL_SCISSOR_TEST);
        glScissor(0, 3, 3, 1);
        glClearColor(1, 0, 0, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        const std::vector<std::uint8_t> rgba = target->read();
        REQUIRE(rgba.size() == 3 * 4 * 4);
        CHECK(rgba[0] == 255);
        CHECK(rgba[2] == 0);
        CHECK(rgba[3 * 4] == 0);
        CHECK(rgba[3 * 4 + 2] == 255);
    }

    TEST_CASE("a framebuffer of no size or of too much is refused") {
        const auto context = HeadlessContext::create().value();
        CHECK(Framebuffer::create(0, 10).error().code == Code::bad_arg);
        CHECK(Framebuffer::create(1 << 24, 10).error().code == Code::bad_arg);
    }

    TEST_CASE("a PNG file has the pixels that were given, and no partial file stays behind") {
        const Folder folder;
        const std::vector<std::uint8_t> rgba{255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 9, 8, 7, 6};
        const fs::path path = folder.path / "a.png";
        REQUIRE(write_png(path, 2, 2, rgba));
        int width = 0;
        int height = 0;
        CHECK(read_png(path, width, height) == rgba);
        CHECK(width == 2);
        CHECK(height == 2);
        CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
    }

    TEST_CASE("a PNG file that cannot be written is an error that names it") {
        const Folder folder;
        const std::vector<std::uint8_t> rgba(4);
        const auto nowhere = write_png(folder.path / "missing" / "a.png", 1, 1, rgba);
        REQUIRE_FALSE(nowhere);
        CHECK(nowhere.error().code == Code::not_found);
        CHECK(nowhere.error().message.find("a.png") != std::string::npos);
    }
}

}  // namespace labdeck::gfx
