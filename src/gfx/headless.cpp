#include "gfx/headless.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <glad/gl.h>
#include <png.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "base/assert.h"

namespace labdeck::gfx {
namespace {

std::string egl_error(const char* what) {
    std::array<char, 16> code{};
    std::snprintf(code.data(), code.size(), "0x%04x", static_cast<unsigned>(eglGetError()));
    return std::string(what) + " failed with EGL error " + code.data();
}

bool has_extension(const char* list, std::string_view name) {
    return list != nullptr && std::string_view(list).find(name) != std::string_view::npos;
}

// Extensions of the client, known before there is a display.
EGLDisplay open_display() {
    const char* client = eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
    const auto get_display =
        reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(eglGetProcAddress("eglGetPlatformDisplayEXT"));
    if (get_display == nullptr) return EGL_NO_DISPLAY;
    if (has_extension(client, "EGL_MESA_platform_surfaceless")) {
        const EGLDisplay display = get_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
        if (display != EGL_NO_DISPLAY && eglInitialize(display, nullptr, nullptr) == EGL_TRUE) return display;
    }
    const auto query_devices =
        reinterpret_cast<PFNEGLQUERYDEVICESEXTPROC>(eglGetProcAddress("eglQueryDevicesEXT"));
    std::array<EGLDeviceEXT, 8> devices{};
    EGLint count = 0;
    if (query_devices == nullptr || query_devices(devices.size(), devices.data(), &count) != EGL_TRUE)
        return EGL_NO_DISPLAY;
    for (EGLint i = 0; i < count; ++i) {
        const EGLDisplay display =
            get_display(EGL_PLATFORM_DEVICE_EXT, devices[static_cast<std::size_t>(i)], nullptr);
        if (display != EGL_NO_DISPLAY && eglInitialize(display, nullptr, nullptr) == EGL_TRUE) return display;
    }
    return EGL_NO_DISPLAY;
}

Result<EGLContext> open_context(EGLDisplay display) {
    constexpr std::array<EGLint, 5> config_wish{EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0,
                                                EGL_NONE};
    EGLConfig config = nullptr;
    EGLint configs = 0;
    if (eglBindAPI(EGL_OPENGL_API) != EGL_TRUE) return fail(Code::not_found, egl_error("eglBindAPI"));
    if (eglChooseConfig(display, config_wish.data(), &config, 1, &configs) != EGL_TRUE || configs == 0)
        return fail(Code::not_found, egl_error("eglChooseConfig"));
    constexpr std::array<EGLint, 7> wish{EGL_CONTEXT_MAJOR_VERSION,
                                         3,
                                         EGL_CONTEXT_MINOR_VERSION,
                                         3,
                                         EGL_CONTEXT_OPENGL_PROFILE_MASK,
                                         EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT,
                                         EGL_NONE};
    const EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, wish.data());
    if (context == EGL_NO_CONTEXT) return fail(Code::not_found, egl_error("OpenGL 3.3: eglCreateContext"));
    return context;
}

void* egl_address(const char* name) {
    return reinterpret_cast<void*>(eglGetProcAddress(name));
}

}  // namespace

struct HeadlessContext::Impl {
    EGLDisplay display = EGL_NO_DISPLAY;
    EGLContext context = EGL_NO_CONTEXT;

    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (display == EGL_NO_DISPLAY) return;
        eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        if (context != EGL_NO_CONTEXT) eglDestroyContext(display, context);
        eglTerminate(display);
    }
};

HeadlessContext::HeadlessContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HeadlessContext::~HeadlessContext() = default;

Result<std::unique_ptr<HeadlessContext>> HeadlessContext::create() {
    auto impl = std::make_unique<Impl>();
    impl->display = open_display();
    if (impl->display == EGL_NO_DISPLAY)
        return fail(
            Code::not_found,
            "no EGL display without a window system; on Debian install libegl1-mesa and libgl1-mesa-dri");
    impl->context = LD_TRY(open_context(impl->display));
    if (eglMakeCurrent(impl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, impl->context) != EGL_TRUE)
        return fail(Code::not_found, egl_error("eglMakeCurrent"));
    LD_TRY(load_gl(egl_address));
    return std::unique_ptr<HeadlessContext>(new HeadlessContext(std::move(impl)));
}

