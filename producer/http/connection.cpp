#include "producer/http/connection.hpp"

#include "core/http/exchange.hpp"
#include "producer/http/text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace fanfare {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::as_tuple;
using asio::use_awaitable;
using asio::ip::tcp;
using Parser = http::request_parser<http::string_body>;

constexpr std::uint32_t header_bytes_max = 16 * 1024;
constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::chrono::seconds idle_max{60};
constexpr std::chrono::seconds linger_max{2};
constexpr std::size_t linger_bytes_max = 1 << 20;
constexpr auto receiving = tcp::socket::shutdown_receive;
constexpr auto both_ways = tcp::socket::shutdown_both;

/// What a fault while reading deserves: an answer, or nothing where nobody is there to read it.
std::optional<HttpReply> reply_to(const boost::system::error_code& fault, bool timed_out) {
    if (timed_out) return problem(408, "The request took too long to arrive.");
    if (fault == http::error::header_limit) return problem(431, "The header is too large.");
    if (fault == http::error::body_limit) return problem(413, "The body is too large.");
    if (fault == http::error::end_of_stream || fault == http::error::partial_message) {
        return std::nullopt;
    }
    const bool malformed = fault.category() == make_error_code(http::error::bad_method).category();
    if (malformed) return problem(400, "This is not HTTP/1.1.");
    return std::nullopt;
}

bool is_target(std::string_view target) {
    return target.starts_with('/') &&
           std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

HttpCall make_call(http::request<http::string_body>& request, std::string peer) {
    HttpCall call;
    call.method = std::string_view{request.method_string().data(), request.method_string().size()};
    call.target = std::string_view{request.target().data(), request.target().size()};
    const auto mark = call.target.find('?');
    call.path = call.target.substr(0, mark);
    if (mark != std::string::npos) call.query = call.target.substr(mark + 1);
    for (const auto& field : request) {
        call.headers.emplace_back(
            std::string{field.name_string().data(), field.name_string().size()},
            std::string{field.value().data(), field.value().size()});
    }
    call.peer = std::move(peer);
    return call;
}

/// What stands against this call before its body is read.
std::optional<HttpReply> refusal(const HttpCall& call, const Router::Match& match,
                                 const Parser& parser, std::size_t body_max, Moment now) {
    if (match.route == nullptr && match.allow.empty())
        return problem(404, "There is nothing here.");
    if (match.route == nullptr) {
        auto reply = problem(405, "This method is not for this path.");
        reply.headers.emplace_back("Allow", match.allow);
        return reply;
    }
    const auto length = parser.content_length();
    if (length && *length > body_max) return problem(413, "The body is too large.");
    const auto& types = match.route->options.content_types;
    const bool has_body = parser.chunked() || (length && *length > 0);
    if (has_body && !types.empty() &&
        std::find(types.begin(), types.end(), call.media_type()) == types.end()) {
        return problem(415, "The body has a content type that is not taken here.");
    }
    if (!match.route->take(now)) {
        auto reply = problem(429, "Too many requests at once.");
        reply.headers.emplace_back("Retry-After", "1");
        return reply;
    }
    return std::nullopt;
}

/// `chunked` only counts for a body in pieces; without it the end of the connection ends the body.
std::string head_of(const HttpReply& reply, bool keep, bool chunked, TimePoint now) {
    auto head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nX-Content-Type-Options: nosniff\r\n",
                            reply.status, reason_phrase(reply.status), http_date(now));
    if (!reply.pieces) {
        head.append(fmt::format("Content-Length: {}\r\n", reply.body.size()));
    } else if (chunked) {
        head.append("Transfer-Encoding: chunked\r\n");
    }
    if (!reply.content_type.empty()) {
        head.append(header_line("Content-Type", reply.content_type)).append("\r\n");
    }
    for (const auto& [name, value] : reply.headers) {
        head.append(header_line(name, value)).append("\r\n");
    }
    if (!keep) head.append("Connection: close\r\n");
    return head.append("\r\n");
}

asio::awaitable<HttpReply> handle(const Route& route, const HttpCall& call) {
    try {
        co_return co_await route.handler(call);
    } catch (const std::exception& fault) {
        // What it says may hold bytes of the request: its kind is enough to find it.
        spdlog::error("the handler of {} threw {}", route.pattern, typeid(fault).name());
    }
    co_return problem(500, "Something went wrong here.");
}

/// A body that is made while it is sent. Each piece has request_timeout to leave.
template <class Stream>
asio::awaitable<bool> write_pieces(Stream& stream, const HttpReply& reply, bool chunked,
                                   Deadline& deadline, const ConnectionContext& context) {
    std::optional<std::string> piece{reply.body};
    bool is_first = true;
    while (true) {
        if (!is_first || piece->empty()) {
            deadline.arm(std::chrono::hours{24}, both_ways);
            piece = co_await reply.pieces();
        }
        is_first = false;
        if (!piece) co_return false;
        const bool is_last = piece->empty();
        std::string bytes = std::move(*piece);
        if (chunked) bytes = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
        deadline.arm(context.settings.request_timeout, both_ways);
        const auto buffer = asio::buffer(bytes);
        auto [fault, count] = co_await asio::async_write(stream, buffer, as_tuple(use_awaitable));
        static_cast<void>(count);
        if (fault) co_return false;
        if (is_last) co_return true;
    }
}

