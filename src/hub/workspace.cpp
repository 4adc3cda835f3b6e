#include "hub/workspace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "contract/json.h"
#include "contract/json_text.h"
#include "io/whole_file.h"

namespace labdeck::hub {

namespace fs = std::filesystem;
using contract::Json;

namespace {

constexpr std::size_t file_bytes_max = 1U << 20;

/// A fault of the value at `where` ("providers[1].apps"), before it is known where that stands in the text.
Error invalid(const std::string& where, const std::string& what) {
    return Error{Code::config_invalid, what, 0, Json{{"key", where}}.dump()};
}

/// "providers[1].apps" as a JSON pointer.
std::string pointer_of(std::string_view where) {
    std::string pointer;
    while (!where.empty()) {
        const std::size_t end = std::min(where.find_first_of(".[]"), where.size());
        if (end > 0) pointer += contract::pointer_step(where.substr(0, end));
        where.remove_prefix(std::min(end + 1, where.size()));
    }
    return pointer;
}

/// Where the value stands, or what would hold it if it is missing.
std::size_t byte_of(const contract::JsonText& map, std::string pointer) {
    const contract::JsonText::Span* span = map.find(pointer);
    while (span == nullptr) {
        pointer.resize(pointer.rfind('/'));
        span = map.find(pointer);
    }
    return span->begin;
}

/// The error with its file, line and column, and the same in its details.
Error placed(std::string_view text, std::size_t byte, const std::string& where, const std::string& what) {
    const contract::TextPlace place = contract::place_of(text, byte);
    const std::string label = where.empty() ? what : where + ": " + what;
    return Error{Code::config_invalid, fmt::format("labdeck.json:{}:{}: {}", place.line, place.column, label),
                 0, Json{{"key", where}, {"line", place.line}, {"column", place.column}}.dump()};
}

Result<> no_key_twice(std::string_view text, const contract::JsonText& map) {
    if (map.duplicates().empty()) return {};
    const contract::JsonText::Duplicate& twice = map.duplicates().front();
    const contract::TextPlace first = contract::place_of(text, twice.first_byte);
    return fail(placed(text, twice.byte, "",
                       fmt::format("the key \"{}\" stands here again, first at {}:{}; remove one of them",
                                   twice.key, first.line, first.column)));
}

/// Takes apart one object, remembering where it stands for the error.
class Reader {
public:
    Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

    Result<std::string> text(const char* key, std::string fallback, bool required = false) const {
        if (!object_.contains(key)) {
            if (required) return fail(invalid(at(key), "is missing"));
            return fallback;
        }
        const Json& value = object_[key];
        if (!value.is_string()) return fail(invalid(at(key), "must be a string"));
        return value.get<std::string>();
    }

    Result<std::vector<std::string>> texts(const char* key) const {
        std::vector<std::string> out;
        if (!object_.contains(key)) return out;
        const Json& value = object_[key];
        if (!value.is_array()) return fail(invalid(at(key), "must be an array of strings"));
        for (const Json& item : value) {
            if (!item.is_string()) return fail(invalid(at(key), "must be an array of strings"));
            out.push_back(item.get<std::string>());
        }
        return out;
    }

    Result<std::map<std::string, std::string>> dictionary(const char* key) const {
        std::map<std::string, std::string> out;
        if (!object_.contains(key)) return out;
        const Json& value = object_[key];
        if (!value.is_object()) return fail(invalid(at(key), "must be an object of strings"));
        for (const auto& [name, item] : value.items()) {
            if (!item.is_string()) return fail(invalid(at(key) + "." + name, "must be a string"));
            out[name] = item.get<std::string>();
        }
        return out;
    }

    Result<bool> boolean(const char* key, bool fallback) const {
        if (!object_.contains(key)) return fallback;
        if (!object_[key].is_boolean()) return fail(invalid(at(key), "must be true or false"));
        return object_[key].get<bool>();
    }

    Result<int> whole(const char* key, int fallback, int min, int max) const {
        if (!object_.contains(key)) return fallback;
        const Json& value = object_[key];
        if (!value.is_number_integer() || value.get<std::int64_t>() < min ||
            value.get<std::int64_t>() > max) {
            return fail(invalid(at(key), fmt::format("must be a whole number from {} to {}", min, max)));
        }
        return value.get<int>();
    }

    /// A word written wrongly would be passed over in silence otherwise.
    Result<> only(std::initializer_list<std::string_view> keys) const {
        for (const auto& [key, value] : object_.items()) {
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
                return fail(invalid(at(key.c_str()), fmt::format("is not known; there are {}",
                                                                 fmt::join(keys.begin(), keys.end(), ", "))));
            }
        }
        return {};
    }

