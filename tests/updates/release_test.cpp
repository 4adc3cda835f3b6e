#include "updates/release.h"

#include <doctest/doctest.h>

#include "updates/update_world.h"

using namespace labdeck;
using namespace labdeck::updates;
using namespace labdeck::updates::world;

namespace {

Result<std::vector<Release>> read_with(const Json& manifest, const Signer& signer,
                                       const std::string& channel = "stable") {
    return read_manifest(manifest.dump(), channel, own_platform(), signer.key());
}

}  // namespace

TEST_SUITE("updates/release") {
    TEST_CASE("the releases of a channel come with the newest first") {
        const Signer signer;
        Json entries = Json::array();
        for (const char* version : {"1.0.0", "1.10.0", "1.9.0-rc.1", "1.9.0"})
            entries.push_back(entry_of(release_of(version, program_of(version)), signer));
        const auto releases = read_with(manifest_of(entries), signer).value();
        REQUIRE(releases.size() == 4);
        CHECK(releases[0].version.text() == "1.10.0");
        CHECK(releases[1].version.text() == "1.9.0");
        CHECK(releases[3].version.text() == "1.0.0");
        const std::string program = program_of("1.10.0");
        CHECK(releases[0].size == program.size());
        CHECK(releases[0].sha256 == sha256(program));
        CHECK(releases[0].file == "labdeck-1.10.0");
        CHECK(releases[0].notes == "What is new in 1.10.0: \"quoted\", and a line\nbreak.");
    }

    TEST_CASE("a channel that is not there, and one without a program for us, have nothing") {
        const Signer signer;
        Release other = release_of("2.0.0", "x");
        other.platform = "plan9-mips";
        const Json manifest = manifest_of(Json::array({entry_of(other, signer)}));
        CHECK(read_with(manifest, signer).value().empty());
        CHECK(read_with(manifest, signer, "beta").value().empty());
    }

    TEST_CASE("whatever is changed after the signing, or signed with another key, is refused") {
        const Signer signer;
        const Json good = entry_of(release_of("1.2.0", "the program"), signer);
        CHECK(read_with(manifest_of(Json::array({good})), signer).value().size() == 1);
        const auto refused = [&](const char* key, const Json& value) {
            CAPTURE(key);
            Json entry = good;
            entry[key] = value;
            const auto read = read_with(manifest_of(Json::array({entry})), signer);
            REQUIRE_FALSE(read);
            CHECK(read.error().code == Code::denied);
            CHECK(read.error().message.find("channels.stable.releases[0]") != std::string::npos);
        };
        refused("version", "9.9.9");
        refused("size", 12);
        refused("sha256", sha256("another program"));
        refused("published", "2027-01-01T00:00:00.000Z");
        refused("notes", "harmless");
        refused("signature", Signer().sign("something else"));
        refused("signature", "");
        refused("signature", "no base64!");
        // The file may lie under another name.
        Json moved = good;
        moved["file"] = "mirror/labdeck";
        CHECK(read_with(manifest_of(Json::array({moved})), signer));
        // An entry of one channel is none of another.
        CHECK_FALSE(read_with(manifest_of(Json::array({good}), "beta"), signer, "beta"));
        CHECK_FALSE(read_with(manifest_of(Json::array({good})), Signer()));
        // One bad entry is enough.
        Json bad = good;
        bad["version"] = "0.0.1";
        CHECK_FALSE(read_with(manifest_of(Json::array({good, bad})), signer));
    }

    TEST_CASE("what is wrong in a manifest is named with its place") {
        const Signer signer;
        const Json good = entry_of(release_of("1.2.0", "p"), signer);
        const auto said = [&](const Json& manifest) {
            const auto read = read_with(manifest, signer);
            return read ? std::string("fine") : read.error().message;
        };
        const auto with = [&](const char* key, const Json& value) {
            Json entry = good;
            entry[key] = value;
            return said(manifest_of(Json::array({entry})));
        };
        const std::string place = "manifest.json: channels.stable.releases[0].";
        CHECK(with("version", "1.2") == place + "version: \"1.2\" is no version, as 1.4.0");
        CHECK(with("version", 12) == place + "version: must be a string");
        CHECK(with("size", 0) == place + "size: must be 1 to 4294967296 bytes");
        CHECK(with("size", -1) == place + "size: must be 1 to 4294967296 bytes");
        CHECK(with("size", "1") == place + "size: must be 1 to 4294967296 bytes");
        CHECK(with("sha256", "abc") == place + "sha256: must be 64 lower-case hexadecimal digits");
        CHECK(with("file", "") == place + "file: is empty");
        CHECK(with("published", "a\nsize 1") == place + "published: must be one line");
        CHECK(with("notes", std::string(20'000, 'n')) == place + "notes: is longer than 16384 bytes");
        CHECK(said(Json::array()) == "manifest.json: $: must be an object");
        CHECK(said(Json::object()) == "manifest.json: schemaVersion: must be a whole number");
        Json newer = manifest_of(Json::array());
        newer["schemaVersion"] = 2;
        CHECK(said(newer) == "manifest.json: schemaVersion: is 2; this program reads 1");
        Json other = manifest_of(Json::array());
        other["product"] = "toaster";
        CHECK(said(other) ==
              "manifest.json: product: must be \"labdeck\": this is the feed of another program");
        CHECK(said(manifest_of(Json::array({1}))) ==
              "manifest.json: channels.stable.releases[0]: must be an object");
        CHECK(said(manifest_of("none")) == "manifest.json: channels.stable.releases: must be an array");
        CHECK_FALSE(read_manifest("{", "stable", own_platform(), signer.key()));
        CHECK_FALSE(
            read_manifest(std::string(manifest_bytes_max + 1, ' '), "stable", own_platform(), signer.key()));
    }

    TEST_CASE("a key is 32 bytes in base64 and nothing else") {
        CHECK(PublicKey::parse(Signer().public_key()));
        for (const char* text :
             {"", "abc", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", "not base64 at all, is it"}) {
            CAPTURE(text);
            CHECK_FALSE(PublicKey::parse(text));
        }
    }

    TEST_CASE("a channel is a short word") {
        for (const char* name : {"stable", "beta", "lab-7"}) CHECK(is_channel(name));
        for (const char* name : {"", "Beta", "a b", "a\n", "../x", "abcdefghijklmnopqrstuvwxyz1234567"})
            CHECK_FALSE(is_channel(name));
    }
}
