#include "updates/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "io/curl.h"

namespace labdeck::updates {

namespace {

constexpr long redirects_max = 3;

using Url = std::unique_ptr<CURLU, decltype(&::curl_url_cleanup)>;
using Easy = std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)>;

/// One part, "" when the URL does not have it.
std::string part_of(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    std::string copy;
    if (::curl_url_get(url, part, &text, 0) == CURLUE_OK) copy = text;
    ::curl_free(text);
    return copy;
}

Result<Url> parse(const std::string& text) {
    Url url(io::curl_ready() ? ::curl_url() : nullptr, &::curl_url_cleanup);
    if (!url) return fail(Code::io, "libcurl cannot be used");
    const CURLUcode read = ::curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
    if (read != CURLUE_OK) {
        return fail(Code::bad_arg, fmt::format("is no URL ({}); a feed is https://…, file:///… or, on this "
                                               "machine, http://127.0.0.1:PORT/…",
                                               ::curl_url_strerror(read)));
    }
    return url;
}

bool is_this_machine(std::string_view host) {
    if (host == "localhost" || host == "[::1]") return true;
    return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<> check(CURLU* url) {
    if (!part_of(url, CURLUPART_USER).empty() || !part_of(url, CURLUPART_PASSWORD).empty())
        return fail(Code::bad_arg, "may hold no name and no password");
    const std::string scheme = part_of(url, CURLUPART_SCHEME);
    if (scheme == "https" || scheme == "file") return {};
    if (scheme == "http" && is_this_machine(part_of(url, CURLUPART_HOST))) return {};
    return fail(Code::bad_arg, scheme == "http"
                                   ? "is http:// to another machine, which anybody between could answer; "
                                     "take https://"
                                   : fmt::format("is {}://; a feed is https://…, file:///… or, on this "
                                                 "machine, http://127.0.0.1:PORT/…",
                                                 scheme));
}

struct Transfer {
    const FetchRequest& request;
    const std::function<Result<>(std::string_view)>& sink;
    std::uint64_t got = 0;
    bool too_long = false;
    Result<> sunk;
};

std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* to) {
    auto& transfer = *static_cast<Transfer*>(to);
    const std::size_t length = size * count;
    if (transfer.request.stop.stop_requested()) return CURL_WRITEFUNC_ERROR;
    transfer.too_long = length > transfer.request.bytes_max - transfer.got;
    if (transfer.too_long) return CURL_WRITEFUNC_ERROR;
    transfer.got += length;
    transfer.sunk = transfer.sink({bytes, length});
    return transfer.sunk ? length : CURL_WRITEFUNC_ERROR;
}

int on_progress(void* to, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(to)->request.stop.stop_requested() ? 1 : 0;
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
    const CURLcode done = ::curl_easy_setopt(easy, option, value);
    // Out of memory, or an option that this libcurl was built without.
    LD_ASSERT(done == CURLE_OK);
}

void prepare(CURL* easy, const FetchRequest& request, Transfer& transfer,
             std::array<char, CURL_ERROR_SIZE>& why) {
    const bool secure = request.url.starts_with("https:");
    set(easy, CURLOPT_URL, request.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "https,http,file");
    set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    set(easy, CURLOPT_FOLLOWLOCATION, secure ? 1L : 0L);
    set(easy, CURLOPT_MAXREDIRS, redirects_max);
    set(easy, CURLOPT_NOPROXY, io::curl_without_proxy().c_str());
    set(easy, CURLOPT_NOSIGNAL, 1L);
    // Else giving up waits for the thread that looks up a name.
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_FAILONERROR, 1L);
    set(easy, CURLOPT_USERAGENT, "Labdeck/" LABDECK_VERSION);
    set(easy, CURLOPT_ERRORBUFFER, why.data());
    set(easy, CURLOPT_CONNECTTIMEOUT, request.connect_s);
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, request.silence_s);
    set(easy, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(request.from));
    set(easy, CURLOPT_WRITEFUNCTION, &on_bytes);
    set(easy, CURLOPT_WRITEDATA, &transfer);
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_XFERINFOFUNCTION, &on_progress);
    set(easy, CURLOPT_XFERINFODATA, &transfer);
}

