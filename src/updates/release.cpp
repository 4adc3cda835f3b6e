#include "updates/release.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "contract/json.h"

namespace labdeck::updates {

using contract::Json;

namespace {

#if defined(__x86_64__)
constexpr std::string_view platform_name = "linux-x86_64";
#elif defined(__aarch64__)
constexpr std::string_view platform_name = "linux-aarch64";
#else
constexpr std::string_view platform_name = "linux-other";
#endif

constexpr int schema_version = 1;
constexpr std::size_t releases_max = 1000;
constexpr std::size_t file_bytes_max = 1024;
constexpr std::size_t published_bytes_max = 64;
constexpr std::size_t notes_bytes_max = 16U << 10;

static_assert(sizeof(crypto_hash_sha256_state) <= 128 && alignof(crypto_hash_sha256_state) <= 8);
static_assert(crypto_sign_PUBLICKEYBYTES == 32);

/// Once for the process; Thread: any.
void prepare_sodium() {
    static const bool ready = ::sodium_init() >= 0;
    LD_ASSERT(ready);
}

template <std::size_t size>
bool read_base64(std::string_view text, std::array<unsigned char, size>& out) {
    std::size_t length = 0;
    return ::sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, nullptr,
                               sodium_base64_VARIANT_ORIGINAL) == 0 &&
           length == size;
}

std::string sha256_of(std::string_view text) {
    Sha256 hash;
    hash.add(text);
    return hash.hex();
}

bool is_sha256(std::string_view text) {
    return text.size() == 2 * crypto_hash_sha256_BYTES && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

Error wrong(const std::string& place, std::string_view why) {
    return contract::bad_arg(place, fmt::format("manifest.json: {}: {}", place, why));
}

/// A member that may be missing where `otherwise` says what it is then.
Result<std::string> text_of(const Json& json, const std::string& place, const char* key,
                            std::size_t bytes_max, const char* otherwise = nullptr) {
    const auto at = json.find(key);
    if (at == json.end() && otherwise != nullptr) return otherwise;
    const std::string where = fmt::format("{}.{}", place, key);
    if (at == json.end() || !at->is_string()) return fail(wrong(where, "must be a string"));
    const auto& text = at->get_ref<const std::string&>();
    if (text.size() > bytes_max) return fail(wrong(where, fmt::format("is longer than {} bytes", bytes_max)));
    return text;
}

Result<Release> release_of(const Json& json, const std::string& place, std::string_view channel) {
    Release release;
    release.channel = channel;
    release.platform = LD_TRY(text_of(json, place, "platform", file_bytes_max));
    const std::string version = LD_TRY(text_of(json, place, "version", Version::length_max));
    const auto parsed = Version::parse(version);
    if (!parsed)
        return fail(wrong(place + ".version", fmt::format("\"{}\" is no version, as 1.4.0", version)));
    release.version = *parsed;
    release.file = LD_TRY(text_of(json, place, "file", file_bytes_max));
    if (release.file.empty()) return fail(wrong(place + ".file", "is empty"));
    const auto size = json.find("size");
    if (size == json.end() || !size->is_number_unsigned() || size->get<std::uint64_t>() == 0 ||
        size->get<std::uint64_t>() > program_bytes_max) {
        return fail(wrong(place + ".size", fmt::format("must be 1 to {} bytes", program_bytes_max)));
    }
    release.size = size->get<std::uint64_t>();
    release.sha256 = LD_TRY(text_of(json, place, "sha256", file_bytes_max));
    if (!is_sha256(release.sha256))
        return fail(wrong(place + ".sha256", "must be 64 lower-case hexadecimal digits"));
    release.published = LD_TRY(text_of(json, place, "published", published_bytes_max, ""));
    if (release.published.find('\n') != std::string::npos)
        return fail(wrong(place + ".published", "must be one line"));
    release.notes = LD_TRY(text_of(json, place, "notes", notes_bytes_max, ""));
    return release;
}

Result<const Json*> releases_in(const Json& manifest, std::string_view channel) {
    if (!manifest.is_object()) return fail(wrong("$", "must be an object"));
    const auto version = manifest.find("schemaVersion");
    if (version == manifest.end() || !version->is_number_integer())
        return fail(wrong("schemaVersion", "must be a whole number"));
    if (*version != schema_version)
        return fail(wrong("schemaVersion",
                          fmt::format("is {}; this program reads {}", version->dump(), schema_version)));
    if (manifest.value("product", Json()) != "labdeck")
        return fail(wrong("product", "must be \"labdeck\": this is the feed of another program"));
    const auto channels = manifest.find("channels");
    if (channels == manifest.end() || !channels->is_object())
        return fail(wrong("channels", "must be an object"));
    const auto found = channels->find(channel);
    if (found == channels->end()) return nullptr;
    const std::string place = fmt::format("channels.{}.releases", channel);
    if (!found->is_object() || !found->contains("releases") || !found->at("releases").is_array())
        return fail(wrong(place, "must be an array"));
    const Json& releases = found->at("releases");
    if (releases.size() > releases_max)
        return fail(wrong(place, fmt::format("are more than {}", releases_max)));
    return &releases;
}

}  // namespace

Result<PublicKey> PublicKey::parse(std::string_view base64) {
    prepare_sodium();
    PublicKey key;
    if (!read_base64(base64, key.bytes_))
        return fail(Code::bad_arg, "is no Ed25519 public key: that is 32 bytes in base64, 44 characters");
    return key;
}

bool PublicKey::has_signed(std::string_view text, std::string_view signature_base64) const {
    std::array<unsigned char, crypto_sign_BYTES> signature{};
    if (!read_base64(signature_base64, signature)) return false;
    return ::crypto_sign_verify_detached(signature.data(),
                                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                                         bytes_.data()) == 0;
}

std::string_view own_platform() noexcept {
    return platform_name;
}

bool is_channel(std::string_view name) noexcept {
    return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::string signed_text(const Release& release) {
    return fmt::format(
        "labdeck-release 1\nchannel {}\nversion {}\nplatform {}\nsize {}\nsha256 {}\npublished {}\nnotes "
        "{}\n",
        release.channel, release.version.text(), release.platform, release.size, release.sha256,
        release.published, sha256_of(release.notes));
}

Result<std::vector<Release>> read_manifest(std::string_view text, std::string_view channel,
                                           std::string_view platform, const PublicKey& key) {
    std::vector<Release> releases;
    if (text.size() > manifest_bytes_max)
        return fail(wrong("$", fmt::format("is longer than {} bytes", manifest_bytes_max)));
    auto manifest = contract::parse_json(text);
    if (!manifest) return fail(wrong("$", manifest.error().message));
    const Json* const listed = LD_TRY(releases_in(*manifest, channel));
    if (listed == nullptr) return releases;
    for (std::size_t i = 0; i < listed->size(); ++i) {
        const Json& json = (*listed)[i];
        const std::string place = fmt::format("channels.{}.releases[{}]", channel, i);
        if (!json.is_object()) return fail(wrong(place, "must be an object"));
        // What another machine needs is no business of ours.
        if (LD_TRY(text_of(json, place, "platform", file_bytes_max)) != platform) continue;
        Release release = LD_TRY(release_of(json, place, channel));
        const std::string signature = LD_TRY(text_of(json, place, "signature", file_bytes_max));
        if (!key.has_signed(signed_text(release), signature)) {
            return fail(
                Code::denied,
                fmt::format("manifest.json: {} ({} for {}): the signature is not of the key that this "
                            "program trusts, or what was signed has been changed; nothing of this "
                            "feed is used",
                            place, release.version.text(), release.platform));
        }
        releases.push_back(std::move(release));
    }
    std::stable_sort(releases.begin(), releases.end(),
                     [](const Release& a, const Release& b) { return a.version > b.version; });
    return releases;
}

Sha256::Sha256() {
    ::crypto_hash_sha256_init(reinterpret_cast<crypto_hash_sha256_state*>(state_.bytes.data()));
}

void Sha256::add(std::string_view bytes) {
    ::crypto_hash_sha256_update(reinterpret_cast<crypto_hash_sha256_state*>(state_.bytes.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

std::string Sha256::hex() {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    ::crypto_hash_sha256_final(reinterpret_cast<crypto_hash_sha256_state*>(state_.bytes.data()),
                               digest.data());
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace labdeck::updates
