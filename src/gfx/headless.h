// headless.h - a GL 3.3 core context without a window system, a framebuffer to draw into, and PNG files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace labdeck::gfx {

/// EGL, surfaceless (Mesa), else a device display. Current on the calling thread while it lives.
class HeadlessContext {
public:
    [[nodiscard]] static Result<std::unique_ptr<HeadlessContext>> create();
    ~HeadlessContext();
    HeadlessContext(const HeadlessContext&) = delete;
    HeadlessContext& operator=(const HeadlessContext&) = delete;

private:
    struct Impl;
    explicit HeadlessContext(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Loads GL entry points through glad for the current context. `get_address` as
/// eglGetProcAddress/glfwGetProcAddress.
Result<> load_gl(void* (*get_address)(const char* name));

/// An RGBA8 colour target. Needs a current context.
class Framebuffer {
public:
    [[nodiscard]] static Result<std::unique_ptr<Framebuffer>> create(int width, int height);
    ~Framebuffer();
    Framebuffer(const Framebuffer&) = delete;
    Framebuffer& operator=(const Framebuffer&) = delete;

    void bind() const;
    /// Rows from top to bottom, 4 bytes a pixel.
    std::vector<std::uint8_t> read() const;
    int width() const noexcept { return width_; }
    int height() const noexcept { return height_; }

private:
    Framebuffer(int width, int height) : width_(width), height_(height) {}
    int width_, height_;
    unsigned int framebuffer_ = 0, texture_ = 0;
};

Result<> write_png(const std::string& path, int width, int height, const std::vector<std::uint8_t>& rgba);

}  // namespace labdeck::gfx
