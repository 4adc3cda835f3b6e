// Any bytes as a settings file: what the locator takes the parser takes, every value stands where the locator
// says, and a changed member is the only change.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "contract/json_text.h"

using namespace labdeck;
using namespace labdeck::contract;

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

void check_places(std::string_view text, const JsonText& map, const Json& value, const std::string& pointer) {
    const JsonText::Span* const span = map.find(pointer);
    require(span != nullptr && span->begin < span->end && span->end <= text.size());
    const Result<Json> there = parse_json(text.substr(span->begin, span->end - span->begin));
    require(there.has_value() && *there == value);
    if (value.is_object()) {
        for (const auto& [key, inner] : value.items())
            check_places(text, map, inner, pointer + pointer_step(key));
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i)
            check_places(text, map, value[i], pointer + "/" + std::to_string(i));
    }
}

void check_edit(std::string_view text, const JsonText& map, Json tree, const std::string& key) {
    const std::string changed = map.with_member(text, key, "new");
    const Result<Json> read = parse_json(changed);
    tree[key] = "new";
    require(read.has_value() && *read == tree);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Each value is parsed on its own, so the time grows with the square of the depth.
    if (size > 4096) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto map = JsonText::read(text);
    const Result<Json> tree = parse_json(text);
    if (!map) {
        require(map.error().byte <= size && !map.error().message.empty());
        const TextPlace place = place_of(text, map.error().byte);
        require(place.line >= 1 && place.column >= 1 && place.line <= size + 1 && place.column <= size + 1);
        return 0;
    }
    require(tree.has_value());
    check_places(text, *map, *tree, "");
    if (!tree->is_object()) return 0;
    check_edit(text, *map, *tree, "new key");
    if (!tree->empty()) check_edit(text, *map, *tree, tree->begin().key());
    return 0;
}
