#include "ui/window.h"

// glad before GLFW, which would otherwise bring its own GL header.
#include <glad/gl.h>
//
#include <GLFW/glfw3.h>
#include <imgui.h>
#include <imgui_impl_glfw.h>
#include <imgui_impl_opengl3.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <thread>

#include "base/thread_role.h"
#include "gfx/headless.h"
#include "gfx/series_renderer.h"
#include "ui/damage.h"
#include "ui/desktop.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t frame_period_ns = 16'666'667;
constexpr int misfits_max = 60;
// A source that never pauses would wake the loop for each read; once a millisecond is soon enough.
constexpr std::int64_t drain_period_ns = 1'000'000;
constexpr int default_width = 1600;
constexpr int default_height = 960;

// What other threads touch. Puts: any thread; takes: the loop.
std::atomic<bool> closing{false};
std::atomic<bool> wake_posted{false};  ///< One event at most lies in GLFW's queue.
std::atomic<bool> loop_running{false};
std::atomic<int> posting{0};  ///< Threads inside wake_window(), so that GLFW is not ended under them.

std::string& last_glfw_error() {
    static std::string text;
    return text;
}

void remember_error(int, const char* text) {
    last_glfw_error() = text;
}

void* glfw_address(const char* name) {
    return reinterpret_cast<void*>(glfwGetProcAddress(name));
}

/// The library itself, from the first call to the last.
class Glfw {
public:
    static Result<> start() {
        glfwSetErrorCallback(remember_error);
        if (glfwInit() != GLFW_TRUE) {
            return fail(Code::not_found,
                        "no window can be opened (" + last_glfw_error() +
                            "); is DISPLAY set? `labdeck serve` and `labdeck shot` need none");
        }
        return {};
    }
    Glfw() { loop_running = true; }
    ~Glfw() {
        loop_running = false;
        while (posting > 0) std::this_thread::yield();
        glfwTerminate();
    }
    Glfw(const Glfw&) = delete;
    Glfw& operator=(const Glfw&) = delete;
};

class Window {
public:
    explicit Window(Console& console) : console_(console), scale_option_(console.options().scale) {}
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    Result<> open();
    Result<> run();

private:
    void watch_input();
    static void on_input(GLFWwindow* window);
    void start_anew();
    Result<> follow_look();
    void follow_fullscreen();
    void wait();
    void wait_until(MonoTime until);
    void nap_after_drain() const;
    void draw_frame();
    void put_on_screen(const std::vector<Damage::Area>& areas);
    bool try_back_buffer();
    static bool back_buffer_is(int width, int height);

    Console& console_;
    const float scale_option_;
    GLFWwindow* window_ = nullptr;
    std::unique_ptr<gfx::SeriesRenderer> series_;
    Fonts fonts_;
    float look_scale_ = 0;
    ThemeName look_theme_ = ThemeName::dark;
    bool fullscreen_ = false;
    std::array<int, 4> windowed_{};
    bool backends_ = false;
    bool input_ = true;
    bool iconified_ = false;  ///< Asking GLFW is a round trip to the display.
    Damage damage_;
    DamageCut cut_;
    bool back_buffer_stays_ = false;
    int buffer_width_ = 0;  ///< Of the back buffer that has the last frame; 0 when it is not known.
    int buffer_height_ = 0;
    int misfits_ = 0;  ///< Frames in a row whose buffer had another size than the window.
    MonoTime last_frame_;
    MonoTime last_drain_;
};

Window::~Window() {
    series_.reset();
    if (backends_) {
        ImGui_ImplOpenGL3_Shutdown();
        ImGui_ImplGlfw_Shutdown();
    }
    if (ImGui::GetCurrentContext() != nullptr) ImGui::DestroyContext();
    if (window_ != nullptr) glfwDestroyWindow(window_);
}

Result<> Window::open() {
    glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
    glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
    glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
    glfwWindowHint(GLFW_OPENGL_FORWARD_COMPAT, GLFW_TRUE);
    glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
    glfwWindowHint(GLFW_DEPTH_BITS, 0);
    glfwWindowHint(GLFW_STENCIL_BITS, 0);
    int x = 0, y = 0, width = default_width, height = default_height;
    if (GLFWmonitor* monitor = glfwGetPrimaryMonitor()) {
        glfwGetMonitorWorkarea(monitor, &x, &y, &width, &height);
        width = std::min(width, default_width);
        height = std::min(height, default_height);
    }
    const std::string& name = console_.options().workspace_name;
    const std::string title = name.empty() ? "Labdeck" : name + " – Labdeck";
    window_ = glfwCreateWindow(width, height, title.c_str(), nullptr, nullptr);
    if (window_ == nullptr) {
        return fail(Code::not_found, "no window with OpenGL 3.3 can be opened: " + last_glfw_error());
    }
    glfwMakeContextCurrent(window_);
    LD_TRY(gfx::load_gl(glfw_address));
    glfwSwapInterval(1);
    watch_input();

    ImGui::CreateContext();
    ImGui::GetIO().IniFilename = nullptr;
    if (!ImGui_ImplGlfw_InitForOpenGL(window_, true) || !ImGui_ImplOpenGL3_Init("#version 330")) {
        return fail(Code::internal, "ImGui's back ends do not start");
    }
    backends_ = true;
    series_ = LD_TRY(gfx::SeriesRenderer::create());
    back_buffer_stays_ = try_back_buffer();
    if (console_.options().minimized) glfwIconifyWindow(window_);
    return {};
}

