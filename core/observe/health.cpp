#include "core/observe/health.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"
#include "core/observe/families.hpp"
#include "core/web/deadline.hpp"
#include "core/web/head.hpp"
#include "core/web/inlet.hpp"
#include "core/web/seats.hpp"
#include "core/web/text.hpp"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::as_tuple;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr Seats::Bounds connections_max{.all = 64, .a_peer = 16};
constexpr std::chrono::seconds request_max{5};
constexpr auto both_ways = tcp::socket::shutdown_both;

struct Reply {
    int status = 200;
    std::string body;
    std::string_view type = "text/plain; charset=utf-8";
};

std::string encode(const Reply& reply, bool with_body) {
    auto bytes = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reply.status, reason_phrase(reply.status), reply.type, reply.body.size());
    if (with_body) bytes.append(reply.body);
    return bytes;
}

class Server final : public HealthServer {
public:
    Server(const Clock& clock, std::shared_ptr<prometheus::Collectable> families, Checks checks)
        : families_{std::move(families)},
          checks_{std::move(checks)},
          seats_{connections_max},
          tasks_{loop_.get_executor()},
          watch_{loop_.get_executor(), clock, std::move(checks_.sides)} {}

    ~Server() override {
        asio::post(loop_, [this] {
            acceptor_.close();
            seats_.cut_all();
            watch_.stop();
        });
        if (thread_.joinable()) thread_.join();
    }

    void listen(const ObserveSettings& settings) {
        const tcp::endpoint endpoint{asio::ip::make_address(settings.address), settings.port};
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen();
        tasks_.spawn(accept());
        watch_.start();
        thread_ = std::thread{[this] { loop_.run(); }};
    }

    [[nodiscard]] std::uint16_t port() const noexcept override {
        boost::system::error_code ignored;
        return acceptor_.local_endpoint(ignored).port();
    }

private:
    asio::awaitable<void> accept() {
        while (acceptor_.is_open()) {
            auto [fault, socket] = co_await acceptor_.async_accept(as_tuple(use_awaitable));
            if (fault == asio::error::operation_aborted) break;
            if (fault) {
                co_await pause_for(std::chrono::milliseconds{100});  // Out of descriptors, likely.
            } else {
                tasks_.spawn(serve(std::move(socket)));
            }
        }
    }

    asio::awaitable<void> serve(tcp::socket socket) {
        boost::system::error_code gone;
        const auto remote = socket.remote_endpoint(gone);
        if (gone) co_return;
        Deadline deadline{socket};
        auto peer = to_peer(remote.address());
        const auto seat = seats_.take(std::move(peer), [&deadline] { deadline.cut(both_ways); });
        if (!seat) co_return;
        deadline.arm(request_max, both_ways);
        Inlet<tcp::socket> inlet{socket};
        const auto answer = co_await answer_to(inlet);
        const auto bytes = asio::buffer(answer);
        auto [fault, count] = co_await asio::async_write(socket, bytes, as_tuple(use_awaitable));
        static_cast<void>(count);
        if (!fault) co_await linger(socket, deadline);
    }

    /// The whole answer as bytes; "" where nobody waits for one.
    asio::awaitable<std::string> answer_to(Inlet<tcp::socket>& inlet) {
        HeadFinder finder;
        while (true) {
            const auto found = finder.look(inlet.bytes());
            if (const auto* const fault = std::get_if<HttpFault>(&found)) co_return refusal(*fault);
            const auto size = std::get<std::size_t>(found);
            if (size > 0) {
                const auto head = read_head(inlet.bytes().substr(0, size));
                if (const auto* const fault = std::get_if<HttpFault>(&head)) {
                    co_return refusal(*fault);
                }
                const auto& request = std::get<RequestHead>(head);
                co_return encode(reply_to(request), request.method != "HEAD");
            }
            const bool more = co_await inlet.more();
            if (!more) co_return std::string{};
        }
    }

    static std::string refusal(const HttpFault& fault) {
        return encode({.status = fault.status, .body = std::string{fault.detail} + "\n"}, true);
    }

    Reply reply_to(const RequestHead& request) const {
        if (request.method != "GET" && request.method != "HEAD") {
            return {.status = 405, .body = "only GET is served here\n"};
        }
        const auto path = std::string_view{request.target}.substr(0, request.target.find('?'));
        if (path == "/metrics") {
            return {.body = metrics(), .type = "text/plain; version=0.0.4; charset=utf-8"};
        }
        if (path == "/healthz") {
            if (checks_.alive()) return {.body = "ok\n"};
            return {.status = 503, .body = "stuck\n"};
        }
        if (path == "/readyz") {
            const auto why = why_not_ready();
            if (why.empty()) return {.body = "ready\n"};
            return {.status = 503, .body = why + "\n"};
        }
        return {.status = 404, .body = "here are /metrics, /healthz and /readyz\n"};
    }

    /// "" for ready.
    std::string why_not_ready() const {
        const auto readiness = checks_.ready();
        const auto side = watch_.trouble();
        if (readiness.ready) return side;
        // Where something is away, what it is comes with what it leads to: a due query that fails.
        return side.empty() ? readiness.why : readiness.why + "; " + side;
    }

    std::string metrics() const {
        auto families = families_->Collect();
        auto ready = gauge_family("fanfare_ready", "1 while /readyz says ready");
        add_series(ready, {}, why_not_ready().empty() ? 1 : 0);
        families.push_back(std::move(ready));
        append_process(families, checks_.program, checks_.version);
        return prometheus::TextSerializer{}.Serialize(families);
    }

    std::shared_ptr<prometheus::Collectable> families_;
    Checks checks_;
    asio::io_context loop_{1};
    tcp::acceptor acceptor_{loop_};
    Seats seats_;
    TaskGroup tasks_;
    SideWatch watch_;
    std::thread thread_;
};

}  // namespace

bool all_turn(std::initializer_list<SteadyTime> last_turns, SteadyTime now,
              std::chrono::seconds stuck_after) {
    return std::all_of(last_turns.begin(), last_turns.end(),
                       [&](SteadyTime turn) { return now - turn < stuck_after; });
}

Result<std::unique_ptr<HealthServer>> HealthServer::start(
    const ObserveSettings& settings, const Clock& clock,
    std::shared_ptr<prometheus::Collectable> families, Checks checks) {
    auto server = std::make_unique<Server>(clock, std::move(families), std::move(checks));
    try {
        server->listen(settings);
    } catch (const std::exception& fault) {
        return fail(Errc::config_invalid,
                    fmt::format("listen on {}:{} for metrics ({}); set observe.port to a free port",
                                settings.address, settings.port, fault.what()));
    }
    if (!settings.port_file.empty()) {
        const auto draft = settings.port_file.string() + ".new";
        std::ofstream{draft} << server->port() << '\n';
        std::filesystem::rename(draft, settings.port_file);
    }
    spdlog::info("metrics and health on {}:{}", settings.address, server->port());
    return std::unique_ptr<HealthServer>{std::move(server)};
}

}  // namespace fanfare
