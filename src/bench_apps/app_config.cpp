#include "bench_apps/app_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "bench_apps/config_file.h"
#include "bench_apps/config_schema.h"
#include "io/whole_file.h"

namespace labdeck::bench_apps {

namespace fs = std::filesystem;

namespace {

Json presets_of(std::span<const FieldSpec> fields) {
    Json presets = Json::object();
    for (const FieldSpec& field : fields) presets[std::string(field.name)] = preset_of(field);
    return presets;
}

contract::JsonSchema schema_made(const Json& schema) {
    Result<contract::JsonSchema> made = contract::JsonSchema::create(schema);
    LD_ASSERT(made.has_value());
    return std::move(*made);
}

std::string name_in(const fs::path& root, const fs::path& file) {
    const fs::path inside = file.lexically_relative(root);
    return inside.empty() || *inside.begin() == ".." ? file.string() : inside.string();
}

/// What may stand beside a setting: where its value is.
void add_place(Json& out, const std::optional<contract::TextPlace>& place) {
    if (!place) return;
    out["line"] = place->line;
    out["column"] = place->column;
}

}  // namespace

const Json& AppConfig::Values::value(std::string_view key) const {
    return fields->at(std::string(key));
}
double AppConfig::Values::number(std::string_view key) const {
    return value(key).get<double>();
}
std::int64_t AppConfig::Values::integer(std::string_view key) const {
    return static_cast<std::int64_t>(number(key));
}
bool AppConfig::Values::flag(std::string_view key) const {
    return value(key).get<bool>();
}
std::string AppConfig::Values::text(std::string_view key) const {
    return value(key).get<std::string>();
}

AppConfig::AppConfig(std::string app_id, std::span<const FieldSpec> fields, fs::path root, fs::path file)
    : app_id_(std::move(app_id)),
      fields_(fields),
      root_(std::move(root)),
      file_(std::move(file)),
      presets_(std::make_unique<const Json>(presets_of(fields_))),
      schema_json_(std::make_unique<const Json>(config_schema(app_id_, fields_))),
      schema_(schema_made(*schema_json_)) {}

AppConfig::~AppConfig() = default;

const FieldSpec* AppConfig::field(std::string_view key) const noexcept {
    const auto found =
        std::find_if(fields_.begin(), fields_.end(), [&](const FieldSpec& one) { return one.name == key; });
    return found == fields_.end() ? nullptr : &*found;
}

ConfigFile AppConfig::read_file() const {
    return ConfigFile::read(file_, name_in(root_, file_), fields_, schema_);
}

AppConfig::Values AppConfig::values_of(const ConfigFile& file) const {
    Values now;
    auto fields = std::make_shared<Json>(Json::object());
    now.file_there = file.there();
    for (const ConfigFault& fault : file.faults()) now.errors.push_back(file.line_of(fault));
    for (const FieldSpec& one : fields_) {
        const std::string key(one.name);
        const auto given = file.tree().find(key);
        const bool good = given != file.tree().end() && fault_of(one, *given).empty();
        (*fields)[key] = good ? *given : presets_->at(key);
    }
    now.tree = std::make_shared<Json>(file.tree());
    now.fields = std::move(fields);
    return now;
}

AppConfig::Values AppConfig::read() const {
    return values_of(read_file());
}

Result<> AppConfig::make_if_missing() const {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file_, ignored))) return {};
    return write(*read().fields);
}

Result<> AppConfig::write(const Json& tree) const {
    return io::replace_whole_file(file_.string(), tree.dump(4) + "\n");
}

std::string AppConfig::resolved(std::string_view path) const {
    if (path.empty()) return {};
    // operator/ takes the right side alone when that is absolute.
    return (root_ / fs::path(path)).lexically_normal().string();
}

