// fetch.h - reads a URL to its end, on the thread that asks (libcurl's easy interface).
//
// Only https://, http:// to this machine itself, and file://. Certificates are always checked; a redirect may
// lead to https alone, at most three times; no cookies, no passwords.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"

namespace labdeck::updates {

/// E_BAD_ARG says what a feed's URL must be. A name and a password in it are refused: settings are no place
/// for them.
[[nodiscard]] Result<> check_feed_url(const std::string& url);

/// `file` as a feed at `base` means it: relative to it, or a URL of the same scheme or of https.
[[nodiscard]] Result<std::string> resolve_url(const std::string& base, const std::string& file);

/// Where a feed's manifest is: `feed` is the URL of the manifest.json, or of the folder that holds it.
[[nodiscard]] Result<std::string> manifest_url(const std::string& feed);

enum class FetchEnd : unsigned char {
    done,
    broke_off,  ///< The network's fault: to be tried again from where it broke off.
    no_ranges,  ///< It cannot begin at `from`.
    refused,    ///< Trying again would not help.
    canceled,
};

struct FetchResult {
    FetchEnd end = FetchEnd::done;
    Error error;  ///< Of all but done.
};

struct FetchRequest {
    std::string url;  ///< As resolve_url() gave it.
    std::uint64_t from = 0;
    std::uint64_t bytes_max = 0;  ///< More than that, counted from `from`, is refused.
    long connect_s = 15;
    long silence_s = 30;  ///< Without a byte for so long it has broken off.
    std::stop_token stop = {};
};

/// `sink` takes the bytes in order; its error ends the fetch as refused. Stops within a second of the token.
FetchResult fetch(const FetchRequest& request, const std::function<Result<>(std::string_view bytes)>& sink);

}  // namespace labdeck::updates
