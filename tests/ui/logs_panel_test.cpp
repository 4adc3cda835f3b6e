#include <algorithm>
#include <string>
#include <vector>

#include "ui/panel_bench.h"

using namespace labdeck;
using namespace labdeck::ui;

namespace {

constexpr std::int64_t ns_per_s = 1'000'000'000;

void say_rows(data::SourceWriter& writer, int from, int to, MonoTime when = mono_now()) {
    std::string text;
    for (int i = from; i < to; ++i) text += "row " + std::to_string(i) + " says INFO all is well\n";
    REQUIRE(writer.write(text, when) == text.size());
    writer.notify();
}

/// Copies the row at a place of the view, as a person would.
std::string row_at(PanelBench& bench, float share) {
    const Rect rect = rects().find("logs/rows")->second;
    bench.click_at({(rect.min.x + rect.max.x) / 2, rect.min.y + (rect.max.y - rect.min.y) * share});
    bench.press(ImGuiKey_C, ImGuiMod_Ctrl);
    return std::exchange(bench.clipboard, {});
}
std::string top_row(PanelBench& bench) {
    return row_at(bench, 0.001F);
}
std::string bottom_row(PanelBench& bench) {
    return row_at(bench, 0.999F);
}

}  // namespace

TEST_SUITE("ui/logs_panel") {
    TEST_CASE("without a source it says what to do, without a row it waits") {
        PanelBench bench(make_logs_panel());
        bench.frame(2);
        CHECK(bench.age().kind == DataAge::Kind::none);
        bench.add_source(1, "silent");
        bench.frame(2);
        CHECK(bench.age().kind == DataAge::Kind::none);
        CHECK(bench.words().find("0 rows") != std::string::npos);
    }

    TEST_CASE("a million rows cost no more vertices than a hundred") {
        PanelBench few(make_logs_panel());
        say_rows(few.add_source(1, "plc"), 100'000, 100'100);
        few.frame(3);
        const int vertices = few.vertices();
        const ImGuiContext* const current = ImGui::GetCurrentContext();
        CHECK(current != nullptr);
        {
            PanelBench many(make_logs_panel());
            data::SourceWriter& writer = many.add_source(1, "plc");
            for (int i = 0; i < 1'000'000; i += 10'000) say_rows(writer, i, i + 10'000);
            many.frame(3);
            CHECK(many.state().sources().front()->tail->rows() == 1'000'000);
            // A few more digits in the count of rows, and a thumb in the scroll bar.
            CHECK(many.vertices() < vertices + 300);
            std::vector<std::int64_t> costs;
            for (int i = 0; i < 50; ++i) {
                many.frame();
                costs.push_back(many.draw_cpu_ns);
            }
            std::sort(costs.begin(), costs.end());
            MESSAGE("panel CPU with a million rows, median: " << costs[25] / 1000 << " us");
        }
    }

    TEST_CASE("rows of 8 KiB without a newline cost no more vertices than short ones") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& writer = bench.add_source(1, "endless");
        const std::string text(1 << 20, 'x');
        REQUIRE(writer.write(text, mono_now()) == text.size());
        bench.frame(3);
        CHECK(bench.state().sources().front()->tail->rows() == (1 << 20) / 8192);
        CHECK(bench.vertices() < 60 * (200 + 40) * 4);
    }

    TEST_CASE("the newest row is followed until somebody scrolls up; then the top row stays") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& writer = bench.add_source(1, "plc");
        say_rows(writer, 0, 1000);
        bench.frame(3);
        CHECK(bottom_row(bench).starts_with("row 999 "));
        say_rows(writer, 1000, 1100);
        bench.frame(2);
        CHECK(bottom_row(bench).starts_with("row 1099 "));

        bench.wheel("logs/rows", 5);
        const std::string top = top_row(bench);
        CHECK(bottom_row(bench).starts_with("row 1084 "));
        for (int i = 0; i < 20; ++i) {
            say_rows(writer, 1100 + i * 100, 1200 + i * 100);
            bench.frame();
        }
        CHECK(top_row(bench) == top);
        CHECK(bench.age().kind == DataAge::Kind::behind);

        bench.press(ImGuiKey_End);
        bench.frame();
        CHECK(bottom_row(bench).starts_with("row 3099 "));
        CHECK(bench.age().kind != DataAge::Kind::behind);
    }

    TEST_CASE("scrolling down to the newest row follows again, and so does the button") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& writer = bench.add_source(1, "plc");
        say_rows(writer, 0, 1000);
        bench.frame(3);
        bench.wheel("logs/rows", 10);
        CHECK(bench.words().find("Jump to live") != std::string::npos);
        bench.wheel("logs/rows", -11);
        CHECK(bench.words().find("Following") != std::string::npos);
        bench.wheel("logs/rows", 10);
        bench.click("logs/follow");
        CHECK(bottom_row(bench).starts_with("row 999 "));
        bench.click("logs/follow");
        say_rows(writer, 1000, 1100);
        bench.frame(2);
        CHECK(bottom_row(bench).starts_with("row 999 "));
        bench.jump_to_live();
        bench.frame();
        CHECK(bottom_row(bench).starts_with("row 1099 "));
    }

    TEST_CASE("Home shows the first row, page keys go by pages") {
        PanelBench bench(make_logs_panel());
        say_rows(bench.add_source(1, "plc"), 0, 1000);
        bench.frame(3);
        top_row(bench);
        bench.press(ImGuiKey_Home);
        CHECK(top_row(bench).starts_with("row 0 "));
        bench.press(ImGuiKey_PageDown);
        CHECK_FALSE(top_row(bench).starts_with("row 0 "));
        bench.press(ImGuiKey_PageUp);
        CHECK(top_row(bench).starts_with("row 0 "));
    }

    TEST_CASE("a filter shows exactly the matching rows") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& writer = bench.add_source(1, "plc");
        say_rows(writer, 0, 20'000);
        bench.frame(3);
        bench.fill("logs/filter", "ROW 1234");
        for (int i = 0; i < 1000 && bench.wants_frame(); ++i) bench.frame();
        CHECK_FALSE(bench.wants_frame());
        CHECK(bench.words().find("11 of 20,000 rows") != std::string::npos);
        CHECK(top_row(bench).starts_with("row 1234 "));
        bench.click("logs/case");
        // A tooltip that had the time to open would stand in front of the words.
        bench.move_to({0, 0});
        for (int i = 0; i < 1000 && bench.wants_frame(); ++i) bench.frame();
        CHECK(bench.words().find("0 of 20,000 rows") != std::string::npos);
        bench.fill("logs/filter", "");
        CHECK(bench.words().find(" of ") == std::string::npos);
    }

    TEST_CASE("a wrong expression is explained and the last good one still filters") {
        PanelBench bench(make_logs_panel());
        say_rows(bench.add_source(1, "plc"), 0, 1000);
        bench.frame(3);
        bench.click("logs/regex");
        bench.fill("logs/filter", "row 99[0-9]");
        bench.frame(3);
        CHECK(bench.words().find("10 of 1,000 rows") != std::string::npos);
        CHECK_FALSE(bench.has("logs/filter_error"));
        bench.type("(");
        bench.frame(2);
        CHECK(bench.has("logs/filter_error"));
        const std::string words = bench.words();
        CHECK(words.find("missing )") != std::string::npos);
        CHECK(words.find("10 of 1,000 rows") != std::string::npos);
    }

    TEST_CASE("all sources are merged by their read times") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& a = bench.add_source(1, "a");
        data::SourceWriter& b = bench.add_source(2, "b");
        const std::int64_t begin = mono_now().ns - 10 * ns_per_s;
        for (int i = 0; i < 10; ++i) {
            data::SourceWriter& writer = i % 2 == 0 ? a : b;
            REQUIRE(writer.write("line " + std::to_string(i) + "\n", {begin + i * ns_per_s}) > 0);
        }
        bench.frame(3);
        const Rect rect = rects().find("logs/rows")->second;
        bench.click_at({rect.min.x + 200, rect.min.y + 3});
        ImGui::GetIO().AddKeyEvent(ImGuiMod_Shift, true);
        bench.click_at({rect.min.x + 200, rect.max.y - 3});
        ImGui::GetIO().AddKeyEvent(ImGuiMod_Shift, false);
        bench.press(ImGuiKey_C, ImGuiMod_Ctrl);
        std::string expected;
        for (int i = 0; i < 10; ++i) expected += "line " + std::to_string(i) + "\n";
        CHECK(bench.clipboard == expected);
    }

    TEST_CASE("a source whose bytes are no text is shown as hex") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& writer = bench.add_source(1, "tap");
        const std::string frame("\x01\x03\x00\x00\x00\x0a\xc5\xcd\x01\x03\x14\x0c\xe4\x13\x88\x5d", 16);
        for (int i = 0; i < 100; ++i) REQUIRE(writer.write(frame, mono_now()) == frame.size());
        bench.frame(3);
        CHECK(bottom_row(bench).starts_with("00000630  01 03 00 00 00 0a c5 cd  01 03 14 "));
    }

    TEST_CASE("a loss has a line of its own at its place") {
        PanelBench bench(make_logs_panel());
        data::SourceWriter& writer = bench.add_source(1, "port");
        say_rows(writer, 0, 3);
        writer.lose(data::LossStage::driver_overrun, 12);
        say_rows(writer, 3, 6);
        bench.frame(3);
        // Six rows and the loss: the seventh line is the last row.
        const Rect rect = rects().find("logs/rows")->second;
        const float line = std::ceil(ImGui::GetIO().Fonts->Fonts[0]->FontSize * 1.2F);
        bench.click_at({rect.min.x + 200, rect.min.y + line * 6.5F});
        bench.press(ImGuiKey_C, ImGuiMod_Ctrl);
        CHECK(bench.clipboard.starts_with("row 5 "));
        bench.fill("logs/filter", "row 5");
        CHECK(bench.words().find("12 bytes lost") != std::string::npos);
    }

    TEST_CASE("a source that goes away takes its rows along and nothing else") {
        PanelBench bench(make_logs_panel());
        say_rows(bench.add_source(1, "a"), 0, 10);
        bench.frame(3);
        bench.state().sources().clear();
        bench.frame(3);
        CHECK(bench.words().find("0 rows") != std::string::npos);
    }
}
