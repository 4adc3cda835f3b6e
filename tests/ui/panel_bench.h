// panel_bench.h - one panel under ImGui without a renderer, with a hub and sources that the test plays.
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
#include "ui/panel.h"
#include "ui/rects.h"

namespace labdeck::ui {

class PanelBench {
public:
    explicit PanelBench(std::unique_ptr<Panel> panel, ImVec2 size = {1280, 800}) : panel_(std::move(panel)) {
        ui_thread.bind();
        context_ = ImGui::CreateContext();
        ImGuiIO& io = ImGui::GetIO();
        io.IniFilename = nullptr;
        io.DisplaySize = size;
        io.Fonts->Build();
        io.SetClipboardTextFn = [](void* user, const char* text) { *static_cast<std::string*>(user) = text; };
        io.GetClipboardTextFn = [](void* user) { return static_cast<std::string*>(user)->c_str(); };
        io.ClipboardUserData = &clipboard;
        bench_ = std::make_unique<BenchState>(link_, inbox_);
        on("events.subscribe", [](const Json&) { return Json::object(); });
        on("app.list", [](const Json&) { return Json{{"apps", Json::array()}}; });
    }
    ~PanelBench() {
        panel_.reset();
        bench_.reset();
        ImGui::DestroyContext(context_);
    }
    PanelBench(const PanelBench&) = delete;
    PanelBench& operator=(const PanelBench&) = delete;

    // --- what the hub does -------------------------------------------------------

    using Handler = std::function<Result<Json>(const Json& params)>;
    void on(const std::string& method, Handler handler) { handlers_[method] = std::move(handler); }

    /// Answers what was asked and remembers it.
    void hub() {
        contract::LocalLink::ToHub asked;
        while (link_.take(asked)) {
            const auto& request = asked.request;
            calls.emplace_back(request.method, *request.params);
            if (!request.id) continue;
            const auto handler = handlers_.find(request.method);
            Result<Json> result = handler != handlers_.end()
                                      ? handler->second(*request.params)
                                      : fail(Code::unsupported_method, "not played: " + request.method);
            if (result) {
                link_.send(contract::Answer{*request.id, std::make_shared<const Json>(std::move(*result))});
            } else {
                link_.send(contract::Answer{*request.id, fail(result.error())});
            }
        }
    }
    void event(const std::string& name, const Json& params) {
        link_.send(contract::Event{name, std::make_shared<const Json>(params)});
    }
    std::vector<Json> calls_of(std::string_view method) const {
        std::vector<Json> params;
        for (const auto& [name, value] : calls) {
            if (name == method) params.push_back(value);
        }
        return params;
    }

    // --- sources -----------------------------------------------------------------

    data::SourceWriter& add_source(std::uint32_t id, const std::string& name,
                                   std::size_t retained_mib = 256) {
        const data::SourceInfo info{SourceId{id}, data::SourceKind::pipe, name, {}};
        writers_.push_back(
            std::make_unique<data::SourceWriter>(info, 8192, data::SourceWriter::WhenFull::wait, [] {}));
        data::SourceWriter& writer = *writers_.back();
        auto feed = std::make_shared<data::Feed>(8192, [] {});
        writer.add_feed(feed);
        inbox_.put(data::SourceAdded{info, feed, writer.counters(), retained_mib << 20});
        return writer;
    }

    // --- frames and hands ----------------------------------------------------------