FetchEnd end_of_status(long status) {
    if (status == 416) return FetchEnd::no_ranges;
    return status == 408 || status == 429 || status >= 500 ? FetchEnd::broke_off : FetchEnd::refused;
}

FetchEnd end_of(CURLcode code, long status) {
    switch (code) {
        case CURLE_ABORTED_BY_CALLBACK:
            return FetchEnd::canceled;
        case CURLE_RANGE_ERROR:
        case CURLE_BAD_DOWNLOAD_RESUME:
            return FetchEnd::no_ranges;
        case CURLE_HTTP_RETURNED_ERROR:
            return end_of_status(status);
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_PARTIAL_FILE:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return FetchEnd::broke_off;
        default:
            return FetchEnd::refused;
    }
}

Code code_of(CURLcode code, long status) {
    if (code == CURLE_OPERATION_TIMEDOUT) return Code::timeout;
    return status == 404 || code == CURLE_FILE_COULDNT_READ_FILE ? Code::not_found : Code::io;
}

}  // namespace

Result<> check_feed_url(const std::string& url) {
    const Url parsed = LD_TRY(parse(url));
    return check(parsed.get());
}

Result<std::string> resolve_url(const std::string& base, const std::string& file) {
    const Url url = LD_TRY(parse(base));
    LD_TRY(check(url.get()));
    const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
    if (const CURLUcode set = ::curl_url_set(url.get(), CURLUPART_URL, file.c_str(), 0); set != CURLUE_OK)
        return fail(Code::bad_arg, fmt::format("{}: {}", file, ::curl_url_strerror(set)));
    if (auto fine = check(url.get()); !fine)
        return fail(Code::bad_arg, fmt::format("{}: {}", file, fine.error().message));
    const std::string leads_to = part_of(url.get(), CURLUPART_SCHEME);
    if (leads_to != scheme && leads_to != "https") {
        return fail(Code::bad_arg,
                    fmt::format("{}: a feed of {}:// may not lead to {}://", file, scheme, leads_to));
    }
    return part_of(url.get(), CURLUPART_URL);
}

Result<std::string> manifest_url(const std::string& feed) {
    if (feed.ends_with(".json")) return resolve_url(feed, feed);
    return resolve_url(feed.ends_with('/') ? feed : feed + '/', "manifest.json");
}

FetchResult fetch(const FetchRequest& request, const std::function<Result<>(std::string_view bytes)>& sink) {
    Transfer transfer{request, sink, 0, false, {}};
    const Easy easy(io::curl_ready() ? ::curl_easy_init() : nullptr, &::curl_easy_cleanup);
    if (!easy) return {FetchEnd::refused, {Code::io, "libcurl cannot be used", 0, {}}};
    std::array<char, CURL_ERROR_SIZE> why{};
    prepare(easy.get(), request, transfer, why);
    const CURLcode code = ::curl_easy_perform(easy.get());
    long status = 0;
    ::curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);

    if (request.stop.stop_requested())
        return {FetchEnd::canceled, {Code::canceled, "given up on request", 0, {}}};
    if (!transfer.sunk) return {FetchEnd::refused, transfer.sunk.error()};
    if (transfer.too_long) {
        return {FetchEnd::refused,
                {Code::io,
                 fmt::format("{}: goes on beyond {} bytes", request.url, request.from + request.bytes_max),
                 0,
                 {}}};
    }
    if (code != CURLE_OK) {
        const char* const text = why.front() != 0 ? why.data() : ::curl_easy_strerror(code);
        return {end_of(code, status),
                {code_of(code, status), fmt::format("{}: {}", request.url, text), 0, {}}};
    }
    // A file has no status; a redirect that is not followed is no answer, and a 416 is no success to us.
    if (status != 0 && status / 100 != 2)
        return {end_of_status(status),
                {Code::io, fmt::format("{}: answered {}", request.url, status), 0, {}}};
    return {};
}

}  // namespace labdeck::updates
