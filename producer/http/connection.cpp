#include "producer/http/connection.hpp"

#include "core/web/body.hpp"
#include "core/web/deadline.hpp"
#include "core/web/head.hpp"
#include "core/web/inlet.hpp"
#include "producer/http/reply_writer.hpp"
#include "producer/http/text.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::as_tuple;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::chrono::seconds idle_max{60};
constexpr std::chrono::hours no_limit{24};
constexpr auto receiving = tcp::socket::shutdown_receive;
constexpr auto both_ways = tcp::socket::shutdown_both;

/// An answer that is ready, or that nobody is there to read one.
struct Ended {
    std::optional<HttpReply> reply;
};

HttpReply reply_to(const HttpFault& fault) {
    return problem(fault.status, fault.code, fault.detail);
}

HttpCall make_call(RequestHead& head, std::string peer) {
    HttpCall call;
    call.method = std::move(head.method);
    call.target = std::move(head.target);
    const auto mark = call.target.find('?');
    call.path = call.target.substr(0, mark);
    if (mark != std::string::npos) call.query = call.target.substr(mark + 1);
    call.headers = std::move(head.fields);
    call.peer = std::move(peer);
    return call;
}

/// A header that may stand once and does not: what a proxy before us read may be the other one.
bool repeats_a_header(const HttpCall& call) {
    constexpr std::array<std::string_view, 4> once{"authorization", "content-type", "fanfare-owner",
                                                   "idempotency-key"};
    return std::any_of(once.begin(), once.end(), [&call](std::string_view name) {
        return std::count_if(call.headers.begin(), call.headers.end(),
                             [name](const auto& each) { return same_word(each.first, name); }) > 1;
    });
}

HttpReply no_route(const Router::Match& match) {
    if (match.allow.empty()) return problem(404, "not_found", "There is nothing here.");
    auto reply = problem(405, "method_not_allowed", "This method is not for this path.");
    reply.headers.emplace_back("Allow", match.allow);
    return reply;
}

/// What stands against a body before it is read.
std::optional<HttpReply> refusal(const HttpCall& call, const RequestHead& head,
                                 const RouteOptions& options, std::size_t body_max) {
    if (head.length > body_max) return problem(413, "too_large", "The body is too large.");
    const auto coding = call.header("content-encoding");
    if (!coding.empty() && !same_word(coding, "identity")) {
        auto reply =
            problem(415, "unsupported_encoding", "Send the body without Content-Encoding.");
        reply.headers.emplace_back("Accept-Encoding", "identity");
        return reply;
    }
    const auto& types = options.content_types;
    const bool fits = !head.has_body() || types.empty() ||
                      std::find(types.begin(), types.end(), call.media_type()) != types.end();
    if (fits) return std::nullopt;
    return problem(415, "unsupported_media_type",
                   "The body has a content type that is not taken here.");
}

asio::awaitable<HttpReply> handle(const Route& route, const HttpHandler& handler,
                                  const HttpCall& call) {
    try {
        co_return co_await handler(call);
    } catch (const std::exception& fault) {
        // What it says may hold bytes of the request: its kind is enough to find it.
        spdlog::error("the handler of {} threw {}", route.pattern, typeid(fault).name());
    }
    co_return problem(500, "internal", "Something went wrong here.");
}

asio::awaitable<std::variant<HttpHandler, HttpReply>> enter(const Route& route,
                                                            const HttpCall& call) {
    try {
        co_return co_await route.options.gate(call);
    } catch (const std::exception& fault) {
        spdlog::error("the gate of {} threw {}", route.pattern, typeid(fault).name());
    }
    co_return problem(500, "internal", "Something went wrong here.");
}

asio::awaitable<std::optional<std::string>> next_piece(const HttpReply& reply) {
    try {
        co_return co_await reply.pieces();
    } catch (const std::exception& fault) {
        spdlog::error("an answer in pieces threw {}", typeid(fault).name());
    }
    co_return std::nullopt;
}

/// One connection's requests, one after the other.
template <class Stream>
class Conversation {
public:
    Conversation(Stream& stream, Deadline& deadline, Seats::Seat& seat, ConnectionContext& context,
                 std::string peer)
        : inlet_{stream},
          stream_{stream},
          deadline_{deadline},
          seat_{seat},
          context_{context},
          peer_{std::move(peer)} {}

