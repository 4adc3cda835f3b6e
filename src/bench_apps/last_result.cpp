#include "bench_apps/last_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "bench_apps/station_run.h"
#include "io/whole_file.h"

namespace labdeck::bench_apps {

namespace {

namespace fs = std::filesystem;
using contract::Json;

constexpr std::size_t bytes_max = 4U << 20;
constexpr std::size_t passed_over_max = 100;
constexpr std::string_view name_begin = "40318-";
constexpr std::string_view name_end = ".json";
constexpr std::size_t id_with_time = std::string_view("40318-20260217T162000Z").size();

struct Field {
    std::string_view name;
    bool (Json::*is)() const noexcept;
    bool or_null = false;
};

constexpr std::array run_fields = {
    Field{"id", &Json::is_string},        Field{"appId", &Json::is_string},
    Field{"kind", &Json::is_string},      Field{"serial", &Json::is_string},
    Field{"state", &Json::is_string},     Field{"verdict", &Json::is_string},
    Field{"startedAt", &Json::is_string}, Field{"durationMs", &Json::is_number},
    Field{"steps", &Json::is_array}};
constexpr std::array step_fields = {Field{"name", &Json::is_string},
                                    Field{"title", &Json::is_string},
                                    Field{"verdict", &Json::is_string},
                                    Field{"value", &Json::is_number, true},
                                    Field{"unit", &Json::is_string},
                                    Field{"lower", &Json::is_number, true},
                                    Field{"upper", &Json::is_number, true},
                                    Field{"reason", &Json::is_string},
                                    Field{"startedAt", &Json::is_string, true},
                                    Field{"durationMs", &Json::is_number},
                                    Field{"details", &Json::is_object},
                                    Field{"evidence", &Json::is_object}};

Result<> check_fields(const Json& object, std::string_view where, std::span<const Field> fields) {
    if (!object.is_object()) return fail(Code::bad_arg, fmt::format("{} is no object", where));
    for (const Field& field : fields) {
        const auto found = object.find(field.name);
        if (found == object.end()) return fail(Code::bad_arg, fmt::format("{} has no {}", where, field.name));
        if (!((*found).*field.is)() && !(field.or_null && found->is_null())) {
            return fail(Code::bad_arg,
                        fmt::format("{}: {} may not be {}", where, field.name, found->type_name()));
        }
    }
    return {};
}

tl::unexpected<Error> wrong(std::string message) {
    return fail(Code::bad_arg, std::move(message));
}

Result<StationStep> step_of(const Json& json, std::size_t number) {
    const std::string where = fmt::format("step {}", number);
    LD_TRY(check_fields(json, where, step_fields));
    const auto verdict = verdict_of_name(json["verdict"].get_ref<const std::string&>());
    if (!verdict) return wrong(fmt::format("{} has the verdict {}", where, json["verdict"].dump()));
    const auto complete = json["evidence"].find("complete");
    if (complete == json["evidence"].end() || !complete->is_boolean()) {
        return wrong(where + ": its evidence does not say whether it is complete");
    }
    if (*verdict == Verdict::pass && !complete->get<bool>()) return wrong(where + " passed on a hole");
    StationStep step;
    step.verdict = *verdict;
    return step;
}

struct Candidate {
    std::string id;
    std::string path;
};

/// The newest first, as far as the second that is in the name.
Result<std::vector<Candidate>> results_in(const std::string& folder) {
    std::vector<Candidate> found;
    std::error_code failed;
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with(name_begin) || !name.ends_with(name_end)) continue;
        found.push_back({name.substr(0, name.size() - name_end.size()), entry->path().string()});
    }
    if (failed == std::errc::no_such_file_or_directory) return found;
    if (failed) return fail(os_error_value("read the folder " + folder, failed.value()));
    std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.id > b.id; });
    return found;
}

/// Adds what run_json() cannot know: the files that lie there.
Json with_files(Json run, const std::string& path) {
    const std::string base = path.substr(0, path.size() - name_end.size());
    Json files = Json::array();
    std::string missing;
    for (const char* kind : {".json", ".csv", ".xml"}) {
        std::error_code ignored;
        const bool there = fs::is_regular_file(base + kind, ignored);
        if (there) files.push_back(base + kind);
        if (!there) missing += fmt::format("{}{}{} is not there", missing.empty() ? "" : "; ", base, kind);
    }
    run["files"] = std::move(files);
    run["filesError"] = missing;
    return run;
}

}  // namespace

Result<Json> parse_result(std::string_view text, std::string_view id) {
    Json run = LD_TRY(contract::parse_json(text));
    LD_TRY(check_fields(run, "the result", run_fields));
    if (run["id"] != id) return wrong(fmt::format("it is the run {}", run["id"].dump()));
    if (run["appId"] != "40318") return wrong(fmt::format("it is of the app {}", run["appId"].dump()));
    if (!run_kind_of_name(run["kind"].get_ref<const std::string&>())) {
        return wrong(fmt::format("there is no kind of run {}", run["kind"].dump()));
    }
    const auto state = run_state_of_name(run["state"].get_ref<const std::string&>());
    if (!state || state == RunState::running) {
        return wrong(fmt::format("the state {} is none that a run ends in", run["state"].dump()));
    }
    WallTime began;
    if (!parse_rfc3339(run["startedAt"].get_ref<const std::string&>(), began)) {
        return wrong(fmt::format("startedAt {} is no time", run["startedAt"].dump()));
    }
    StationRun judged;
    for (const Json& step : run["steps"])
        judged.steps.push_back(LD_TRY(step_of(step, judged.steps.size() + 1)));
    if (run["verdict"] != verdict_name(judged.verdict())) {
        return wrong(fmt::format("the verdict {} is not that of its steps, {}", run["verdict"].dump(),
                                 verdict_name(judged.verdict())));
    }
    return run;
}

LastResult read_last_result(const std::string& folder) {
    LastResult last;
    const auto results = results_in(folder);
    if (!results) {
        last.passed_over.push_back(results.error().message);
        return last;
    }
    std::string newest;
    Json run;
    for (const Candidate& one : *results) {
        const std::string second = one.id.substr(0, id_with_time);
        if (!newest.empty() && second != newest) break;
        if (last.passed_over.size() == passed_over_max) {
            last.passed_over.push_back(fmt::format("{}: older files are not looked at", folder));
            break;
        }
        const Result<std::string> text = io::read_whole_file(one.path, bytes_max);
        Result<Json> read = text ? parse_result(*text, one.id) : fail(text.error());
        if (!read) {
            // What comes of the system names the path by itself.
            last.passed_over.push_back(text ? fmt::format("{}: {}", one.path, read.error().message)
                                            : read.error().message);
            continue;
        }
        // Of the runs of one second the one that began last.
        if (!newest.empty() && (*read)["startedAt"] <= run["startedAt"]) continue;
        newest = second;
        run = with_files(std::move(*read), one.path);
    }
    if (!newest.empty()) last.run = std::make_shared<const Json>(std::move(run));
    return last;
}

}  // namespace labdeck::bench_apps
