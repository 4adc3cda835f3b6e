// Any bytes as a feed's manifest, and as a version: nothing that nobody has signed is taken, and what is
// refused says where.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "contract/json.h"
#include "updates/release.h"

using namespace labdeck;
using namespace labdeck::updates;

namespace {

void require(bool truth) {
    if (!truth) std::abort();
}

void check_version(std::string_view bytes) {
    const auto version = Version::parse(bytes.substr(0, bytes.find('\n')));
    if (!version) return;
    const auto again = Version::parse(version->text());
    require(again.has_value() && *again == *version && (*again <=> *version) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const PublicKey key = PublicKey::parse("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").value();
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check_version(bytes);
    const auto releases = read_manifest(bytes, "stable", "linux-x86_64", key);
    if (releases) {
        require(releases->empty());
        return 0;
    }
    const Error& error = releases.error();
    require(error.message.starts_with("manifest.json: "));
    if (error.code == Code::denied) return 0;
    require(error.code == Code::bad_arg && contract::parse_json(error.details)->contains("key"));
    return 0;
}
