// curl.h - what every user of libcurl in this program needs first. Thread: any.
#pragma once

#include <string>

namespace labdeck::io {

/// Sets libcurl up, once for the process; false when it cannot be used. It is never taken back: threads of
/// libcurl's own may still look up names.
bool curl_ready();

/// For CURLOPT_NOPROXY: the environment's list, and this machine itself, which no proxy can reach.
std::string curl_without_proxy();

}  // namespace labdeck::io