Json AppConfig::paths(const Values& now, const ConfigFile& file) const {
    std::error_code ignored;
    Json list = Json::array();
    Json config = {{"name", "config"}, {"path", file_.string()}, {"exists", fs::exists(file_, ignored)}};
    if (!file.faults().empty()) config["error"] = now.errors.front();
    list.push_back(std::move(config));
    for (const FieldSpec& one : fields_) {
        if (!one.path) continue;
        const std::string path = resolved(now.text(one.name));
        Json entry = {{"name", one.name}, {"path", path}, {"exists", fs::exists(path, ignored)}};
        add_place(entry, file.place_of_key(one.name));
        list.push_back(std::move(entry));
    }
    return list;
}

Json AppConfig::entry(const FieldSpec& one, const Values& now, const ConfigFile& file) const {
    Json entry = {{"key", one.name}, {"value", now.value(one.name)}};
    const Json described = field_json(one);
    for (const auto& [name, value] : described.items()) {
        if (name != "name") entry[name] = value;
    }
    entry["restartRequired"] = true;
    const auto place = file.place_of_key(one.name);
    entry["source"] = place ? "file" : "default";
    add_place(entry, place);
    if (const ConfigFault* fault = file.fault_of_key(one.name)) {
        add_place(entry, fault->place);
        entry["error"] = fault->message;
    }
    return entry;
}

Json AppConfig::view() const {
    const ConfigFile file = read_file();
    const Values now = values_of(file);
    Json entries = Json::array();
    for (const FieldSpec& one : fields_) entries.push_back(entry(one, now, file));
    Json faults = Json::array();
    for (const ConfigFault& fault : file.faults()) faults.push_back(file.json_of(fault));
    return {{"repoRoot", root_.string()},  {"valid", now.errors.empty()},   {"errors", now.errors},
            {"faults", std::move(faults)}, {"entries", std::move(entries)}, {"paths", paths(now, file)},
            {"configTree", *now.tree},     {"schema", *schema_json_}};
}

Result<> AppConfig::put(const ConfigFile& file, std::string_view key, const Json& value) const {
    if (!file.there()) {
        Json fields = *values_of(file).fields;
        fields[std::string(key)] = value;
        return write(fields);
    }
    Json wanted = file.tree();
    wanted[std::string(key)] = value;
    const std::string text = file.with(key, value);
    const Result<Json> again = contract::parse_json(text);
    LD_ASSERT(again.has_value() && *again == wanted);
    return io::replace_whole_file(file_.string(), text);
}

Result<Json> AppConfig::set(std::string_view key, const Json& value, std::optional<std::int64_t> pid) const {
    const std::string details = Json{{"key", key}}.dump();
    const FieldSpec* one = field(key);
    if (one == nullptr)
        return fail(Code::config_invalid, fmt::format("{} has no setting {}", app_id_, key), details);
    std::string why = fault_of(*one, value);
    if (why.empty()) {
        const auto refused = schema_.check(Json{{std::string(key), value}});
        // Other settings may be missing from this object of one.
        const auto fault = std::find_if(refused.begin(), refused.end(),
                                        [](const auto& each) { return !each.pointer.empty(); });
        if (fault != refused.end()) why = fmt::format("{}: {}", key, fault->message);
    }
    if (!why.empty()) return fail(Code::config_invalid, std::move(why), details);
    const ConfigFile file = read_file();
    if (file.there() && !file.usable()) {
        Json where = file.json_of(file.faults().front());
        where["key"] = key;
        return fail(Code::config_invalid,
                    fmt::format("{} (the file stays as it is)", file.line_of(file.faults().front())),
                    contract::dump_line(where));
    }
    const auto before = file.tree().find(std::string(key));
    const bool changed = before == file.tree().end() || *before != value;
    if (changed) LD_TRY(put(file, key, value));
    const bool restart = changed && pid.has_value();
    const char* message = !changed  ? "nothing to change"
                          : restart ? "saved; takes effect at the next start"
                                    : "saved";
    return Json{{"changed", changed},
                {"filePath", file_.string()},
                {"restartRequired", restart},
                {"pidAtSet", pid ? Json(*pid) : Json(nullptr)},
                {"message", message}};
}

}  // namespace labdeck::bench_apps