    asio::awaitable<void> run() {
        bool keep = true;
        while (keep && !context_.stopping) {
            seat_.rest();
            deadline_.arm(idle_max, both_ways);
            bool is_here = !inlet_.bytes().empty();
            if (!is_here) is_here = co_await inlet_.more();
            if (!is_here) co_return;
            seat_.hear();
            keep = co_await exchange();
        }
    }

private:
    /// One request and its answer. True when the connection may carry another.
    asio::awaitable<bool> exchange() {
        deadline_.arm(context_.settings.request_timeout, receiving);
        auto arrived = co_await read_request_head();
        if (const auto* const ended = std::get_if<Ended>(&arrived)) {
            if (!ended->reply) co_return false;
            context_.probe.answered("none", ended->reply->status, {});
            co_return co_await write(*ended->reply, {});
        }
        auto& head = std::get<RequestHead>(arrived);
        const auto arrived_at = context_.clock.steady_now();
        auto call = make_call(head, peer_);
        auto match = context_.router.find(call.method, call.path);
        call.params = std::move(match.params);
        const auto ended = co_await serve(head, call, match);
        seat_.hear();
        if (!ended.reply) co_return false;
        const auto& reply = *ended.reply;
        context_.probe.answered(match.route == nullptr ? "none" : match.route->label(),
                                reply.status, context_.clock.steady_now() - arrived_at);
        ReplyForm form;
        form.chunked = head.minor >= 1;
        form.with_body = call.method != "HEAD";
        form.keep = body_is_read_ && head.keep_alive && !context_.stopping &&
                    (form.chunked || !reply.pieces);
        if (is_known_) seat_.serve();
        co_return co_await write(reply, form);
    }

    asio::awaitable<std::variant<RequestHead, Ended>> read_request_head() {
        HeadFinder finder;
        while (true) {
            const auto found = finder.look(inlet_.bytes());
            if (const auto* const fault = std::get_if<HttpFault>(&found)) {
                co_return Ended{reply_to(*fault)};
            }
            const auto size = std::get<std::size_t>(found);
            if (size == 0) {
                const bool more = co_await inlet_.more();
                if (more) continue;
                co_return Ended{too_slow()};
            }
            auto head = read_head(inlet_.bytes().substr(0, size));
            inlet_.drop(size);
            if (const auto* const fault = std::get_if<HttpFault>(&head)) {
                co_return Ended{reply_to(*fault)};
            }
            co_return std::move(std::get<RequestHead>(head));
        }
    }

    /// Nothing where the other side has gone by itself.
    [[nodiscard]] std::optional<HttpReply> too_slow() const {
        if (!deadline_.passed()) return std::nullopt;
        return problem(408, "request_timeout", "The request took too long to arrive.");
    }

    /// What a request is answered with: who calls is looked at before its body is.
    asio::awaitable<Ended> serve(const RequestHead& head, HttpCall& call,
                                 const Router::Match& match) {
        is_known_ = false;
        body_is_read_ = !head.has_body();
        if (repeats_a_header(call)) {
            co_return Ended{problem(400, "malformed_request", "A header stands there twice.")};
        }
        if (match.route == nullptr) co_return Ended{no_route(match)};
        const auto& options = match.route->options;
        auto handler = match.route->handler;
        if (options.gate) {
            auto opened = co_await enter(*match.route, call);
            if (auto* const reply = std::get_if<HttpReply>(&opened)) {
                co_return Ended{std::move(*reply)};
            }
            handler = std::move(std::get<HttpHandler>(opened));
            is_known_ = options.gate_knows;
            if (is_known_) seat_.serve();
        }
        BodyRoom::Share share{is_known_ ? context_.room_of_known : context_.room_of_strangers,
                              peer_};
        if (options.body_counts) {
            const auto body_max =
                options.body_max > 0 ? options.body_max : context_.settings.body_max;
            if (auto refused = refusal(call, head, options, body_max)) {
                co_return Ended{std::move(*refused)};
            }
            BodyReader body{head, body_max};
            auto ended = co_await read_body(head, body, share);
            if (!body.is_whole()) co_return ended;
            body_is_read_ = true;
            call.body = std::move(body.body());
        }
        deadline_.arm(no_limit, both_ways);  // Handlers have limits of their own.
        seat_.serve();
        auto reply = co_await handle(*match.route, handler, call);
        co_return Ended{std::move(reply)};
    }

