// bounded_text.h - text that grows up to a bound and then forgets its beginning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace labdeck::bench_apps {

class BoundedText {
public:
    explicit BoundedText(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    void append(std::string_view text);
    /// What is left of it, after a mark that says how much is missing.
    std::string text() const;
    std::uint64_t dropped_bytes() const noexcept { return dropped_; }

private:
    const std::size_t bytes_max_;
    std::string kept_;
    std::uint64_t dropped_ = 0;
};

}  // namespace labdeck::bench_apps
