#include "core/http/transfer.hpp"

#include "core/error/failure.hpp"
#include "core/http/answer_headers.hpp"
#include "core/http/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace fanfare {
namespace {

/// libcurl 7.88 lets "HTTP/2-1. 00" pass, as -1, and 8.14 takes it, and "HTTP/2 2000", for 200.
bool is_status_line(std::string_view line) {
    const auto version = line.substr(0, line.find(' '));
    constexpr std::array<std::string_view, 4> versions{"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/3"};
    if (std::find(versions.begin(), versions.end(), version) == versions.end()) return false;
    const auto code = line.substr(std::min(line.size(), version.size() + 1));
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    return code.size() >= 3 && std::all_of(code.begin(), code.begin() + 3, is_digit) &&
           (code.size() == 3 || code[3] == ' ');
}

constexpr long answer_buffer_bytes = 16 * 1024;  // Answers are small; a thousand transfers are not.

}  // namespace

Transfer::Transfer(const HttpOptions& options) : easy_{make_easy(options)} {
    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, options.allow_http ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, answer_buffer_bytes);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    // The body comes through a read function without a seek function: libcurl then cannot
    // send it a second time behind our back.
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
}

void Transfer::prepare(const HttpRequest& request, HttpClient::Done done) {
    done_ = std::move(done);
    answer_ = {};
    body_ = request.body;
    body_read_ = 0;
    too_large_ = false;
    has_status_line_ = false;
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    for (const auto& header : request.headers) list = curl_slist_append(list, header.c_str());
    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    headers_.reset(list);
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    if (request.get) body_ = {};
    curl_easy_setopt(easy, request.get ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    curl_easy_setopt(
        easy, CURLOPT_HTTP_VERSION,
        static_cast<long>(request.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
}

HttpAnswer Transfer::finish(CURLcode code) {
    long status = 0;
    curl_off_t elapsed = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &elapsed);
    const bool has_status = has_status_line_ && status >= 200 && status <= 999;
    answer_.status = has_status ? static_cast<int>(status) : 0;
    answer_.elapsed = std::chrono::microseconds{elapsed};
    answer_.transport = to_transport(code);
    if (code != CURLE_OK) {
        answer_.fault =
            fmt::format("curl {}: {}", static_cast<int>(code), curl_easy_strerror(code));
    } else if (!has_status) {
        answer_.transport = Transport::in_doubt;
        answer_.fault = "http: the answer has no status";
    }
    return std::move(answer_);
}

Transport Transfer::to_transport(CURLcode code) const {
    if (code == CURLE_OK) return Transport::answered;
    // An answer that is cut at our own bound, or whose body broke, came from someone who
    // had the request: never "not sent".
    if (answer_.status != 0 || too_large_) return Transport::in_doubt;
    // The end of the body never left our hands: nobody can have processed the request.
    return body_read_ < body_.size() ? Transport::not_sent : Transport::in_doubt;
}

std::size_t Transfer::on_read(char* into, std::size_t size, std::size_t count, void* self) {
    auto* const transfer = static_cast<Transfer*>(self);
    const auto rest = transfer->body_.substr(transfer->body_read_);
    const auto taken = std::min(rest.size(), size * count);
    std::memcpy(into, rest.data(), taken);
    transfer->body_read_ += taken;
    return taken;
}

std::size_t Transfer::on_write(char* from, std::size_t size, std::size_t count, void* self) {
    auto* const transfer = static_cast<Transfer*>(self);
    const auto bytes = size * count;
    if (transfer->answer_.body.size() + bytes > answer_bytes_max) {
        transfer->too_large_ = true;
        return 0;  // Ends the exchange.
    }
    transfer->answer_.body.append(from, bytes);
    return bytes;
}

std::size_t Transfer::on_header(char* from, std::size_t size, std::size_t count, void* self) {
    auto& answer = static_cast<Transfer*>(self)->answer_;
    std::string_view line{from, size * count};
    line = line.substr(0, line.find_first_of("\r\n"));
    if (line.starts_with("HTTP/")) {
        static_cast<Transfer*>(self)->has_status_line_ = is_status_line(line);
    }
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        keep_header(answer, line.substr(0, colon), line.substr(colon + 1));
    }
    return size * count;
}

}  // namespace fanfare
