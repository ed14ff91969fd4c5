#pragma once

#include "core/handle/handle.hpp"
#include "core/http/client.hpp"
#include "core/http/easy.hpp"

#include <curl/curl.h>

#include <cstddef>
#include <string_view>

namespace fanfare {

using CurlMulti = Handle<CURLM, curl_multi_cleanup>;
using CurlList = Handle<curl_slist, curl_slist_free_all>;

/// One exchange on one reusable easy handle: what goes out, what came back so far.
class Transfer {
public:
    explicit Transfer(const HttpOptions& options);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    void prepare(const HttpRequest& request, HttpClient::Done done);

    /// Reads what libcurl says at the end; leaves the transfer ready for prepare().
    [[nodiscard]] HttpAnswer finish(CURLcode code);

    [[nodiscard]] CURL* easy() noexcept { return easy_.get(); }
    [[nodiscard]] HttpClient::Done take_done() noexcept { return std::move(done_); }

private:
    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
    static std::size_t on_write(char* from, std::size_t size, std::size_t count, void* self);
    static std::size_t on_header(char* from, std::size_t size, std::size_t count, void* self);
    [[nodiscard]] Transport to_transport(CURLcode code) const;

    CurlEasy easy_;
    CurlList headers_;
    HttpClient::Done done_;
    HttpAnswer answer_;
    std::string_view body_;      // Of the request.
    std::size_t body_read_ = 0;  // Bytes libcurl took of it.
    bool too_large_ = false;
    bool has_status_line_ = false;  // The last one, and that it is one.
};

}  // namespace fanfare
