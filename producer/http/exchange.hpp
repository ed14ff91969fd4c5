#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// One HTTP request as it arrived. Untrusted, but well-formed as HTTP: the target begins with
/// '/' and holds visible ASCII only.
struct HttpCall {
    std::string method;  // "POST", in capitals.
    std::string target;  // As received: path and query.
    std::string path;    // What is before '?', still percent-encoded.
    std::string query;   // What is behind it, raw; "" for none.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;  // The raw bytes: signatures are over these.
    std::string peer;  // Who connected, as to_peer() has it: a proxy, where there is one.
    std::vector<std::pair<std::string, std::string>> params;  // {name} of the route, decoded.

    /// The first header of this name, in any case; "" where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    /// Whether there is one, though it be empty.
    [[nodiscard]] bool has_header(std::string_view name) const noexcept;
    /// The value of {name}; "" where the route has none.
    [[nodiscard]] std::string_view param(std::string_view name) const noexcept;
    /// "application/json" of a Content-Type with parameters, in lower case.
    [[nodiscard]] std::string media_type() const;
};

/// The next piece of a body that is made while it is sent; "" at its end. Nothing: it cannot be
/// finished, and the connection is cut so that nobody takes a part for the whole.
using HttpPieces = std::function<boost::asio::awaitable<std::optional<std::string>>()>;

struct HttpReply {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    HttpPieces pieces;                  // Where set, they follow `body`.
    std::chrono::milliseconds hold{0};  // It leaves only then: whoever guesses is slowed down.
};

/// Serves one route. The call outlives the await. What it throws becomes a 500.
using HttpHandler = std::function<boost::asio::awaitable<HttpReply>(const HttpCall&)>;

/// What serves this call, once its body is there; or what stands against it.
using HttpGate =
    std::function<boost::asio::awaitable<std::variant<HttpHandler, HttpReply>>(const HttpCall&)>;

/// An error as RFC 9457 says it: application/problem+json with type, title, status, code, detail.
/// `code` is for programs and never changes; `detail` is for people, without address, number, key
/// or path of ours.
[[nodiscard]] HttpReply problem(int status, std::string_view code, std::string_view detail);

}  // namespace fanfare