template <class Stream>
asio::awaitable<bool> write_reply(Stream& stream, const HttpReply& reply, bool keep, bool chunked,
                                  bool with_body, Deadline& deadline,
                                  const ConnectionContext& context) {
    const auto head = head_of(reply, keep, chunked, context.clock.now());
    std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::const_buffer{}};
    if (with_body && !reply.pieces) buffers[1] = asio::buffer(reply.body);
    deadline.arm(context.settings.request_timeout, both_ways);
    auto [fault, count] = co_await asio::async_write(stream, buffers, as_tuple(use_awaitable));
    static_cast<void>(count);
    if (fault) co_return false;
    if (!with_body || !reply.pieces) co_return keep;
    const bool whole = co_await write_pieces(stream, reply, chunked, deadline, context);
    if (!whole) deadline.cut(both_ways);
    co_return whole&& keep;
}

/// One request and its answer. True when the connection may carry another.
template <class Stream>
asio::awaitable<bool> exchange(Stream& stream, beast::flat_buffer& buffer, Deadline& deadline,
                               ConnectionContext& context, std::string peer) {
    Parser parser;
    parser.header_limit(header_bytes_max);
    parser.body_limit(boost::none);
    deadline.arm(context.settings.request_timeout, receiving);
    auto [fault, count] =
        co_await http::async_read_header(stream, buffer, parser, as_tuple(use_awaitable));
    static_cast<void>(count);
    auto reply = fault ? reply_to(fault, deadline.passed()) : std::nullopt;
    if (fault && !reply) co_return false;
    HttpCall call;
    Router::Match match;
    std::size_t body_max = context.settings.body_max;
    if (!reply) {
        call = make_call(parser.get(), std::move(peer));
        if (is_target(call.target)) {
            match = context.router.find(call.method, call.path);
            call.params = std::move(match.params);
            if (match.route != nullptr && match.route->options.body_max > 0) {
                body_max = match.route->options.body_max;
            }
            reply = refusal(call, match, parser, body_max, context.clock.moment());
        } else {
            reply = problem(400, "The target is not a path.");
        }
    }
    if (!reply && !parser.is_done()) {
        parser.body_limit(body_max);
        if (same_word(call.header("expect"), "100-continue")) {
            constexpr std::string_view go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
            const auto bytes = asio::buffer(go_on);
            co_await asio::async_write(stream, bytes, as_tuple(use_awaitable));
        }
        auto [cut, read] =
            co_await http::async_read(stream, buffer, parser, as_tuple(use_awaitable));
        static_cast<void>(read);
        if (cut) reply = reply_to(cut, deadline.passed());
        if (cut && !reply) co_return false;
    }
    bool keep = parser.is_done() && parser.get().keep_alive() && !context.stopping;
    if (!reply) {
        call.body = std::move(parser.get().body());
        deadline.arm(std::chrono::hours{24}, both_ways);  // Handlers have limits of their own.
        reply = co_await handle(*match.route, call);
        keep = keep && !context.stopping;
    }
    context.probe.answered(match.route == nullptr ? "none" : match.route->pattern, reply->status);
    const bool with_body = call.method != "HEAD";
    const bool chunked = parser.is_header_done() && parser.get().version() >= 11;
    keep = keep && (chunked || !reply->pieces);
    co_return co_await write_reply(stream, *reply, keep, chunked, with_body, deadline, context);
}

template <class Stream>
asio::awaitable<void> converse(Stream& stream, Deadline& deadline, ConnectionContext& context,
                               const std::string& peer) {
    beast::flat_buffer buffer;
    bool keep = true;
    while (keep && !context.stopping) {
        if (buffer.size() == 0) {
            deadline.set_idle(true);
            deadline.arm(idle_max, both_ways);
            const auto room = buffer.prepare(read_bytes);
            auto [fault, count] = co_await stream.async_read_some(room, as_tuple(use_awaitable));
            deadline.set_idle(false);
            if (fault) co_return;
            buffer.commit(count);
        }
        keep = co_await exchange(stream, buffer, deadline, context, peer);
    }
}

/// Closing while bytes still arrive would reset the connection and lose the answer on its way.
asio::awaitable<void> linger(tcp::socket& socket, Deadline& deadline) {
    deadline.cut(tcp::socket::shutdown_send);
    deadline.arm(linger_max, both_ways);
    std::array<char, 4096> scrap;
    for (std::size_t total = 0; total < linger_bytes_max;) {
        const auto room = asio::buffer(scrap);
        auto [fault, count] = co_await socket.async_read_some(room, as_tuple(use_awaitable));
        if (fault) break;
        total += count;
    }
}

}  // namespace

asio::awaitable<void> serve_connection(tcp::socket socket, ConnectionContext& context) {
    boost::system::error_code fault;
    socket.set_option(tcp::no_delay{true}, fault);
    const auto remote = socket.remote_endpoint(fault);
    const std::string peer = fault ? "" : remote.address().to_string();
    Deadline deadline{socket, context.open};
    if (context.tls == nullptr) {
        co_await converse(socket, deadline, context, peer);
    } else {
        asio::ssl::stream<tcp::socket&> stream{socket, *context.tls};
        deadline.arm(context.settings.request_timeout, both_ways);
        auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                        as_tuple(use_awaitable));
        if (failed) co_return;
        co_await converse(stream, deadline, context, peer);
        deadline.arm(linger_max, both_ways);
        co_await stream.async_shutdown(as_tuple(use_awaitable));
    }
    co_await linger(socket, deadline);
}

}  // namespace fanfare
