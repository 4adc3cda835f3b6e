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

#include "contract/local_link.h"
#include "data/source.h"
#include "data/window_inbox.h"
#include "ui/console.h"
#include "ui/rects.h"

namespace labdeck::ui {

/// The hub's side of the link, answered on the test's thread.
class PlayedHub {
public:
    using Handler = std::function<Result<Json>(const Json& params)>;

    PlayedHub() {
        on("events.subscribe", [](const Json&) { return Json::object(); });
        on("app.list", [this](const Json&) { return Json{{"apps", apps}}; });
        on("status.get", [](const Json& params) {
            return Json{{"appId", params["appId"]},
                        {"appTitle", "The " + params["appId"].get<std::string>()},
                        {"running", true},
                        {"pid", 4711},
                        {"error", ""}};
        });
        on("action.list", [](const Json&) { return Json{{"actions", Json::array({{{"name", "start"}}})}}; });
        on("config.get", [](const Json&) { return Json{{"valid", true}}; });
    }
    void on(const std::string& method, Handler handler) { handlers_[method] = std::move(handler); }
    void add_app(const std::string& id, const std::string& provider = "simulators") {
        apps.push_back({{"appId", id}, {"title", id}, {"provider", provider}, {"providerState", "up"}});
    }
    void event(const std::string& name, const Json& params) {
        link.send(contract::Event{name, std::make_shared<const Json>(params)});
    }
    /// Answers all that was asked. Returns how much that was.
    int answer() {
        int count = 0;
        for (contract::LocalLink::ToHub asked; link.take(asked); ++count) {
            const contract::Request& request = asked.request;
            calls.push_back(request.method);
            if (!request.id) continue;
            const auto handler = handlers_.find(request.method);
            const Result<Json> result = handler != handlers_.end()
                                            ? handler->second(*request.params)
                                            : fail(Code::unsupported_method, "not played");
            if (result) {
                link.send(contract::Answer{*request.id, std::make_shared<const Json>(*result)});
            } else {
                link.send(contract::Answer{*request.id, fail(result.error())});
            }
        }
        return count;
    }
    int calls_of(std::string_view method) const {
        return static_cast<int>(std::count(calls.begin(), calls.end(), method));
    }

    contract::LocalLink link;
    Json apps = Json::array();
    std::vector<std::string> calls;

private:
    std::map<std::string, Handler> handlers_;
};

/// Sources whose bytes the test writes, announced to a window.
class PlayedSources {
public:
    data::SourceWriter& add(data::WindowInbox& inbox, const std::string& name) {
        const data::SourceInfo info{SourceId{++last_id_}, data::SourceKind::pipe, name, {}};
        writers_.push_back(
            std::make_unique<data::SourceWriter>(info, 64, data::SourceWriter::WhenFull::wait, [] {}));
        data::SourceWriter& writer = *writers_.back();
        auto feed = std::make_shared<data::Feed>(64, [] {});
        writer.add_feed(feed);
        inbox.put(data::SourceAdded{info, feed, writer.counters(), 1U << 20U});
        return writer;
    }

private:
    std::uint32_t last_id_ = 0;
    std::vector<std::unique_ptr<data::SourceWriter>> writers_;
};

inline std::shared_ptr<data::SampleBatch> sample_batch(int processes = 1) {
    auto batch = std::make_shared<data::SampleBatch>();
    batch->time = mono_now();
    batch->cpu_percent = 12.5;
    batch->cores = 2;
    batch->memory_total_bytes = 8ULL << 30U;
    batch->memory_used_bytes = 3ULL << 30U;
    for (int i = 0; i < processes; ++i) {
        batch->processes.push_back({.name = i == 0 ? "labdeck" : "process " + std::to_string(i),
                                    .pid = 100 + i,
                                    .cpu_percent = 1.5,
                                    .memory_bytes = 32U << 20U});
    }
    return batch;
}

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
