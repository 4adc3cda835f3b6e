#include "bench_apps/app_config.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/unique_fd.h"

namespace labdeck::bench_apps {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_bytes_max = 1U << 20;

/// not_found when there is no file.
Result<std::string> read_file(const fs::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return os_error("open " + path.string());
    std::string text;
    std::array<char, 16 << 10> buffer;
    while (true) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("read " + path.string());
        if (n == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(n));
        if (text.size() > file_bytes_max) {
            return fail(Code::config_invalid,
                        fmt::format("{} is longer than {} bytes", path.string(), file_bytes_max));
        }
    }
}

Result<> write_all(int fd, std::string_view text, const fs::path& path) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return os_error("write " + path.string());
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

/// config_invalid when it is no JSON object.
Result<Json> read_tree(const fs::path& path) {
    const std::string text = LD_TRY(read_file(path));
    Result<Json> parsed = contract::parse_json(text);
    if (!parsed) return fail(Code::config_invalid, path.string() + ": " + parsed.error().message);
    if (!parsed->is_object()) return fail(Code::config_invalid, path.string() + " is no JSON object");
    return parsed;
}

/// Either the old file or the new one is there at every moment, a power cut included.
Result<> replace_file(const fs::path& path, std::string_view text) {
    std::error_code made;
    fs::create_directories(path.parent_path(), made);
    if (made) return fail(os_error_value("make the folder " + path.parent_path().string(), made.value()));
    const fs::path making = path.string() + fmt::format(".{}.new", ::getpid());
    UniqueFd fd(::open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) return os_error("write " + making.string());
    Result<> done = write_all(fd.get(), text, making);
    if (done && ::fsync(fd.get()) != 0) done = os_error("write " + making.string());
    if (done && ::rename(making.c_str(), path.c_str()) != 0) done = os_error("replace " + path.string());
    if (!done) {
        ::unlink(making.c_str());
        return done;
    }
    const UniqueFd folder(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // A file system that cannot sync a folder has still renamed.
    if (folder) (void)::fsync(folder.get());
    return {};
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
    : app_id_(std::move(app_id)), fields_(fields), root_(std::move(root)), file_(std::move(file)) {}

const FieldSpec* AppConfig::field(std::string_view key) const noexcept {
    const auto found =
        std::find_if(fields_.begin(), fields_.end(), [&](const FieldSpec& one) { return one.name == key; });
    return found == fields_.end() ? nullptr : &*found;
}

AppConfig::Values AppConfig::read() const {
    Values now;
    auto tree = std::make_shared<Json>(Json::object());
    auto fields = std::make_shared<Json>(Json::object());
    Result<Json> read = read_tree(file_);
    now.file_there = read.has_value() || read.error().code != Code::not_found;
    if (read) {
        *tree = std::move(*read);
    } else if (now.file_there) {
        now.errors.push_back(read.error().message);
    }
    for (const FieldSpec& one : fields_) {
        const std::string key(one.name);
        Json& value = (*fields)[key] = preset_of(one);
        const auto given = tree->find(key);
        if (given == tree->end()) continue;
        std::string fault = fault_of(one, *given);
        if (fault.empty()) {
            value = *given;
        } else {
            now.errors.push_back(std::move(fault));
        }
    }
    now.tree = std::move(tree);
    now.fields = std::move(fields);
    return now;
}

Result<> AppConfig::make_if_missing() const {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(file_, ignored))) return {};
    return write(*read().fields);
}

Result<> AppConfig::write(const Json& tree) const {
    return replace_file(file_, tree.dump(4) + "\n");
}

std::string AppConfig::resolved(std::string_view path) const {
    if (path.empty()) return {};
    // operator/ takes the right side alone when that is absolute.
    return (root_ / fs::path(path)).lexically_normal().string();
}

Json AppConfig::paths(const Values& now) const {
    std::error_code ignored;
    Json list = Json::array();
    list.push_back({{"name", "config"}, {"path", file_.string()}, {"exists", fs::exists(file_, ignored)}});
    for (const FieldSpec& one : fields_) {
        if (!one.path) continue;
        const std::string path = resolved(now.text(one.name));
        list.push_back({{"name", one.name}, {"path", path}, {"exists", fs::exists(path, ignored)}});
    }
    return list;
}

Json AppConfig::view() const {
    const Values now = read();
    Json entries = Json::array();
    for (const FieldSpec& one : fields_) {
        Json entry = {{"key", one.name}, {"value", now.value(one.name)}};
        const Json described = field_json(one);
        for (const auto& [name, value] : described.items()) {
            if (name != "name") entry[name] = value;
        }
        entry["restartRequired"] = true;
        entries.push_back(std::move(entry));
    }
    return {{"repoRoot", root_.string()},    {"valid", now.errors.empty()}, {"errors", now.errors},
            {"entries", std::move(entries)}, {"paths", paths(now)},         {"configTree", *now.tree}};
}

Result<Json> AppConfig::set(std::string_view key, const Json& value, std::optional<std::int64_t> pid) const {
    const std::string details = Json{{"key", key}}.dump();
    const FieldSpec* one = field(key);
    if (one == nullptr)
        return fail(Code::config_invalid, fmt::format("{} has no setting {}", app_id_, key), details);
    if (std::string fault = fault_of(*one, value); !fault.empty()) {
        return fail(Code::config_invalid, std::move(fault), details);
    }
    Result<Json> tree_there = read_tree(file_);
    const bool missing = !tree_there && tree_there.error().code == Code::not_found;
    if (!tree_there && !missing) {
        Error why = std::move(tree_there).error();
        why.details = details;
        return fail(std::move(why));
    }
    Json tree = missing ? *read().fields : std::move(*tree_there);
    const std::string name(key);
    const auto before = tree.find(name);
    const bool changed = before == tree.end() || *before != value;
    tree[name] = value;
    if (changed || missing) LD_TRY(write(tree));
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
