#include "ui/console_report.h"

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ui/rects.h"

namespace labdeck::ui {

namespace {

double ms_of(std::int64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

Json costs_json(const FrameCosts& costs) {
    const auto recent = costs.recent();
    const auto all = costs.since_start();
    return {{"p50", recent.p50_ms},
            {"p99", recent.p99_ms},
            {"max", recent.max_ms},
            {"sinceStart",
             {{"frames", all.frames}, {"p50", all.p50_ms}, {"p99", all.p99_ms}, {"max", all.max_ms}}}};
}

const char* kind_name(DataAge::Kind kind) {
    switch (kind) {
        case DataAge::Kind::none:
            return "none";
        case DataAge::Kind::live:
            return "live";
        case DataAge::Kind::behind:
            return "behind";
        case DataAge::Kind::quiet:
            return "quiet";
    }
    return "none";
}

Json source_json(const SourceView& source) {
    return {{"name", source.info.name},
            {"bytes", source.counters->bytes.load(std::memory_order_relaxed)},
            {"lines", source.counters->lines.load(std::memory_order_relaxed)},
            {"shownBytes", source.tail->bytes_total()},
            {"shownLines", source.tail->lines_total()},
            {"shownAgeMs", ms_of(source.shown_age_ns)},
            {"behindMs", ms_of(source.backlog_ns())},
            {"presentedNs", source.presented.ns},
            {"newestRow", source.newest_row}};
}

Json rects_json() {
    Json out = Json::object();
    for (const auto& [id, rect] : rects()) out[id] = {rect.min.x, rect.min.y, rect.max.x, rect.max.y};
    return out;
}

}  // namespace

std::string report_text(const BenchState& bench, const FrameCosts& frames, const FrameCosts& whole_frames,
                        const std::vector<PanelAge>& ages) {
    Json report{{"frames", bench.self().frames},
                {"frameCpuMs", costs_json(frames)},
                {"wholeFrameCpuMs", costs_json(whole_frames)},
                {"panels", Json::array()},
                {"sources", Json::array()},
                {"apps", Json::array()},
                {"lostBytes", bench.lost_bytes()}};
    for (const PanelAge& panel : ages) {
        report["panels"].push_back(
            {{"id", panel.id}, {"ageKind", kind_name(panel.age.kind)}, {"ageMs", ms_of(panel.age.age_ns)}});
    }
    for (const auto& source : bench.sources()) report["sources"].push_back(source_json(*source));
    for (const auto& app : bench.apps()) {
        report["apps"].push_back({{"id", app->id},
                                  {"providerState", app->provider_state},
                                  {"banner", app->banner},
                                  {"bannerSinceNs", app->banner_since.ns}});
    }
    const std::int64_t click = bench.self().last_click_to_wire_ns;
    report["firstFrameProcessCpuMs"] = ms_of(bench.self().first_frame_process_cpu_ns);
    report["rects"] = rects_json();
    report["clickToWireMs"] = click < 0 ? Json(nullptr) : Json(ms_of(click));
    return report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_report(const std::string& path, const std::string& text) {
    const std::string temporary = path + ".tmp";
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (file) std::rename(temporary.c_str(), path.c_str());
}

}  // namespace labdeck::ui
