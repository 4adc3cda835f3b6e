#include "io/curl.h"

#include <curl/curl.h>

#include <cstdlib>

namespace labdeck::io {

bool curl_ready() {
    static const bool done = ::curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return done;
}

std::string curl_without_proxy() {
    std::string list;
    for (const char* name : {"no_proxy", "NO_PROXY"}) {
        const char* const value = std::getenv(name);
        if (value != nullptr && list.empty()) list = value;
    }
    if (list == "*") return list;
    if (!list.empty()) list += ',';
    return list.append("localhost,127.0.0.0/8,::1");
}

}  // namespace labdeck::io
