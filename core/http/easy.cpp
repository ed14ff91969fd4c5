#include "core/http/easy.hpp"

#include "core/error/failure.hpp"
#include "core/http/limits.hpp"

#include <algorithm>
#include <chrono>

namespace fanfare {
namespace {

constexpr long kept_connection_age_s = 20;  // Below what providers keep idle connections.

}  // namespace

CurlEasy make_easy(const HttpOptions& options) {
    CurlEasy handle{curl_easy_init()};
    ensure(handle != nullptr, "libcurl gives out easy handles");
    CURL* const easy = handle.get();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    // Else libcurl waits, in our loop, for a look-up of a name that nobody wants any more.
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::min(options.timeout, http_connect_max).count()));
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kept_connection_age_s);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(options.upload_bytes));
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    return handle;
}

}  // namespace fanfare