void Window::on_input(GLFWwindow* window) {
    static_cast<Window*>(glfwGetWindowUserPointer(window))->input_ = true;
}

// Whatever the comparison says, the next frame is drawn whole, into a buffer that may be another one.
void Window::start_anew() {
    damage_.forget();
    buffer_width_ = buffer_height_ = 0;
    input_ = true;
}

// ImGui's back end is installed after these and calls them first.
void Window::watch_input() {
    glfwSetWindowUserPointer(window_, this);
    glfwSetCursorPosCallback(window_, [](GLFWwindow* w, double, double) { on_input(w); });
    glfwSetCursorEnterCallback(window_, [](GLFWwindow* w, int) { on_input(w); });
    glfwSetMouseButtonCallback(window_, [](GLFWwindow* w, int, int, int) { on_input(w); });
    glfwSetScrollCallback(window_, [](GLFWwindow* w, double, double) { on_input(w); });
    glfwSetKeyCallback(window_, [](GLFWwindow* w, int, int, int, int) { on_input(w); });
    glfwSetCharCallback(window_, [](GLFWwindow* w, unsigned) { on_input(w); });
    glfwSetWindowFocusCallback(window_, [](GLFWwindow* w, int) { on_input(w); });
    glfwSetFramebufferSizeCallback(window_, [](GLFWwindow* w, int, int) {
        auto& self = *static_cast<Window*>(glfwGetWindowUserPointer(w));
        self.misfits_ = 0;
        self.start_anew();
    });
    glfwSetWindowIconifyCallback(window_, [](GLFWwindow* w, int iconified) {
        static_cast<Window*>(glfwGetWindowUserPointer(w))->iconified_ = iconified == GLFW_TRUE;
        on_input(w);
    });
    glfwSetWindowContentScaleCallback(window_, [](GLFWwindow* w, float, float) { on_input(w); });
    glfwSetWindowRefreshCallback(
        window_, [](GLFWwindow* w) { static_cast<Window*>(glfwGetWindowUserPointer(w))->start_anew(); });
}

Result<> Window::follow_look() {
    float scale = scale_option_;
    if (scale <= 0) glfwGetWindowContentScale(window_, &scale, nullptr);
    scale = std::clamp(scale, 0.5F, 4.0F);
    const ThemeName wanted = console_.options().theme;
    if (scale == look_scale_ && wanted == look_theme_) return {};
    console_.options().scale = scale;
    if (scale == look_scale_) {
        apply_style(wanted, scale);
    } else {
        ImGui_ImplOpenGL3_DestroyFontsTexture();
        fonts_ = LD_TRY(apply_theme(wanted, scale));
        ImGui_ImplOpenGL3_CreateFontsTexture();
    }
    look_scale_ = scale;
    look_theme_ = wanted;
    damage_.forget();
    return {};
}

void Window::follow_fullscreen() {
    const bool wanted = console_.options().fullscreen;
    if (wanted == fullscreen_) return;
    fullscreen_ = wanted;
    auto& [x, y, width, height] = windowed_;
    if (!wanted) return glfwSetWindowMonitor(window_, nullptr, x, y, width, height, GLFW_DONT_CARE);
    GLFWmonitor* const monitor = glfwGetPrimaryMonitor();
    const GLFWvidmode* const mode = monitor == nullptr ? nullptr : glfwGetVideoMode(monitor);
    if (mode == nullptr) return;
    glfwGetWindowPos(window_, &x, &y);
    glfwGetWindowSize(window_, &width, &height);
    glfwSetWindowMonitor(window_, monitor, 0, 0, mode->width, mode->height, mode->refreshRate);
}

void Window::nap_after_drain() const {
    const std::int64_t left = last_drain_.ns + drain_period_ns - mono_now().ns;
    if (left <= 0) return;
    const timespec nap{0, static_cast<long>(left)};
    ::nanosleep(&nap, nullptr);
}

void Window::wait_until(MonoTime until) {
    const std::int64_t left = until.ns - mono_now().ns;
    if (left > 0) glfwWaitEventsTimeout(static_cast<double>(left) / 1e9);
}

void Window::wait() {
    const MonoTime now = mono_now();
    const MonoTime next = console_.next_frame(now);
    if (iconified_) {
        glfwWaitEventsTimeout(1.0);
    } else if (next.ns == 0) {
        glfwWaitEvents();
    } else {
        // A frame that is due waits until the last one has had its time.
        const bool due = console_.wants_frame(now);
        wait_until(due ? MonoTime{last_frame_.ns + frame_period_ns} : next);
    }
    glfwPollEvents();
    if (!input_) nap_after_drain();
    // Before the drain: what comes during it posts anew.
    wake_posted.store(false, std::memory_order_seq_cst);
}

