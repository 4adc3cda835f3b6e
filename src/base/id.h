// id.h - identifiers that cannot be mixed up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace labdeck {

/// A small number that names one thing of one kind for the life of the process. 0 names nothing.
template <typename Tag>
struct Id {
    std::uint32_t value = 0;
    explicit operator bool() const noexcept { return value != 0; }
    friend auto operator<=>(const Id&, const Id&) = default;
};

using SourceId = Id<struct SourceTag>;  ///< On the wire "src-7".

/// A random (version 4) UUID in its usual spelling, from the kernel's generator.
std::string new_uuid();

}  // namespace labdeck

template <typename Tag>
struct std::hash<labdeck::Id<Tag>> {
    std::size_t operator()(const labdeck::Id<Tag>& id) const noexcept { return id.value; }
};
