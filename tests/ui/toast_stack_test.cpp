#include "ui/widgets/toast_stack.h"

#include <string>

#include "ui/console_bench.h"
#include "ui/supervisor_view.h"

namespace labdeck::ui {
namespace {

/// A console over a hub that keeps scripts, and says of each what the test wants.
struct Told : ConsoleBench {
    explicit Told(ConsoleOptions options = {}) : ConsoleBench(std::move(options)) {
        hub.on("scripts.list", [this](const Json&) { return scripts; });
        hub.on("profiles.list", [](const Json&) { return Json::array(); });
        hub.on("settings.get", [this](const Json&) { return settings; });
        hub.on("settings.update", [this](const Json& patch) {
            settings.merge_patch(patch);
            return settings;
        });
        hub.on("process.snapshots", [](const Json&) { return Json::array(); });
        for (int i = 0; i < 60; ++i) {
            const std::string id = id_of(i);
            scripts.push_back({{"id", id}, {"name", "script " + id}, {"command", "run"}});
        }
    }
    static std::string id_of(int i) { return std::string("s") + std::to_string(i); }
    void ready() {
        frame(6);
        run_until_asleep();
    }
    /// One fails, and the time comes at which that is told.
    void fail_script(int i) {
        hub.event("process.status", {{"scriptId", id_of(i)}, {"status", "failed"}, {"reason", "exit 3"}});
        frame();
        REQUIRE(state().news().due().ns != 0);
        CHECK_FALSE(console->next_frame(mono_now()).ns == 0);
        while (state().news().due().ns != 0) console->drain();
        frame(3);
    }
    Json scripts = Json::array();
    Json settings = Json::object();
};

/// A stack alone, on a clock of the test's own.
class StackBench {
public:
    explicit StackBench(ImVec2 size = {1280, 800}) : context_(ImGui::CreateContext()), bench_(link_, inbox_) {
        ui_thread.bind();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = size;
        io.Fonts->AddFontDefault();
        io.Fonts->Build();
        fonts_.text = fonts_.bold = fonts_.large = fonts_.mono = io.Fonts->Fonts[0];
        frame();
    }
    ~StackBench() { ImGui::DestroyContext(context_); }
    StackBench(const StackBench&) = delete;
    StackBench& operator=(const StackBench&) = delete;

    void frame(int count = 1) {
        for (int i = 0; i < count; ++i) {
            ImGui::GetIO().DeltaTime = 1.0F / 60;
            ImGui::NewFrame();
            PanelContext context{bench_, theme(ThemeName::dark), fonts_, 1, now, nullptr, nullptr};
            if (auto hit = stack.draw(context, {1270, 790})) opened = std::move(hit);
            ImGui::Render();
        }
    }
    void add(Notice::Kind kind, std::string title = "adapter failed", std::string text = "exit 3") {
        stack.add(
            {.kind = kind, .title = std::move(title), .text = std::move(text), .script = "a", .app = {}},
            now);
        frame(2);
    }
    void pass(double seconds) {
        now.ns += static_cast<std::int64_t>(seconds * 1e9);
        frame();
    }
    void move_to(float x, float y) {
        ImGui::GetIO().AddMousePosEvent(x, y);
        frame(2);
    }
    void click(const std::string& id) {
        const Rect at = rects().at(id);
        move_to((at.min.x + at.max.x) / 2, (at.min.y + at.max.y) / 2);
        for (const bool down : {true, false}) {
            ImGui::GetIO().AddMouseButtonEvent(0, down);
            frame();
        }
        move_to(5, 5);
    }

