#include "bench_apps/station_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "io/whole_file.h"

namespace labdeck::bench_apps {

namespace {

namespace fs = std::filesystem;
using contract::Json;

class WallClock {
public:
    WallClock(const StationRun& run, WallTime began) : ahead_ns_(began.ns - run.started.ns) {}

    Json json(MonoTime time) const { return time.ns == 0 ? Json(nullptr) : Json(text(time)); }
    std::string text(MonoTime time) const { return time.ns == 0 ? "" : rfc3339({time.ns + ahead_ns_}); }

private:
    const std::int64_t ahead_ns_;
};

double ms(std::int64_t ns) {
    return static_cast<double>(ns / 1000) / 1000;
}

Json number_json(const std::optional<double>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// As short as it can be read back.
std::string number_text(const std::optional<double>& value) {
    return value ? fmt::format("{}", *value) : "";
}

Json evidence_json(const Evidence& evidence, const WallClock& clock) {
    const BridgeMachine::Counters& counted = evidence.counted;
    return {{"complete", evidence.complete()},
            {"whyIncomplete", evidence.why_incomplete},
            {"bridgeBootId", evidence.bridge_boot},
            {"from", clock.json(evidence.from)},
            {"to", clock.json(evidence.to)},
            {"reports", {evidence.first_report, evidence.last_report}},
            {"records", evidence.records},
            {"recordSequence",
             evidence.records == 0 ? Json(nullptr) : Json{evidence.first_record, evidence.last_record}},
            {"plcBytes", {evidence.plc_bytes_from, evidence.plc_bytes_to}},
            {"bleBytes", {evidence.ble_bytes_from, evidence.ble_bytes_to}},
            {"losses",
             {{"timeouts", counted.timeouts},
              {"retries", counted.retries},
              {"crcErrors", counted.crc_errors},
              {"exceptions", counted.exceptions},
              {"failedPolls", counted.failed_polls},
              {"notificationsLost", counted.notifications_lost},
              {"badFrames", counted.ble_bad_frames},
              {"linkLosses", counted.link_losses},
              {"plcPortLosses", counted.plc_losses},
              {"blePortLosses", counted.ble_losses}}}};
}

Json step_json(const StationStep& step, const WallClock& clock) {
    Json details = Json::object();
    for (const auto& [name, value] : step.details) details[name] = value;
    return {{"name", step.name},
            {"title", step.title},
            {"verdict", step.judged ? Json(verdict_name(step.verdict)) : Json(nullptr)},
            {"value", number_json(step.value)},
            {"unit", step.unit},
            {"lower", number_json(step.limits.lower)},
            {"upper", number_json(step.limits.upper)},
            {"reason", step.reason},
            {"startedAt", clock.json(step.started)},
            {"durationMs", ms(step.duration_ns)},
            {"details", std::move(details)},
            {"evidence", evidence_json(step.evidence, clock)}};
}

std::string_view step_verdict(const StationStep& step) {
    return step.judged ? verdict_name(step.verdict) : "";
}

}  // namespace

Json run_json(const StationRun& run, WallTime began) {
    const WallClock clock(run, began);
    Json steps = Json::array();
    for (const StationStep& step : run.steps) steps.push_back(step_json(step, clock));
    const bool over = run.state != RunState::running;
    return {{"id", run.id},
            {"appId", "40318"},
            {"kind", run_kind_name(run.kind)},
            {"serial", run.serial},
            {"state", run_state_name(run.state)},
            {"verdict", over ? Json(verdict_name(run.verdict())) : Json(nullptr)},
            {"startedAt", clock.json(run.started)},
            {"durationMs", ms(run.duration_ns)},
            {"steps", std::move(steps)}};
}

std::string csv_cell(std::string_view text) {
    constexpr std::string_view formula_begins = "=+-@\t\r";
    const bool formula = !text.empty() && formula_begins.find(text.front()) != std::string_view::npos;
    const std::string cell = fmt::format("{}{}", formula ? "'" : "", text);
    if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
    std::string quoted = "\"";
    for (const char c : cell) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string run_csv(const StationRun& run, WallTime began) {
    const WallClock clock(run, began);
    std::string csv =
        "run,kind,serial,step,title,verdict,value,unit,lower,upper,reason,startedAt,durationMs,"
        "evidenceComplete,firstRecord,lastRecord,plcBytesFrom,plcBytesTo,bleBytesFrom,bleBytesTo,"
        "timeouts,crcErrors,notificationsLost,linkLosses\r\n";
    for (const StationStep& step : run.steps) {
        const Evidence& evidence = step.evidence;
        const auto record = [&](std::uint64_t number) {
            return evidence.records == 0 ? std::string() : fmt::format("{}", number);
        };
        const std::vector<std::string> cells = {run.id,
                                                std::string(run_kind_name(run.kind)),
                                                run.serial,
                                                step.name,
                                                step.title,
                                                std::string(step_verdict(step)),
                                                number_text(step.value),
                                                step.unit,
                                                number_text(step.limits.lower),
                                                number_text(step.limits.upper),
                                                step.reason,
                                                clock.text(step.started),
                                                fmt::format("{}", ms(step.duration_ns)),
                                                evidence.complete() ? "yes" : "no",
                                                record(evidence.first_record),
                                                record(evidence.last_record),
                                                fmt::format("{}", evidence.plc_bytes_from),
                                                fmt::format("{}", evidence.plc_bytes_to),
                                                fmt::format("{}", evidence.ble_bytes_from),
                                                fmt::format("{}", evidence.ble_bytes_to),
                                                fmt::format("{}", evidence.counted.timeouts),
                                                fmt::format("{}", evidence.counted.crc_errors),
                                                fmt::format("{}", evidence.counted.notifications_lost),
                                                fmt::format("{}", evidence.counted.link_losses)};
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) csv += ',';
            csv += csv_cell(cells[i]);
        }
        csv += "\r\n";
    }
    return csv;
}

std::string xml_text(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else if (c == '"') {
            out += "&quot;";
        } else if (c == '\t' || c == '\n' || c == '\r') {
            out += fmt::format("&#{};", byte);
        } else if (byte == 0xEF && i + 2 < text.size() && text[i + 1] == '\xBF' &&
                   (text[i + 2] == '\xBE' || text[i + 2] == '\xBF')) {
            // U+FFFE and U+FFFF are no characters to XML.
            i += 2;
        } else if (byte >= 0x20) {
            out += c;
        }
    }
    return out;
}

