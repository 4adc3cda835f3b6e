// version.h - a version of the program, and which of two is the newer one.
//
// Semantic Versioning 2.0.0 without build metadata: MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH-PRE, where PRE is
// what comes before the version proper: 1.4.0-beta.2 is older than 1.4.0.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace labdeck::updates {

class Version {
public:
    static constexpr std::size_t length_max = 64;

    /// Nothing for what is no version: a leading zero, an empty part, build metadata.
    static std::optional<Version> parse(std::string_view text);

    std::string text() const;

    /// SemVer's precedence. Numbers count as numbers, however long.
    std::strong_ordering operator<=>(const Version& other) const;
    bool operator==(const Version& other) const = default;

private:
    std::array<std::uint32_t, 3> numbers_{};
    std::string pre_;  ///< Without the hyphen; empty for a release proper.
};

}  // namespace labdeck::updates
