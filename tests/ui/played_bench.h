// played_bench.h - what a window talks to, played by a test or a measurement: the hub's side of its link,
// sources and samples. Nothing of a test framework in it.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "contract/local_link.h"
#include "data/samples.h"
#include "data/source.h"
#include "data/window_inbox.h"

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

}  // namespace labdeck::ui
