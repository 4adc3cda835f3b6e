// console_bench.h - a whole console under ImGui without a renderer, with a hub that the test plays.
#pragma once

#include <doctest/doctest.h>
#include <imgui.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ui/console.h"
#include "ui/played_bench.h"
#include "ui/rects.h"

namespace labdeck::ui {

class ConsoleBench {
public:
    explicit ConsoleBench(ConsoleOptions options = {}, ImVec2 size = {1280, 800}) {
        ui_thread.bind();
        context_ = ImGui::CreateContext();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = size;
        io.Fonts->AddFontDefault();
        io.Fonts->Build();
        fonts_.text = fonts_.bold = fonts_.large = fonts_.mono = io.Fonts->Fonts[0];
        console = std::make_unique<Console>(hub.link, inbox, std::move(options));
    }
    ~ConsoleBench() {
        console.reset();
        ImGui::DestroyContext(context_);
    }
    ConsoleBench(const ConsoleBench&) = delete;
    ConsoleBench& operator=(const ConsoleBench&) = delete;

    void frame(int count = 1) {
        for (int i = 0; i < count; ++i) {
            hub.answer();
            console->drain();
            draw();
        }
    }
    /// What the window's loop does while there is something to draw. Returns how many frames that were.
    int run_until_asleep(int frames_max = 20) {
        int frames = 0;
        for (; frames < frames_max; ++frames) {
            hub.answer();
            console->drain();
            if (!console->wants_frame(mono_now())) break;
            draw();
        }
        return frames;
    }
    bool asleep() {
        const MonoTime now = mono_now();
        const MonoTime next = console->next_frame(now);
        return next.ns == 0 || next > now;
    }
    void move_to(ImVec2 at) {
        ImGui::GetIO().AddMousePosEvent(at.x, at.y);
        frame();
    }
    void button(bool down) {
        ImGui::GetIO().AddMouseButtonEvent(ImGuiMouseButton_Left, down);
        frame();
    }
    void click(std::string_view rect) {
        move_to(middle(rect));
        button(true);
        button(false);
        frame();
    }
    void drag(std::string_view rect, ImVec2 by) {
        const ImVec2 from = middle(rect);
        move_to(from);
        button(true);
        move_to({from.x + by.x / 2, from.y + by.y / 2});
        move_to({from.x + by.x, from.y + by.y});
        button(false);
        frame();
    }
    ImVec2 middle(std::string_view rect) const {
        const auto found = rects().find(rect);
        REQUIRE_MESSAGE(found != rects().end(), std::string(rect));
        return {(found->second.min.x + found->second.max.x) / 2,
                (found->second.min.y + found->second.max.y) / 2};
    }
    bool has(std::string_view rect) const { return rects().contains(rect); }
    BenchState& state() { return console->bench(); }
    static int vertices() { return ImGui::GetDrawData()->TotalVtxCount; }

    PlayedHub hub;
    data::WindowInbox inbox{[] {}};
    PlayedSources sources;
    std::unique_ptr<Console> console;

private:
    void draw() {
        ImGui::GetIO().DeltaTime = 1.0F / 60;
        ImGui::NewFrame();
        console->draw(fonts_, nullptr, mono_now());
        ImGui::Render();
        console->presented(mono_now(), 100'000);
    }

    ImGuiContext* context_ = nullptr;
    Fonts fonts_;
};

}  // namespace labdeck::ui
