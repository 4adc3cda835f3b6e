// release.h - what a feed says: which programs there are, and the proof of it.
//
// A feed is a folder with a manifest.json and the programs that it names:
//
//   {"schemaVersion": 1, "product": "labdeck", "channels": {"stable": {"releases": [
//       {"version": "1.4.0", "platform": "linux-x86_64", "file": "labdeck-1.4.0-linux-x86_64",
//        "size": 21340160, "sha256": HEX, "published": "2026-11-21T09:00:00.000Z", "notes": "…",
//        "signature": BASE64}]}}}
//
// A signature is Ed25519 (RFC 8032) over the text that signed_text() gives: all that matters but the file's
// name, which may be another one on a mirror. Whoever can write the feed, or stands between, can therefore
// only hold an update back. scripts/make-feed makes and signs one.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "updates/version.h"

namespace labdeck::updates {

inline constexpr std::size_t manifest_bytes_max = 1U << 20;
inline constexpr std::uint64_t program_bytes_max = 1ULL << 32;

struct Release {
    std::string channel;
    Version version;
    std::string platform;
    std::string file;  ///< Relative to the manifest, or a URL.
    std::uint64_t size = 0;
    std::string sha256;  ///< 64 lower-case hexadecimal digits.
    std::string published;
    std::string notes;
};

class PublicKey {
public:
    /// Base64 of 32 bytes; E_BAD_ARG for anything else.
    [[nodiscard]] static Result<PublicKey> parse(std::string_view base64);
    bool has_signed(std::string_view text, std::string_view signature_base64) const;

private:
    std::array<unsigned char, 32> bytes_{};
};

/// "linux-x86_64": what this program runs on.
std::string_view own_platform() noexcept;

/// A channel's name: 1 to 32 of a-z, 0-9 and the hyphen.
bool is_channel(std::string_view name) noexcept;

/// What the signature of a release is over, a line for each of these: "labdeck-release 1", channel, version,
/// platform, size, sha256, published, and the SHA-256 of the notes.
std::string signed_text(const Release& release);

/// The releases of a channel for a platform, the newest first; empty when there are none. E_BAD_ARG names the
/// place of what is wrong; E_DENIED, and none at all, when one of them has not been signed with `key`.
[[nodiscard]] Result<std::vector<Release>> read_manifest(std::string_view text, std::string_view channel,
                                                         std::string_view platform, const PublicKey& key);

/// SHA-256 of what is added, in pieces.
class Sha256 {
public:
    Sha256();
    void add(std::string_view bytes);
    /// 64 lower-case hexadecimal digits. Once, at the end.
    std::string hex();

private:
    struct alignas(8) State {
        std::array<unsigned char, 128> bytes;
    };
    State state_{};
};

}  // namespace labdeck::updates