    void frame(int count = 1) {
        for (int i = 0; i < count; ++i) one_frame();
    }
    /// A frame whose words are returned (not those of log rows, which are no ImGui text).
    std::string words() {
        logging_ = true;
        one_frame();
        logging_ = false;
        return std::exchange(clipboard, {});
    }
    bool has(std::string_view rect) const { return rects().contains(rect); }
    ImVec2 middle(std::string_view rect) const {
        const auto found = rects().find(rect);
        REQUIRE_MESSAGE(found != rects().end(), std::string(rect));
        return {(found->second.min.x + found->second.max.x) / 2,
                (found->second.min.y + found->second.max.y) / 2};
    }
    void click_at(ImVec2 at) {
        ImGuiIO& io = ImGui::GetIO();
        io.AddMousePosEvent(at.x, at.y);
        frame();
        io.AddMouseButtonEvent(0, true);
        frame();
        io.AddMouseButtonEvent(0, false);
        frame(2);
    }
    void click(std::string_view rect) { click_at(middle(rect)); }
    void type(const char* text) {
        ImGui::GetIO().AddInputCharactersUTF8(text);
        frame(2);
    }
    void press(ImGuiKey key, ImGuiKey modifier = ImGuiKey_None) {
        ImGuiIO& io = ImGui::GetIO();
        if (modifier != ImGuiKey_None) io.AddKeyEvent(modifier, true);
        io.AddKeyEvent(key, true);
        frame();
        io.AddKeyEvent(key, false);
        if (modifier != ImGuiKey_None) io.AddKeyEvent(modifier, false);
        frame();
    }
    /// Replaces what a text field holds.
    void fill(std::string_view rect, const char* text) {
        const auto found = rects().find(rect);
        REQUIRE_MESSAGE(found != rects().end(), std::string(rect));
        click_at({found->second.min.x + 12, (found->second.min.y + found->second.max.y) / 2});
        press(ImGuiKey_A, ImGuiMod_Ctrl);
        press(ImGuiKey_Delete);
        type(text);
    }
    void move_to(ImVec2 at) {
        ImGui::GetIO().AddMousePosEvent(at.x, at.y);
        frame();
    }
    void wheel(std::string_view rect, float notches) {
        move_to(middle(rect));
        ImGui::GetIO().AddMouseWheelEvent(0, notches);
        frame(2);
    }
    DataAge age() { return panel_->age(panel_context()); }
    bool wants_frame() { return panel_->wants_frame(panel_context()).ns != 0; }
    void jump_to_live() { panel_->jump_to_live(); }
    int vertices() const { return ImGui::GetDrawData()->TotalVtxCount; }
    BenchState& state() { return *bench_; }

    std::string clipboard;
    std::vector<std::string> opened;  ///< Folders that were asked to be shown.
    std::function<void(const std::string&)> open_folder = [this](const std::string& folder) {
        opened.push_back(folder);
    };
    std::vector<std::pair<std::string, Json>> calls;
    std::int64_t draw_cpu_ns = 0;  ///< Of the last frame's panel.

private:
    PanelContext panel_context() {
        return {*bench_, theme(ThemeName::dark), fonts_, 1, mono_now(), nullptr, &open_folder};
    }
    void one_frame() {
        bench_->drain(1'000'000'000);
        ImGui::GetIO().DeltaTime = 1.0F / 60;
        ImGui::NewFrame();
        ImGui::SetNextWindowPos({0, 0});
        ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
        ImGui::Begin("console", nullptr, ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings);
        ImGui::BeginChild("panel");
        PanelContext context = panel_context();
        if (logging_) ImGui::LogToClipboard(0);
        const std::int64_t begin = thread_cpu_ns();
        panel_->draw(context);
        draw_cpu_ns = thread_cpu_ns() - begin;
        if (logging_) ImGui::LogFinish();
        ImGui::EndChild();
        ImGui::End();
        ImGui::Render();
        bench_->presented(mono_now());
        hub();
    }

    contract::LocalLink link_;
    data::WindowInbox inbox_{[] {}};
    std::unique_ptr<BenchState> bench_;
    std::unique_ptr<Panel> panel_;
    std::vector<std::unique_ptr<data::SourceWriter>> writers_;
    std::map<std::string, Handler> handlers_;
    ImGuiContext* context_ = nullptr;
    Fonts fonts_;
    bool logging_ = false;
};

}  // namespace labdeck::ui
