#include "ui/widgets/pane_grid.h"

#include <numeric>

#include "ui/console_bench.h"

namespace labdeck::ui {
namespace {

/// A grid alone in a window of 1000 x 600.
class GridBench {
public:
    explicit GridBench(const char* preset)
        : grid(*find_grid_preset(preset)), context_(ImGui::CreateContext()) {
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = {1000, 600};
        io.Fonts->Build();
        frame();
    }
    ~GridBench() { ImGui::DestroyContext(context_); }
    GridBench(const GridBench&) = delete;
    GridBench& operator=(const GridBench&) = delete;

    void frame() {
        panes.clear();
        ImGui::GetIO().DeltaTime = 1.0F / 60;
        ImGui::NewFrame();
        ImGui::SetNextWindowPos({0, 0});
        ImGui::SetNextWindowSize({1000, 600});
        ImGui::Begin("grid", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove);
        grid.draw({0, 0}, {1000, 600}, theme(ThemeName::dark), 1, [this](int, ImVec2 min, ImVec2 size) {
            panes.push_back({min, {min.x + size.x, min.y + size.y}});
        });
        ImGui::End();
        ImGui::Render();
    }
    void move_to(float x, float y) {
        ImGui::GetIO().AddMousePosEvent(x, y);
        frame();
    }
    void button(bool down) {
        ImGui::GetIO().AddMouseButtonEvent(0, down);
        frame();
    }
    void drag(const char* id, float dx, float dy) {
        const Rect at = rects().at(id);
        const float x = (at.min.x + at.max.x) / 2, y = at.min.y + (at.max.y - at.min.y) / 4;
        move_to(x, y);
        button(true);
        move_to(x + dx / 2, y + dy / 2);
        move_to(x + dx, y + dy);
        button(false);
        frame();
    }

    PaneGrid grid;
    std::vector<Rect> panes;

private:
    ImGuiContext* context_;
};

float sum(const std::vector<float>& percents) {
    return std::accumulate(percents.begin(), percents.end(), 0.0F);
}

TEST_SUITE("ui/widgets/pane_grid") {
    TEST_CASE("presets have the panes that they name") {
        for (const GridPreset& preset : grid_presets())
            CHECK(PaneGrid(preset).panes() == std::stoi(std::string(preset.id.substr(2))));
        for (const char* id : {"1x1", "1x2", "1x3", "1x4", "2x6", "2x8", "3x12"})
            CHECK_MESSAGE(find_grid_preset(id) != nullptr, id);
        CHECK(find_grid_preset("7x7") == nullptr);
    }
    TEST_CASE("panes fill the area without overlapping") {
        const GridBench bench("2x6");
        REQUIRE(bench.panes.size() == 6);
        CHECK(bench.panes.front().min.x == 0);
        CHECK(bench.panes.back().max.x == 1000);
        CHECK(bench.panes.back().max.y == 600);
        CHECK(bench.panes[1].min.x > bench.panes[0].max.x);
        CHECK(bench.panes[3].min.y > bench.panes[0].max.y);
    }
    TEST_CASE("dragging a splitter changes its two tracks, and the sum stays 100") {
        GridBench bench("2x6");
        bench.drag("grid/column0", 100, 0);
        const auto& columns = bench.grid.column_percents();
        CHECK(columns[0] == doctest::Approx(43.3).epsilon(0.02));
        CHECK(columns[2] == doctest::Approx(33.3).epsilon(0.01));
        CHECK(sum(columns) == doctest::Approx(100));
        bench.drag("grid/row0", 0, -120);
        CHECK(bench.grid.row_percents()[0] == doctest::Approx(30).epsilon(0.03));
        CHECK(sum(bench.grid.row_percents()) == doctest::Approx(100));
        CHECK(sum(columns) == doctest::Approx(100));
    }
    TEST_CASE("no pane is made smaller than it can be read") {
        GridBench bench("1x2");
        bench.drag("grid/column0", -900, 0);
        CHECK(bench.panes[0].max.x - bench.panes[0].min.x >= 170);
        bench.drag("grid/column0", 2000, 0);
        CHECK(bench.panes[1].max.x - bench.panes[1].min.x >= 170);
        CHECK(sum(bench.grid.column_percents()) == doctest::Approx(100));
    }
    TEST_CASE("a double click on a splitter makes its tracks equal again") {
        GridBench bench("1x2");
        bench.drag("grid/column0", 200, 0);
        REQUIRE(bench.grid.column_percents()[0] > 60);
        for (int i = 0; i < 30; ++i) bench.frame();  // Or the drag's own click would be the first of three.
        const Rect at = rects().at("grid/column0");
        bench.move_to((at.min.x + at.max.x) / 2, 300);
        for (int i = 0; i < 2; ++i) {
            bench.button(true);
            bench.button(false);
        }
        CHECK(bench.grid.column_percents()[0] == doctest::Approx(50));
    }
}

}  // namespace
}  // namespace labdeck::ui