Result<> load_gl(void* (*get_address)(const char* name)) {
    static void* (*address)(const char*) = nullptr;
    address = get_address;
    const int version =
        gladLoadGL([](const char* name) { return reinterpret_cast<GLADapiproc>(address(name)); });
    if (version < GLAD_MAKE_VERSION(3, 3))
        return fail(Code::not_found, "OpenGL 3.3 is needed, and the driver has less");
    return {};
}

Result<std::unique_ptr<Framebuffer>> Framebuffer::create(int width, int height) {
    if (width <= 0 || height <= 0) return fail(Code::bad_arg, "a picture needs a width and a height");
    GLint size_max = 0;
    glGetIntegerv(GL_MAX_TEXTURE_SIZE, &size_max);
    if (std::max(width, height) > size_max)
        return fail(Code::bad_arg,
                    "a picture may be " + std::to_string(size_max) + " pixels wide or high at most");
    std::unique_ptr<Framebuffer> made(new Framebuffer(width, height));
    glGenTextures(1, &made->texture_);
    glBindTexture(GL_TEXTURE_2D, made->texture_);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, nullptr);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glGenFramebuffers(1, &made->framebuffer_);
    glBindFramebuffer(GL_FRAMEBUFFER, made->framebuffer_);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, made->texture_, 0);
    if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
        return fail(Code::internal, "the driver refuses an RGBA8 framebuffer");
    return made;
}

Framebuffer::~Framebuffer() {
    if (framebuffer_ != 0) glDeleteFramebuffers(1, &framebuffer_);
    if (texture_ != 0) glDeleteTextures(1, &texture_);
}

void Framebuffer::bind() const {
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
    glViewport(0, 0, width_, height_);
}

std::vector<std::uint8_t> Framebuffer::read() const {
    glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer_);
    const std::size_t row = static_cast<std::size_t>(width_) * 4;
    std::vector<std::uint8_t> rgba(row * static_cast<std::size_t>(height_));
    glPixelStorei(GL_PACK_ALIGNMENT, 4);
    glReadPixels(0, 0, width_, height_, GL_RGBA, GL_UNSIGNED_BYTE, rgba.data());
    // GL's first row is the lowest.
    for (std::size_t top = 0, bottom = static_cast<std::size_t>(height_) - 1; top < bottom; ++top, --bottom) {
        const auto at = [&](std::size_t y) { return rgba.begin() + static_cast<std::ptrdiff_t>(y * row); };
        std::swap_ranges(at(top), at(top + 1), at(bottom));
    }
    return rgba;
}

Result<> write_png(const std::string& path, int width, int height, const std::vector<std::uint8_t>& rgba) {
    LD_ASSERT(rgba.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
    // Whoever waits for the file sees all of it or none.
    const std::string partial = path + ".part-" + std::to_string(::getpid());
    std::FILE* file = std::fopen(partial.c_str(), "wbe");
    if (file == nullptr) return os_error("write " + path);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(width);
    image.height = static_cast<png_uint_32>(height);
    image.format = PNG_FORMAT_RGBA;
    const bool written = png_image_write_to_stdio(&image, file, 0, rgba.data(), 0, nullptr) != 0;
    const bool closed = std::fclose(file) == 0;
    if (!written || !closed) {
        Error error = os_error_value("write " + path);
        if (!written) error.message = "write " + path + ": " + image.message;
        error.code = Code::io;
        ::unlink(partial.c_str());
        return fail(std::move(error));
    }
    if (::rename(partial.c_str(), path.c_str()) != 0) {
        const Error error = os_error_value("rename to " + path);
        ::unlink(partial.c_str());
        return fail(error);
    }
    return {};
}

}  // namespace labdeck::gfx
