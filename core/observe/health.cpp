#include "core/observe/health.hpp"

#include "core/async/task_group.hpp"

#include <fmt/format.h>
#include <prometheus/text_serializer.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <filesystem>
#include <fstream>
#include <thread>

namespace fanfare {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::as_tuple;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::size_t connections_max = 64;
constexpr std::chrono::seconds request_max{5};

class Server final : public HealthServer {
public:
    Server(std::shared_ptr<prometheus::Registry> registry, Checks checks)
        : registry_{std::move(registry)},
          checks_{std::move(checks)},
          tasks_{loop_.get_executor()} {}

    ~Server() override {
        asio::post(loop_, [this] { acceptor_.close(); });
        if (thread_.joinable()) thread_.join();
    }

    void listen(const ObserveSettings& settings) {
        const tcp::endpoint endpoint{asio::ip::make_address(settings.address), settings.port};
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen();
        tasks_.spawn(accept());
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
            } else if (tasks_.running() <= connections_max) {
                tasks_.spawn(serve(std::move(socket)));
            }
        }
    }

    asio::awaitable<void> serve(tcp::socket socket) {
        beast::tcp_stream stream{std::move(socket)};
        beast::flat_buffer buffer;
        http::request_parser<http::empty_body> parser;
        parser.header_limit(8192);
        stream.expires_after(request_max);
        auto [fault, read] =
            co_await http::async_read(stream, buffer, parser, as_tuple(use_awaitable));
        static_cast<void>(read);
        if (fault) co_return;
        auto answer = reply(parser.get());
        co_await http::async_write(stream, answer, as_tuple(use_awaitable));
        boost::system::error_code ignored;
        stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    }

    http::response<http::string_body> reply(const http::request<http::empty_body>& request) const {
        http::response<http::string_body> answer{http::status::ok, 11};
        answer.keep_alive(false);
        answer.set(http::field::content_type, "text/plain; charset=utf-8");
        const auto target = request.target();
        if (request.method() != http::verb::get && request.method() != http::verb::head) {
            answer.result(http::status::method_not_allowed);
        } else if (target == "/metrics") {
            answer.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
            answer.body() = prometheus::TextSerializer{}.Serialize(registry_->Collect());
        } else if (target == "/healthz") {
            const bool alive = checks_.alive();
            if (!alive) answer.result(http::status::service_unavailable);
            answer.body() = alive ? "ok\n" : "stuck\n";
        } else if (target == "/readyz") {
            const auto readiness = checks_.ready();
            if (!readiness.ready) answer.result(http::status::service_unavailable);
            answer.body() = readiness.ready ? "ready\n" : readiness.why + "\n";
        } else {
            answer.result(http::status::not_found);
            answer.body() = "here are /metrics, /healthz and /readyz\n";
        }
        answer.prepare_payload();
        if (request.method() == http::verb::head) answer.body().clear();
        return answer;
    }

    std::shared_ptr<prometheus::Registry> registry_;
    Checks checks_;
    asio::io_context loop_{1};
    tcp::acceptor acceptor_{loop_};
    TaskGroup tasks_;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HealthServer>> HealthServer::start(
    const ObserveSettings& settings, std::shared_ptr<prometheus::Registry> registry,
    Checks checks) {
    auto server = std::make_unique<Server>(std::move(registry), std::move(checks));
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
