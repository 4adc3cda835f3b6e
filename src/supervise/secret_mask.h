// secret_mask.h - takes the values of secrets out of a stream of bytes.
//
// Each occurrence of a value becomes "***", also where some or all of its bytes are URL-encoded (%XX with
// either case, + for a blank), and also where it is cut in two by the border between two pieces. Occurrences
// that overlap become one mark. Nothing else is touched, and the same stream gives the same output however it
// is cut.
//
// Blanks around a value do not count. A value of fewer than 4 bytes is not masked, and neither are true,
// false, null and none: masking every "1" would destroy the output and hide nothing.
//
// Linear time: one automaton over the bytes and one over the decoded bytes (Aho and Corasick). Pieces without
// a byte that a value begins with pass at the speed of memchr, and are handed on, not copied. One stream, one
// thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "supervise/records.h"

namespace labdeck::supervise {

class SecretMask {
public:
    static constexpr std::string_view mark = "***";
    static constexpr std::size_t value_bytes_min = 4;

    /// Gets the output piece by piece; views are valid during the call.
    using Out = std::function<void(std::string_view)>;

    /// Masks nothing.
    SecretMask();
    explicit SecretMask(std::span<const std::string> values);
    /// Of the variables of both whose names look secret.
    static SecretMask of_env(const EnvMap& env, const EnvMap& also = {});
    SecretMask(SecretMask&&) noexcept;
    SecretMask& operator=(SecretMask&&) noexcept;
    SecretMask(const SecretMask&) = delete;
    SecretMask& operator=(const SecretMask&) = delete;
    ~SecretMask();

    /// Hands on what is certain; keeps back what may be the beginning of a value, at most as long as the
    /// longest value is when all of it is encoded.
    void feed(std::string_view bytes, const Out& out);

    /// Hands on what is kept back: at the stream's end. A value that goes on after that is masked from there
    /// on.
    void flush(const Out& out);

    /// The same when nothing has come for a while, or a prompt that ends as a value begins would not be seen;
    /// but what is as long as the shortest value already is kept, for whoever writes slowly.
    void flush_doubtful(const Out& out);

    /// How many bytes are kept back.
    std::size_t held_bytes() const noexcept;
    /// Whether there is any value to mask.
    bool masks_any() const noexcept;

    /// The whole of a text at once, such as a command line; apart from the stream.
    std::string masked(std::string_view text) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;  ///< Null when there is nothing to mask.
};

}  // namespace labdeck::supervise