std::string run_junit(const StationRun& run, WallTime began) {
    const WallClock clock(run, began);
    const auto count = [&](Verdict verdict) {
        return std::count_if(run.steps.begin(), run.steps.end(),
                             [&](const StationStep& step) { return step.verdict == verdict; });
    };
    const double run_s = ms(run.duration_ns) / 1000;
    const std::string counts =
        fmt::format(R"(tests="{}" failures="{}" errors="{}" skipped="{}" time="{:.3f}")", run.steps.size(),
                    count(Verdict::fail), count(Verdict::incomplete), count(Verdict::skipped), run_s);
    std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    xml += fmt::format("<testsuites name=\"40318\" {}>\n", counts);
    xml += fmt::format("  <testsuite name=\"40318.{}\" {} timestamp=\"{}\">\n", run_kind_name(run.kind),
                       counts, clock.text(run.started).substr(0, 19));
    xml += "    <properties>\n";
    const auto property = [&xml](std::string_view name, std::string_view value) {
        xml += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, xml_text(value));
    };
    property("run", run.id);
    property("serial", run.serial);
    property("state", run_state_name(run.state));
    property("verdict", verdict_name(run.verdict()));
    xml += "    </properties>\n";
    for (const StationStep& step : run.steps) {
        xml += fmt::format("    <testcase classname=\"40318.{}\" name=\"{}\" time=\"{:.3f}\">\n",
                           run_kind_name(run.kind), xml_text(step.name), ms(step.duration_ns) / 1000);
        const std::string message = xml_text(step.reason);
        if (step.verdict == Verdict::fail) {
            xml += fmt::format("      <failure type=\"limits\" message=\"{}\"/>\n", message);
        } else if (step.verdict == Verdict::incomplete) {
            xml += fmt::format("      <error type=\"incomplete\" message=\"{}\"/>\n", message);
        } else if (step.verdict == Verdict::skipped) {
            xml += fmt::format("      <skipped message=\"{}\"/>\n", message);
        }
        const Evidence& evidence = step.evidence;
        xml += fmt::format(
            "      <system-out>{}</system-out>\n",
            xml_text(fmt::format("value {} {} limits [{}, {}] records {}-{} plc bytes {}-{} ble bytes {}-{}",
                                 number_text(step.value), step.unit, number_text(step.limits.lower),
                                 number_text(step.limits.upper), evidence.first_record, evidence.last_record,
                                 evidence.plc_bytes_from, evidence.plc_bytes_to, evidence.ble_bytes_from,
                                 evidence.ble_bytes_to)));
        xml += "    </testcase>\n";
    }
    xml += "  </testsuite>\n</testsuites>\n";
    return xml;
}

Result<std::vector<std::string>> write_results(const StationRun& run, WallTime began,
                                               const std::string& folder) {
    const std::string base = (fs::path(folder) / run.id).string();
    const std::vector<std::pair<std::string, std::string>> files = {
        {base + ".json", run_json(run, began).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"},
        {base + ".csv", run_csv(run, began)},
        {base + ".xml", run_junit(run, began)}};
    std::vector<std::string> paths;
    for (const auto& [path, text] : files) {
        LD_TRY(io::replace_whole_file(path, text));
        paths.push_back(path);
    }
    return paths;
}

}  // namespace labdeck::bench_apps
