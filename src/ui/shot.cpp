#include "ui/shot.h"

#include <glad/gl.h>
#include <imgui.h>
#include <imgui_impl_opengl3.h>

#include <chrono>
#include <memory>
#include <thread>

#include "base/thread_role.h"
#include "gfx/headless.h"
#include "gfx/series_renderer.h"
#include "ui/window.h"

namespace labdeck::ui {

namespace {

constexpr std::int64_t frame_ns = 16'666'667;
constexpr auto poll_period = std::chrono::milliseconds(10);
// The first one opens windows, the second lays them out, the third is the
// picture.
constexpr int picture_frames = 3;
constexpr int hidpi_width = 3000;

/// ImGui and its GL back end over a current context.
class Backend {
public:
    static Result<std::unique_ptr<Backend>> create(int width, int height) {
        std::unique_ptr<Backend> backend(new Backend);
        ImGui::CreateContext();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = {static_cast<float>(width), static_cast<float>(height)};
        if (!ImGui_ImplOpenGL3_Init("#version 330"))
            return fail(Code::internal, "ImGui's GL back end does not start");
        backend->started_ = true;
        return backend;
    }
    ~Backend() {
        if (started_) ImGui_ImplOpenGL3_Shutdown();
        ImGui::DestroyContext();
    }
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;

private:
    Backend() = default;
    bool started_ = false;
};

struct Studio {
    Console& console;
    Fonts fonts;
    gfx::SeriesRenderer* series = nullptr;
    ThemeName look = ThemeName::dark;  ///< Of ImGui's style, which follows the console's.
    MonoTime last_frame{};

    /// Everything but the pixels.
    void draw_lists() {
        const MonoTime now = mono_now();
        const ConsoleOptions& options = console.options();
        if (look != options.theme) apply_style(options.theme, options.scale);
        look = options.theme;
        ImGui::GetIO().DeltaTime = 1.0F / 60;
        ImGui_ImplOpenGL3_NewFrame();
        const std::int64_t begin = thread_cpu_ns();
        ImGui::NewFrame();
        console.draw(fonts, series, now);
        ImGui::Render();
        const std::int64_t end = thread_cpu_ns();
        last_frame = now;
        console.presented(mono_now(), end - begin);
    }

    void run_until(MonoTime end) {
        while (!close_wanted() && mono_now() < end) {
            console.drain();
            const MonoTime now = mono_now();
            if (console.wants_frame(now) && now.ns - last_frame.ns >= frame_ns) draw_lists();
            // Finer naps under load, or a fast source would wait for us.
            std::this_thread::sleep_for(console.bench().backlog() ? std::chrono::milliseconds(0)
                                                                  : poll_period);
        }
    }
};

void paint(const gfx::Framebuffer& target, ThemeName name) {
    target.bind();
    glViewport(0, 0, target.width(), target.height());
    const ImVec4 background = ImGui::ColorConvertU32ToFloat4(theme(name).panel);
    glClearColor(background.x, background.y, background.z, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
}

}  // namespace

Result<> take_shot(Console& console, const ShotRequest& request) {
    ui_thread.bind();
    const auto context = LD_TRY(gfx::HeadlessContext::create());
    const auto target = LD_TRY(gfx::Framebuffer::create(request.width, request.height));
    const auto backend = LD_TRY(Backend::create(request.width, request.height));
    const auto series = LD_TRY(gfx::SeriesRenderer::create());
    ConsoleOptions& options = console.options();
    if (options.scale <= 0) options.scale = request.width >= hidpi_width ? 2.0F : 1.0F;
    Studio studio{console, LD_TRY(apply_theme(options.theme, options.scale)), series.get(), options.theme};

    studio.run_until({mono_now().ns + static_cast<std::int64_t>(request.after_seconds * 1e9)});
    for (int i = 0; i < picture_frames; ++i) {
        console.drain();
        studio.draw_lists();
        paint(*target, options.theme);
    }
    return gfx::write_png(request.path, target->width(), target->height(), target->read());
}

}  // namespace labdeck::ui
