#pragma once

#include "core/handle/handle.hpp"
#include "core/http/client.hpp"

#include <curl/curl.h>

namespace fanfare {

using CurlEasy = Handle<CURL, curl_easy_cleanup>;

/// An easy handle with what HTTP and SMTP have in common: TLS 1.2 or later and always verified;
/// nothing of the environment's proxies, .netrc and signals.
[[nodiscard]] CurlEasy make_easy(const HttpOptions& options);

}  // namespace fanfare