    std::string at(const char* key) const { return where_.empty() ? key : where_ + "." + key; }

private:
    const Json& object_;
    std::string where_;
};

Result<CableSpec> read_cable(const Json& json, const std::string& where) {
    const Reader in(json, where);
    LD_TRY(in.only({"name", "a", "b", "baud"}));
    CableSpec cable;
    cable.name = LD_TRY(in.text("name", {}, true));
    cable.a = LD_TRY(in.text("a", cable.name + "-a"));
    cable.b = LD_TRY(in.text("b", cable.name + "-b"));
    cable.baud = static_cast<std::uint32_t>(LD_TRY(in.whole("baud", 115'200, 1, 12'000'000)));
    for (const std::string* end : {&cable.a, &cable.b}) {
        if (!is_device_name(*end)) {
            return fail(invalid(where, fmt::format("\"{}\" is no plain file name", *end)));
        }
    }
    if (cable.a == cable.b) return fail(invalid(where, "both ends have the same name"));
    return cable;
}

enum class Kind : unsigned char { provider, command };

Result<ProgramSpec> read_program(const Json& json, const std::string& where, const std::string& root,
                                 Kind kind) {
    const Reader in(json, where);
    if (kind == Kind::provider) {
        LD_TRY(in.only({"name", "command", "apps", "cwd", "env", "restart", "backoffMs", "maxRetries"}));
    } else {
        LD_TRY(in.only({"name", "command", "cwd", "env"}));
    }
    ProgramSpec program;
    program.name = LD_TRY(in.text("name", {}, true));
    if (program.name.empty()) return fail(invalid(in.at("name"), "is empty"));
    program.command = LD_TRY(in.texts("command"));
    program.apps = LD_TRY(in.texts("apps"));
    program.env = LD_TRY(in.dictionary("env"));
    for (const auto& [name, value] : program.env) {
        if (name.empty() || name.find('=') != std::string::npos) {
            return fail(invalid(in.at("env") + "." + name, "is no name of a variable"));
        }
    }
    program.restart = LD_TRY(in.boolean("restart", true));
    program.backoff_ms = LD_TRY(in.whole("backoffMs", program.backoff_ms, 0, 60'000));
    program.restarts_max = LD_TRY(in.whole("maxRetries", program.restarts_max, -1, 1'000'000));
    const std::string cwd = LD_TRY(in.text("cwd", "."));
    program.cwd = (fs::path(root) / cwd).lexically_normal().string();
    return program;
}

Result<> complete(ProgramSpec& program, const std::string& where, const std::string& self, Kind kind) {
    if (kind == Kind::provider && program.apps.empty()) return fail(invalid(where + ".apps", "names no app"));
    for (auto app = program.apps.begin(); app != program.apps.end(); ++app) {
        if (app->empty()) return fail(invalid(where + ".apps", "has an empty name"));
        if (std::find(program.apps.begin(), app, *app) != app) {
            return fail(invalid(where + ".apps", fmt::format("names {} twice", *app)));
        }
    }
    if (!program.command.empty() && program.command.front().empty()) {
        return fail(invalid(where + ".command", "names no program"));
    }
    if (program.command.empty()) {
        if (kind == Kind::command) return fail(invalid(where + ".command", "is missing"));
        std::string apps;
        for (const std::string& app : program.apps) apps += (apps.empty() ? "" : ",") + app;
        program.command = {"labdeck", "provider", "--apps", apps};
    }
    if (program.command.front() == "labdeck") program.command.front() = self;
    return {};
}

template <typename Each>
Result<> each_object(const Json& bench, const char* key, Each each) {
    if (!bench.contains(key)) return {};
    if (!bench[key].is_array()) return fail(invalid(key, "must be an array"));
    for (std::size_t i = 0; i < bench[key].size(); ++i) {
        const std::string where = fmt::format("{}[{}]", key, i);
        if (!bench[key][i].is_object()) return fail(invalid(where, "must be an object"));
        Result<> read = each(bench[key][i], where);
        if (!read) return read;
    }
    return {};
}

Result<UniqueFd> take_lock(const std::string& root) {
    const std::string path = root + "/.labdeck/labdeck.lock";
    UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) return os_error("open " + path);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        std::array<char, 32> pid{};
        const ssize_t n = ::read(lock.get(), pid.data(), pid.size() - 1);
        const std::string holder =
            n > 0 ? std::string(pid.data(), static_cast<std::size_t>(n)) : "another process";
        return fail(Code::busy, fmt::format("workspace {0} is held by process {1}; speak to it with "
                                            "labdeck call --workspace {0}, or stop that process",
                                            root, holder));
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::write(lock.get(), pid.data(), pid.size()) != static_cast<ssize_t>(pid.size())) {
        return os_error("write " + path);
    }
    return lock;
}

}  // namespace

namespace {

Result<BenchSpec> read_bench(const Json& json, const std::string& root, const std::string& self) {
    if (!json.is_object()) return fail(invalid("", "must be a JSON object"));
    BenchSpec bench;
    LD_TRY(Reader(json, "").only({"name", "cables", "providers", "commands"}));
    bench.name = LD_TRY(Reader(json, "").text("name", fs::path(root).filename().string()));
    LD_TRY(each_object(json, "cables", [&](const Json& item, const std::string& where) -> Result<> {
        bench.cables.push_back(LD_TRY(read_cable(item, where)));
        return {};
    }));
    LD_TRY(each_object(json, "providers", [&](const Json& item, const std::string& where) -> Result<> {
        ProgramSpec program = LD_TRY(read_program(item, where, root, Kind::provider));
        LD_TRY(complete(program, where, self, Kind::provider));
        for (const ProgramSpec& other : bench.providers) {
            if (other.name == program.name) return fail(invalid(where + ".name", "is used twice"));
            for (const std::string& app : program.apps) {
                if (std::find(other.apps.begin(), other.apps.end(), app) != other.apps.end()) {
                    return fail(
                        invalid(where + ".apps", fmt::format("{} hosts {} already", other.name, app)));
                }
            }
        }
        bench.providers.push_back(std::move(program));
        return {};
    }));
    LD_TRY(each_object(json, "commands", [&](const Json& item, const std::string& where) -> Result<> {
        ProgramSpec program = LD_TRY(read_program(item, where, root, Kind::command));
        LD_TRY(complete(program, where, self, Kind::command));
        bench.commands.push_back(std::move(program));
        return {};
    }));
    return bench;
}

}  // namespace

Result<BenchSpec> parse_bench(std::string_view text, const std::string& root, const std::string& self) {
    const auto map = contract::JsonText::read(text);
    if (!map) return fail(placed(text, map.error().byte, "", map.error().message));
    LD_TRY(no_key_twice(text, *map));
    const Json json = LD_TRY(contract::parse_json(text));
    Result<BenchSpec> bench = read_bench(json, root, self);
    if (bench) return bench;
    const Json details = LD_TRY(contract::parse_json(bench.error().details));
    const std::string where = details.at("key").get<std::string>();
    return fail(placed(text, byte_of(*map, pointer_of(where)), where, bench.error().message));
}

Result<Workspace> Workspace::open(const std::string& root) {
    std::error_code failed;
    fs::create_directories(root, failed);
    if (failed) return fail(os_error_value("make workspace " + root, failed.value()));
    const std::string full = fs::canonical(root).string();
    fs::create_directories(full + "/.labdeck/dev", failed);
    if (failed) return fail(os_error_value("make " + full + "/.labdeck", failed.value()));
    fs::permissions(full + "/.labdeck", fs::perms::owner_all, failed);

    Workspace workspace(full, LD_TRY(take_lock(full)));
    workspace.bench_.name = fs::path(full).filename().string();
    const Result<std::string> text = io::read_whole_file(full + "/labdeck.json", file_bytes_max);
    if (text) {
        workspace.bench_ = LD_TRY(parse_bench(*text, full, own_program()));
    } else if (text.error().code != Code::not_found) {
        return fail(text.error());
    }
    return workspace;
}

bool is_device_name(std::string_view name) noexcept {
    constexpr std::size_t bytes_max = 100;
    const bool blank = name.find_first_not_of(' ') == std::string_view::npos;
    return !blank && name.size() <= bytes_max && name.front() != '.' &&
           std::none_of(name.begin(), name.end(),
                        [](char c) { return c == '/' || c == 0x7f || (c >= 0 && c < ' '); });
}

std::string data_folder() {
    if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/') {
        return std::string(data) + "/labdeck";
    }
    const char* home = std::getenv("HOME");
    return std::string(home != nullptr ? home : "/tmp") + "/.local/share/labdeck";
}

std::string default_workspace() {
    std::error_code failed;
    return fs::exists("labdeck.json", failed) ? fs::current_path().string() : data_folder();
}

std::string own_program() {
    std::error_code failed;
    const fs::path path = fs::read_symlink("/proc/self/exe", failed);
    return failed ? "labdeck" : path.string();
}

}  // namespace labdeck::hub
