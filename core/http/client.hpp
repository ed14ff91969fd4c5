#pragma once

#include "core/http/exchange.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace fanfare {
/// Of one client, which serves one account.
struct HttpOptions {
    std::chrono::milliseconds timeout{10'000};  // One exchange, connecting included.
    std::uint32_t connections_max = 8;          // [1, 1000]
    std::uint32_t streams_max = 100;            // HTTP/2 streams a connection.
    std::uint32_t upload_bytes = 16 * 1024;     // [16 Ki, 2 Mi] written at once, a transfer.
    std::filesystem::path ca_file;              // Empty: the system's certificates.
    bool allow_http = false;                    // Plain HTTP and SMTP, for loopback only.
};

/// Many HTTP requests at once over few kept connections, on libcurl multi under Asio.
///
/// A request is sent once or its fate is said: bodies cannot be rewound, because libcurl
/// 7.88 sends a POST again by itself when a kept connection dies, and that doubles people.
/// Redirects, proxies from the environment, cookies and other protocols are off; TLS is
/// always verified.
///
/// A request with an envelope is a mail and speaks SMTP only (MailPool), any other HTTP only.
///
/// Bounds    1 MiB an answer; connections_max connections, the rest waits inside.
/// Stop      the destructor aborts what runs: each open exchange ends in_doubt or not_sent.
/// Threads   one serial executor.
/// Lifetime  a request outlives its exchange.
class HttpClient {
public:
    /// The answer is the client's again when it returns: whoever needs it longer copies it.
    using Done = std::function<void(const HttpAnswer&)>;

    [[nodiscard]] static std::unique_ptr<HttpClient> create(boost::asio::any_io_executor executor,
                                                            const HttpOptions& options);
    virtual ~HttpClient() = default;

    /// Begins an exchange; `done` is called once, never from inside start().
    virtual void start(const HttpRequest& request, Done done) = 0;

    /// The same as a coroutine.
    [[nodiscard]] boost::asio::awaitable<HttpAnswer> send(const HttpRequest& request);

    [[nodiscard]] virtual std::size_t in_flight() const noexcept = 0;
};

}  // namespace fanfare