Result<> Window::run() {
    while (!closing && glfwWindowShouldClose(window_) == GLFW_FALSE && !console_.quit_wanted()) {
        wait();
        console_.drain();
        last_drain_ = mono_now();
        if (std::exchange(input_, false)) console_.input();
        if (iconified_ || !console_.wants_frame(last_drain_)) continue;
        if (last_drain_.ns - last_frame_.ns < frame_period_ns) continue;
        last_frame_ = last_drain_;
        follow_fullscreen();
        LD_TRY(follow_look());
        draw_frame();
    }
    return {};
}

void Window::draw_frame() {
    const std::int64_t whole_begin = thread_cpu_ns();
    ImGui_ImplOpenGL3_NewFrame();
    ImGui_ImplGlfw_NewFrame();
    const std::int64_t begin = thread_cpu_ns();
    ImGui::NewFrame();
    console_.draw(fonts_, series_.get(), last_frame_);
    ImGui::Render();
    const std::int64_t end = thread_cpu_ns();
    const std::vector<Damage::Area>& areas = damage_.find(*ImGui::GetDrawData());
    if (!areas.empty()) put_on_screen(areas);
    console_.presented(mono_now(), end - begin, thread_cpu_ns() - whole_begin);
}

// Software GL copies the back buffer to the screen and keeps it; a GPU hands out another one each time, which
// shows after two frames of slightly different colour.
bool Window::try_back_buffer() {
    const auto* const renderer = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
    if (renderer == nullptr || std::string_view(renderer).find("llvmpipe") == std::string_view::npos)
        return false;
    std::array<unsigned char, 4> pixel{};
    for (const float level : {0.1F, 0.12F}) {
        glClearColor(level, level, level, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        glfwSwapBuffers(window_);
    }
    glReadBuffer(GL_BACK);
    glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel.data());
    return pixel[0] >= 30 && pixel[0] <= 32;
}

// Mesa lets the buffer follow the window some frames late, and makes a new one for it. What is read outside
// it leaves the memory as it was.
bool Window::back_buffer_is(int width, int height) {
    const auto has = [](int x, int y) {
        std::array<unsigned char, 4> pixel{1, 2, 3, 4};
        glReadPixels(x, y, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel.data());
        return pixel != std::array<unsigned char, 4>{1, 2, 3, 4};
    };
    glReadBuffer(GL_BACK);
    return has(width - 1, height - 1) && !has(width, 0) && !has(0, height);
}

void Window::put_on_screen(const std::vector<Damage::Area>& areas) {
    ImDrawData& data = *ImGui::GetDrawData();
    const ImU32 ground = theme(look_theme_).panel;
    int width = 0, height = 0;
    glfwGetFramebufferSize(window_, &width, &height);
    glViewport(0, 0, width, height);
    const bool same_buffer = width == buffer_width_ && height == buffer_height_;
    const bool in_parts = back_buffer_stays_ && same_buffer && data.FramebufferScale.x == 1 &&
                          data.FramebufferScale.y == 1 && width == static_cast<int>(data.DisplaySize.x) &&
                          height == static_cast<int>(data.DisplaySize.y);
    if (in_parts) {
        ImGui_ImplOpenGL3_RenderDrawData(&cut_.of(data, areas, ground));
    } else {
        const ImVec4 colour = ImGui::ColorConvertU32ToFloat4(ground);
        glClearColor(colour.x, colour.y, colour.z, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        ImGui_ImplOpenGL3_RenderDrawData(&data);
    }
    if (back_buffer_stays_ && !same_buffer) {
        const bool fits = back_buffer_is(width, height);
        buffer_width_ = fits ? width : 0;
        buffer_height_ = fits ? height : 0;
        misfits_ = fits ? 0 : misfits_ + 1;
        // The frame may be in a buffer that is given up: the next one is drawn whole, and soon. A driver that
        // never shows a fit is not waited for.
        if (misfits_ == misfits_max) {
            back_buffer_stays_ = false;
        } else if (!fits) {
            start_anew();
        }
    }
    glfwSwapBuffers(window_);
}

}  // namespace

Result<> run_window(Console& console) {
    ui_thread.bind();
    LD_TRY(Glfw::start());
    const Glfw glfw;
    if (!console.options().open_folder) console.options().open_folder = open_in_file_manager;
    Window window(console);
    LD_TRY(window.open());
    return window.run();
}

void wake_window() noexcept {
    posting.fetch_add(1, std::memory_order_seq_cst);
    if (loop_running.load(std::memory_order_seq_cst) &&
        !wake_posted.exchange(true, std::memory_order_seq_cst)) {
        glfwPostEmptyEvent();
    }
    posting.fetch_sub(1, std::memory_order_seq_cst);
}

void close_window() noexcept {
    closing.store(true);
    wake_window();
}

bool close_wanted() noexcept {
    return closing.load();
}

}  // namespace labdeck::ui