    /// Until the body is whole, or what it is answered with instead.
    asio::awaitable<Ended> read_body(const RequestHead& head, BodyReader& body,
                                     BodyRoom::Share& share) {
        if (head.expects_continue && head.has_body() && inlet_.bytes().empty()) {
            constexpr std::string_view go_on{"HTTP/1.1 100 Continue\r\n\r\n"};
            const auto bytes = asio::buffer(go_on);
            co_await asio::async_write(stream_, bytes, as_tuple(use_awaitable));
        }
        while (true) {
            auto bytes = inlet_.bytes();
            const auto fault = body.take(bytes);
            inlet_.drop(inlet_.bytes().size() - bytes.size());
            if (fault) co_return Ended{reply_to(*fault)};
            if (!share.grow_to(body.body().size())) {
                auto reply = problem(503, "busy", "Too much arrives at once; send it again.");
                reply.headers.emplace_back("Retry-After", "1");
                co_return Ended{std::move(reply)};
            }
            if (body.is_whole()) co_return Ended{};
            const bool more = co_await inlet_.more();
            if (!more) co_return Ended{too_slow()};
        }
    }

    asio::awaitable<bool> write(const HttpReply& reply, const ReplyForm& form) {
        if (reply.hold.count() > 0) {
            seat_.wait();
            deadline_.arm(no_limit, both_ways);
            co_await deadline_.pause(reply.hold);
            seat_.hear();
        }
        const auto head = encode_head(reply, form, context_.clock.now());
        std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::const_buffer{}};
        if (form.with_body && !reply.pieces) buffers[1] = asio::buffer(reply.body);
        deadline_.arm(context_.settings.request_timeout, both_ways);
        auto [fault, count] = co_await asio::async_write(stream_, buffers, as_tuple(use_awaitable));
        static_cast<void>(count);
        if (fault) co_return false;
        if (!form.with_body || !reply.pieces) co_return form.keep;
        const bool whole = co_await write_pieces(reply, form.chunked);
        if (!whole) deadline_.cut(both_ways);
        if (!whole) co_return false;
        co_return form.keep;
    }

    /// A body that is made while it is sent. Each piece has request_timeout to leave.
    asio::awaitable<bool> write_pieces(const HttpReply& reply, bool chunked) {
        std::optional<std::string> piece{reply.body};
        bool is_first = true;
        while (true) {
            if (!is_first || piece->empty()) {
                deadline_.arm(no_limit, both_ways);
                piece = co_await next_piece(reply);
            }
            is_first = false;
            if (!piece) co_return false;
            const bool is_last = piece->empty();
            std::string bytes = std::move(*piece);
            if (chunked) bytes = fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
            deadline_.arm(context_.settings.request_timeout, both_ways);
            const auto buffer = asio::buffer(bytes);
            auto [fault, count] =
                co_await asio::async_write(stream_, buffer, as_tuple(use_awaitable));
            static_cast<void>(count);
            if (fault) co_return false;
            if (is_last) co_return true;
        }
    }

    Inlet<Stream> inlet_;
    Stream& stream_;
    Deadline& deadline_;
    Seats::Seat& seat_;
    ConnectionContext& context_;
    std::string peer_;
    bool is_known_ = false;      // A gate knows who sent the request.
    bool body_is_read_ = false;  // Behind it the next request begins.
};

std::unique_ptr<Seats::Seat> take_seat(ConnectionContext& context, const std::string& peer,
                                       Deadline& deadline) {
    const auto before = context.seats.made_room();
    auto seat = context.seats.take(peer, [&deadline] { deadline.cut(both_ways); });
    if (context.seats.made_room() > before) context.probe.made_room();
    if (!seat) context.probe.no_room();
    return seat;
}

}  // namespace

asio::awaitable<void> serve_connection(tcp::socket socket, ConnectionContext& context) {
    boost::system::error_code fault;
    socket.set_option(tcp::no_delay{true}, fault);
    const auto remote = socket.remote_endpoint(fault);
    if (fault) co_return;  // It has gone already.
    const auto peer = to_peer(remote.address());
    Deadline deadline{socket};
    const auto seat = take_seat(context, peer, deadline);
    if (!seat) co_return;
    if (context.tls == nullptr) {
        Conversation<tcp::socket> conversation{socket, deadline, *seat, context, peer};
        co_await conversation.run();
    } else {
        using Stream = asio::ssl::stream<tcp::socket&>;
        Stream stream{socket, *context.tls};
        deadline.arm(context.settings.request_timeout, both_ways);
        auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server,
                                                        as_tuple(use_awaitable));
        if (failed) co_return;
        Conversation<Stream> conversation{stream, deadline, *seat, context, peer};
        co_await conversation.run();
        seat->hear();
        deadline.arm(std::chrono::seconds{2}, both_ways);
        co_await stream.async_shutdown(as_tuple(use_awaitable));
    }
    seat->hear();
    co_await linger(socket, deadline);
}

}  // namespace fanfare
