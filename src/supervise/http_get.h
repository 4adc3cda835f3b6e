// http_get.h - asks one URL for a page and throws the page away: did it answer 2xx?
//
// libcurl on the reactor: nothing here waits. Names are looked up on a thread of libcurl's own (its threaded
// resolver; start() refuses to go on with a libcurl that was built without one), and a look-up that is given
// up is left to end by itself. The only wait is for the certificates' file, read once for the first https
// URL.
//
// Only http and https, at most three redirects, no cookies, no passwords from ~/.netrc; the environment's
// proxies, but never for this machine's own addresses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/reactor.h"

namespace labdeck::supervise {

/// Thread: the reactor's.
class HttpGet {
public:
    /// A page that goes on beyond this is not read to its end; its status counts.
    static constexpr std::size_t page_bytes_max = 64U << 10;
    static constexpr long redirects_max = 3;

    /// Gets nothing for a 2xx, else "GET URL: 503" or what libcurl says.
    using Done = std::function<void(std::string why)>;

    explicit HttpGet(io::Reactor& reactor);
    ~HttpGet();
    HttpGet(const HttpGet&) = delete;
    HttpGet& operator=(const HttpGet&) = delete;

    /// May call `done` before it returns. Sets no time-out: the caller cancels. REQUIRES: none is under way.
    void start(const std::string& url, Done done);
    /// `done` is not called any more.
    void cancel();

    /// "GET URL" without the name and the password that the URL may hold.
    static std::string title(const std::string& url);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace labdeck::supervise
