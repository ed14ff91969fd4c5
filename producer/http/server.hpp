#pragma once

#include "core/clock/clock.hpp"
#include "core/error/failure.hpp"
#include "core/settings/settings.hpp"
#include "producer/http/router.hpp"

#include <prometheus/registry.h>
#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>

namespace fanfare {

/// The producer's HTTP/1.1 server, on a thread of its own: a flood of webhooks never delays
/// the scheduler. Every error is a problem document (RFC 9457); no request ends the process.
///
///     auto server = WebServer::open(settings, clock, registry);   // bound, not yet serving
///     ... make what the handlers need, on server->executor() ...
///     server->start(std::move(router));
///     server->stop();
///
/// Bounds    those of ServerSettings, and of serve_connection().
/// Stop      stop() ends what idles, waits up to 15 s for what is being served, then cuts. What
///           the handlers look at must live until then; the executor lives on with the server.
/// Threads   handlers run on the server's thread; open(), start() and stop() on the owner's.
class WebServer {
public:
    /// Binds. Fails with what to change when the port is taken or a file does not read.
    [[nodiscard]] static Result<std::unique_ptr<WebServer>> open(
        const ServerSettings& settings, const Clock& clock,
        std::shared_ptr<prometheus::Registry> registry);
    virtual ~WebServer() = default;

    virtual void start(Router router) = 0;
    virtual void stop() = 0;

    [[nodiscard]] virtual boost::asio::any_io_executor executor() = 0;
    [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
};

}  // namespace fanfare
