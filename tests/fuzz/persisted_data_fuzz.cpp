// Any bytes as a document to import: what is taken comes back as it was, and what is refused says where.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "supervise/records.h"
#include "supervise/secret_mask.h"

using namespace labdeck;
using namespace labdeck::supervise;

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

void check_refusal(const Error& error) {
    require(error.code == Code::bad_arg && !error.message.empty());
    const Result<Json> details = contract::parse_json(error.details);
    require(details.has_value() && details->at("key").get<std::string>().starts_with("data"));
}

void check_round_trip(const PersistedData& data) {
    const Json json = to_json(data);
    const Result<PersistedData> again = data_from_json(json, "data");
    require(again.has_value() && *again == data);
    const std::string text = contract::dump_line(json);
    const Result<Json> parsed = contract::parse_json(text);
    require(parsed.has_value() && contract::dump_line(to_json(*data_from_json(*parsed))) == text);
}

/// The bytes themselves as a stream, with the document's secrets in it.
void check_mask(const PersistedData& data, std::string_view bytes) {
    for (const ScriptDefinition& script : data.scripts) {
        if (!script.env) continue;
        SecretMask mask = SecretMask::of_env(*script.env);
        const std::string whole = mask.masked(bytes);
        std::string pieces;
        const auto append = [&pieces](std::string_view piece) { pieces += piece; };
        for (std::size_t i = 0; i < bytes.size(); i += 3) mask.feed(bytes.substr(i, 3), append);
        mask.flush(append);
        require(pieces == whole);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const Result<Json> json = contract::parse_json(bytes);
    if (!json) return 0;
    const Result<PersistedData> document = data_from_json(*json, "data");
    if (!document) {
        check_refusal(document.error());
        return 0;
    }
    check_round_trip(*document);
    check_mask(*document, bytes);
    return 0;
}