    ToastStack stack;
    std::optional<Notice> opened;
    MonoTime now{1'000'000'000'000};

private:
    ImGuiContext* context_;
    contract::LocalLink link_;
    data::WindowInbox inbox_{[] {}};
    BenchState bench_;
    Fonts fonts_;
};

TEST_SUITE("ui/widgets/toast_stack") {
    TEST_CASE("errors stay, others go after six seconds, and only those ask for a frame") {
        StackBench bench;
        CHECK(bench.stack.wants_frame().ns == 0);
        bench.add(Notice::Kind::script_failed);
        CHECK(bench.stack.wants_frame().ns == 0);
        bench.add(Notice::Kind::healthy_again);
        CHECK(bench.stack.wants_frame().ns == bench.now.ns + 6'000'000'000);
        bench.pass(5.9);
        CHECK(bench.stack.size() == 2);
        bench.pass(0.2);
        CHECK(bench.stack.size() == 1);
        bench.pass(3600);
        CHECK(bench.stack.size() == 1);
        CHECK(bench.stack.wants_frame().ns == 0);
    }
    TEST_CASE("no more than four are shown, the newest at the bottom, the oldest goes") {
        StackBench bench;
        for (int i = 0; i < 6; ++i) bench.add(Notice::Kind::script_failed, std::to_string(i));
        CHECK(bench.stack.size() == 4);
        for (int i = 1; i < 4; ++i) {
            const Rect below = rects().at("toast/" + std::to_string(i - 1));
            const Rect above = rects().at("toast/" + std::to_string(i));
            CHECK(above.max.y < below.min.y);
        }
        bench.click("toast/0");
        REQUIRE(bench.opened);
        CHECK(bench.opened->title == "5");
        CHECK(bench.stack.size() == 3);
    }
    TEST_CASE("its cross dismisses it and opens nothing") {
        StackBench bench;
        bench.add(Notice::Kind::script_failed);
        bench.click("toast/0/close");
        CHECK(bench.stack.size() == 0);
        CHECK_FALSE(bench.opened);
    }
    TEST_CASE("under the mouse it stays without asking for frames, and for a moment after") {
        StackBench bench;
        bench.add(Notice::Kind::unhealthy);
        const Rect at = rects().at("toast/0");
        bench.move_to((at.min.x + at.max.x) / 2, (at.min.y + at.max.y) / 2);
        CHECK(bench.stack.wants_frame().ns == 0);
        bench.pass(60);
        CHECK(bench.stack.size() == 1);
        bench.move_to(5, 5);
        CHECK(bench.stack.size() == 1);
        CHECK(bench.stack.wants_frame().ns == bench.now.ns + 2'000'000'000);
        bench.pass(2.1);
        CHECK(bench.stack.size() == 0);
    }
    TEST_CASE("a name and a reason without end have a size that ends, within the window") {
        StackBench bench;
        bench.add(Notice::Kind::script_failed, std::string(4'000, 'n'), std::string(4'000, 'r'));
        const Rect at = rects().at("toast/0");
        CHECK(at.min.x > 800);
        CHECK(at.max.x <= 1270);
        CHECK(at.max.y - at.min.y < 120);
        CHECK(ImGui::GetDrawData()->TotalVtxCount < 3'000);
    }
    TEST_CASE("a failed script is told, and a click shows it in the Processes panel, selected") {
        Told bench;
        bench.ready();
        REQUIRE(bench.asleep());
        bench.fail_script(57);
        REQUIRE(bench.has("toast/0"));
        bench.run_until_asleep();
        CHECK(bench.asleep());
        CHECK(bench.run_until_asleep() == 0);
        bench.click("toast/0");
        bench.frame(4);
        CHECK_FALSE(bench.has("toast/0"));
        CHECK(bench.console->report().find("\"id\": \"processes\"") != std::string::npos);
        CHECK(bench.has("processes/script/s57"));
        bench.hub.on("process.start", [](const Json& params) {
            CHECK(params == Json{{"id", "s57"}});
            return Json();
        });
        bench.click("processes/process.start");
        bench.frame(2);
        CHECK(bench.hub.calls_of("process.start") == 1);
    }
    TEST_CASE("what is not wanted in the window is not drawn, and the desktop gets what is wanted there") {
        std::vector<std::string> desktop;
        ConsoleOptions options;
        options.notify_desktop = [&](const Notice& notice) { desktop.push_back(notice.title); };
        Told bench(std::move(options));
        bench.settings = {{"notificationsToastEnabled", false}};
        bench.ready();
        bench.fail_script(1);
        CHECK_FALSE(bench.has("toast/0"));
        CHECK(desktop.empty());
        bench.state().supervisor().change_settings({{"notificationsNativeEnabled", true}}, {});
        bench.frame(3);
        bench.fail_script(2);
        CHECK_FALSE(bench.has("toast/0"));
        CHECK(desktop == std::vector<std::string>{"script s2 failed"});
    }
}

}  // namespace
}  // namespace labdeck::ui
