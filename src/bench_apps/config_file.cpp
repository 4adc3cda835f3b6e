#include "bench_apps/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/whole_file.h"

namespace labdeck::bench_apps {

using contract::JsonText;
using contract::pointer_step;
using contract::SchemaFault;
using contract::TextPlace;

namespace {

// Finding a place costs a walk over the text, and nobody reads a thousand of these.
constexpr std::size_t duplicates_told_max = 20;

std::string shortened(std::string text) {
    std::size_t bytes_max = 60;
    if (text.size() <= bytes_max) return text;
    while ((static_cast<unsigned char>(text[bytes_max]) & 0xc0U) == 0x80U) --bytes_max;
    return text.substr(0, bytes_max) + "…";
}

std::string value_fault(const FieldSpec& field, const Json& value, std::string why) {
    const Json preset = preset_of(field);
    const std::string meanwhile =
        preset.is_null() ? "change it"
                         : fmt::format("until it is changed {} stands in", contract::dump_line(preset));
    return fmt::format("{}, but is {}; {}", why, shortened(contract::dump_line(value)), meanwhile);
}

}  // namespace

ConfigFile ConfigFile::read(const std::filesystem::path& path, std::string shown,
                            std::span<const FieldSpec> fields, const contract::JsonSchema& schema) {
    ConfigFile file;
    file.path_ = path;
    file.shown_ = std::move(shown);
    Result<std::string> text = io::read_whole_file(path.string(), bytes_max);
    if (!text) {
        file.there_ = text.error().code != Code::not_found;
        if (file.there_) file.add({}, {}, std::nullopt, text.error().message);
        return file;
    }
    file.text_ = std::move(*text);
    auto map = JsonText::read(file.text_);
    if (!map) {
        file.add({}, {}, map.error().byte, map.error().message);
        return file;
    }
    Result<Json> tree = contract::parse_json(file.text_);
    if (!tree) {
        file.add({}, {}, 0, tree.error().message);
        return file;
    }
    if (!tree->is_object()) {
        file.add({}, {}, map->find("")->begin, "must be a JSON object, such as {\"baud\": 9600}");
        return file;
    }
    file.tree_ = std::move(*tree);
    file.map_ = std::move(*map);
    file.check(fields, schema);
    return file;
}

void ConfigFile::add(std::string key, std::string pointer, std::optional<std::size_t> byte,
                     std::string message) {
    std::optional<TextPlace> place;
    if (byte) place = contract::place_of(text_, *byte);
    faults_.push_back({std::move(key), std::move(pointer), place, std::move(message)});
}

void ConfigFile::check(std::span<const FieldSpec> fields, const contract::JsonSchema& schema) {
    std::vector<SchemaFault> refused = schema.check(tree_);
    for (const FieldSpec& one : fields) {
        const std::string key(one.name);
        const auto given = tree_.find(key);
        if (given == tree_.end()) continue;
        const std::string pointer = pointer_step(key);
        const auto of_key = std::find_if(refused.begin(), refused.end(),
                                         [&](const SchemaFault& fault) { return fault.pointer == pointer; });
        std::string why = fault_of(one, *given);
        if (why.empty() && of_key != refused.end()) why = fmt::format("{}: {}", key, of_key->message);
        std::erase_if(refused, [&](const SchemaFault& fault) { return fault.pointer == pointer; });
        if (!why.empty()) add(key, pointer, map_->find(pointer)->begin, value_fault(one, *given, why));
    }
    for (SchemaFault& fault : refused) {
        const JsonText::Span* const span = map_->find(fault.pointer);
        add({}, fault.pointer, span == nullptr ? 0 : span->begin, std::move(fault.message));
    }
    note_duplicates();
    std::stable_sort(faults_.begin(), faults_.end(),
                     [](const ConfigFault& a, const ConfigFault& b) { return a.place < b.place; });
}

void ConfigFile::note_duplicates() {
    std::size_t told = 0;
    for (const JsonText::Duplicate& twice : map_->duplicates()) {
        if (told++ == duplicates_told_max) {
            const std::size_t more = map_->duplicates().size() - duplicates_told_max;
            return add({}, {}, twice.byte, fmt::format("from here on {} more keys stand twice", more));
        }
        const TextPlace first = contract::place_of(text_, twice.first_byte);
        const JsonText::Span* const top = map_->find(pointer_step(twice.key));
        const bool is_setting = top != nullptr && top->key_begin == twice.first_byte;
        add(is_setting ? twice.key : std::string(), is_setting ? pointer_step(twice.key) : std::string(),
            twice.byte,
            fmt::format("the key \"{}\" stands here again; the first, at {}:{}, counts; remove one of them",
                        shortened(twice.key), first.line, first.column));
    }
}

const ConfigFault* ConfigFile::fault_of_key(std::string_view key) const noexcept {
    const auto found = std::find_if(faults_.begin(), faults_.end(),
                                    [&](const ConfigFault& fault) { return fault.key == key; });
    return key.empty() || found == faults_.end() ? nullptr : &*found;
}

std::optional<TextPlace> ConfigFile::place_of_key(std::string_view key) const {
    const JsonText::Span* const span = map_ ? map_->find(pointer_step(key)) : nullptr;
    if (span == nullptr) return std::nullopt;
    return contract::place_of(text_, span->begin);
}

std::string ConfigFile::line_of(const ConfigFault& fault) const {
    // What the operating system says of a file names it already.
    if (!fault.place) return fault.message;
    return fmt::format("{}:{}:{}: {}", shown_, fault.place->line, fault.place->column, fault.message);
}

Json ConfigFile::json_of(const ConfigFault& fault) const {
    Json out = {{"key", fault.key}, {"pointer", fault.pointer}, {"file", path_.string()}};
    if (fault.place) {
        out["line"] = fault.place->line;
        out["column"] = fault.place->column;
    }
    out["message"] = fault.message;
    return out;
}

std::string ConfigFile::with(std::string_view key, const Json& value) const {
    return map_->with_member(text_, key, value);
}

}  // namespace labdeck::bench_apps
