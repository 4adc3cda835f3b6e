#include "supervise/http_get.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <map>
#include <utility>

#include "base/assert.h"
#include "io/curl.h"

namespace labdeck::supervise {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

/// With a resolver that waits, or with none, a name would hold up the whole hub.
bool looks_up_aside() {
    return (::curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS) != 0;
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
    const CURLcode done = ::curl_easy_setopt(easy, option, value);
    // Out of memory, or an option that this libcurl was built without.
    LD_ASSERT(done == CURLE_OK);
}

}  // namespace

struct HttpGet::Impl {
    explicit Impl(io::Reactor& reactor_) : reactor(reactor_) {}
    ~Impl() {
        end();
        if (multi != nullptr) ::curl_multi_cleanup(multi);
        if (timer != 0) reactor.cancel(timer);
        for (const auto& [fd, watch] : watches) reactor.unwatch(watch);
    }

    bool open();
    void prepare(const std::string& url);
    void act(curl_socket_t fd, int what);
    void collect();
    std::string verdict(CURLcode result) const;
    void end();
    void watch(curl_socket_t fd, int what);
    void forget(curl_socket_t fd);
    void set_timer(long ms);

    static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* of_socket);
    static int on_timer(CURLM* multi, long ms, void* self);
    static int on_close(void* self, curl_socket_t fd);
    static std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* self);

    io::Reactor& reactor;
    CURLM* multi = nullptr;
    CURL* easy = nullptr;
    Done done;
    std::string about;
    std::size_t bytes = 0;
    std::array<char, CURL_ERROR_SIZE> error{};
    std::map<curl_socket_t, io::WatchId> watches;
    io::TimerId timer = 0;
};

bool HttpGet::Impl::open() {
    if (multi != nullptr) return true;
    if (!io::curl_ready()) return false;
    multi = ::curl_multi_init();
    if (multi == nullptr) return false;
    ::curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    ::curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    ::curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    ::curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    return true;
}

void HttpGet::Impl::prepare(const std::string& url) {
    error.fill(0);
    bytes = 0;
    set(easy, CURLOPT_URL, url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, 1L);
    set(easy, CURLOPT_MAXREDIRS, redirects_max);
    set(easy, CURLOPT_NOPROXY, io::curl_without_proxy().c_str());
    set(easy, CURLOPT_NOSIGNAL, 1L);
    // Else giving up waits for the thread that looks up a name.
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    // The next check is to find out whether a new connection is taken.
    set(easy, CURLOPT_FORBID_REUSE, 1L);
    set(easy, CURLOPT_USERAGENT, "Labdeck");
    set(easy, CURLOPT_ERRORBUFFER, error.data());
    set(easy, CURLOPT_WRITEFUNCTION, &Impl::on_bytes);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_HEADERFUNCTION, &Impl::on_bytes);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_CLOSESOCKETFUNCTION, &Impl::on_close);
    set(easy, CURLOPT_CLOSESOCKETDATA, this);
}

int HttpGet::Impl::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    auto& impl = *static_cast<Impl*>(self);
    what == CURL_POLL_REMOVE ? impl.forget(fd) : impl.watch(fd, what);
    return 0;
}

int HttpGet::Impl::on_timer(CURLM*, long ms, void* self) {
    static_cast<Impl*>(self)->set_timer(ms);
    return 0;
}

// A descriptor that is watched must not be closed.
int HttpGet::Impl::on_close(void* self, curl_socket_t fd) {
    static_cast<Impl*>(self)->forget(fd);
    return ::close(fd);
}

std::size_t HttpGet::Impl::on_bytes(char*, std::size_t size, std::size_t count, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    impl.bytes += size * count;
    return impl.bytes > page_bytes_max ? 0 : size * count;
}

