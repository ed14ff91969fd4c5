#include "producer/http/server.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"
#include "producer/http/connection.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using asio::as_tuple;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::chrono::seconds drain_max{15};
constexpr std::size_t bodies_max = 16 << 20;

std::size_t room_for(const ServerSettings& settings) {
    return std::max<std::size_t>(bodies_max, settings.body_max);
}

/// Where peers share the connections, they share the room for bodies alike.
BodyRoom::Bounds bounds_for_strangers(const ServerSettings& settings) {
    const auto all = room_for(settings);
    return {.all = all, .a_peer = settings.connections_per_peer > 0 ? all / 4 : 0};
}

class Server final : public WebServer {
public:
    Server(const ServerSettings& settings, const Clock& clock,
           std::shared_ptr<prometheus::Registry> registry)
        : settings_{settings},
          context_{.settings = settings_,
                   .clock = clock,
                   .probe = HttpProbe{std::move(registry)},
                   .seats = Seats{{settings.connections_max, settings.connections_per_peer}},
                   .room_of_known = BodyRoom{{.all = room_for(settings)}},
                   .room_of_strangers = BodyRoom{bounds_for_strangers(settings)}},
          tasks_{loop_.get_executor()},
          last_{loop_.get_executor()} {}

    ~Server() override { stop(); }

    void bind() {
        if (!settings_.certificate.empty()) load_certificate();
        const tcp::endpoint endpoint{asio::ip::make_address(settings_.address),
                                     static_cast<std::uint16_t>(settings_.port)};
        acceptor_.open(endpoint.protocol());
        acceptor_.set_option(tcp::acceptor::reuse_address(true));
        acceptor_.bind(endpoint);
        acceptor_.listen();
        port_ = acceptor_.local_endpoint().port();
        if (settings_.port_file.empty()) return;
        const auto draft = settings_.port_file.string() + ".new";
        std::ofstream{draft} << port_ << '\n';
        std::filesystem::rename(draft, settings_.port_file);
    }

    void start(Router router) override {
        context_.router = std::move(router);
        context_.probe.expect(context_.router);
        tasks_.spawn(accept());
        thread_ = std::thread{[this] { loop_.run(); }};
        spdlog::info("{} on {}:{}", context_.tls == nullptr ? "http" : "https", settings_.address,
                     port_);
    }

    void stop() override {
        if (!thread_.joinable()) return;
        asio::post(loop_, [this] { last_.spawn(drain()); });
        thread_.join();
        loop_.restart();
        loop_.poll();  // The ends of drain() itself.
    }

    [[nodiscard]] asio::any_io_executor executor() override { return loop_.get_executor(); }
    [[nodiscard]] std::uint16_t port() const noexcept override { return port_; }

private:
    void load_certificate() {
        tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
        SSL_CTX_set_options(tls_.native_handle(), SSL_OP_NO_RENEGOTIATION);
        tls_.use_certificate_chain_file(settings_.certificate.string());
        tls_.use_private_key_file(settings_.key.string(), asio::ssl::context::pem);
        context_.tls = &tls_;
        std::tm end{};
        const auto* const certificate = SSL_CTX_get0_certificate(tls_.native_handle());
        if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1) {
            context_.probe.certificate_until(static_cast<double>(timegm(&end)));
        }
    }

    asio::awaitable<void> accept() {
        while (!context_.stopping) {
            auto [fault, socket] = co_await acceptor_.async_accept(as_tuple(use_awaitable));
            if (fault == asio::error::operation_aborted) break;
            if (fault) {
                co_await pause_for(std::chrono::milliseconds{100});  // Out of descriptors, likely.
            } else {
                tasks_.spawn(serve_connection(std::move(socket), context_));
            }
        }
    }

    asio::awaitable<void> drain() {
        context_.stopping = true;
        acceptor_.close();
        context_.seats.cut_idle();
        asio::steady_timer patience{loop_, drain_max};
        patience.async_wait([this](const boost::system::error_code& fault) {
            if (!fault) context_.seats.cut_all();
        });
        co_await tasks_.join();
        loop_.stop();
    }

    ServerSettings settings_;
    ConnectionContext context_;
    asio::io_context loop_{1};
    asio::ssl::context tls_{asio::ssl::context::tls_server};
    tcp::acceptor acceptor_{loop_};
    std::uint16_t port_ = 0;
    TaskGroup tasks_;
    TaskGroup last_;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<WebServer>> WebServer::open(const ServerSettings& settings,
                                                   const Clock& clock,
                                                   std::shared_ptr<prometheus::Registry> registry) {
    auto server = std::make_unique<Server>(settings, clock, std::move(registry));
    try {
        server->bind();
    } catch (const std::exception& fault) {
        return fail(Errc::config_invalid,
                    fmt::format("serve HTTP on {}:{} ({}); see producer.http in the settings",
                                settings.address, settings.port, fault.what()));
    }
    return std::unique_ptr<WebServer>{std::move(server)};
}

}  // namespace fanfare