void HttpGet::Impl::watch(curl_socket_t fd, int what) {
    const std::uint32_t events = (what != CURL_POLL_OUT ? std::uint32_t{EPOLLIN} : 0U) |
                                 (what != CURL_POLL_IN ? std::uint32_t{EPOLLOUT} : 0U);
    const auto found = watches.find(fd);
    if (found != watches.end()) return reactor.change(found->second, events);
    const auto made = reactor.watch(fd, events, [this, fd](std::uint32_t came) {
        int flags = 0;
        if ((came & EPOLLIN) != 0) flags |= CURL_CSELECT_IN;
        if ((came & EPOLLOUT) != 0) flags |= CURL_CSELECT_OUT;
        if ((came & (EPOLLERR | EPOLLHUP)) != 0) flags |= CURL_CSELECT_ERR;
        act(fd, flags);
    });
    // Unwatched it does not answer, which the caller's time-out finds out.
    if (made) watches.emplace(fd, *made);
}

void HttpGet::Impl::forget(curl_socket_t fd) {
    const auto found = watches.find(fd);
    if (found == watches.end()) return;
    reactor.unwatch(found->second);
    watches.erase(found);
}

void HttpGet::Impl::set_timer(long ms) {
    if (timer != 0) reactor.cancel(std::exchange(timer, 0));
    if (ms < 0) return;
    timer = reactor.after(ms * ns_per_ms, [this] {
        timer = 0;
        act(CURL_SOCKET_TIMEOUT, 0);
    });
}

void HttpGet::Impl::act(curl_socket_t fd, int what) {
    int running = 0;
    ::curl_multi_socket_action(multi, fd, what, &running);
    collect();
}

void HttpGet::Impl::collect() {
    int left = 0;
    while (const CURLMsg* const message = ::curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE || message->easy_handle != easy) continue;
        std::string why = verdict(message->data.result);
        const Done last = std::exchange(done, nullptr);
        end();
        // The last thing: it may start the next one, or destroy us.
        if (last) last(std::move(why));
        return;
    }
}

std::string HttpGet::Impl::verdict(CURLcode result) const {
    long status = 0;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (result != CURLE_OK && bytes <= page_bytes_max) {
        const char* const text = error.front() != 0 ? error.data() : ::curl_easy_strerror(result);
        return fmt::format("{}: {}", about, text);
    }
    if (status >= 200 && status < 300) return {};
    return fmt::format("{}: {}", about, status);
}

void HttpGet::Impl::end() {
    done = nullptr;
    if (easy == nullptr) return;
    CURL* const ended = std::exchange(easy, nullptr);
    ::curl_multi_remove_handle(multi, ended);
    ::curl_easy_cleanup(ended);
}

HttpGet::HttpGet(io::Reactor& reactor) : impl_(std::make_unique<Impl>(reactor)) {}
HttpGet::~HttpGet() = default;

void HttpGet::start(const std::string& url, Done done) {
    Impl& impl = *impl_;
    LD_ASSERT(impl.easy == nullptr);
    impl.about = title(url);
    if (!impl.open()) return done(fmt::format("{}: libcurl cannot be used", impl.about));
    if (!looks_up_aside()) return done(fmt::format("{}: this libcurl waits for names", impl.about));
    impl.easy = ::curl_easy_init();
    LD_ASSERT(impl.easy != nullptr);
    impl.prepare(url);
    impl.done = std::move(done);
    ::curl_multi_add_handle(impl.multi, impl.easy);
}

void HttpGet::cancel() {
    impl_->end();
}

std::string HttpGet::title(const std::string& url) {
    std::string shown = "GET";
    CURLU* const parts = io::curl_ready() ? ::curl_url() : nullptr;
    if (parts == nullptr) return shown;
    char* text = nullptr;
    if (::curl_url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
        ::curl_url_set(parts, CURLUPART_USER, nullptr, 0) == CURLUE_OK &&
        ::curl_url_set(parts, CURLUPART_PASSWORD, nullptr, 0) == CURLUE_OK &&
        ::curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        shown = fmt::format("GET {}", static_cast<const char*>(text));
    }
    ::curl_free(text);
    ::curl_url_cleanup(parts);
    return shown;
}

}  // namespace labdeck::supervise
